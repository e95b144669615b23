//! The clock of the open loop: a thread that hands over each message when it is due.
//!
//! A thread, not the runtime's timer, which counts in milliseconds: at 10,000 messages/s, ten would be due at once. If every sender
//! is busy, the hand-over waits, but due times do not change: the delay is lateness in the summary.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::sync::mpsc::{self, error::TrySendError};
use tokio_util::task::AbortOnDropHandle;
use workflow::contract::Seq;
use workflow::task;

use crate::schedule::Schedule;
use crate::slice::Slice;

/// Messages that are due and wait for a sender; further ones wait in the schedule. Enough for 25 ms of 10,000 messages/s, so that
/// the thread is not woken for each place that becomes free.
const DUE: usize = 256;

/// A message that is due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    /// Its sequence number.
    pub(crate) seq: Seq,
    /// When it was meant to be sent.
    pub(crate) at: Instant,
}

/// The clock of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pacing {
    /// An exact thread.
    Thread,
    /// Tokio's timer, whose clock may be paused.
    Timer,
}

/// A running pacer, which hands over the messages.
#[derive(Debug)]
pub(crate) struct Pacer {
    stopped: Arc<AtomicBool>,
    running: Running,
}

#[derive(Debug)]
enum Running {
    Thread(JoinHandle<Option<u64>>),
    Timer(AbortOnDropHandle<Option<u64>>),
}

/// The pacer panicked.
#[derive(Debug)]
pub(crate) struct Panicked;

impl Pacer {
    /// Starts handing over the messages of `slice` of `schedule`, counted from `start`.
    #[expect(clippy::disallowed_methods, reason = "joined in `join`")]
    pub(crate) fn start(
        schedule: Schedule,
        slice: Slice,
        start: Instant,
    ) -> std::io::Result<(Self, mpsc::Receiver<Due>)> {
        let (due, feed) = mpsc::channel(DUE);
        let stopped = Arc::new(AtomicBool::new(false));
        let seen = stopped.clone();
        let thread = thread::Builder::new()
            .name("pacer".to_owned())
            .spawn(move || pace(of(schedule, slice, start), &due, &seen))?;
        let running = Running::Thread(thread);
        Ok((Self { stopped, running }, feed))
    }

    /// Starts the same on tokio's timer.
    pub(crate) fn on_timer(
        schedule: Schedule,
        slice: Slice,
        start: Instant,
    ) -> (Self, mpsc::Receiver<Due>) {
        let (due, feed) = mpsc::channel(DUE);
        let stopped = Arc::new(AtomicBool::new(false));
        let task = task::spawn(pace_on_timer(
            of(schedule, slice, start),
            due,
            stopped.clone(),
        ));
        let running = Running::Timer(task);
        (Self { stopped, running }, feed)
    }

    /// Stops the hand-over; messages that wait for a sender may still be taken.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        match &self.running {
            Running::Thread(thread) => thread.thread().unpark(),
            Running::Timer(task) => task.abort(),
        }
    }

    /// Waits for the pacer, which ends at the end of its schedule, when stopped, or when the feed is dropped. Returns the number of
    /// messages of the schedule, if it came to its end; `Err` if the thread panicked.
    pub(crate) async fn join(self) -> Result<Option<u64>, Panicked> {
        match self.running {
            Running::Thread(thread) => thread.join().map_err(|_| Panicked),
            Running::Timer(task) => match task.await {
                Ok(handed_over) => Ok(handed_over),
                Err(error) if error.is_cancelled() => Ok(None),
                Err(_) => Err(Panicked),
            },
        }
    }
}

/// The messages of `slice`, each with its time after `start`.
fn of(schedule: Schedule, slice: Slice, start: Instant) -> impl Iterator<Item = Due> + Send {
    let due = (1..).filter_map(Seq::new).zip(schedule);
    due.filter(move |(seq, _)| slice.contains(*seq))
        .map(move |(seq, offset)| Due {
            seq,
            at: start + offset,
        })
}

/// The same as [`pace`], on tokio's timer.
async fn pace_on_timer(
    messages: impl Iterator<Item = Due>,
    feed: mpsc::Sender<Due>,
    stopped: Arc<AtomicBool>,
) -> Option<u64> {
    let mut handed_over = 0;
    for due in messages {
        tokio::time::sleep_until(due.at.into()).await;
        if stopped.load(Ordering::Acquire) {
            return None;
        }
        feed.send(due).await.ok()?;
        handed_over += 1;
    }
    Some(handed_over)
}

/// Returns the number of messages, if all were handed over.
fn pace(
    messages: impl Iterator<Item = Due>,
    feed: &mpsc::Sender<Due>,
    stopped: &AtomicBool,
) -> Option<u64> {
    let mut handed_over = 0;
    for due in messages {
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

    #[tokio::test]
    async fn messages_come_in_order_and_never_before_they_are_due() {
        let start = Instant::now();
        let (pacer, mut feed) =
            Pacer::start(schedule("constant:5000/s", Some(500)), Slice::WHOLE, start).unwrap();
        for seq in 1..=500 {
            let due = feed.recv().await.unwrap();
            assert!(Instant::now() >= due.at);
            assert_eq!(due.seq.get(), seq);
            let offset = Duration::from_micros(200) * u32::try_from(seq - 1).unwrap();
            assert_eq!(due.at, start + offset);
        }
        assert!(feed.recv().await.is_none());
        assert_eq!(pacer.join().await.unwrap(), Some(500));
    }

    #[tokio::test]
    async fn a_slice_keeps_the_numbers_and_the_times_of_the_whole_load() {
        let start = Instant::now();
        let slice = Slice::new(1, 3).unwrap();
        let (pacer, mut feed) =
            Pacer::start(schedule("constant:5000/s", Some(100)), slice, start).unwrap();
        let mut seqs = Vec::new();
        while let Some(due) = feed.recv().await {
            let before = u32::try_from(due.seq.get() - 1).unwrap();
            assert_eq!(due.at, start + Duration::from_micros(200) * before);
            seqs.push(due.seq.get());
        }
        assert_eq!(seqs, (2..=98).step_by(3).collect::<Vec<_>>());
        assert_eq!(pacer.join().await.unwrap(), Some(33));
    }

    #[tokio::test]
    async fn a_long_wait_ends_when_stopped() {
        let (pacer, mut feed) =
            Pacer::start(schedule("constant:1/h", None), Slice::WHOLE, Instant::now()).unwrap();
        assert_eq!(feed.recv().await.unwrap().seq, Seq::FIRST);
        pacer.stop();
        assert_eq!(pacer.join().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_blocked_hand_over_ends_when_the_feed_is_dropped() {
        let (pacer, feed) = Pacer::start(
            schedule("burst", Some(100_000)),
            Slice::WHOLE,
            Instant::now(),
        )
        .unwrap();
        drop(feed);
        assert_eq!(pacer.join().await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_hands_over_an_hour_of_messages_in_a_moment() {
        let start = tokio::time::Instant::now();
        let (pacer, mut feed) = Pacer::on_timer(
            schedule("constant:2/h", Some(3)),
            Slice::WHOLE,
            start.into_std(),
        );
        let mut offsets = Vec::new();
        while let Some(due) = feed.recv().await {
            assert!(tokio::time::Instant::now().into_std() >= due.at);
            offsets.push((due.at - start.into_std()).as_secs());
        }
        assert_eq!(offsets, [0, 1800, 3600]);
        assert_eq!(pacer.join().await.unwrap(), Some(3));
    }
}
