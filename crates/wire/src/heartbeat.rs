//! What the harness notices of itself while it keeps a history: a wall clock that is set, and times in which it stood still.

use std::mem;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use contract::Stamp;

use super::Pause;

/// From one beat to the next.
const EVERY: Duration = Duration::from_millis(100);

/// A beat that comes later than this was kept from coming: by a signal that stops the process, or by a machine that has no
/// time for it. Half a second, as for storage that keeps a request waiting.
const LATE: Duration = Duration::from_millis(500);

/// A wall clock that is this little off is not worth a word: it is led back to the right time by such steps all the time.
const NEGLIGIBLE_US: i64 = 1_000;

/// How often both clocks are read together at the start.
const TRIES: u32 = 8;

/// A clock that begins as the wall clock says and is never set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    began: Instant,
    at: Stamp,
}

impl Clock {
    pub(super) fn start() -> Self {
        // A thread that loses its processor between the two reads would be off by that for good: the closest pair counts.
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

    /// How far the wall clock is ahead of this one, in microseconds; 0 where it is as good as none.
    pub(super) fn offset_us(&self) -> i64 {
        let before = self.now();
        let wall = Stamp::now();
        ahead_of(wall, before, self.now())
    }
}

/// How far `wall` is ahead of a clock that was read `before` and `after` it: by no more than both say. A thread that loses its
/// processor between two reads must not take that for a clock that was set.
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

/// Looks at the clock ten times a second, until its last clone is dropped. A thread of its own: nothing that the runtime has to
/// do can keep it from looking.
#[derive(Debug, Clone)]
pub(super) struct Heartbeat(Arc<Beating>);

/// The thread, and what it has noticed. The thread ends with this.
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
    pub(super) fn start(clock: Clock) -> Self {
        let pauses: Arc<Mutex<Vec<Pause>>> = Arc::default();
        let told = pauses.clone();
        let (end, ended) = mpsc::sync_channel(0);
        // Without it no pause is noticed, and the run is judged as if there were none.
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

    /// The pauses since this was last asked.
    pub(super) fn take(&self) -> Vec<Pause> {
        mem::take(&mut self.0.pauses.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn beat(clock: Clock, pauses: &Mutex<Vec<Pause>>, ended: &Receiver<()>) {
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
        // Kept waiting before the wall clock was read, and after it.
        assert_eq!(ahead_of(at(50), at(0), at(50)), 0);
        assert_eq!(ahead_of(at(0), at(0), at(50)), 0);
        // Set by more than the wait explains.
        assert_eq!(ahead_of(at(5_060), at(0), at(50)), 5_010_000);
        assert_eq!(ahead_of(at(-5_000), at(0), at(50)), -5_000_000);
    }

    #[test]
    fn the_clock_begins_as_the_wall_clock_says() {
        let clock = Clock::start();
        assert!(clock.now().micros_since(Stamp::now()).abs() < 1_000_000);
        let set = Clock {
            at: clock.at.plus(Duration::from_secs(5)),
            ..clock
        };
        assert!(set.offset_us() < -4_000_000, "{}", set.offset_us());
    }
}
