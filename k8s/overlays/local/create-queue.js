// Runs when Azurite's container has started, and before its pod counts as started: makes the queue. KEDA reads its length from the
// first moment on, and a ScaledObject whose queue is missing starts nobody; consumers, who make what is missing, would never come.
"use strict";

const queue = `http://127.0.0.1:10001/devstoreaccount1/${process.env.AZURE_QUEUE_NAME}?${process.env.SAS}`;

async function make() {
  for (;;) {
    try {
      const answer = await fetch(queue, { method: "PUT", headers: { "x-ms-version": "2021-12-02" } });
      // 204: it was there already, with the same metadata.
      if (answer.status === 201 || answer.status === 204) return;
      throw new Error(`${answer.status} ${await answer.text()}`);
    } catch (error) {
      // Not listening yet. The pod's own start has a limit: the kubelet's.
      if (error.cause === undefined) console.error(String(error));
      await new Promise((again) => setTimeout(again, 200));
    }
  }
}

make();
