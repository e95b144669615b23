//! Messages and those who work on them, as a fluid.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Workload, arrivals};
use crate::Queue;

/// Fewer messages than this are none. Served as a fluid the last one would never be quite done; a half makes *n* messages
/// take about as long as *n* independent ones do on average.
const NONE: f64 = 0.5;

/// The queue as a fluid, and the replicas that serve it.
#[derive(Debug)]
pub(super) struct Fluid<'a> {
    workload: &'a Workload,
    arrivals: arrivals::Cursor<'a>,
    now: Duration,
    backlog: f64,
    working: u32,
    /// Replicas that will work from a time on, by that time.
    starting: VecDeque<(Duration, u32)>,
    empty_since: Option<Duration>,
}

/// What ends with replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ended {
    /// Replicas at work.
    pub(super) replicas: u32,
    /// Messages on them.
    pub(super) messages: u64,
}

impl<'a> Fluid<'a> {
    pub(super) fn new(workload: &'a Workload, working: u32) -> Self {
        Self {
            workload,
            arrivals: workload.arrivals.cursor(),
            now: Duration::ZERO,
            backlog: 0.0,
            working,
            starting: VecDeque::new(),
            empty_since: Some(Duration::ZERO),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.now
    }

    pub(super) fn working(&self) -> u32 {
        self.working
    }

    pub(super) fn empty_since(&self) -> Option<Duration> {
        self.empty_since
    }

    pub(super) fn run_to(&mut self, until: Duration) {
        loop {
            self.backlog += self.arrivals.bursts(self.now);
            self.note_empty(self.now);
            while let Some((at, count)) = self.starting.front().copied()
                && at <= self.now
            {
                self.working += count;
                self.starting.pop_front();
            }
            if self.now >= until {
                return;
            }
            let started = self.starting.front().map(|(at, _)| *at);
            let changes = [self.arrivals.next_change(), started];
            let changes = changes.into_iter().flatten();
            let change = changes.min().unwrap_or(until).min(until);
            self.serve(change);
            self.now = change;
            self.note_empty(change);
        }
    }

    /// Serves until then; neither the rate of arrivals nor the replicas change before.
    fn serve(&mut self, until: Duration) {
        let mut seconds = until.saturating_sub(self.now).as_secs_f64();
        let arriving = self.arrivals.per_second();
        let capacity = f64::from(self.working) * self.workload.service.per_second;
        if capacity <= 0.0 {
            self.backlog += arriving * seconds;
            return;
        }
        let slots = f64::from(self.working) * self.in_flight();
        if self.backlog > slots {
            let surplus = capacity - arriving;
            let left = (self.backlog - slots) / surplus;
            if surplus <= 0.0 || left >= seconds {
                self.backlog -= surplus * seconds;
                return;
            }
            self.backlog = slots;
            seconds -= left;
        }
        // Fewer messages than slots: each is done after `time` on average, whatever the others do.
        let time = slots / capacity;
        let rest = arriving * time;
        if rest > slots {
            let left = time * ((rest - self.backlog) / (rest - slots)).ln();
            if left < seconds {
                self.backlog = slots + (arriving - capacity) * (seconds - left);
                return;
            }
        }
        if self.backlog >= NONE && rest < NONE {
            let left = time * ((self.backlog - rest) / (NONE - rest)).ln();
            if left < seconds {
                let before = Duration::from_secs_f64(seconds - left);
                self.empty_since = Some(until.saturating_sub(before));
            }
        }
        self.backlog = rest + (self.backlog - rest) * (-seconds / time).exp();
    }

    fn note_empty(&mut self, now: Duration) {
        if self.backlog < NONE {
            self.empty_since.get_or_insert(now);
        } else {
            self.empty_since = None;
        }
    }

    fn in_flight(&self) -> f64 {
        f64::from(self.workload.service.in_flight.max(1))
    }

    pub(super) fn queue(&self) -> Queue {
        let messages = messages(self.backlog);
        let in_flight = u64::from(self.workload.service.in_flight.max(1));
        let leased = messages.min(u64::from(self.working) * in_flight);
        Queue {
            visible: messages - leased,
            leased,
        }
    }

    /// Starts replicas, or ends those first that have not begun.
    pub(super) fn scale(&mut self, from: u32, to: u32, queue: Queue) -> Ended {
        if to > from {
            let at = self.now + self.workload.service.start_delay;
            self.starting.push_back((at, to - from));
            return Ended::default();
        }
        let mut ending = from - to;
        while let Some((at, count)) = self.starting.pop_back() {
            if count > ending {
                self.starting.push_back((at, count - ending));
                return Ended::default();
            }
            ending -= count;
        }
        let working = u64::from(self.working.max(1));
        let ending = ending.min(self.working);
        self.working -= ending;
        let busy = queue.leased.min(working);
        let replicas = (busy * u64::from(ending)).div_ceil(working);
        Ended {
            replicas: u32::try_from(replicas).unwrap_or(ending).min(ending),
            messages: (queue.leased * u64::from(ending)).div_ceil(working),
        }
    }
}

/// Whole messages.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a backlog is not negative, and `as` saturates"
)]
fn messages(backlog: f64) -> u64 {
    backlog.round() as u64
}

#[cfg(test)]
mod tests;
