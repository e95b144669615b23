"""A consumer that keeps the contract of CONSUMER.md, on the Azure SDK for Python.

pip install azure-storage-queue==12.18.1 azure-data-tables==12.7.0
"""

import hashlib
import json
import os
import signal
import time
from datetime import datetime, timezone

from azure.core.credentials import AzureSasCredential
from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableClient
from azure.storage.queue import QueueClient

LEASE_S = 60  # longer than a batch takes: this consumer renews nothing
FIELDS = ("id", "msg", "srcStamp", "sentStamp", "digest")

sas = AzureSasCredential(os.environ["AZURE_STORAGE_SAS_TOKEN"])
name, endpoint = os.environ["AZURE_QUEUE_NAME"], os.environ["AZURE_QUEUE_ENDPOINT"]
queue = QueueClient(endpoint, name, credential=sas)
poison = QueueClient(endpoint, name + "-poison", credential=sas)
table = TableClient(os.environ["AZURE_TABLE_ENDPOINT"], os.environ["AZURE_TABLE_NAME"], credential=sas)
consumer, node = os.environ.get("POD_NAME", "python"), os.environ.get("NODE_NAME", "")


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def defect(text):
    """The reason why a body can never be processed, or None."""
    try:
        body = json.loads(text)
    except ValueError:
        return "not-json"
    if not isinstance(body, dict) or any(not isinstance(body.get(field, ""), str) for field in FIELDS):
        return "bad-field"
    if any(field not in body for field in FIELDS):
        return "missing-field"
    if len(body["msg"].encode("utf-16-le")) > 64 * 1024:
        return "oversized"
    return None if digest(body["msg"]) == body["digest"] else "digest-mismatch"


def set_aside(message, reason):
    envelope = {"reason": reason, "detail": reason, "messageId": message.id, "attempt": message.dequeue_count,
                "consumer": consumer, "poisonedStamp": now(), "part": 1, "parts": 1, "body": message.content}
    poison.send_message(json.dumps(envelope, ensure_ascii=False), time_to_live=-1)


def row_of(body, message, dequeued):
    run, _, seq = body["id"].rpartition("-")
    return {"PartitionKey": f"{run}.{int(seq) // 32 % 16:02}", "RowKey": body["id"], "data": body["msg"],
            "srcStamp": body["srcStamp"], "sentStamp": body["sentStamp"], "dequeuedStamp": dequeued,
            "dateStamp": now(), "attempt": message.dequeue_count, "consumer": consumer, "node": node,
            "digest": digest(body["msg"])}


def process(message, dequeued):
    reason = defect(message.content)
    if reason is None:
        row = row_of(json.loads(message.content), message, dequeued)
        try:
            table.create_entity(row)
        except ResourceExistsError:  # a redelivery; the same content means that it was done before
            there = table.get_entity(row["PartitionKey"], row["RowKey"])
            reason = None if there["digest"] == row["digest"] else "conflict"
    if reason is not None:
        set_aside(message, reason)
    queue.delete_message(message)  # last of all


stopping = False


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
pause = 0.1
while not stopping:
    messages = list(queue.receive_messages(max_messages=32, visibility_timeout=LEASE_S))
    dequeued = now()
    for message in messages:
        if stopping:  # not begun: somebody else shall have it at once
            queue.update_message(message, visibility_timeout=0)
        else:
            process(message, dequeued)
    if messages:
        pause = 0.1
    else:  # each receive of an empty queue costs a transaction
        time.sleep(pause)
        pause = min(2 * pause, 1)
