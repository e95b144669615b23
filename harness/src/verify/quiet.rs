//! Waits until no consumer works on the queue any more: a message that a consumer holds may be stored a moment later.

use std::time::Duration;

use anyhow::Context as _;
use platform::storage::Queue;
use tokio::time::{Instant, sleep};
use workflow::contract::workload::Lens;

use crate::audit::AtWork;
use crate::run::QueueLook;

/// Time between two looks at the queue.
const EVERY: Duration = Duration::from_millis(500);

/// A queue whose number of messages has changed within this time is still being worked on. As long as the consumer's default lease:
/// a message that is not finished within that time becomes visible again.
const STILL: Duration = Duration::from_secs(60);

/// A queue whose messages are all visible for this long has no consumer, and none will start: a consumer with free slots polls at
/// least every 5 s (`--idle-poll-max`), one without holds leases, and KEDA, which polls every 30 s, starts one within a minute.
const UNTAKEN: Duration = Duration::from_secs(75);

/// Waits until no message of the run of `lens` can be in `queue`, for at most `patience`. Returns why the queue may still change,
/// or `None` if it is quiet: its messages then stay as they are. The queue also counts as quiet once all of its messages stay
/// visible because no consumer takes them.
///
/// Messages of other runs are not waited for, once the whole queue can be seen.
pub(super) async fn until_quiet(
    queue: &dyn Queue,
    lens: &Lens,
    patience: Duration,
) -> anyhow::Result<Option<AtWork>> {
    let start = Instant::now();
    let (mut last, mut changed) = (None, None);
    let mut untaken = Untaken::default();
    loop {
        let look = QueueLook::take(queue)
            .await
            .context("look into the queue")?;
        if !look.may_hold(lens) {
            return Ok(None);
        }
        if untaken.last_for(&look) >= UNTAKEN {
            return Ok(None);
        }
        match last.replace(look.depth) {
            None => say_what_is_waited_for(&look, patience),
            Some(last) if last != look.depth => changed = Some(Instant::now()),
            Some(_) => {}
        }
        if start.elapsed() >= patience {
            let changing = changed.is_some_and(|at| at.elapsed() < STILL);
            let leased = look.leased().filter(|leased| *leased > 0);
            return Ok(leased
                .map(AtWork::Leased)
                .or(changing.then_some(AtWork::Changing)));
        }
        sleep(EVERY.min(patience.saturating_sub(start.elapsed()))).await;
    }
}

/// Since when the same messages are visible at the front of the queue.
#[derive(Debug, Default)]
struct Untaken(Option<(Vec<String>, Instant)>);

impl Untaken {
    /// For how long the messages that `look` shows have been there without any other change; zero if `look` shows none, or if
    /// others are leased.
    fn last_for(&mut self, look: &QueueLook) -> Duration {
        let shown: Vec<_> = look
            .visible
            .iter()
            .map(|it| it.message_id.clone())
            .collect();
        match &self.0 {
            _ if look.leased() != Some(0) || shown.is_empty() => {
                self.0 = None;
                Duration::ZERO
            }
            Some((before, since)) if *before == shown => since.elapsed(),
            _ => {
                self.0 = Some((shown, Instant::now()));
                Duration::ZERO
            }
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a person who waits should know for what"
)]
fn say_what_is_waited_for(look: &QueueLook, patience: Duration) {
    let patience = workflow::duration::text(patience);
    eprintln!(
        "waiting until consumers have finished what is in the queue ({look}), for at most {patience} (--settle)"
    );
}

#[cfg(test)]
mod tests {
    use workflow::memory::MemoryQueue;
    use workflow::ports::Lease;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(120);

    async fn queue(bodies: impl IntoIterator<Item = &str>) -> MemoryQueue {
        let queue = MemoryQueue::new("work");
        queue.create().await.unwrap();
        for body in bodies {
            queue.send(body).await.unwrap();
        }
        queue
    }

    /// Leases the first message for `time`.
    async fn lease(queue: &MemoryQueue, time: Duration) -> Lease {
        let mut deliveries = queue.receive(1, time).await.unwrap();
        deliveries.remove(0).lease
    }

    async fn waited(queue: &MemoryQueue) -> (Option<AtWork>, Duration) {
        let start = Instant::now();
        let lens = Lens::own("r1".parse().unwrap());
        let found = until_quiet(queue, &lens, PATIENCE).await.unwrap();
        (found, start.elapsed())
    }

    const OURS: &str = r#"{"id":"r1-1"}"#;
    const OTHERS: &str = r#"{"id":"r2-1"}"#;

    #[tokio::test(start_paused = true)]
    async fn a_queue_without_messages_of_the_run_is_quiet_at_once() {
        assert_eq!(waited(&queue([]).await).await, (None, Duration::ZERO));
        let others = queue([OTHERS, "not json"]).await;
        assert_eq!(waited(&others).await, (None, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn visible_messages_that_nobody_takes_are_left() {
        assert_eq!(waited(&queue([OURS]).await).await, (None, UNTAKEN));
        let some_unseen = queue([OURS; 60]).await;
        assert_eq!(waited(&some_unseen).await, (None, PATIENCE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_runs_out_meanwhile_is_waited_for_and_one_that_does_not_is_told() {
        let queue = queue([OURS, OTHERS]).await;
        lease(&queue, Duration::from_secs(60)).await;
        lease(&queue, Duration::from_secs(600)).await;
        assert_eq!(waited(&queue).await, (Some(AtWork::Leased(1)), PATIENCE));
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_ends_when_the_last_message_is_finished() {
        let queue = queue([OURS]).await;
        let held = lease(&queue, Duration::from_secs(60)).await;
        let finish = async {
            sleep(Duration::from_secs(20)).await;
            workflow::ports::WorkQueue::delete(&queue, &held)
                .await
                .unwrap();
        };
        let (waited, ()) = tokio::join!(waited(&queue), finish);
        let (left, after) = waited;
        assert_eq!(left, None);
        let seconds = after.as_secs_f64();
        assert!((20.0..21.0).contains(&seconds), "{after:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_is_still_being_emptied_at_the_end_of_the_patience_is_told() {
        let queue = queue([OURS; 200]).await;
        let work = async {
            loop {
                let held = lease(&queue, Duration::from_secs(60)).await;
                workflow::ports::WorkQueue::delete(&queue, &held)
                    .await
                    .unwrap();
                sleep(Duration::from_secs(1)).await;
            }
        };
        let waited = tokio::select! {
            waited = waited(&queue) => waited,
            () = work => unreachable!(),
        };
        assert_eq!(waited, (Some(AtWork::Changing), PATIENCE));
    }
}
