//! What settings would do to a load: model and queue together, as fast as can be.
//!
//! Messages are amounts here, with no randomness: they come at a rate, and are worked on for as long as [`Work`] says. That is
//! right for backlogs and replicas, and says nothing of single messages. Work that is cut off is begun anew.
//!
//! A queue that is kept up with is not empty, it holds what is being worked on; and the last messages of a burst take as long as
//! each of them takes.

mod arrivals;
mod figures;
mod fluid;
#[cfg(test)]
mod tests;
mod work;

use std::sync::Arc;
use std::time::Duration;

pub use arrivals::{Arrivals, Rates};
pub(crate) use figures::Fleet;
pub use figures::{Figures, Nodes, ScaleIn, THRASH_WINDOW, figures, figures_into};
pub use work::Work;

use crate::envelope::memory;
use crate::{Autoscaler, Decision, Phases, Queue, ReplicaSeries, Settings, Start};
use fluid::{Ended, Fluid};

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
    /// How long it works on a message; not zero.
    pub work: Work,
    /// Messages it holds a lease on and works on at a time.
    pub in_flight: u32,
    /// From the decision to its first message: scheduling, image, start.
    pub start_delay: Duration,
    /// How long it goes on with what it has after it was told to end. What is not done then goes back into the queue.
    pub grace: Duration,
}

impl Service {
    /// Messages a second, when it has enough of them.
    pub fn per_second(&self) -> f64 {
        f64::from(self.in_flight.max(1)) / self.work.mean().as_secs_f64()
    }
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
    /// When there were most messages since the tick before, and how many.
    pub peak: (Duration, u64),
    /// For how long the message at the head of the queue has waited to be taken.
    pub oldest_wait: Duration,
    /// Since when there has been no message; `None`: there is one.
    pub empty_since: Option<Duration>,
    /// Replicas that the tick ends with work in flight.
    pub ended_at_work: f64,
    /// Messages in flight on those.
    pub interrupted: f64,
    /// Of these, what is not done within the grace, and is begun anew.
    pub cut_off: f64,
}

/// A simulation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// One for the begin, one for every tick.
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
    let mut series = Series::default();
    let mut from: Option<(Duration, u32)> = None;
    let end = simulate_into(settings, start, workload, horizon, |point, decisions| {
        if from.is_none() {
            series.replicas = ReplicaSeries::starting_with(point.replicas);
        }
        for decision in decisions {
            series.replicas.push(decision.at, decision.to);
        }
        if let Some((at, replicas)) = from {
            series.replica_time += point.at.saturating_sub(at) * replicas;
        }
        from = Some((point.at, point.replicas));
        series.points.push(*point);
        series.decisions.extend_from_slice(decisions);
    });
    if let Some((at, replicas)) = from {
        series.replica_time += end.at.saturating_sub(at) * replicas;
    }
    series
}

/// Runs as [`simulate`] does and keeps nothing: `each` sees how things stand at the begin, then every tick and what it
/// decided. Returns how things stand at the horizon.
///
/// A scale target with replicas whose ScaledObject has an age ([`Start::age`]) has been scaled with an empty queue for that
/// long: what the HPA has recommended meanwhile counts, as it does in a cluster. Where scaling is paused there is no tick; `each`
/// then sees the queue once in every sync period.
pub fn simulate_into(
    settings: &Settings,
    start: &Start,
    workload: &Workload,
    horizon: Duration,
    mut each: impl FnMut(&Point, &[Decision]),
) -> Point {
    let (mut model, before) = rested(settings, start);
    let mut fluid = Fluid::new(workload, model.replicas());
    fluid.run_to(Duration::ZERO);
    each(&point(&mut fluid, &model, Ended::default()), &[]);
    let idle = settings
        .controller
        .sync_period
        .max(Duration::from_millis(100));
    loop {
        let due = model
            .next_due()
            .map_or(fluid.now() + idle, |due| due.saturating_sub(before));
        if due > horizon {
            break;
        }
        let now = due.max(fluid.now());
        fluid.run_to(now);
        let mut decisions = model.step(before + now, Ok(fluid.queue()));
        let mut ended = Ended::default();
        for decision in &mut decisions {
            decision.at = now;
            let more = fluid.scale(decision.from, decision.to);
            ended.replicas += more.replicas;
            ended.messages += more.messages;
            ended.cut_off += more.cut_off;
        }
        each(&point(&mut fluid, &model, ended), &decisions);
    }
    fluid.run_to(horizon);
    point(&mut fluid, &model, Ended::default())
}

/// The queue of a point is that before the tick's decisions: nothing of it changes at once.
fn point(fluid: &mut Fluid<'_>, model: &Autoscaler, ended: Ended) -> Point {
    Point {
        at: fluid.now(),
        replicas: model.replicas(),
        working: fluid.working(),
        queue: fluid.queue(),
        peak: fluid.take_peak(),
        oldest_wait: fluid.oldest_wait(),
        empty_since: fluid.empty_since(),
        ended_at_work: ended.replicas,
        interrupted: ended.messages,
        cut_off: ended.cut_off,
    }
}

/// Long enough for triggers besides the queue to bring the replicas that they ask for.
const TO_REST: Duration = Duration::from_secs(3_600);

/// The model at time zero, and how long it has run before: long enough for everything that it remembers, if it had replicas and
/// nothing to do. At 0 replicas an HPA remembers nothing ([`Start`] says how old it is), unless other triggers scale it.
fn rested(settings: &Settings, start: &Start) -> (Autoscaler, Duration) {
    let paused = settings.annotations.paused.is_some();
    let mut whole = Duration::from_secs(memory(settings, Duration::ZERO).as_secs() * 2);
    let queue_alone = settings.others.is_empty() && settings.modifiers.is_none();
    if !queue_alone {
        whole = whole.max(TO_REST);
    }
    let before = start.age.min(whole);
    let nothing_before = start.replicas == 0 && queue_alone;
    if nothing_before || paused || start.active_ago.is_some() || before.is_zero() {
        let model = Autoscaler::new(Arc::new(settings.clone()), start);
        return (model, Duration::ZERO);
    }
    let first = |phase: Duration, period: Duration| {
        let nanos = (phase + before).as_nanos() % period.as_nanos().max(1);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    };
    let phases = Phases {
        poll: first(start.phases.poll, settings.polling_interval),
        sync: first(start.phases.sync, settings.controller.sync_period),
        second: start.phases.second,
    };
    let earlier = Start {
        age: start.age.saturating_sub(before),
        wall: start.wall.saturating_sub(before),
        phases,
        ..*start
    };
    let mut model = Autoscaler::new(Arc::new(settings.clone()), &earlier);
    while let Some(due) = model.next_due().filter(|due| *due < before) {
        model.step(due, Ok(Queue::default()));
    }
    (model, before)
}
