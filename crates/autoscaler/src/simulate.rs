//! What settings would do to a load: model and queue together, as fast as can be.
//!
//! Messages are a fluid here: they come at a rate and are served at a rate, exactly between one change and the next, with no
//! randomness. That is right for backlogs and replicas, and says nothing of single messages.
//!
//! With enough messages for all of them, replicas serve at their full rate. With fewer, each message takes the time that it
//! takes, and in each moment the same part of them is done: what a load of independent messages does on average. So a queue
//! that is kept up with is not empty, it holds what is being worked on; and the last messages of a burst take longest.

mod arrivals;
mod figures;
mod fluid;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

pub use arrivals::{Arrivals, Rates};
pub use figures::{Deactivation, Figures, Nodes, THRASH_WINDOW, figures, figures_into};

use crate::{Autoscaler, Decision, Queue, ReplicaSeries, Settings, Start};
use fluid::Fluid;

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
    /// Since when there has been no message; `None`: there is one.
    pub empty_since: Option<Duration>,
    /// Replicas that the tick ends with work in flight, if all held equally many messages.
    pub ended_at_work: u32,
    /// Messages in flight on those.
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

/// Runs as [`simulate`] does and keeps nothing: `each` sees every tick and what it decided. Returns how things stand at the
/// horizon.
pub fn simulate_into(
    settings: &Settings,
    start: &Start,
    workload: &Workload,
    horizon: Duration,
    mut each: impl FnMut(&Point, &[Decision]),
) -> Point {
    let mut model = Autoscaler::new(Arc::new(settings.clone()), start);
    let mut fluid = Fluid::new(workload, start.replicas);
    while let Some(due) = model.next_due().filter(|due| *due <= horizon) {
        let now = due.max(fluid.now());
        fluid.run_to(now);
        let queue = fluid.queue();
        let decisions = model.step(now, Ok(queue));
        let (mut ended_at_work, mut interrupted) = (0, 0);
        for decision in &decisions {
            let ended = fluid.scale(decision.from, decision.to, queue);
            ended_at_work += ended.replicas;
            interrupted += ended.messages;
        }
        let point = Point {
            at: now,
            replicas: model.replicas(),
            working: fluid.working(),
            queue,
            empty_since: fluid.empty_since(),
            ended_at_work,
            interrupted,
        };
        each(&point, &decisions);
    }
    fluid.run_to(horizon);
    Point {
        at: horizon,
        replicas: model.replicas(),
        working: fluid.working(),
        queue: fluid.queue(),
        empty_since: fluid.empty_since(),
        ended_at_work: 0,
        interrupted: 0,
    }
}
