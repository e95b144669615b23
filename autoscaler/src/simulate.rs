//! What settings would do to a load: model and queue together, as fast as can be.
//!
//! Messages are a fluid here: they come at a rate and are served at a rate, exactly between one change and the next, with no
//! randomness. That is right for backlogs and replicas, and says nothing of single messages.

mod arrivals;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub use arrivals::{Arrivals, Rates};

use crate::{Autoscaler, Decision, Queue, ReplicaSeries, Settings, Start};

/// Messages and those who work on them.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// What is sent.
    pub arrivals: Arrivals,
    /// What one replica does.
    pub service: Service,
}

/// What one replica can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Service {
    /// Messages a second, when it has enough of them.
    pub per_second: f64,
    /// Messages it holds a lease on at a time.
    pub in_flight: u32,
    /// From the decision to its first message: scheduling, image, start.
    pub start_delay: Duration,
}

/// How things stand after a tick of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When.
    pub at: Duration,
    /// What the scale target is set to.
    pub replicas: u32,
    /// Replicas that have started.
    pub working: u32,
    /// Messages, as the tick saw them.
    pub queue: Queue,
    /// Messages in flight on replicas that the tick ends, if they held equally many.
    pub interrupted: u64,
}

/// A simulation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// One for every tick.
    pub points: Vec<Point>,
    /// Every change of replicas.
    pub decisions: Vec<Decision>,
    /// The replicas alone.
    pub replicas: ReplicaSeries,
    /// Time of all replicas together, started or not.
    pub replica_time: Duration,
}

/// Runs model and queue from time zero to `horizon`.
pub fn simulate(
    settings: &Settings,
    start: &Start,
    workload: &Workload,
    horizon: Duration,
) -> Series {
    let mut series = Series {
        replicas: ReplicaSeries::starting_with(start.replicas),
        ..Series::default()
    };
    let mut from = (Duration::ZERO, start.replicas);
    simulate_into(settings, start, workload, horizon, |point, decisions| {
        for decision in decisions {
            series.replicas.push(decision.at, decision.to);
        }
        series.replica_time += point.at.saturating_sub(from.0) * from.1;
        from = (point.at, point.replicas);
        series.points.push(*point);
        series.decisions.extend_from_slice(decisions);
    });
    series.replica_time += horizon.saturating_sub(from.0) * from.1;
    series
}

/// Runs as [`simulate`] does and keeps nothing: `each` sees every tick and what it decided.
pub fn simulate_into(
    settings: &Settings,
    start: &Start,
    workload: &Workload,
    horizon: Duration,
    mut each: impl FnMut(&Point, &[Decision]),
) {
    let mut model = Autoscaler::new(Arc::new(settings.clone()), start);
    let mut fluid = Fluid::new(workload, start.replicas);
    while let Some(due) = model.next_due().filter(|due| *due <= horizon) {
        let now = due.max(fluid.now);
        fluid.run_to(now);
        let queue = fluid.queue();
        let decisions = model.step(now, Ok(queue));
        let mut interrupted = 0;
        for decision in &decisions {
            interrupted += fluid.scale(decision.from, decision.to, queue);
        }
        let point = Point {
            at: now,
            replicas: model.replicas(),
            working: fluid.working,
            queue,
            interrupted,
        };
        each(&point, &decisions);
    }
}

/// The queue as a fluid.
struct Fluid<'a> {
    workload: &'a Workload,
    arrivals: arrivals::Cursor<'a>,
    now: Duration,
    backlog: f64,
    working: u32,
    /// Replicas that will work from a time on, by that time.
    starting: VecDeque<(Duration, u32)>,
}

impl<'a> Fluid<'a> {
    fn new(workload: &'a Workload, working: u32) -> Self {
        Self {
            workload,
            arrivals: workload.arrivals.cursor(),
            now: Duration::ZERO,
            backlog: 0.0,
            working,
            starting: VecDeque::new(),
        }
    }

    fn run_to(&mut self, until: Duration) {
        loop {
            self.backlog += self.arrivals.bursts(self.now);
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
            let change = changes
                .into_iter()
                .flatten()
                .min()
                .unwrap_or(until)
                .min(until);
            let seconds = change.saturating_sub(self.now).as_secs_f64();
            let served = f64::from(self.working) * self.workload.service.per_second;
            // Linear until it is empty, and then it stays so: the rates do not change before `change`.
            self.backlog =
                (self.backlog + (self.arrivals.per_second() - served) * seconds).max(0.0);
            self.now = change;
        }
    }

    fn queue(&self) -> Queue {
        let messages = messages(self.backlog);
        let slots = u64::from(self.working) * u64::from(self.workload.service.in_flight);
        let leased = messages.min(slots);
        Queue {
            visible: messages - leased,
            leased,
        }
    }

    /// Starts replicas, or ends those first that have not begun. Returns the messages in flight on those it ends.
    fn scale(&mut self, from: u32, to: u32, queue: Queue) -> u64 {
        if to > from {
            let at = self.now + self.workload.service.start_delay;
            self.starting.push_back((at, to - from));
            return 0;
        }
        let mut ending = from - to;
        while let Some((at, count)) = self.starting.pop_back() {
            if count > ending {
                self.starting.push_back((at, count - ending));
                return 0;
            }
            ending -= count;
        }
        let working = u64::from(self.working.max(1));
        self.working -= ending.min(self.working);
        (queue.leased * u64::from(ending)).div_ceil(working)
    }
}

/// Whole messages: one that is being worked on is still there.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a backlog is not negative, and `as` saturates"
)]
fn messages(backlog: f64) -> u64 {
    (backlog - 1e-6).ceil().max(0.0) as u64
}
