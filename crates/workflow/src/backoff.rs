//! Exponential backoff with jitter, bounded.

use std::time::Duration;

use rand::RngExt as _;
use tokio_util::sync::CancellationToken;

use crate::ports::StorageError;

/// Pauses between tries: doubling from `first` to `longest`, each with a random length from its upper half.
///
/// "Equal jitter": half of the pause is fixed, so that a throttled service gets its pause, and half is random, so that clients
/// which failed together do not retry together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Upper bound of the first wait.
    pub first: Duration,
    /// Upper bound of every later wait.
    pub longest: Duration,
}

impl Backoff {
    /// For storage operations: 100 ms to 10 s. Azure asks for exponential backoff on 503 and 500; a partition that is being
    /// moved is available again within seconds.
    pub const STORAGE: Self = Self {
        first: Duration::from_millis(100),
        longest: Duration::from_secs(10),
    };

    /// Upper bound of the wait after `failures` failures in a row (from 1).
    pub fn bound(&self, failures: u32) -> Duration {
        let doubled = self
            .first
            .saturating_mul(1 << failures.saturating_sub(1).min(20));
        doubled.min(self.longest)
    }

    /// The wait after `failures` failures in a row (from 1), with jitter.
    pub fn delay(&self, failures: u32) -> Duration {
        let bound = self.bound(failures);
        bound / 2 + (bound / 2).mul_f64(rand::rng().random::<f64>())
    }

    /// Waits after `failures` failures in a row; `false` when `stop` came first.
    pub async fn wait(&self, failures: u32, stop: &CancellationToken) -> bool {
        tokio::select! {
            () = stop.cancelled() => false,
            () = tokio::time::sleep(self.delay(failures)) => true,
        }
    }

    /// Tries `operation` until it succeeds, fails for good, has failed `tries` times, or `stop` is cancelled between two
    /// tries. The last error is returned.
    pub async fn retry<T, F>(
        &self,
        tries: u32,
        stop: &CancellationToken,
        mut operation: impl FnMut() -> F,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        let mut failures = 0;
        loop {
            match operation().await {
                Ok(value) => return Ok(value),
                Err(error) => {
                    failures += 1;
                    let again = error.is_transient() && failures < tries;
                    if !again || !self.wait(failures, stop).await {
                        return Err(error);
                    }
                    tracing::debug!(%error, failures, "storage operation is tried again");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::ErrorKind;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_millis(100),
        longest: Duration::from_secs(1),
    };

    fn busy() -> StorageError {
        StorageError::new(ErrorKind::Busy, "test", "nothing")
    }

    #[test]
    fn waits_double_up_to_the_longest_and_stay_in_their_upper_half() {
        let bounds: Vec<_> = (1..=6).map(|n| BACKOFF.bound(n).as_millis()).collect();
        assert_eq!(bounds, [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(BACKOFF.bound(u32::MAX), BACKOFF.longest);
        for failures in 1..8 {
            let (delay, bound) = (BACKOFF.delay(failures), BACKOFF.bound(failures));
            assert!(delay >= bound / 2 && delay <= bound);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn transient_errors_are_tried_again_up_to_the_limit() {
        let mut tries = 0;
        let result: Result<(), _> = BACKOFF
            .retry(4, &CancellationToken::new(), || {
                tries += 1;
                async { Err(busy()) }
            })
            .await;
        assert_eq!((tries, result.unwrap_err().kind()), (4, ErrorKind::Busy));
    }

    #[tokio::test(start_paused = true)]
    async fn lasting_errors_are_not_tried_again() {
        let mut tries = 0;
        let result: Result<(), _> = BACKOFF
            .retry(4, &CancellationToken::new(), || {
                tries += 1;
                async { Err(StorageError::new(ErrorKind::Denied, "test", "nothing")) }
            })
            .await;
        assert_eq!((tries, result.unwrap_err().kind()), (1, ErrorKind::Denied));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_wait() {
        let stop = CancellationToken::new();
        stop.cancel();
        let result: Result<(), _> = BACKOFF.retry(9, &stop, || async { Err(busy()) }).await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Busy);
    }
}
