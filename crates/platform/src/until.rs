//! Waiting for a condition with a deadline, for the harness and its platforms on this machine. `cluster` and `aks` stand alone, and have
//! waits of their own.

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// Poll interval for conditions without a notification.
const EVERY: Duration = Duration::from_millis(50);

/// Error of a wait whose deadline passed before the condition held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub struct Late {
    /// How long the wait took.
    pub after: Duration,
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not within {:?}", self.after)
    }
}

/// Polls `condition` until it returns a value, for at most `deadline`: at least once, and once more when the deadline has
/// passed. An error of the condition ends the wait.
pub async fn until<T>(
    deadline: Duration,
    mut condition: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Result<T, Late>> {
    let start = Instant::now();
    loop {
        let is_late = start.elapsed() >= deadline;
        if let Some(value) = condition().await? {
            return Ok(Ok(value));
        }
        if is_late {
            return Ok(Err(Late { after: deadline }));
        }
        sleep_until(Instant::now() + EVERY.min(deadline.saturating_sub(start.elapsed()))).await;
    }
}

/// Waits until `holds` returns a value for the state that `told` publishes, for at most `deadline`.
pub async fn until_told<S, T>(
    mut told: watch::Receiver<S>,
    deadline: Duration,
    mut holds: impl FnMut(&S) -> Option<T>,
) -> Result<T, Late> {
    let late = Late { after: deadline };
    let waited = timeout(deadline, async {
        loop {
            if let Some(found) = holds(&told.borrow_and_update()) {
                return Some(found);
            }
            // The publisher is gone, so the state cannot change any more.
            told.changed().await.ok()?;
        }
    });
    waited.await.ok().flatten().ok_or(late)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_condition_is_looked_at_once_more_when_time_is_up() {
        let mut looks = 0;
        let late = until(Duration::from_millis(120), async || {
            looks += 1;
            Ok(None::<()>)
        });
        let after = Duration::from_millis(120);
        assert_eq!(late.await.unwrap(), Err(Late { after }));
        assert_eq!(looks, 4, "at 0, 50, 100 and 120 ms");
    }

    #[tokio::test(start_paused = true)]
    async fn a_condition_that_holds_at_once_is_not_waited_for() {
        let start = Instant::now();
        let found = until(Duration::ZERO, async || Ok(Some(7))).await.unwrap();
        assert_eq!((found, start.elapsed()), (Ok(7), Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_told_is_seen_and_what_is_not_is_late() {
        let (teller, told) = watch::channel(1);
        let waits =
            workflow::task::spawn(until_told(told.clone(), Duration::from_secs(1), |number| {
                (*number == 2).then_some("two")
            }));
        teller.send_replace(2);
        assert_eq!(waits.await.unwrap(), Ok("two"));
        let late = until_told(told, Duration::from_secs(1), |number| {
            (*number == 3).then_some(())
        });
        let after = Duration::from_secs(1);
        assert_eq!(late.await, Err(Late { after }));
    }
}
