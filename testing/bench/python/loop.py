"""The straightforward consumer: receive up to 32, store a row each, delete, until MESSAGES are done.

Clients are created once. Only the loop is timed: imports and the making of clients are not.
"""

import json
import os
import sys
import time
from datetime import datetime, timezone

from azure.core.credentials import AzureSasCredential
from azure.data.tables import TableClient
from azure.storage.queue import QueueClient

sas = AzureSasCredential(os.environ["SAS"])
queue = QueueClient(os.environ["QUEUE_ENDPOINT"], os.environ["QUEUE"], credential=sas)
table = TableClient(os.environ["TABLE_ENDPOINT"], os.environ["TABLE"], credential=sas)
wanted = int(os.environ["MESSAGES"])


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")


began, cpu_began = time.perf_counter(), time.process_time()
done = 0
while done < wanted:
    for message in queue.receive_messages(messages_per_page=32, max_messages=32, visibility_timeout=60):
        body = json.loads(message.content)
        table.create_entity(
            {
                "PartitionKey": body["id"].rpartition("-")[0],
                "RowKey": body["id"],
                "data": body["msg"],
                "srcStamp": body["srcStamp"],
                "sentStamp": body["sentStamp"],
                "dateStamp": now(),
                "attempt": message.dequeue_count,
                "consumer": "python",
                "digest": body["digest"],
            }
        )
        queue.delete_message(message)
        done += 1
json.dump({"messages": done, "cpu_s": time.process_time() - cpu_began, "wall_s": time.perf_counter() - began}, sys.stdout)
