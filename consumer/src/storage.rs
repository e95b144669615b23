//! The ports as this consumer uses them: every try has a time limit, every failure is counted. The callers try again.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future;
use workflow::contract::{MessageId, ResultRow, StoredRow};
use workflow::ports::{
    Delivery, ErrorKind, InsertOutcome, Lease, ResultTable, StorageError, WorkQueue,
};

use crate::metrics::Metrics;

/// Longest wait for one answer. Storage gives up on its own side after 30 s (Queue and Table service, "Setting timeouts").
const TRY: Duration = Duration::from_secs(30);

/// The queue, its poison queue and the table.
#[derive(Debug, Clone)]
pub(crate) struct Ports<Q, T> {
    /// The queue of messages.
    pub(crate) queue: Q,
    /// The queue for messages that cannot be worked on.
    pub(crate) poison: Q,
    /// The table of results.
    pub(crate) table: T,
}

/// The ports with limits and counts.
#[derive(Debug)]
pub(crate) struct Storage<Q, T> {
    pub(crate) ports: Ports<Q, T>,
    metrics: Arc<Metrics>,
    visibility: Duration,
}

impl<Q: WorkQueue, T: ResultTable> Storage<Q, T> {
    pub(crate) fn new(ports: Ports<Q, T>, metrics: Arc<Metrics>, visibility: Duration) -> Self {
        Self {
            ports,
            metrics,
            visibility,
        }
    }

    /// How long a received or renewed message stays hidden.
    pub(crate) fn visibility(&self) -> Duration {
        self.visibility
    }

    pub(crate) async fn receive(&self, max: u8) -> Result<Vec<Delivery>, StorageError> {
        let answer = self.ports.queue.receive(max, self.visibility);
        self.limited("receive", "receive messages", TRY, answer)
            .await
    }

    /// Renews a lease. If the request has no answer after three quarters of the time that the lease has left, a second one is sent
    /// on another connection, and the first is still waited for. If storage has done the first, it has changed the receipt, and only
    /// the answer to the first has the new one. If the first never reached storage, the second can still renew the lease.
    pub(crate) async fn renew(&self, lease: &Lease) -> Result<Lease, StorageError> {
        // A renewal is due at half of the visibility timeout.
        let patience = TRY.min(self.visibility * 3 / 8);
        let renewal = |limit| {
            let answer = self.ports.queue.renew(lease, self.visibility);
            self.limited("renew", "renew lease", limit, answer)
        };
        let mut first = pin!(renewal(2 * patience));
        if let Ok(answer) = tokio::time::timeout(patience, &mut first).await {
            return answer;
        }
        let second = pin!(renewal(patience));
        let (earlier, other) = future::select(first, second).await.factor_first();
        let earlier = match earlier {
            Ok(lease) => return Ok(lease),
            Err(error) => error,
        };
        other.await.map_err(|later| match earlier.kind() {
            ErrorKind::LeaseLost => earlier,
            _ => later,
        })
    }

    pub(crate) async fn release(&self, lease: &Lease) -> Result<Lease, StorageError> {
        let answer = self.ports.queue.renew(lease, Duration::ZERO);
        self.limited("release", "hand message back", TRY, answer)
            .await
    }

    pub(crate) async fn delete(&self, lease: &Lease) -> Result<(), StorageError> {
        let answer = self.ports.queue.delete(lease);
        self.limited("delete", "delete message", TRY, answer).await
    }

    pub(crate) async fn create_queue(&self) -> Result<(), StorageError> {
        let answer = self.ports.queue.create();
        self.limited("create", "create queue", TRY, answer).await
    }

    pub(crate) async fn send_poison(&self, body: &str) -> Result<(), StorageError> {
        let answer = self.ports.poison.send(body);
        self.limited("send_poison", "send poison message", TRY, answer)
            .await
    }

    pub(crate) async fn create_poison(&self) -> Result<(), StorageError> {
        let answer = self.ports.poison.create();
        self.limited("create", "create poison queue", TRY, answer)
            .await
    }

    pub(crate) async fn insert(
        &self,
        rows: &[ResultRow],
    ) -> Result<Vec<InsertOutcome>, StorageError> {
        let answer = self.ports.table.insert(rows);
        self.limited("insert", "insert rows", TRY, answer).await
    }

    pub(crate) async fn get(&self, id: &MessageId) -> Result<Option<StoredRow>, StorageError> {
        let answer = self.ports.table.get(id);
        self.limited("get", "get row", TRY, answer).await
    }

    pub(crate) async fn create_table(&self) -> Result<(), StorageError> {
        let answer = self.ports.table.create();
        self.limited("create", "create table", TRY, answer).await
    }

    /// Counts everything but a success and a lost lease, which is an answer and not a failure of storage.
    async fn limited<V>(
        &self,
        operation: &'static str,
        what: &'static str,
        limit: Duration,
        answer: impl Future<Output = Result<V, StorageError>>,
    ) -> Result<V, StorageError> {
        let result = tokio::time::timeout(limit, answer)
            .await
            .unwrap_or_else(|elapsed| {
                Err(StorageError::new(ErrorKind::Interrupted, what, "storage").with_source(elapsed))
            });
        if let Err(error) = &result
            && error.kind() != ErrorKind::LeaseLost
        {
            self.metrics.failed(operation, error);
        }
        result
    }
}
