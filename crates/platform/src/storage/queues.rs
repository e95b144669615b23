//! Several queues of a run, joined to one: it contains the messages of all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use workflow::ports::{Delivery, Lease, Peeked, StorageError};

use super::Queue;
use crate::lock::lock;

/// Several queues joined to one.
pub struct Queues {
    /// The queues; at least one.
    all: Vec<Arc<dyn Queue>>,
    /// The index of the queue from which a message was received, needed to renew its lease.
    received: Mutex<HashMap<String, usize>>,
}

impl Queues {
    /// Joins the queues in `all`; a single queue is returned as it is. `None` if `all` is empty.
    pub fn joined(mut all: Vec<Arc<dyn Queue>>) -> Option<Arc<dyn Queue>> {
        if all.len() < 2 {
            return all.pop();
        }
        Some(Arc::new(Self {
            all,
            received: Mutex::default(),
        }))
    }
}

#[async_trait]
impl Queue for Queues {
    async fn create(&self) -> Result<(), StorageError> {
        for queue in &self.all {
            queue.create().await?;
        }
        Ok(())
    }

    /// Sends to the first queue.
    async fn send(&self, body: &str) -> Result<(), StorageError> {
        self.all[0].send(body).await
    }

    /// Receives up to `max` messages from the first queue that has any.
    async fn receive(&self, max: u8, hidden: Duration) -> Result<Vec<Delivery>, StorageError> {
        for (at, queue) in self.all.iter().enumerate() {
            let deliveries = queue.receive(max, hidden).await?;
            if !deliveries.is_empty() {
                let ids = deliveries.iter().map(|it| it.lease.message_id.clone());
                lock(&self.received).extend(ids.map(|id| (id, at)));
                return Ok(deliveries);
            }
        }
        Ok(Vec::new())
    }

    async fn renew(&self, lease: &Lease, hidden: Duration) -> Result<Lease, StorageError> {
        let at = lock(&self.received).get(&lease.message_id).copied();
        self.all[at.unwrap_or(0)].renew(lease, hidden).await
    }

    /// Peeks up to `max` messages of each queue.
    async fn peek(&self, max: u8) -> Result<Vec<Peeked>, StorageError> {
        let mut peeked = Vec::new();
        for queue in &self.all {
            peeked.extend(queue.peek(max).await?);
        }
        Ok(peeked)
    }

    async fn approximate_count(&self) -> Result<u64, StorageError> {
        let counts = self.all.iter().map(|queue| queue.approximate_count());
        Ok(futures::future::try_join_all(counts)
            .await?
            .into_iter()
            .sum())
    }

    /// Deletes all queues, also after a failure; returns the first failure.
    async fn delete_queue(&self) -> Result<(), StorageError> {
        let mut deleted = Ok(());
        for queue in &self.all {
            deleted = deleted.and(queue.delete_queue().await);
        }
        deleted
    }
}

#[cfg(test)]
mod tests {
    use workflow::memory::MemoryQueue;
    use workflow::ports::WorkQueue as _;

    use super::*;

    const HIDE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn several_queues_are_counted_read_and_renewed_as_one() {
        let parts = ["a", "b", "c"].map(MemoryQueue::new);
        let all = parts
            .iter()
            .map(|it| Arc::new(it.clone()) as Arc<dyn Queue>);
        let queues = Queues::joined(all.collect()).unwrap();
        queues.create().await.unwrap();
        // In memory, ids are numbers per queue; deleting one message here makes them differ, as ids of the service do.
        Queue::send(&parts[2], "gone").await.unwrap();
        let gone = Queue::receive(&parts[2], 1, HIDE).await.unwrap();
        parts[2].delete(&gone[0].lease).await.unwrap();
        for (part, bodies) in parts.iter().zip([&["1"][..], &[], &["2", "3"]]) {
            for body in bodies {
                Queue::send(part, body).await.unwrap();
            }
        }
        assert_eq!(queues.approximate_count().await.unwrap(), 3);
        assert_eq!(queues.peek(32).await.unwrap().len(), 3);
        let mut leases = Vec::new();
        loop {
            let received = queues.receive(32, HIDE).await.unwrap();
            if received.is_empty() {
                break;
            }
            leases.extend(received.into_iter().map(|it| it.lease));
        }
        assert_eq!(leases.len(), 3);
        for lease in &leases {
            queues.renew(lease, Duration::ZERO).await.unwrap();
        }
        assert_eq!(queues.peek(32).await.unwrap().len(), 3);
        queues.delete_queue().await.unwrap();
        Queue::send(&parts[2], "late").await.unwrap_err();
    }

    #[test]
    fn one_queue_alone_is_what_it_is() {
        let one: Arc<dyn Queue> = Arc::new(MemoryQueue::new("a"));
        let joined = Queues::joined(vec![one.clone()]).unwrap();
        assert!(Arc::ptr_eq(&one, &joined));
        assert!(Queues::joined(vec![]).is_none());
    }
}
