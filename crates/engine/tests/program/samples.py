"""Does what the public samples of azure-storage-queue and azure-data-tables do, against an account whose connection string is given,
and checks what they print. Prints the name of each service once its samples have run.

The samples: azure-storage-queue's queue_samples_hello_world, _service, _message and _authentication; azure-data-tables'
sample_create_client, sample_create_delete_table, sample_insert_delete_entities, sample_query_table(s), sample_update_upsert_merge_
entities, sample_batching, sample_conditional_update and sample_authentication.
"""

import sys
import uuid
from datetime import datetime, timedelta, timezone

from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import (
    EdmType,
    EntityProperty,
    TableAccessPolicy,
    TableClient,
    TableServiceClient,
    TableTransactionError,
    UpdateMode,
    generate_account_sas as generate_table_account_sas,
    generate_table_sas,
)
from azure.storage.queue import (
    AccessPolicy,
    AccountSasPermissions,
    BinaryBase64DecodePolicy,
    BinaryBase64EncodePolicy,
    CorsRule,
    Metrics,
    QueueAnalyticsLogging,
    QueueClient,
    QueueSasPermissions,
    QueueServiceClient,
    ResourceTypes,
    RetentionPolicy,
    generate_account_sas,
    generate_queue_sas,
)


def raises(error, action):
    try:
        action()
    except error as raised:
        return raised
    raise AssertionError(f"{error.__name__} was expected")


def expiry():
    return datetime.now(timezone.utc) + timedelta(hours=1)


def messages(service):
    """queue_samples_hello_world and queue_samples_message."""
    queue = service.create_queue("samples-messages", metadata={"category": "test"})
    raises(ResourceExistsError, lambda: service.create_queue("samples-messages", metadata={"category": "other"}))
    for number in range(1, 6):
        queue.send_message(f"message{number}")
    queue.send_message("hidden", visibility_timeout=100, time_to_live=-1)
    assert [m.content for m in queue.peek_messages(max_messages=5)] == [f"message{n}" for n in range(1, 6)]
    pages = queue.receive_messages(messages_per_page=2, visibility_timeout=100).by_page()
    assert [m.content for m in next(pages)] == ["message1", "message2"]
    third = next(next(pages))
    assert (third.content, third.dequeue_count) == ("message3", 1)
    updated = queue.update_message(third, visibility_timeout=0, content="updated")
    again = [m for m in queue.receive_messages() if m.content == "updated"][0]
    assert again.dequeue_count == 2 and again.pop_receipt != updated.pop_receipt
    raises(HttpResponseError, lambda: queue.delete_message(updated.id, updated.pop_receipt))
    queue.delete_message(again)
    raises(ResourceNotFoundError, lambda: queue.delete_message(again))
    properties = queue.get_queue_properties()
    assert properties.approximate_message_count == 5 and properties.metadata == {"category": "test"}
    queue.set_queue_metadata({"foo": "val1", "bar": "val2"})
    assert queue.get_queue_properties().metadata == {"foo": "val1", "bar": "val2"}
    queue.clear_messages()
    assert list(queue.peek_messages()) == []
    encoding = QueueClient(
        service.url, "samples-messages", credential=service.credential,
        message_encode_policy=BinaryBase64EncodePolicy(), message_decode_policy=BinaryBase64DecodePolicy(),
    )
    encoding.send_message(b"\x00\xff")
    assert encoding.receive_message().content == b"\x00\xff"
    queue.delete_queue()
    raises(ResourceNotFoundError, queue.get_queue_properties)


def queue_service(service):
    """queue_samples_service."""
    metrics = Metrics(enabled=True, include_apis=True, retention_policy=RetentionPolicy(enabled=True, days=5))
    logging = QueueAnalyticsLogging(
        read=True, write=True, delete=True, retention_policy=RetentionPolicy(enabled=True, days=5)
    )
    rule = CorsRule(["www.xyz.com"], ["GET"], allowed_headers=["x-ms-meta-data*"], exposed_headers=["x-ms-meta-abc"], max_age_in_seconds=500)
    service.set_service_properties(logging, metrics, metrics, [rule])
    properties = service.get_service_properties()
    assert properties["cors"][0].allowed_origins == "www.xyz.com"
    assert properties["hour_metrics"].retention_policy.days == 5
    for number in range(5):
        service.create_queue(f"samples-list-{number}", metadata={"number": str(number)})
    listed = list(service.list_queues(name_starts_with="samples-list-", include_metadata=True, results_per_page=2))
    assert [queue.name for queue in listed] == [f"samples-list-{n}" for n in range(5)]
    assert listed[3].metadata == {"number": "3"}
    for queue in listed:
        service.delete_queue(queue)


def queue_authentication(service):
    """queue_samples_authentication, and the access policies of queue_samples_message."""
    account, key = service.account_name, service.credential.account_key
    sas = generate_account_sas(account, key, ResourceTypes(service=True, container=True, object=True), AccountSasPermissions(read=True, list=True), expiry())
    reader = QueueServiceClient(service.url, credential=sas)
    list(reader.list_queues())
    raises(HttpResponseError, lambda: reader.create_queue("samples-denied"))
    queue = service.create_queue("samples-policies")
    policy = AccessPolicy(permission=QueueSasPermissions(read=True, add=True), expiry=expiry(), start=datetime.now(timezone.utc) - timedelta(minutes=1))
    queue.set_queue_access_policy({"my-policy": policy})
    assert queue.get_queue_access_policy()["my-policy"].permission == "ra"
    by_policy = QueueClient(service.url, "samples-policies", credential=generate_queue_sas(account, "samples-policies", key, policy_id="my-policy"))
    by_policy.send_message("hello")
    assert by_policy.peek_messages()[0].content == "hello"
    raises(HttpResponseError, by_policy.clear_messages)
    queue.set_queue_access_policy({})
    raises(HttpResponseError, lambda: by_policy.send_message("too late"))
    own = QueueClient(service.url, "samples-policies", credential=generate_queue_sas(account, "samples-policies", key, permission=QueueSasPermissions(process=True), expiry=expiry()))
    assert own.receive_message().content == "hello"
    service.delete_queue("samples-policies")


ENTITY = {
    "PartitionKey": "color",
    "RowKey": "brand",
    "text": "Marker",
    "color": "Purple",
    "price": 4.99,
    "last_updated": datetime(2026, 11, 28, 18, 0, 0, 123456, tzinfo=timezone.utc),
    "product_id": uuid.UUID("a455c695-df98-5678-aaaa-81d3367e5a34"),
    "inventory_count": 42,
    "barcode": b"135aefg8oj0ld58",
    "big": EntityProperty(2**40, EdmType.INT64),
    "available": True,
}


def entities(service):
    """sample_insert_delete_entities, sample_update_upsert_merge_entities, sample_conditional_update, sample_query_table."""
    table = service.create_table_if_not_exists("samplesEntities")
    service.create_table_if_not_exists("samplesEntities")
    raises(ResourceExistsError, lambda: service.create_table("samplesEntities"))
    table.create_entity(ENTITY)
    raises(ResourceExistsError, lambda: table.create_entity(ENTITY))
    stored = table.get_entity("color", "brand")
    assert {name: stored[name] for name in ENTITY} == ENTITY, stored
    assert table.get_entity("color", "brand", select=["text", "price"]) == {"text": "Marker", "price": 4.99}
    table.update_entity({"PartitionKey": "color", "RowKey": "brand", "color": "Blue"}, mode=UpdateMode.MERGE)
    merged = table.get_entity("color", "brand")
    assert (merged["color"], merged["text"]) == ("Blue", "Marker")
    stale = {"etag": stored.metadata["etag"], "match_condition": MatchConditions.IfNotModified}
    raises(ResourceModifiedError, lambda: table.update_entity(merged, mode=UpdateMode.REPLACE, **stale))
    fresh = {"etag": merged.metadata["etag"], "match_condition": MatchConditions.IfNotModified}
    table.update_entity({"PartitionKey": "color", "RowKey": "brand", "only": 1}, mode=UpdateMode.REPLACE, **fresh)
    assert set(table.get_entity("color", "brand")) == {"PartitionKey", "RowKey", "only"}
    table.upsert_entity({"PartitionKey": "color", "RowKey": "second", "only": 2})
    raises(ResourceNotFoundError, lambda: table.update_entity({"PartitionKey": "color", "RowKey": "third"}, mode=UpdateMode.MERGE))
    table.delete_entity("color", "brand")
    raises(ResourceNotFoundError, lambda: table.get_entity("color", "brand"))
    for number in range(25):
        table.create_entity({"PartitionKey": f"it's {number % 2}", "RowKey": f"{number:03}", "number": number, "name": "Marker"})
    parameters = {"name": "Marker", "low": 5, "high": 20}
    found = table.query_entities("name eq @name and number gt @low and number le @high", parameters=parameters, results_per_page=4)
    assert sorted(entity["number"] for entity in found) == list(range(6, 21))
    assert len(list(table.query_entities("PartitionKey eq @p", parameters={"p": "it's 1"}, select="RowKey"))) == 12
    assert len(list(table.list_entities(results_per_page=10))) == 26
    names = service.query_tables("TableName eq 'samplesEntities'")
    assert [item.name for item in names] == ["samplesEntities"]
    service.delete_table("samplesEntities")
    service.delete_table("samplesEntities")


def transactions(service):
    """sample_batching."""
    table = service.create_table("samplesBatch")
    keys = lambda row: {"PartitionKey": "pk", "RowKey": row}
    table.create_entity({**keys("2"), "value": 1})
    table.create_entity(keys("3"))
    answers = table.submit_transaction([
        ("create", keys("1")),
        ("delete", keys("3")),
        ("upsert", {**keys("4"), "value": "it's"}),
        ("update", {**keys("2"), "other": 2}, {"mode": "merge"}),
    ])
    assert len(answers) == 4 and "etag" in answers[0]
    assert {entity["RowKey"] for entity in table.list_entities()} == {"1", "2", "4"}
    error = raises(TableTransactionError, lambda: table.submit_transaction([("create", keys("5")), ("create", keys("1"))]))
    assert (error.index, error.error_code) == (1, "EntityAlreadyExists"), (error.index, error.error_code)
    raises(ResourceNotFoundError, lambda: table.get_entity("pk", "5"))
    service.delete_table("samplesBatch")


def table_authentication(service, account, key):
    """sample_authentication and sample_get_set_access_policies."""
    url = service.url
    sas = generate_table_account_sas(AzureNamedKeyCredential(account, key), resource_types="sco", permission="rl", expiry=expiry())
    reader = TableServiceClient(url, credential=AzureSasCredential(sas))
    list(reader.list_tables())
    raises(HttpResponseError, lambda: reader.create_table("samplesDenied"))
    table = service.create_table("samplesPolicies")
    policy = TableAccessPolicy(permission="ra", expiry=expiry())
    table.set_table_access_policy({"policy": policy})
    assert table.get_table_access_policy()["policy"].permission == "ra"
    credential = AzureNamedKeyCredential(account, key)
    sas = generate_table_sas(credential, "samplesPolicies", policy_id="policy")
    TableClient(url, "samplesPolicies", credential=AzureSasCredential(sas)).create_entity({"PartitionKey": "a", "RowKey": "1"})
    table.create_entity({"PartitionKey": "b", "RowKey": "1"})
    sas = generate_table_sas(credential, "samplesPolicies", permission="r", expiry=expiry(), start_pk="b", end_pk="b", start_rk="", end_rk="z")
    limited = TableClient(url, "samplesPolicies", credential=AzureSasCredential(sas))
    assert [entity["PartitionKey"] for entity in limited.list_entities()] == ["b"]
    raises(HttpResponseError, lambda: limited.delete_entity("b", "1"))
    properties = service.get_service_properties()
    assert {"cors", "hour_metrics"} <= set(properties)
    service.delete_table("samplesPolicies")


def main():
    connection = sys.argv[1]
    queues = QueueServiceClient.from_connection_string(connection)
    for sample in (messages, queue_service, queue_authentication):
        sample(queues)
    print("queues")
    tables = TableServiceClient.from_connection_string(connection)
    entities(tables)
    transactions(tables)
    table_authentication(tables, queues.account_name, queues.credential.account_key)
    print("tables")


main()
