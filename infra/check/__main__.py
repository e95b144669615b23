"""`python infra/check [ROOT]`: everything that is wrong with `infra/`, as far as it can be told without Azure.

What only the Bicep compiler and Azure can tell is in docs/AKS.md.
"""

import sys
from pathlib import Path

import bicep
import relations
import resources


def problems(root):
    """Every problem of the repository at `root`, a line each."""
    infra, k8s = root / "infra", root / "k8s"
    files = {}
    try:
        for path in [infra / "main.bicep", *sorted((infra / "modules").glob("*.bicep"))]:
            files[path] = bicep.read(path)
    except bicep.Unreadable as error:
        return [str(error)]
    main = files[infra / "main.bicep"]
    found = []
    for file in files.values():
        found += resources.check(file)
        found += relations.declarations(file)
    found += relations.modules(main, lambda path: files[path])
    found += relations.defaults(main, infra / "defaults.json")
    found += relations.names(main, files[infra / "modules/identity.bicep"], k8s)
    found += relations.pools(files[infra / "modules/cluster.bicep"], k8s / "overlays/aks-spot/nodepools.yaml")
    return found


if __name__ == "__main__":
    FOUND = problems(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    print("\n".join(FOUND) or "infra: every property, value and name fits")
    sys.exit(1 if FOUND else 0)
