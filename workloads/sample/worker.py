"""What the consumer of the Microsoft sample does: a row with a key of its own for each delivery, and the delete after it."""

import json
import os
import time
import uuid
from datetime import datetime, timezone

from azure.core.credentials import AzureSasCredential
from azure.data.tables import TableClient
from azure.storage.queue import QueueClient

LEASE_S = 10  # not to be set from outside

sas = AzureSasCredential(os.environ["SAS"])
queue = QueueClient(os.environ["QUEUE_ENDPOINT"], os.environ["AZURE_QUEUE_NAME"], credential=sas)
table = TableClient(os.environ["TABLE_ENDPOINT"], os.environ["AZURE_TABLE_NAME"], credential=sas)

while True:
    message = queue.receive_message(visibility_timeout=LEASE_S)
    if message is None:
        time.sleep(0.1)
        continue
    body = json.loads(message.content)
    table.create_entity({
        "PartitionKey": str(uuid.uuid4()), "RowKey": str(uuid.uuid4()), "data": body["msg"], "srcStamp": body["srcStamp"],
        "dateStamp": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f"),
    })
    queue.delete_message(message)
