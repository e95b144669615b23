//! Service with an unknown remaining time, or too short for the loops to notice: exact between two changes.

use super::{Cut, NONE};
use crate::simulate::Work;

/// Messages that would end within the grace period do so in this many steps.
const STEPS: u32 = 4;

/// Identical replicas, which work on as many messages as they can.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    replicas: u32,
    in_flight: f64,
    /// Mean working time, in seconds.
    mean: f64,
    /// Whether the working time is exponentially distributed: then the same share of the messages in work finishes at any time.
    /// Otherwise they finish at an even rate, which is exact enough for work shorter than a second.
    exponential: bool,
}

impl Flow {
    pub(super) fn new(work: Work, in_flight: f64) -> Self {
        Self {
            replicas: 0,
            in_flight,
            mean: work.mean().as_secs_f64(),
            exponential: matches!(work, Work::Exponential(_)),
        }
    }

    pub(super) fn start(&mut self, replicas: u32) {
        self.replicas += replicas;
    }

    fn slots(&self) -> f64 {
        f64::from(self.replicas) * self.in_flight
    }

    /// The part of `messages` that is in work.
    pub(super) fn busy(&self, messages: f64) -> f64 {
        messages.min(self.slots())
    }

    /// After how many seconds no message waits any more, of which these wait now.
    pub(super) fn none_waits(&self, waiting: f64, per_second: f64) -> f64 {
        if waiting <= 0.0 {
            return 0.0;
        }
        waiting / (self.slots() / self.mean - per_second).max(0.0)
    }

    /// Ends some replicas, with their share of the messages in work.
    pub(super) fn end(&mut self, replicas: u32, now: f64, grace: f64, messages: f64) -> Cut {
        let ending = replicas.min(self.replicas);
        let part = f64::from(ending) / f64::from(self.replicas.max(1));
        let busy = self.busy(messages);
        self.replicas -= ending;
        let ends = busy * part;
        let lost = if self.mean > 0.0 {
            (-grace / self.mean).exp()
        } else {
            0.0
        };
        let within = 1.0 - lost;
        let each = ends * within / f64::from(STEPS);
        let step = |n: u32| {
            let done = within * (f64::from(n) + 0.5) / f64::from(STEPS);
            (now - self.mean * (1.0 - done).ln(), each)
        };
        Cut {
            replicas: busy.min(f64::from(ending + self.replicas)) * part,
            messages: ends,
            lost: ends * lost,
            finishing: (0..STEPS).map(step).collect(),
        }
    }

    /// Serves from `now` to `until`, in seconds; `per_second` messages arrive, and the replicas do not change. Returns since
    /// when the queue has been empty, if it has become empty.
    pub(super) fn serve(
        &self,
        now: f64,
        until: f64,
        per_second: f64,
        backlog: &mut f64,
    ) -> Option<f64> {
        let mut seconds = until - now;
        let slots = self.slots();
        let capacity = slots / self.mean;
        if self.replicas == 0 {
            *backlog += per_second * seconds;
            return None;
        }
        if !self.exponential {
            return self.serve_evenly(now, until, per_second, backlog);
        }
        if *backlog > slots {
            let surplus = capacity - per_second;
            let left = (*backlog - slots) / surplus;
            if surplus <= 0.0 || left >= seconds {
                *backlog -= surplus * seconds;
                return None;
            }
            *backlog = slots;
            seconds -= left;
        }
        // With fewer messages than slots, each finishes after the mean time on average, independently of the others.
        let rest = per_second * self.mean;
        if rest > slots {
            let left = self.mean * ((rest - *backlog) / (rest - slots)).ln();
            if left < seconds {
                *backlog = slots + (per_second - capacity) * (seconds - left);
                return None;
            }
        }
        let mut empty = None;
        if *backlog >= NONE && rest < NONE {
            let left = self.mean * ((*backlog - rest) / (NONE - rest)).ln();
            if left < seconds {
                empty = Some(until - (seconds - left));
            }
        }
        *backlog = rest + (*backlog - rest) * (-seconds / self.mean).exp();
        empty
    }

    fn serve_evenly(
        &self,
        now: f64,
        until: f64,
        per_second: f64,
        backlog: &mut f64,
    ) -> Option<f64> {
        let seconds = until - now;
        let surplus = self.slots() / self.mean - per_second;
        let rest = per_second * self.mean;
        if surplus <= 0.0 {
            *backlog -= surplus * seconds;
            return None;
        }
        if *backlog <= rest {
            *backlog = rest.min(per_second.mul_add(seconds, *backlog));
            return None;
        }
        let before = *backlog;
        *backlog = rest.max(before - surplus * seconds);
        let emptied = before >= NONE && *backlog < NONE;
        emptied.then(|| now + (before - NONE).max(0.0) / surplus)
    }
}
