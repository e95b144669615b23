//! The clock of the open loop: a thread that hands over each message when it is due.
//!
//! A thread, and not the runtime's timer, which counts in milliseconds: at 10,000 messages/s ten would come due at once.
//! When every sender is busy the hand-over waits, and the schedule does not stretch: due times stay, so the delay becomes
//! lateness that the summary shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::sync::mpsc::{self, error::TrySendError};
use workflow::contract::Seq;

use crate::schedule::Schedule;

/// Messages that are due and wait for a sender; more wait in the schedule. Room for 25 ms of 10,000 messages/s, so that
/// the thread is not woken for each place that comes free.
const DUE: usize = 256;

/// A message whose time has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    /// Which.
    pub(crate) seq: Seq,
    /// When it was meant to be sent.
    pub(crate) at: Instant,
}

/// The running thread.
#[derive(Debug)]
pub(crate) struct Pacer {
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<Option<u64>>,
}

impl Pacer {
    /// Starts handing over the messages of `schedule`, counted from `start`.
    pub(crate) fn start(
        schedule: Schedule,
        start: Instant,
    ) -> std::io::Result<(Self, mpsc::Receiver<Due>)> {
        let (due, feed) = mpsc::channel(DUE);
        let stopped = Arc::new(AtomicBool::new(false));
        let seen = stopped.clone();
        let thread = thread::Builder::new()
            .name("pacer".to_owned())
            .spawn(move || pace(schedule, start, &due, &seen))?;
        Ok((Self { stopped, thread }, feed))
    }

    /// Hands over nothing more; what waits for a sender may still be taken.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.thread.thread().unpark();
    }

    /// Waits for the thread, which ends when its schedule does, when stopped, or when the feed is dropped. How many
    /// messages the schedule had, if it came to its end; `Err` if the thread panicked.
    pub(crate) fn join(self) -> thread::Result<Option<u64>> {
        self.thread.join()
    }
}

/// Returns how many messages were handed over, if all were.
fn pace(
    schedule: Schedule,
    start: Instant,
    feed: &mpsc::Sender<Due>,
    stopped: &AtomicBool,
) -> Option<u64> {
    let mut handed_over = 0;
    for offset in schedule {
        let due = Due {
            seq: Seq::new(handed_over + 1).expect("a count plus one must not be zero"),
            at: start + offset,
        };
        if !wait_until(due.at, stopped) {
            return None;
        }
        match feed.try_send(due) {
            Ok(()) => {}
            Err(TrySendError::Full(due)) => feed.blocking_send(due).ok()?,
            Err(TrySendError::Closed(_)) => return None,
        }
        handed_over += 1;
    }
    Some(handed_over)
}

fn wait_until(due: Instant, stopped: &AtomicBool) -> bool {
    loop {
        if stopped.load(Ordering::Acquire) {
            return false;
        }
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn schedule(shape: &str, messages: Option<u64>) -> Schedule {
        Schedule::new(&shape.parse().unwrap(), 1, messages, None).unwrap()
    }

    #[test]
    fn messages_come_in_order_and_never_before_they_are_due() {
        let start = Instant::now();
        let (pacer, mut feed) =
            Pacer::start(schedule("constant:5000/s", Some(500)), start).unwrap();
        for seq in 1..=500 {
            let due = feed.blocking_recv().unwrap();
            assert!(Instant::now() >= due.at);
            assert_eq!(due.seq.get(), seq);
            let offset = Duration::from_micros(200) * u32::try_from(seq - 1).unwrap();
            assert_eq!(due.at, start + offset);
        }
        assert!(feed.blocking_recv().is_none());
        assert_eq!(pacer.join().unwrap(), Some(500));
    }

    #[test]
    fn a_long_wait_ends_when_stopped() {
        let (pacer, mut feed) =
            Pacer::start(schedule("constant:1/h", None), Instant::now()).unwrap();
        assert_eq!(feed.blocking_recv().unwrap().seq, Seq::FIRST);
        pacer.stop();
        assert_eq!(pacer.join().unwrap(), None);
    }

    #[test]
    fn a_blocked_hand_over_ends_when_the_feed_is_dropped() {
        let (pacer, feed) = Pacer::start(schedule("burst", Some(100_000)), Instant::now()).unwrap();
        drop(feed);
        assert_eq!(pacer.join().unwrap(), None);
    }
}
