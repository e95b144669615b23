"""A task of Celery that stores a row; the broker is an Azure Storage queue."""

import os

from azure.core.credentials import AzureSasCredential
from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableClient
from celery import Celery

credential = AzureSasCredential(os.environ["TABLE_SAS"])
table = TableClient(os.environ["TABLE_URL"], os.environ["TABLE_NAME"], credential=credential)
app = Celery("worker", broker=f"azurestoragequeues://{os.environ['ORDERS_KEY']}@{os.environ['ORDERS_QUEUES']}")
app.conf.update(
    task_default_queue=os.environ["ORDERS_QUEUE"], task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=1,
    worker_enable_remote_control=False, broker_transport_options={"polling_interval": 0.1},
)


@app.task(name="store", bind=True)
def store(task, id, text):
    run, _, _ = id.rpartition("-")
    try:
        table.create_entity({"PartitionKey": run, "RowKey": id, "text": text, "task": task.request.id})
    except ResourceExistsError:
        pass  # an earlier delivery has done it
