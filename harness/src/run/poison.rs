//! Reads a whole poison queue without removing anything from it.
//!
//! A peek shows only the first 32 messages of a queue. So each message is received, which hides it while the rest is read, and is
//! made visible again afterwards.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use evidence::poison::PoisonFound;
use platform::storage::Queue;
use tokio::time::{Instant, sleep};
use workflow::contract::workload::Lens;
use workflow::ports::{ErrorKind, Lease, MAX_RECEIVE};

use super::settle::depth;

/// How long a message is hidden at first.
const HIDE: Duration = Duration::from_secs(60);

/// The longest time for which a message is hidden: an hour. If the harness is killed meanwhile, the message stays hidden until that
/// time is over.
const MOST: Duration = Duration::from_secs(3600);

/// Time between two looks for messages that another reader hides.
const LOOK: Duration = Duration::from_secs(1);

/// How long to wait for messages that another reader hides. Shorter than [`HIDE`], so that messages that were read already stay hidden.
const OTHERS: Duration = Duration::from_secs(45);

/// Every message of `queue`, once each; they stay in the queue for a person to see.
///
/// If reading takes longer than a message is hidden, the message is received again. Messages are then hidden for twice as long, so
/// that a queue of any length is read to its end.
pub(super) async fn read(queue: &dyn Queue, lens: &Lens) -> anyhow::Result<Vec<PoisonFound>> {
    let (mut found, mut leases) = (Vec::new(), HashMap::new());
    let read = receive_all(queue, lens, &mut found, &mut leases).await;
    // Messages are handed back also after an error.
    let returned = hand_back(queue, leases.into_values().map(|(lease, _)| lease)).await;
    read.and(returned).map(|()| found)
}

async fn receive_all(
    queue: &dyn Queue,
    lens: &Lens,
    found: &mut Vec<PoisonFound>,
    leases: &mut HashMap<String, (Lease, Duration)>,
) -> anyhow::Result<()> {
    let (mut hide, mut alone_since) = (HIDE, Instant::now());
    loop {
        let deliveries = queue.receive(MAX_RECEIVE, hide).await;
        let deliveries = deliveries.context("read the poison queue")?;
        if deliveries.is_empty() {
            let all = depth(queue).await.context("count the poison messages")?;
            // Another reader has the missing messages, and hands them back or lets their leases run out.
            if all <= found.len() as u64 || alone_since.elapsed() >= OTHERS {
                return Ok(());
            }
            sleep(LOOK).await;
            continue;
        }
        alone_since = Instant::now();
        // This message was hidden for the present time, and was visible again before the end of the queue was reached.
        let mut is_too_short = false;
        for delivery in deliveries {
            let id = delivery.lease.message_id.clone();
            match leases.insert(id, (delivery.lease, hide)) {
                Some((_, hidden)) => is_too_short |= hidden == hide,
                None => found.push(PoisonFound::of(lens, delivery.body)),
            }
        }
        if is_too_short {
            ensure!(
                hide < MOST,
                "read the poison queue to its end: not within {MOST:?}, {} messages so far",
                found.len()
            );
            hide = MOST.min(2 * hide);
        }
    }
}

async fn hand_back(queue: &dyn Queue, leases: impl Iterator<Item = Lease>) -> anyhow::Result<()> {
    for lease in leases {
        match queue.renew(&lease, Duration::ZERO).await {
            Ok(_) => {}
            // The message is visible already.
            Err(error) if error.kind() == ErrorKind::LeaseLost => {}
            Err(error) => return Err(error).context("hand a poison message back"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use workflow::memory::MemoryQueue;
    use workflow::ports::{Delivery, Peeked, StorageError};

    use super::*;

    fn own() -> Lens {
        Lens::own("r1".parse().unwrap())
    }

    /// A queue that answers a receive slowly.
    struct Slow(MemoryQueue, Duration);

    #[async_trait]
    impl Queue for Slow {
        async fn create(&self) -> Result<(), StorageError> {
            self.0.create().await
        }

        async fn send(&self, body: &str) -> Result<(), StorageError> {
            self.0.send(body).await
        }

        async fn receive(&self, max: u8, hidden: Duration) -> Result<Vec<Delivery>, StorageError> {
            let received = self.0.receive(max, hidden).await;
            sleep(self.1).await;
            received
        }

        async fn renew(&self, lease: &Lease, hidden: Duration) -> Result<Lease, StorageError> {
            self.0.renew(lease, hidden).await
        }

        async fn peek(&self, max: u8) -> Result<Vec<Peeked>, StorageError> {
            self.0.peek(max).await
        }

        async fn approximate_count(&self) -> Result<u64, StorageError> {
            self.0.approximate_count().await
        }

        async fn delete_queue(&self) -> Result<(), StorageError> {
            self.0.delete_queue().await
        }
    }

    async fn queue(messages: usize, slowness: Duration) -> Slow {
        let queue = Slow(MemoryQueue::new("poison"), slowness);
        queue.create().await.unwrap();
        for n in 0..messages {
            queue.send(&format!("body {n}")).await.unwrap();
        }
        queue
    }

    /// The numbers in the bodies that were found, in order.
    fn numbers(found: &[PoisonFound]) -> Vec<usize> {
        let number = |found: &PoisonFound| match found {
            PoisonFound::Foreign(body) => body.strip_prefix("body ").unwrap().parse().unwrap(),
            PoisonFound::SetAside(_) => unreachable!("none was sent"),
        };
        let mut numbers: Vec<_> = found.iter().map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_takes_longer_to_read_than_its_messages_are_hidden_is_read_to_its_end() {
        const MESSAGES: usize = 500;
        let queue = queue(MESSAGES, Duration::from_secs(10)).await;
        let found = read(&queue, &own()).await.unwrap();
        assert_eq!(
            numbers(&found),
            (0..MESSAGES).collect::<Vec<_>>(),
            "each once"
        );
        let visible = queue.receive(MAX_RECEIVE, HIDE).await.unwrap().len();
        assert_eq!(visible, usize::from(MAX_RECEIVE), "all are handed back");
    }

    #[tokio::test(start_paused = true)]
    async fn messages_that_another_reader_hides_are_waited_for() {
        let queue = queue(40, Duration::ZERO).await;
        let other = queue.receive(10, Duration::from_secs(30)).await.unwrap();
        assert_eq!(other.len(), 10);
        let found = read(&queue, &own()).await.unwrap();
        assert_eq!(numbers(&found), (0..40).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn messages_that_nobody_hands_back_are_not_waited_for_without_end() {
        let queue = queue(40, Duration::ZERO).await;
        queue.receive(10, 10 * HIDE).await.unwrap();
        let (start, found) = (Instant::now(), read(&queue, &own()).await.unwrap());
        assert_eq!(numbers(&found), (10..40).collect::<Vec<_>>());
        assert!(start.elapsed() <= OTHERS + LOOK, "{:?}", start.elapsed());
    }
}
