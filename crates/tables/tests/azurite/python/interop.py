"""Does to a table what a JSON document on stdin says, with the Azure SDK for Python, and prints what it saw as JSON.

It has no expectations of its own: entities come in and go out as {"keys": [partition, row], "properties": {name: [type, text]}},
and the Rust side compares.
"""

import base64
import json
import sys
import uuid
from datetime import datetime, timezone

from azure.core import MatchConditions
from azure.core.credentials import AzureSasCredential
from azure.core.exceptions import HttpResponseError
from azure.data.tables import EdmType, EntityProperty, TableClient, UpdateMode


def to_python(edm, text):
    """The value as a user of the SDK would write it."""
    return {
        "Edm.Binary": lambda: base64.b64decode(text),
        "Edm.Boolean": lambda: text == "true",
        "Edm.DateTime": lambda: datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc),
        "Edm.Double": lambda: float(text),
        "Edm.Guid": lambda: uuid.UUID(text),
        "Edm.Int32": lambda: int(text),
        "Edm.Int64": lambda: EntityProperty(int(text), EdmType.INT64),
        "Edm.String": lambda: text,
    }[edm]()


def from_python(value):
    """What the SDK made of a value: its type, and its text."""
    if isinstance(value, bytes):
        return ["Edm.Binary", base64.b64encode(value).decode()]
    if isinstance(value, bool):
        return ["Edm.Boolean", str(value).lower()]
    if isinstance(value, datetime):
        return ["Edm.DateTime", value.tables_service_value]
    if isinstance(value, float):
        return ["Edm.Double", repr(value)]
    if isinstance(value, uuid.UUID):
        return ["Edm.Guid", str(value)]
    if isinstance(value, EntityProperty):
        return [value.edm_type.value, str(value.value)]
    if isinstance(value, int):
        return ["Edm.Int32", str(value)]
    if isinstance(value, str):
        return ["Edm.String", value]
    raise TypeError(f"{value!r} is of no type that a table stores")


def entity_from(document):
    partition, row = document["keys"]
    properties = {name: to_python(*value) for name, value in document["properties"].items()}
    return {"PartitionKey": partition, "RowKey": row, **properties}


def document_from(entity):
    keys = [entity.pop("PartitionKey"), entity.pop("RowKey")]
    properties = {name: from_python(value) for name, value in entity.items()}
    return {"keys": keys, "properties": properties, "etag": entity.metadata["etag"]}


def insert(table, job):
    for document in job["entities"]:
        table.create_entity(entity_from(document))


def insert_together(table, job):
    table.submit_transaction([("create", entity_from(document)) for document in job["entities"]])


def get(table, job):
    return [document_from(table.get_entity(partition, row)) for partition, row in job["keys"]]


def query(table, job):
    return [document_from(entity) for entity in table.query_entities(job["filter"])]


def replace_if(table, job):
    """Replaces an entity if it is of a version; the service's code if it is not."""
    try:
        table.update_entity(
            entity_from(job["entity"]),
            mode=UpdateMode.REPLACE,
            etag=job["etag"],
            match_condition=MatchConditions.IfNotModified,
        )
    except HttpResponseError as error:
        return error.error_code.value


def main():
    job = json.load(sys.stdin)
    credential = AzureSasCredential(job["sas"])
    with TableClient(endpoint=job["endpoint"], table_name=job["table"], credential=credential) as table:
        json.dump(globals()[job["action"]](table, job), sys.stdout)


main()
