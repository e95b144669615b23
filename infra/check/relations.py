"""What must agree: modules and who calls them, parameters and their files, names here and in `k8s/`."""

import json
from pathlib import Path

import yaml
from bicep import Expression, identifiers

# Given for each night by `harness aks up`; what costs money is in defaults.json.
GIVEN = {"run", "deleteAfter", "operatorPrincipalId", "operatorPrincipalType"}


def declarations(file):
    """Parameters without a description, and what is declared and not used."""
    used = identifiers(_bodies(file))
    for kind in ("param", "var"):
        for name, declared in file.of(kind).items():
            if kind == "param" and "description" not in declared.decorators:
                yield f"{file.path}:{declared.line}: parameter {name} has no @description"
            if name not in used:
                yield f"{file.path}:{declared.line}: {kind} {name} is not used"
    for address in (".windows.net", ".azure.com", ".microsoftonline.com"):
        if address in file.text:
            yield f"{file.path}: {address} is an address of one cloud; read it from a resource or from environment()"


def _bodies(file):
    """The text without the names that declarations introduce."""
    lines = file.text.splitlines()
    for declared in file.declarations:
        if declared.kind in ("param", "var"):
            line = declared.line - 1
            lines[line] = lines[line].replace(f"{declared.kind} {declared.name}", f"{declared.kind} _", 1)
    return "\n".join(lines)


def modules(main, read):
    """Calls of modules that do not fit what the module declares."""
    for name, call in main.of("module").items():
        module = read(main.path.parent / call.type)
        parameters, outputs = module.of("param"), module.of("output")
        given = call.value.properties["params"].properties
        for wrong in given.keys() - parameters.keys():
            yield f"{main.path}:{call.line}: module {name} has no parameter {wrong}"
        for parameter, declared in parameters.items():
            if parameter not in given and declared.value is None:
                yield f"{main.path}:{call.line}: module {name} needs the parameter {parameter}"
        for part in main.text.split(f"{name}.outputs.")[1:]:
            output = "".join(c for c in part if c.isalnum() or c == "\n").split("\n")[0]
            if not any(output.startswith(o) for o in outputs):
                yield f"{main.path}: module {name} has no output {output}"


def defaults(main, path):
    """Parameters that the defaults give and main does not have, or the other way round, or that are out of bounds."""
    given = {k: v["value"] for k, v in json.loads(path.read_text())["parameters"].items()}
    parameters = main.of("param")
    for wrong in sorted(given.keys() - parameters.keys()):
        yield f"{path}: {main.path} has no parameter {wrong}"
    for name, declared in parameters.items():
        value, rules = given.get(name), declared.decorators
        if value is None:
            if declared.value is None and name not in GIVEN:
                yield f"{path}: the parameter {name} of {main.path} has no value"
            continue
        if declared.type != {str: "string", int: "int", bool: "bool"}[type(value)]:
            yield f"{path}: {name} is of type {declared.type}, not {value!r}"
            continue
        size = value if isinstance(value, int) else len(value)
        least = rules.get("minValue", rules.get("minLength", size))
        most = rules.get("maxValue", rules.get("maxLength", size))
        if not least <= size <= most:
            yield f"{path}: {name} is {value!r}, and must be from {least} to {most}"


def names(main, identity, k8s):
    """Names of `k8s/` that the template repeats and has otherwise."""
    base = k8s / "base"
    kustomization = _yaml(base / "kustomization.yaml")
    settings = dict(
        line.split("=", 1) for line in (base / "consumer.env").read_text().splitlines() if line and line[0] != "#"
    )
    scaled = _yaml(base / "scaledobject.yaml")["spec"]["triggers"][0]["metadata"]
    for parameter, wanted, source in [
        ("workloadNamespace", kustomization["namespace"], "kustomization.yaml"),
        ("workloadServiceAccount", _yaml(base / "serviceaccount.yaml")["metadata"]["name"], "serviceaccount.yaml"),
        ("queueName", settings["AZURE_QUEUE_NAME"], "consumer.env"),
        ("queueName", scaled["queueName"], "scaledobject.yaml"),
        ("tableName", settings["AZURE_TABLE_NAME"], "consumer.env"),
    ]:
        found = main.of("param")[parameter].value
        if found != wanted:
            yield f"{main.path}: {parameter} is {found!r}, and {base / source} says {wanted!r}"
    subjects = [_text(a.properties["subject"]) for a in identity.of("var")["serviceAccounts"].value]
    for wanted in (
        "system:serviceaccount:${workloadNamespace}:${workloadServiceAccount}",
        "system:serviceaccount:kube-system:keda-operator",
    ):
        if wanted not in subjects:
            yield f"{identity.path}: no federated credential is for {wanted}"


def pools(cluster, path):
    """What NodePools must have, so that AKS's own pods neither buy nodes there nor run beside consumers."""
    text = cluster.text
    if "CriticalAddonsOnly=true:NoSchedule" not in text:
        yield f"{cluster.path}: the system pool lacks the taint CriticalAddonsOnly=true:NoSchedule"
    for pool in yaml.safe_load_all(path.read_text()):
        template = pool["spec"]["template"]
        if template.get("metadata", {}).get("labels", {}).get("kubernetes.azure.com/mode") != "user":
            name = pool["metadata"]["name"]
            yield f"{path}: NodePool {name} lacks the label kubernetes.azure.com/mode: user"
        if "cpu" not in pool["spec"].get("limits", {}):
            yield f"{path}: NodePool {pool['metadata']['name']} has no limit of cpu: its cost has no bound"


def _text(value):
    return value.text[1:-1] if isinstance(value, Expression) else value


def _yaml(path):
    return yaml.safe_load(Path(path).read_text())
