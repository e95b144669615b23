"""What the models of the `azure-mgmt-*` packages say of a resource: its properties, their kinds and their values.

The packages come in two generations. The newer one has a field for each property, the older one a map with paths such as
`properties.audiences`; both become a `Shape` here.
"""

import enum
import re
import typing
from dataclasses import dataclass, field

import azure.mgmt.authorization.v2022_04_01.models as authorization
import azure.mgmt.containerregistry.models as containerregistry
import azure.mgmt.containerservice.models as containerservice
import azure.mgmt.msi.v2024_11_30.models as msi
import azure.mgmt.storage.models as storage

# Type and version, as they stand in a template, and the model that a request for it has; a third entry is the model of the
# answer, where that is another one.
RESOURCES = {
    "Microsoft.Authorization/roleAssignments@2022-04-01": (authorization, "RoleAssignmentCreateParameters"),
    "Microsoft.ContainerRegistry/registries@2025-11-01": (containerregistry, "Registry"),
    "Microsoft.ContainerService/managedClusters@2026-05-01": (containerservice, "ManagedCluster"),
    "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30": (msi, "Identity"),
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30": (
        msi,
        "FederatedIdentityCredential",
    ),
    "Microsoft.Storage/storageAccounts@2025-08-01": (storage, "StorageAccountCreateParameters", "StorageAccount"),
    "Microsoft.Storage/storageAccounts/queueServices@2025-08-01": (storage, "QueueServiceProperties"),
    "Microsoft.Storage/storageAccounts/queueServices/queues@2025-08-01": (storage, "StorageQueue"),
    "Microsoft.Storage/storageAccounts/tableServices@2025-08-01": (storage, "TableServiceProperties"),
    "Microsoft.Storage/storageAccounts/tableServices/tables@2025-08-01": (storage, "Table"),
}


@dataclass
class Kind:
    """What a property holds: `object` with a shape, `list` of a kind, `map`, `enum` with its values, or a scalar."""

    name: str
    inner: object = None
    read_only: bool = False
    required: bool = False


@dataclass
class Shape:
    properties: dict = field(default_factory=dict)


def shape(resource, answer=False):
    """The shape of a resource type with its version, in a request or in the answer to one, or `None`."""
    found = RESOURCES.get(resource)
    return found and _of(getattr(found[0], found[-1 if answer else 1]), found[0])


def _of(model, models):
    return _old(model, models) if hasattr(model, "_attribute_map") else _new(model, models)


def _new(model, models):
    made = Shape()
    names = {**vars(models), "_models": models}
    for base in reversed(model.__mro__):
        for attribute, hint in vars(base).get("__annotations__", {}).items():
            rest = vars(base).get(attribute)
            if not hasattr(rest, "_rest_name_input") and attribute != "name":
                continue
            name = getattr(rest, "_rest_name_input", None) or attribute
            visible = getattr(rest, "_visibility", None) or []
            kind = _hint(typing.get_type_hints(_holder(attribute, hint), names)[attribute], models)
            kind.read_only = visible == ["read"]
            made.properties[name] = kind
    return made


def _holder(attribute, hint):
    return type("holder", (), {"__annotations__": {attribute: hint}})


def _hint(hint, models):
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union:
        known = [a for a in inner if a is not type(None)]
        choices = [a for a in known if isinstance(a, type) and issubclass(a, enum.Enum)]
        return _hint((choices or known)[0], models)
    if origin is list:
        return Kind("list", _hint(inner[0], models))
    if origin is dict:
        return Kind("map")
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return Kind("enum", [e.value for e in hint])
    if hint in (str, int, bool, float):
        return Kind(hint.__name__)
    if hasattr(hint, "__mro__") and hint.__module__.startswith("azure.mgmt"):
        return Kind("object", lambda: _of(hint, models))
    return Kind("any")


def _old(model, models):
    made = Shape()
    for attribute, entry in model._attribute_map.items():
        rules = getattr(model, "_validation", {}).get(attribute, {})
        # Values are only told by the description of the attribute: "str or ~azure...PrincipalType".
        told = re.search(rf":vartype {attribute}: str or\s+~[\w.]+\.(\w+)", model.__doc__ or "")
        kind = _named(entry["type"], models) if told is None else _hint(getattr(models, told[1]), models)
        kind.read_only, kind.required = rules.get("readonly", False), rules.get("required", False)
        *path, last = entry["key"].split(".")
        into = made
        for part in path:
            holder = into.properties.setdefault(part, Kind("object", Shape()))
            into = holder.inner
        into.properties[last] = kind
    return made


def _named(name, models):
    if name.startswith("["):
        return Kind("list", _named(name[1:-1], models))
    if name.startswith("{"):
        return Kind("map")
    if name in ("str", "int", "bool", "float"):
        return Kind(name)
    model = getattr(models, name, None)
    return Kind("object", lambda: _of(model, models)) if model else Kind("any")


def inner(kind):
    """The shape of an `object`."""
    return kind.inner() if callable(kind.inner) else kind.inner
