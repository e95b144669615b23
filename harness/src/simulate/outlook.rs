//! What the model says of settings under a load: the likely course, and what it could be as well.
//!
//! Nobody knows where in their periods the two loops are when a load begins. So the model runs for phases all over both
//! periods; the likely course has both loops in the middle of theirs.

use std::time::Duration;

use autoscaler::{
    Decision, Figures, Nodes, Paused, Phases, Point, ReplicaSeries, Settings, Start, Workload,
    figures_into, simulate_into,
};

/// Phases of each loop that are tried.
const POLLS: u32 = 30;
const SYNCS: u32 = 15;
/// Fewest of them, however long the horizon is.
const FEWEST: u32 = 4;
/// Hours that all runs may have together: some seconds.
const BUDGET_H: f64 = 20_000.0;
/// The band has so many steps: as many as can be seen.
const STEPS: usize = 240;

/// A course of replicas and messages, and what it comes to.
#[derive(Debug, Clone)]
pub(super) struct Outlook {
    pub(super) likely: Figures,
    pub(super) replicas: ReplicaSeries,
    /// Seconds, and messages in the queue, visible and leased.
    pub(super) messages: Vec<(f64, f64)>,
    /// Of each run, the likely one among them.
    pub(super) runs: Vec<Figures>,
    pub(super) band: Band,
}

/// What is possible in each of [`STEPS`] parts of the horizon, over all phases: least and most.
#[derive(Debug, Clone, Default)]
pub(super) struct Band {
    pub(super) replicas: Vec<(f64, f64)>,
    pub(super) messages: Vec<(f64, f64)>,
}

impl Outlook {
    pub(super) fn new(
        settings: &Settings,
        workload: &Workload,
        horizon: Duration,
        nodes: Nodes,
    ) -> Self {
        let mut replicas = ReplicaSeries::starting_with(at_rest(settings));
        let rest = start(settings, likely(settings));
        let begin = simulate_into(settings, &rest, workload, Duration::ZERO, |_, _| {});
        let mut messages = vec![(0.0, count(&begin))];
        let mut band = Band::default();
        let likely = {
            let mut widen = band.widener(&rest, horizon);
            figures_into(
                settings,
                &rest,
                workload,
                horizon,
                nodes,
                |point, decisions| {
                    for decision in decisions {
                        replicas.push(decision.at, decision.to);
                    }
                    let (at, count) = (point.at.as_secs_f64(), count(point));
                    messages.push((at, count));
                    widen(point, decisions);
                },
            )
        };
        messages.push((horizon.as_secs_f64(), likely.left as f64));
        let mut runs = vec![likely.clone()];
        for phases in phases(settings, horizon) {
            let start = start(settings, phases);
            let widen = band.widener(&start, horizon);
            runs.push(figures_into(
                settings, &start, workload, horizon, nodes, widen,
            ));
        }
        Self {
            likely,
            replicas,
            messages,
            runs,
            band,
        }
    }
}

/// What the scale target has while nothing comes.
fn at_rest(settings: &Settings) -> u32 {
    match settings.annotations.paused {
        Some(Paused::At(replicas)) => replicas,
        _ => settings
            .idle_replica_count
            .unwrap_or(settings.min_replica_count),
    }
}

fn start(settings: &Settings, phases: Phases) -> Start {
    Start {
        replicas: at_rest(settings),
        phases,
        ..Start::default()
    }
}

fn likely(settings: &Settings) -> Phases {
    Phases {
        poll: settings.polling_interval / 2,
        sync: settings.controller.sync_period / 2,
        second: settings.controller.status_resolution / 2,
    }
}

/// Phases all over both periods; syncs half a step aside, so that no poll and sync fall on one moment.
fn phases(settings: &Settings, horizon: Duration) -> Vec<Phases> {
    let affordable = BUDGET_H / (horizon.as_secs_f64() / 3_600.0);
    let scale = (affordable / f64::from(POLLS * SYNCS)).sqrt().min(1.0);
    let count = |most: u32| scaled(most, scale).clamp(FEWEST, most);
    let (polls, syncs) = (count(POLLS), count(SYNCS));
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
    /// Widens the band by a run: what each tick sees holds until the next.
    fn widener<'a>(
        &'a mut self,
        start: &Start,
        horizon: Duration,
    ) -> impl FnMut(&Point, &[Decision]) + 'a {
        let step = horizon.as_secs_f64() / STEPS as f64;
        self.replicas.resize(STEPS, (f64::INFINITY, 0.0));
        self.messages.resize(STEPS, (f64::INFINITY, 0.0));
        let rest = f64::from(start.replicas);
        let first = &mut self.replicas[0];
        *first = (first.0.min(rest), first.1.max(rest));
        let mut last = (0, f64::from(start.replicas), 0.0);
        move |point, _| {
            let now = index(point.at.as_secs_f64() / step).min(STEPS - 1);
            let (replicas, messages) = (f64::from(point.replicas), count(point));
            let (from, before, held) = last;
            for n in from..=now {
                let widen = |range: &mut (f64, f64), value: f64| {
                    *range = (range.0.min(value), range.1.max(value));
                };
                widen(&mut self.replicas[n], before);
                // The backlog moves evenly enough between two ticks.
                let part = if now == from {
                    1.0
                } else {
                    (n - from) as f64 / (now - from) as f64
                };
                widen(&mut self.messages[n], held + (messages - held) * part);
            }
            let here = &mut self.replicas[now];
            *here = (here.0.min(replicas), here.1.max(replicas));
            last = (now, replicas, messages);
        }
    }

    /// Takes what the last tick before the horizon saw for what holds until then.
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
    use autoscaler::{Arrivals, Service};

    use super::*;

    fn outlook(settings: &Settings, burst: u32) -> Outlook {
        let workload = Workload {
            arrivals: Arrivals::burst(burst),
            service: Service {
                per_second: 1.0,
                in_flight: 5,
                start_delay: Duration::from_secs(5),
            },
        };
        let nodes = Nodes {
            replicas_per_node: 5,
            linger: Duration::ZERO,
        };
        Outlook::new(settings, &workload, Duration::from_secs(1_800), nodes)
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
        assert_eq!(at_rest(&idle), 0);
        let mut paused = settings;
        paused.annotations.paused = Some(Paused::At(7));
        let outlook = outlook(&paused, 1_000);
        assert_eq!(outlook.replicas.counts(), [7]);
        assert_eq!(outlook.likely.thrash, 0);
    }

    #[test]
    fn long_horizons_get_fewer_phases() {
        let settings = Settings::default();
        let hours = |hours: u64| phases(&settings, Duration::from_secs(hours * 3_600)).len();
        assert_eq!(hours(1), 450);
        assert!(hours(200) <= 100);
        assert_eq!(hours(2_400), 16);
    }
}
