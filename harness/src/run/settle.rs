//! Waiting until the work is done.

use std::time::Duration;

use tokio::time::Instant;
use workflow::azure::AzureQueue;
use workflow::backoff::Backoff;
use workflow::ports::{MAX_RECEIVE, StorageError, WorkQueue as _};

use super::Run;
use crate::outcome::Unmet;

/// How often the queue is asked. An approximate count costs storage about as much as one send.
const EVERY: Duration = Duration::from_millis(100);

/// How a wait for the queue to empty ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The queue is empty: every message was deleted by a consumer.
    Empty {
        /// How long it took.
        after: Duration,
    },
    /// Time is up, or no consumer is left to wait for.
    TimedOut {
        /// Messages left, visible or leased.
        left: u64,
    },
}

/// Messages in `queue`, visible and leased. Storage may be away for a moment: a bounded number of tries.
pub(super) async fn depth(queue: &AzureQueue) -> Result<u64, StorageError> {
    const TRIES: u32 = 5;
    let never = tokio_util::sync::CancellationToken::new();
    Backoff::STORAGE
        .retry(TRIES, &never, || queue.approximate_count())
        .await
}

impl Run {
    /// Messages in the queue, visible and leased.
    pub async fn depth(&self) -> Result<u64, StorageError> {
        depth(&self.store().queue).await
    }

    /// Waits until the queue is empty, for at most `patience`, and no longer than there are consumers. Ask only after the
    /// last send: an empty queue before that says nothing.
    pub async fn settle(&mut self, patience: Duration) -> anyhow::Result<Settled> {
        let start = Instant::now();
        loop {
            let left = self.depth().await?;
            if left == 0 {
                let after = start.elapsed();
                return Ok(Settled::Empty { after });
            }
            if start.elapsed() >= patience || !self.fleet().await.may_still_work()? {
                return Ok(Settled::TimedOut { left });
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Waits until `count` messages (1 to 32) are visible, for at most `patience`.
    pub async fn until_visible(&self, count: u8, patience: Duration) -> anyhow::Result<()> {
        let start = Instant::now();
        while self.store().queue.peek(MAX_RECEIVE).await?.len() < usize::from(count) {
            if start.elapsed() >= patience {
                anyhow::bail!("wait until {count} messages are visible: not within {patience:?}");
            }
            tokio::time::sleep(EVERY).await;
        }
        Ok(())
    }

    /// Waits until no message is visible and `count` are leased, for at most `patience`: consumers then hold them all.
    pub async fn until_all_leased(&self, count: u64, patience: Duration) -> anyhow::Result<()> {
        let (start, mut most) = (Instant::now(), 0);
        loop {
            let depth = self.depth().await?;
            let visible = self.store().queue.peek(MAX_RECEIVE).await?.len();
            if depth == count && visible == 0 {
                return Ok(());
            }
            // Of more than can be looked at, nobody knows how many are leased.
            if visible < usize::from(MAX_RECEIVE) {
                most = most.max(depth.saturating_sub(visible as u64));
            }
            if start.elapsed() >= patience {
                return Err(Unmet(format!(
                    "wait until {count} messages are leased: at most {most} were leased at once in {patience:?}; {depth} are in \
                     the queue now"
                ))
                .into());
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}
