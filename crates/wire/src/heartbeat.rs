//! Detects changes of the wall clock and pauses of the harness, while a history is recorded.

use std::mem;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use contract::Stamp;

use super::Pause;

/// Interval between two beats.
const EVERY: Duration = Duration::from_millis(100);

/// Delay from which a late beat counts as a pause: the process was stopped by a signal, or the machine gave it no CPU time.
/// Half a second, as for storage that keeps a request waiting.
const LATE: Duration = Duration::from_millis(500);

/// Largest offset of the wall clock that is ignored: time synchronisation adjusts the clock by such steps all the time.
const NEGLIGIBLE_US: i64 = 1_000;

/// How often both clocks are read together at the start.
const TRIES: u32 = 8;

/// A clock that starts with the wall clock's time and is never set.
#[derive(Debug, Clone, Copy)]
pub(super) struct SteadyClock {
    began: Instant,
    at: Stamp,
}

impl SteadyClock {
    pub(super) fn start() -> Self {
        // If the thread loses its processor between the two reads, the offset would be wrong for good: the closest pair counts.
        let pairs = (0..TRIES).map(|_| {
            let began = Instant::now();
            let at = Stamp::now();
            (began.elapsed(), Self { began, at })
        });
        let (_, closest) = pairs.min_by_key(|(apart, _)| *apart).expect("some tries");
        closest
    }

    pub(super) fn now(&self) -> Stamp {
        self.at.plus(self.began.elapsed())
    }

    /// How far the wall clock is ahead of this one, in microseconds; 0 if the difference is negligible.
    pub(super) fn offset_us(&self) -> i64 {
        let before = self.now();
        let wall = Stamp::now();
        ahead_of(wall, before, self.now())
    }
}

/// How far `wall` is ahead of a clock that was read `before` and `after` it: the smaller of the two differences. If the thread
/// loses its processor between two reads, this must not look like a change of the clock.
fn ahead_of(wall: Stamp, before: Stamp, after: Stamp) -> i64 {
    let (least, most) = (wall.micros_since(after), wall.micros_since(before));
    if least >= NEGLIGIBLE_US {
        least
    } else if most <= -NEGLIGIBLE_US {
        most
    } else {
        0
    }
}

/// Checks the clock ten times a second, until its last clone is dropped. It has its own thread, so that no work of the runtime
/// can delay the checks.
#[derive(Debug, Clone)]
pub(super) struct Heartbeat(Arc<Beating>);

/// The thread, and the pauses that it has detected. The thread ends with this.
#[derive(Debug)]
struct Beating {
    pauses: Arc<Mutex<Vec<Pause>>>,
    /// Dropping it ends the thread.
    end: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Beating {
    fn drop(&mut self) {
        drop(self.end.take());
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the heartbeat panicked: pauses of the harness were not noticed");
        }
    }
}

impl Heartbeat {
    #[expect(
        clippy::disallowed_methods,
        reason = "joined when the last clone is dropped"
    )]
    pub(super) fn start(clock: SteadyClock) -> Self {
        let pauses: Arc<Mutex<Vec<Pause>>> = Arc::default();
        let told = pauses.clone();
        let (end, ended) = mpsc::sync_channel(0);
        // Without the thread no pause is detected, and the run is judged as if there were none.
        let started = thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn(move || beat(clock, &told, &ended));
        let thread = started
            .inspect_err(|error| tracing::warn!(%error, "pauses of the harness are not noticed"));
        Self(Arc::new(Beating {
            pauses,
            end: Some(end),
            thread: thread.ok(),
        }))
    }

    /// The pauses since the last [`Heartbeat::take`].
    pub(super) fn noted(&self) -> Vec<Pause> {
        let pauses = self.0.pauses.lock();
        pauses.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The pauses since the last call.
    pub(super) fn take(&self) -> Vec<Pause> {
        mem::take(&mut self.0.pauses.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn beat(clock: SteadyClock, pauses: &Mutex<Vec<Pause>>, ended: &Receiver<()>) {
    let mut last = clock.now();
    while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        let now = clock.now();
        if let Some(pause) = pause_between(last, now) {
            let mut pauses = pauses.lock().unwrap_or_else(PoisonError::into_inner);
            pauses.push(pause);
        }
        last = now;
    }
}

/// The pause between two beats, if there was one.
fn pause_between(last: Stamp, now: Stamp) -> Option<Pause> {
    (now > last.plus(EVERY + LATE)).then_some(Pause {
        from: last,
        to: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_that_is_late_was_kept_from_coming() {
        let last = Stamp::from_micros(1_000_000);
        let after = |millis| last.plus(Duration::from_millis(millis));
        assert_eq!(pause_between(last, after(100)), None);
        assert_eq!(pause_between(last, after(600)), None);
        let to = after(5_100);
        assert_eq!(pause_between(last, to), Some(Pause { from: last, to }));
    }

    #[test]
    fn a_thread_that_was_kept_waiting_between_two_reads_sees_no_clock_set() {
        let at = |millis: i64| Stamp::from_micros(millis * 1_000);
        // Delayed before the wall clock was read, and after it.
        assert_eq!(ahead_of(at(50), at(0), at(50)), 0);
        assert_eq!(ahead_of(at(0), at(0), at(50)), 0);
        // Changed by more than the delay explains.
        assert_eq!(ahead_of(at(5_060), at(0), at(50)), 5_010_000);
        assert_eq!(ahead_of(at(-5_000), at(0), at(50)), -5_000_000);
    }

    #[test]
    fn the_clock_begins_as_the_wall_clock_says() {
        let clock = SteadyClock::start();
        assert!(clock.now().micros_since(Stamp::now()).abs() < 1_000_000);
        let set = SteadyClock {
            at: clock.at.plus(Duration::from_secs(5)),
            ..clock
        };
        assert!(set.offset_us() < -4_000_000, "{}", set.offset_us());
    }
}
