//! Reads the length of the queue as KEDA does: with the same retries, timeouts and pauses.

use std::time::Duration;

use autoscaler::{LengthStrategy, Observation, Queue, ScalerError};
use evidence::pace::Pace;
use tokio::time::{sleep, timeout};
use workflow::ports::{MAX_RECEIVE, StorageError};

use crate::storage;

/// Rounds of one read: KEDA repeats a failed read once with a new client (KEDA `pkg/scaling/cache/scalers_cache.go`,
/// `GetMetricsAndActivityForScaler`).
const ROUNDS: u32 = 2;

/// Tries of one round (Azure SDK for Go `sdk/azcore/runtime/policy_retry.go`, `defaultMaxRetries`, which are three more).
const TRIES: u32 = 4;

/// Timeout of one try (KEDA `pkg/util/env_resolver.go`, `KEDA_HTTP_DEFAULT_TIMEOUT`).
const TRY: Duration = Duration::from_secs(3);

/// Shortest timeout of one try at any pace: a busy machine answers a request as slowly at pace 15 as at pace 1.
const LEAST_TRY: Duration = Duration::from_secs(1);

/// First pause between two tries; the next two are three and seven times as long (`policy_retry.go`, `setDefaults` and
/// `calcDelay`, whose random factor of 0.8 to 1.3 is taken as 1).
const PAUSE: Duration = Duration::from_millis(800);

/// Observes the queue at `pace`, as the scaler does. Each try without an answer costs its timeout. A read that fails takes 42 s
/// in production, as in the model (`autoscaler`, `envelope::runs`), and delays its loop by as much.
pub(super) async fn observe(
    queue: &dyn storage::Queue,
    strategy: LengthStrategy,
    pace: Pace,
) -> Observation {
    for _ in 0..ROUNDS {
        if let Some(read) = round(queue, strategy, pace).await {
            return Ok(read);
        }
    }
    Err(ScalerError)
}

/// One round of tries. `None`: all tries failed, or an answer shows that another try would fail too.
async fn round(queue: &dyn storage::Queue, strategy: LengthStrategy, pace: Pace) -> Option<Queue> {
    let patience = pace.time(TRY).max(LEAST_TRY.min(TRY));
    for attempt in 1..=TRIES {
        match timeout(patience, look(queue, strategy)).await {
            Ok(Ok(read)) => return Some(read),
            Ok(Err(error)) if !error.is_transient() => return None,
            Ok(Err(_)) | Err(_) => {}
        }
        if attempt < TRIES {
            sleep(pace.time(PAUSE * ((1 << attempt) - 1))).await;
        }
    }
    None
}

async fn look(queue: &dyn storage::Queue, strategy: LengthStrategy) -> Result<Queue, StorageError> {
    let all = queue.approximate_count().await?;
    // Peek only if the strategy needs it: a peek is one more request, for KEDA too.
    let visible = match strategy {
        LengthStrategy::All => all,
        LengthStrategy::VisibleOnly => queue.peek(MAX_RECEIVE).await?.len() as u64,
    };
    Ok(Queue {
        visible,
        leased: all.saturating_sub(visible),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;
    use tokio::time::Instant;
    use workflow::ports::{Delivery, ErrorKind, Lease, Peeked};

    use super::*;

    /// What the queue does with the first reads; later reads succeed.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Trouble {
        Silence,
        Error(ErrorKind),
    }

    /// A queue of seven messages whose first reads have trouble.
    struct Troubled {
        trouble: Trouble,
        times: u32,
        reads: AtomicU32,
    }

    #[async_trait]
    impl storage::Queue for Troubled {
        async fn create(&self) -> Result<(), StorageError> {
            unreachable!("a scaler creates nothing")
        }

        async fn send(&self, _: &str) -> Result<(), StorageError> {
            unreachable!("a scaler sends nothing")
        }

        async fn receive(&self, _: u8, _: Duration) -> Result<Vec<Delivery>, StorageError> {
            unreachable!("a scaler receives nothing")
        }

        async fn renew(&self, _: &Lease, _: Duration) -> Result<Lease, StorageError> {
            unreachable!("a scaler renews nothing")
        }

        async fn peek(&self, _: u8) -> Result<Vec<Peeked>, StorageError> {
            unreachable!("only a strategy that looks peeks")
        }

        async fn approximate_count(&self) -> Result<u64, StorageError> {
            if self.reads.fetch_add(1, Ordering::Relaxed) >= self.times {
                return Ok(7);
            }
            match self.trouble {
                Trouble::Silence => std::future::pending().await,
                Trouble::Error(kind) => Err(StorageError::new(kind, "read", "the queue")),
            }
        }

        async fn delete_queue(&self) -> Result<(), StorageError> {
            unreachable!("a scaler deletes nothing")
        }
    }

    /// The result of a read, the number of its tries, and its duration.
    async fn read(trouble: Trouble, times: u32, pace: u32) -> (Option<u64>, u32, Duration) {
        let queue = Troubled {
            trouble,
            times,
            reads: AtomicU32::default(),
        };
        let (begun, pace) = (Instant::now(), Pace::new(pace).unwrap());
        let read = observe(&queue, LengthStrategy::All, pace).await;
        let tries = queue.reads.load(Ordering::Relaxed);
        (read.ok().map(|it| it.visible), tries, begun.elapsed())
    }

    const SILENCE: Trouble = Trouble::Silence;
    const BUSY: Trouble = Trouble::Error(ErrorKind::Busy);
    const NEVER: u32 = u32::MAX;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// KEDA `scalers_cache.go`, `GetMetricsAndActivityForScaler`; azcore `policy_retry.go`, `calcDelay`.
    #[tokio::test(start_paused = true)]
    async fn a_read_fails_after_two_rounds_of_four_tries() {
        assert_eq!(read(SILENCE, NEVER, 1).await, (None, 8, ms(41_600)));
        assert_eq!(read(BUSY, NEVER, 1).await, (None, 8, ms(17_600)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_that_succeeds_ends_the_read() {
        assert_eq!(read(SILENCE, 0, 1).await, (Some(7), 1, ms(0)));
        assert_eq!(read(SILENCE, 2, 1).await, (Some(7), 3, ms(9_200)));
        assert_eq!(read(BUSY, 5, 1).await, (Some(7), 6, ms(9_600)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_no_other_try_can_mend_is_tried_once_a_round() {
        let denied = Trouble::Error(ErrorKind::Denied);
        assert_eq!(read(denied, NEVER, 1).await, (None, 2, ms(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn at_a_pace_pauses_are_shorter_and_no_try_is_too_short_for_a_busy_machine() {
        assert_eq!(read(BUSY, NEVER, 8).await, (None, 8, ms(2_200)));
        assert_eq!(read(SILENCE, NEVER, 8).await, (None, 8, ms(8_000 + 2_200)));
    }
}
