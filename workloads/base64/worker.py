"""A worker whose messages are base64: orders, each with a GUID, in a table by day."""

import json
import os
import signal
import time

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient
from azure.storage.queue import LinearRetry, QueueClient, TextBase64DecodePolicy, TextBase64EncodePolicy

LEASE_S = int(os.environ.get("ORDERS_LEASE_SECONDS", "30"))
WORK_S = int(os.environ.get("ORDERS_WORK_MS", "0")) / 1000
MOST = int(os.environ.get("ORDERS_MAX_DELIVERIES", "5"))
storage, name = os.environ["ORDERS_STORAGE"], os.environ["ORDERS_QUEUE"]
options = {
    "message_encode_policy": TextBase64EncodePolicy(),
    "message_decode_policy": TextBase64DecodePolicy(),
    # The client's own waits 15 s before it tries again: longer than many a lease.
    "retry_policy": LinearRetry(backoff=1, retry_total=5, random_jitter_range=0),
}
queue = QueueClient.from_connection_string(storage, name, **options)
poison = QueueClient.from_connection_string(storage, name + "-poison", **options)
table = TableClient.from_connection_string(storage, os.environ["ORDERS_TABLE"])

stopping = False


def stop(*_):
    global stopping
    stopping = True


def row_of(order, delivery):
    day = order["placedAt"][:10]
    return {"PartitionKey": day, "RowKey": order["order"]["id"], "Number": order["order"]["number"], "Customer": order["customer"],
            "Note": order["note"], "PlacedAt": order["placedAt"], "Delivery": delivery}


def delete(message):
    try:
        queue.delete_message(message)
    except ResourceNotFoundError:
        pass  # deleted already: the answer to an earlier try was lost, or another delivery has done it


signal.signal(signal.SIGTERM, stop)
while not stopping:
    message = queue.receive_message(visibility_timeout=LEASE_S)
    if message is None:
        time.sleep(0.1)
        continue
    if message.dequeue_count > MOST:
        poison.send_message(message.content)
        delete(message)
        continue
    time.sleep(WORK_S)
    try:
        table.create_entity(row_of(json.loads(message.content), message.dequeue_count))
    except ResourceExistsError:
        pass  # an earlier delivery has done it
    delete(message)
