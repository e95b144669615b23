//! The model's results for settings under a load: the likely course, and the range of possible courses.
//!
//! The phases of the two loops when a load begins are unknown. So the model runs for phases all over both periods; in the
//! likely course, both loops are in the middle of their periods.

use std::time::Duration;

use autoscaler::{
    Arrivals, Decision, Figures, Nodes, Paused, Phases, Point, ReplicaSeries, Settings, Start,
    Workload, figures_into,
};

/// Number of tried phases of each loop.
const POLLS: u32 = 30;
const SYNCS: u32 = 15;
/// Lowest number of phases, however long the horizon is.
const FEWEST: u32 = 4;
/// Total simulated hours of all runs: takes some seconds.
const BUDGET_H: f64 = 5_000.0;
/// Number of steps of the band: as many as are visible.
const STEPS: usize = 240;

/// Time after the creation of a ScaledObject in which KEDA makes its HPA.
const HPA_IS_MADE: Duration = Duration::from_secs(1);

/// An age at which no earlier event matters any more.
pub(super) const AT_REST: Duration = Duration::from_secs(10 * 24 * 3_600);

/// The question: settings under a load.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) settings: Settings,
    pub(super) workload: Workload,
    /// Whether anybody has said how long a message takes, or how many a replica takes at once: then it is not a guess from
    /// `queueLength`.
    pub(super) knows_work: bool,
    pub(super) horizon: Duration,
    pub(super) nodes: Nodes,
    /// The age of the ScaledObject; [`AT_REST`]: unknown.
    pub(super) age: Duration,
    /// The replicas in the manifest of the scale target, if known.
    pub(super) target_replicas: Option<u32>,
    /// The wall clock's time when the load begins.
    pub(super) wall: Duration,
}

/// A course of replicas and messages, and its figures.
#[derive(Debug, Clone)]
pub(super) struct Outlook {
    pub(super) likely: Figures,
    pub(super) replicas: ReplicaSeries,
    /// Seconds, and messages in the queue, visible and leased.
    pub(super) messages: Vec<(f64, f64)>,
    /// The figures of each run, including the likely one.
    pub(super) runs: Vec<Figures>,
    pub(super) band: Band,
}

/// The lowest and highest value in each of [`STEPS`] parts of the horizon, over all phases.
#[derive(Debug, Clone, Default)]
pub(super) struct Band {
    pub(super) replicas: Vec<(f64, f64)>,
    pub(super) messages: Vec<(f64, f64)>,
}

impl Outlook {
    pub(super) fn new(question: &Question) -> Self {
        let horizon = question.horizon;
        let mut replicas: Option<ReplicaSeries> = None;
        let mut messages: Vec<(f64, f64)> = Vec::new();
        let mut band = Band::default();
        let likely = {
            let mut widen = band.widener(horizon);
            question.run(question.likely(), |point, decisions| {
                let series =
                    replicas.get_or_insert_with(|| ReplicaSeries::starting_with(point.replicas));
                for decision in decisions {
                    series.push(decision.at, decision.to);
                }
                drawn(&mut messages, point);
                widen(point, decisions);
            })
        };
        messages.push((horizon.as_secs_f64(), likely.left as f64));
        let mut runs = vec![likely.clone()];
        for phases in question.other_phases() {
            let widen = band.widener(horizon);
            runs.push(question.run(phases, widen));
        }
        Self {
            likely,
            replicas: replicas.unwrap_or_default(),
            messages,
            runs,
            band,
        }
    }
}

impl Outlook {
    /// The results of `runs`, the likely one first; without courses, which only views need.
    pub(super) fn of_runs(runs: Vec<Figures>) -> Self {
        Self {
            likely: runs[0].clone(),
            replicas: ReplicaSeries::default(),
            messages: Vec::new(),
            runs,
            band: Band::default(),
        }
    }
}

/// Adds the queue at a tick, and its peak since the tick before if that was much higher than both: a burst between ticks.
pub(super) fn drawn(messages: &mut Vec<(f64, f64)>, point: &Point) {
    const MUCH: f64 = 1.2;
    let (peak_at, peak) = (point.peak.0.as_secs_f64(), point.peak.1 as f64);
    let before = messages.last().copied().unwrap_or_default();
    if peak > before.1.max(count(point)) * MUCH && peak_at >= before.0 {
        messages.push((peak_at, peak));
    }
    messages.push((point.at.as_secs_f64(), count(point)));
}

impl Question {
    /// Makes one run.
    pub(super) fn run(&self, phases: Phases, each: impl FnMut(&Point, &[Decision])) -> Figures {
        let start = Start {
            replicas: self.at_rest(),
            age: self.age,
            phases,
            wall: self.wall,
            ..Start::default()
        };
        let (settings, workload) = (&self.settings, &self.workload);
        let horizon = before_a_burst(&workload.arrivals, self.horizon);
        figures_into(settings, &start, workload, horizon, self.nodes, each)
    }

    /// The replicas of the scale target when the ScaledObject was created, or at rest if its age is unknown. KEDA leaves them
    /// there for the initial cooldown (KEDA `pkg/scaling/executor/scale_scaledobjects.go`, `scaleToZeroOrIdle`).
    fn at_rest(&self) -> u32 {
        let settings = &self.settings;
        let scaled = settings
            .idle_replica_count
            .unwrap_or(settings.min_replica_count);
        match settings.annotations.paused {
            Some(Paused::At(replicas)) => replicas,
            Some(Paused::Here) => self.target_replicas.unwrap_or(scaled),
            None if self.age < AT_REST => self.target_replicas.unwrap_or(scaled),
            // Neither KEDA nor the HPA takes any away.
            None if settings.annotations.paused_scale_in => {
                self.target_replicas.unwrap_or(scaled).max(scaled)
            }
            None => scaled,
        }
    }

    /// The phases with both loops in the middle of their periods.
    pub(super) fn likely(&self) -> Phases {
        self.since_creation(Phases {
            poll: self.settings.polling_interval / 2,
            sync: self.settings.controller.sync_period / 2,
            second: self.settings.controller.status_resolution / 2,
        })
    }

    /// The phases, of which the first poll and the first sync are known as long as the ScaledObject is younger than one period:
    /// KEDA polls at its creation (KEDA `pkg/scaling/scale_handler.go`, `startScaleLoop`), and the HPA, which is made within the
    /// second, is first synced a period later (Kubernetes `horizontal.go`, `enqueueHPA`).
    fn since_creation(&self, phases: Phases) -> Phases {
        let (polling, syncing) = (
            self.settings.polling_interval,
            self.settings.controller.sync_period,
        );
        let mut known = phases;
        if self.age.is_zero() {
            known.poll = Duration::ZERO;
        } else if self.age < polling {
            known.poll = polling.saturating_sub(self.age);
        }
        if self.age < syncing {
            let later = phases.sync.as_secs_f64() / syncing.as_secs_f64();
            known.sync = syncing.saturating_sub(self.age) + HPA_IS_MADE.mul_f64(later);
        }
        known
    }

    /// All simulated phases except the likely ones.
    pub(super) fn other_phases(&self) -> Vec<Phases> {
        self.known(phases(&self.settings, self.horizon))
    }

    /// These phases, as far as they are possible.
    fn known(&self, phases: Vec<Phases>) -> Vec<Phases> {
        let mut known: Vec<Phases> = Vec::with_capacity(phases.len());
        for phases in phases {
            let phases = self.since_creation(phases);
            if !known.contains(&phases) {
                known.push(phases);
            }
        }
        known
    }

    /// Some phases of each loop, the likely ones first, for trials.
    pub(super) fn some_phases(&self) -> Vec<Phases> {
        let mut phases = self.known(grid(&self.settings, FEWEST, FEWEST));
        phases.insert(0, self.likely());
        phases
    }
}

/// The horizon, or a moment before it if messages arrive exactly at the horizon: no replica has time to take them, so they are
/// not part of the load.
pub(super) fn before_a_burst(arrivals: &Arrivals, horizon: Duration) -> Duration {
    let before = horizon.saturating_sub(Duration::from_nanos(1));
    // Messages before a time are counted, and a rate gives almost none in a nanosecond.
    let after = horizon.saturating_add(Duration::from_nanos(1));
    let burst = arrivals.count(after) - arrivals.count(horizon) > 0.5;
    if burst { before } else { horizon }
}

/// Phases all over both periods; syncs are shifted by half a step, so that no poll and sync coincide.
fn phases(settings: &Settings, horizon: Duration) -> Vec<Phases> {
    let affordable = BUDGET_H / (horizon.as_secs_f64() / 3_600.0);
    let scale = (affordable / f64::from(POLLS * SYNCS)).sqrt().min(1.0);
    let count = |most: u32| scaled(most, scale).clamp(FEWEST, most);
    grid(settings, count(POLLS), count(SYNCS))
}

fn grid(settings: &Settings, polls: u32, syncs: u32) -> Vec<Phases> {
    let poll = settings.polling_interval / polls;
    let sync = settings.controller.sync_period / syncs;
    let pairs = (0..polls).flat_map(|p| (0..syncs).map(move |s| (p, s)));
    let phases = pairs.map(|(p, s)| Phases {
        poll: poll * p,
        sync: sync * s + sync / 2,
        second: settings.controller.status_resolution / 2,
    });
    phases.collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of a small positive number"
)]
fn scaled(most: u32, scale: f64) -> u32 {
    (f64::from(most) * scale) as u32
}

fn count(point: &Point) -> f64 {
    (point.queue.visible + point.queue.leased) as f64
}

impl Band {
    /// Widens the band by a run: the value at each tick is valid until the next.
    pub(super) fn widener(&mut self, horizon: Duration) -> impl FnMut(&Point, &[Decision]) + '_ {
        let step = horizon.as_secs_f64() / STEPS as f64;
        self.replicas.resize(STEPS, (f64::INFINITY, 0.0));
        self.messages.resize(STEPS, (f64::INFINITY, 0.0));
        let mut last: Option<(usize, f64, f64)> = None;
        move |point, _| {
            let now = index(point.at.as_secs_f64() / step).min(STEPS - 1);
            let (replicas, messages) = (f64::from(point.replicas), count(point));
            let (from, before, held) = last.unwrap_or((0, replicas, messages));
            for n in from..=now {
                let widen = |range: &mut (f64, f64), value: f64| {
                    *range = (range.0.min(value), range.1.max(value));
                };
                widen(&mut self.replicas[n], before);
                // The backlog changes evenly enough between two ticks.
                let part = if now == from {
                    1.0
                } else {
                    (n - from) as f64 / (now - from) as f64
                };
                widen(&mut self.messages[n], held + (messages - held) * part);
            }
            let here = &mut self.replicas[now];
            *here = (here.0.min(replicas), here.1.max(replicas));
            last = Some((now, replicas, messages));
        }
    }

    /// Extends the value at the last tick before the horizon up to the horizon.
    pub(super) fn filled(ranges: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let mut filled: Vec<(f64, f64)> = Vec::with_capacity(ranges.len());
        for range in ranges {
            let last = filled.last().copied().unwrap_or_default();
            filled.push(if range.0.is_finite() { *range } else { last });
        }
        filled
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a step of the horizon"
)]
fn index(step: f64) -> usize {
    step as usize
}

#[cfg(test)]
pub(in crate::simulate) mod tests;
