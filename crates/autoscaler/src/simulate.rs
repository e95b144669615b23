//! Simulation of settings under a load: model and queue together, as fast as possible.
//!
//! Messages are continuous amounts here, without randomness: they come at a rate, and are worked on for the time that [`Work`]
//! gives. This is accurate for backlogs and replicas, and says nothing about single messages. Work that is cut off begins anew.
//!
//! A queue whose consumers keep up is not empty: it contains the messages in work. The last messages of a burst take their full
//! working time.

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

/// The messages, and the consumers that work on them.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// The messages that are sent.
    pub arrivals: Arrivals,
    /// The capacity of one replica.
    pub service: Service,
}

/// The capacity of one replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Service {
    /// Working time of a message; not zero.
    pub work: Work,
    /// Messages that it leases and works on at the same time.
    pub in_flight: u32,
    /// Time from the scaling decision to its first message: scheduling, image, start.
    pub start_delay: Duration,
    /// How long it continues its work after it was told to end. Unfinished messages then go back into the queue.
    pub grace: Duration,
}

impl Service {
    /// Messages per second, if it has enough of them.
    pub fn per_second(&self) -> f64 {
        f64::from(self.in_flight.max(1)) / self.work.mean().as_secs_f64()
    }
}

/// The state after a tick of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The time.
    pub at: Duration,
    /// Replicas of the scale target.
    pub replicas: u32,
    /// Replicas that have started.
    pub working: u32,
    /// The messages, as the tick read them.
    pub queue: Queue,
    /// The time and number of most messages since the tick before.
    pub peak: (Duration, u64),
    /// The longest wait since the tick before, of messages that a replica took, or that still wait.
    pub longest_wait: Duration,
    /// Since when the queue has been empty; `None`: it is not.
    pub empty_since: Option<Duration>,
    /// Replicas that the tick ends while they work on messages.
    pub ended_at_work: f64,
    /// Messages in work on those replicas.
    pub interrupted: f64,
    /// Messages of these that are not finished within the grace period, and begin anew.
    pub cut_off: f64,
}

/// The course of a simulation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// The state at the begin, and after every tick.
    pub points: Vec<Point>,
    /// Every change of replicas.
    pub decisions: Vec<Decision>,
    /// The replicas alone.
    pub replicas: ReplicaSeries,
    /// Time of all replicas together, started or not.
    pub replica_time: Duration,
}

/// Simulates model and queue from time zero to `horizon`.
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

/// Simulates like [`simulate`] but stores nothing: `each` gets the state at the begin, then every tick with its decisions.
/// Returns the state at the horizon.
///
/// A scale target with replicas whose ScaledObject has an age ([`Start::age`]) was scaled with an empty queue for that time:
/// the HPA's recommendations from that time count, as in a cluster. While scaling is paused there are no ticks; `each` then
/// gets the state once in every sync period.
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

/// The queue of a point is that before the tick's decisions, which do not change it at once.
fn point(fluid: &mut Fluid<'_>, model: &Autoscaler, ended: Ended) -> Point {
    Point {
        at: fluid.now(),
        replicas: model.replicas(),
        working: fluid.working(),
        queue: fluid.queue(),
        peak: fluid.take_peak(),
        longest_wait: fluid.take_longest_wait(),
        empty_since: fluid.empty_since(),
        ended_at_work: ended.replicas,
        interrupted: ended.messages,
        cut_off: ended.cut_off,
    }
}

/// Time for triggers other than the queue to reach the replicas that they ask for.
const TO_REST: Duration = Duration::from_secs(3_600);

/// The model at time zero, and how long it has run before: if it had replicas and no messages, as long as it remembers
/// anything. At 0 replicas an HPA remembers nothing ([`Start`] has its age), unless something other than messages scales it.
fn rested(settings: &Settings, start: &Start) -> (Autoscaler, Duration) {
    let paused = settings.annotations.paused.is_some();
    let mut whole = Duration::from_secs(memory(settings, Duration::ZERO).as_secs() * 2);
    let queue_alone = settings.others.is_empty() && settings.modifiers.is_none();
    if !queue_alone {
        whole = whole.max(TO_REST);
    }
    let before = start.age.min(whole);
    // Such a ScaledObject is active with an empty queue, too.
    let always_active =
        settings.annotations.force_activation || settings.activation_queue_length < 0;
    let nothing_before = start.replicas == 0 && queue_alone && !always_active;
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
