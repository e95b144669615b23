//! Waits until the work is done.

use std::fmt;
use std::time::Duration;

use judge::deliveries::Leased;
use platform::storage::Queue;
use platform::until::until;
use tokio::time::Instant;
use workflow::backoff::Backoff;
use workflow::contract::workload::Lens;
use workflow::ports::{MAX_RECEIVE, Peeked, StorageError};

use super::Run;

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

/// Messages in `queue`, visible and leased. Storage may be unavailable for a moment, so the request is tried again a bounded number
/// of times.
pub(super) async fn depth(queue: &dyn Queue) -> Result<u64, StorageError> {
    const TRIES: u32 = 5;
    let never = tokio_util::sync::CancellationToken::new();
    Backoff::STORAGE
        .retry(TRIES, &never, || queue.approximate_count())
        .await
}

/// A look into a queue: the number of messages, and the first visible ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueLook {
    /// Messages, visible and leased.
    pub depth: u64,
    /// The first visible ones, at most [`MAX_RECEIVE`]. Leased messages cannot be looked at.
    pub visible: Vec<Peeked>,
}

impl QueueLook {
    /// Looks into `queue`.
    pub async fn take(queue: &dyn Queue) -> Result<Self, StorageError> {
        let depth = depth(queue).await?;
        let visible = match depth {
            0 => Vec::new(),
            _ => queue.peek(MAX_RECEIVE).await?,
        };
        Ok(Self { depth, visible })
    }

    /// Messages that could not be looked at.
    pub fn unseen(&self) -> u64 {
        self.depth.saturating_sub(self.visible.len() as u64)
    }

    /// How many messages are leased; `None` where more messages may be visible than one look shows.
    pub fn leased(&self) -> Option<u64> {
        (self.visible.len() < usize::from(MAX_RECEIVE)).then(|| self.unseen())
    }

    /// Whether a message of the run of `lens` is in the queue, or may be among the messages that could not be peeked at.
    pub fn may_hold(&self, lens: &Lens) -> bool {
        self.unseen() > 0
            || self
                .visible
                .iter()
                .any(|message| lens.owner_of_message(&message.body).seq().is_some())
    }
}

impl fmt::Display for QueueLook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.depth == 1 { "" } else { "s" };
        write!(f, "{} message{s}", self.depth)?;
        match self.leased() {
            Some(leased) => write!(f, ", {leased} leased"),
            None => Ok(()),
        }
    }
}

impl Run {
    /// Messages in the queue, visible and leased.
    pub async fn depth(&self) -> Result<u64, StorageError> {
        depth(&*self.store().queue).await
    }

    /// Waits until the queue is empty, for at most `patience`, and only as long as there are workers. Call it after the last send:
    /// an empty queue before that proves nothing.
    pub async fn settle(&self, patience: Duration) -> anyhow::Result<Settled> {
        let start = Instant::now();
        let mut left = 0;
        let settled = until(patience, async || {
            left = self.depth().await?;
            if left == 0 {
                let after = start.elapsed();
                return Ok(Some(Settled::Empty { after }));
            }
            let deserted = self.roster().is_deserted();
            Ok(deserted.then_some(Settled::TimedOut { left }))
        });
        Ok(settled.await?.unwrap_or(Settled::TimedOut { left }))
    }

    /// Waits until no message is visible and `count` are leased, for at most `patience`: the workers then hold them all.
    pub async fn until_all_leased(&self, count: u64, patience: Duration) -> anyhow::Result<()> {
        let (mut leased, mut kept) = (Leased::default(), Ok(()));
        let all = until(patience, async || {
            leased.depth = self.depth().await?;
            leased.visible = self.store().queue.peek(MAX_RECEIVE).await?.len();
            // If more messages may be visible than one look shows, the number of leased ones is unknown.
            if leased.visible < usize::from(MAX_RECEIVE) {
                let now = leased.depth.saturating_sub(leased.visible as u64);
                leased.most = leased.most.max(now);
            }
            kept = leased.all(count, patience);
            Ok(kept.is_ok().then_some(()))
        });
        all.await?.ok();
        Ok(kept?)
    }
}
