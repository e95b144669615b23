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

/// An age at which no earlier event matters any more.
pub(super) const AT_REST: Duration = Duration::from_secs(10 * 24 * 3_600);

/// The question: settings under a load.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) settings: Settings,
    pub(super) workload: Workload,
    pub(super) horizon: Duration,
    pub(super) nodes: Nodes,
    /// The age of the ScaledObject.
    pub(super) age: Duration,
    /// The replicas of the scale target while nothing scales it, if known.
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

    /// The replicas of the scale target before the load.
    fn at_rest(&self) -> u32 {
        let settings = &self.settings;
        let scaled = settings
            .idle_replica_count
            .unwrap_or(settings.min_replica_count);
        match settings.annotations.paused {
            Some(Paused::At(replicas)) => replicas,
            Some(Paused::Here) => self.target_replicas.unwrap_or(scaled),
            None => scaled,
        }
    }

    /// The phases with both loops in the middle of their periods.
    pub(super) fn likely(&self) -> Phases {
        Phases {
            poll: self.settings.polling_interval / 2,
            sync: self.settings.controller.sync_period / 2,
            second: self.settings.controller.status_resolution / 2,
        }
    }

    /// All simulated phases except the likely ones.
    pub(super) fn other_phases(&self) -> Vec<Phases> {
        phases(&self.settings, self.horizon)
    }

    /// Some phases of each loop, the likely ones first, for trials.
    pub(super) fn some_phases(&self) -> Vec<Phases> {
        let mut phases = grid(&self.settings, FEWEST, FEWEST);
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
mod tests {
    use autoscaler::{Service, Work};

    use super::*;

    fn question(settings: &Settings, burst: u32) -> Question {
        Question {
            settings: settings.clone(),
            workload: Workload {
                arrivals: Arrivals::burst(burst),
                service: Service {
                    work: Work::Fixed(Duration::from_secs(5)),
                    in_flight: 5,
                    start_delay: Duration::from_secs(5),
                    grace: Duration::from_secs(30),
                },
            },
            horizon: Duration::from_secs(1_800),
            nodes: Nodes {
                replicas_per_node: 5,
                linger: Duration::ZERO,
            },
            age: AT_REST,
            target_replicas: Some(4),
            wall: Duration::ZERO,
        }
    }

    fn outlook(settings: &Settings, burst: u32) -> Outlook {
        Outlook::new(&question(settings, burst))
    }

    #[test]
    fn the_band_holds_the_likely_course_and_the_figures_of_all_phases() {
        let outlook = outlook(&Settings::default(), 500);
        assert_eq!(outlook.runs.len(), 1 + 30 * 15);
        let step = 1_800.0 / STEPS as f64;
        let replicas = Band::filled(&outlook.band.replicas);
        for (n, (low, high)) in replicas.iter().enumerate() {
            let at = Duration::from_secs_f64((n as f64 + 0.5) * step);
            let likely = f64::from(outlook.replicas.at(at));
            assert!((*low..=*high).contains(&likely), "{at:?}: {low} to {high}");
        }
        let most = |figures: &Figures| figures.most_replicas;
        let highest = outlook.runs.iter().map(most).max().unwrap();
        let band = replicas.iter().map(|range| range.1).fold(0.0, f64::max);
        assert!((band - f64::from(highest)).abs() < 1e-9);
        let full = |figures: &Figures| figures.drain.unwrap();
        let drains = outlook.runs.iter().map(full);
        assert!(drains.clone().max().unwrap() > drains.min().unwrap() + Duration::from_secs(20));
    }

    #[test]
    fn a_target_at_rest_has_its_minimum_its_idle_or_its_paused_replicas() {
        let settings = Settings {
            min_replica_count: 2,
            ..Settings::default()
        };
        assert_eq!(outlook(&settings, 1).replicas.at(Duration::ZERO), 2);
        let idle = Settings {
            idle_replica_count: Some(0),
            ..settings.clone()
        };
        assert_eq!(question(&idle, 1).at_rest(), 0);
        for (how, replicas) in [(Paused::At(7), 7), (Paused::Here, 4)] {
            let mut paused = settings.clone();
            paused.annotations.paused = Some(how);
            let outlook = outlook(&paused, 1_000);
            assert_eq!(outlook.replicas.counts(), [replicas]);
            assert_eq!((outlook.likely.thrash, outlook.likely.left), (0, 0));
            assert_eq!(outlook.likely.most_messages, 1_000);
        }
    }

    #[test]
    fn a_target_that_is_paused_at_none_lets_the_queue_grow() {
        let mut paused = Settings::default();
        paused.annotations.paused = Some(Paused::At(0));
        let mut question = question(&paused, 0);
        question.workload.arrivals = Arrivals::new([autoscaler::Rates {
            at: Duration::ZERO,
            burst: 0,
            per_second: 2.0,
        }]);
        let outlook = Outlook::new(&question);
        assert_eq!(outlook.likely.most_messages, 3_600);
        let at = |part: f64| {
            let mut until = outlook
                .messages
                .iter()
                .filter(|(at, _)| *at <= 1_800.0 * part);
            until.next_back().unwrap().1
        };
        assert!((at(0.25) - 900.0).abs() < 40.0 && (at(0.5) - 1_800.0).abs() < 40.0);
    }

    #[test]
    fn long_horizons_get_fewer_phases() {
        let settings = Settings::default();
        let hours = |hours: u64| phases(&settings, Duration::from_secs(hours * 3_600)).len();
        assert_eq!(hours(1), 450);
        assert!(hours(200) <= 50);
        assert_eq!(hours(2_400), 16);
    }
}
