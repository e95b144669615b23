//! Record of what a scaler saw and did, and the check of it against the model.

use std::time::Duration;

use autoscaler::{
    Autoscaler, Decision, Envelope, Excursion, Observation, Phases, Queue, RecordedQueue,
    ReplicaSeries, Settings, Start, Uncertainty,
};
use workflow::contract::Stamp;

use evidence::events::{Allowed, AllowedBand};

/// Number of phases tried within one sync period, if the phases are unknown.
const STEPS: u32 = 20;

/// How late a watch may report a decision, and how far apart two polls of the queue may be.
const SEEN: Duration = Duration::from_secs(1);

/// Replicas and queue over time, as a scaler saw them; times count from its start.
#[derive(Debug, Clone)]
pub struct ScalingRecord {
    since: Stamp,
    ticks: Vec<Tick>,
    replicas: ReplicaSeries,
    latest: Duration,
    /// Whether the record is of a real cluster, whose loops tick at unknown times; otherwise each poll of the queue was a tick.
    is_watched: bool,
    /// When the autoscaler was taken away.
    over: Option<Duration>,
    /// Why a real autoscaler was not available, although no setting was wrong.
    away: Option<String>,
}

/// One turn of a loop.
#[derive(Debug, Clone, Copy)]
struct Tick {
    /// When the tick was due.
    due: Duration,
    /// When the queue had been read.
    now: Duration,
    /// The state of the queue.
    observed: Observation,
}

/// Initial state of a scaler whose ScaledObject is created now: the operator polls at once, the HPA first lets one period pass.
pub(super) fn beginning(settings: &Settings) -> Start {
    Start {
        phases: Phases {
            poll: Duration::ZERO,
            sync: settings.controller.sync_period,
            second: settings.controller.status_resolution / 2,
        },
        ..Start::default()
    }
}

impl ScalingRecord {
    pub(super) fn new(since: Stamp) -> Self {
        Self {
            since,
            replicas: ReplicaSeries::starting_with(Start::default().replicas),
            ticks: Vec::new(),
            latest: Duration::ZERO,
            is_watched: false,
            over: None,
            away: None,
        }
    }

    /// Makes a record of a cluster whose scaling is only watched, from `since` on: of a Deployment with no replicas that was
    /// never scaled.
    pub fn watched(since: Stamp) -> Self {
        Self {
            is_watched: true,
            ..Self::new(since)
        }
    }

    /// Records that the queue was observed `now` after the start.
    pub fn looked(&mut self, now: Duration, observed: Observation) {
        let due = now;
        self.ticks.push(Tick { due, now, observed });
    }

    /// Records that the autoscaler asked for `replicas`, `now` after the start.
    pub fn scaled(&mut self, now: Duration, replicas: u32) {
        self.replicas.push(now, replicas);
    }

    /// Records that the autoscaler was taken away `now` after the start: what happens from then on is not its work. Only the first
    /// time counts.
    pub fn is_over_at(&mut self, now: Duration) {
        self.over.get_or_insert(now);
    }

    /// Whether the autoscaler was taken away.
    pub const fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// Records why the real autoscaler was not available. Only the first reason is kept.
    pub fn was_away(&mut self, why: &str) {
        self.away.get_or_insert_with(|| why.to_owned());
    }

    /// Why the real autoscaler was not available, if it ever was not.
    pub fn away(&self) -> Option<&str> {
        self.away.as_deref()
    }

    /// The number of replicas wanted now.
    pub fn wanted(&self) -> u32 {
        self.replicas.counts().last().copied().unwrap_or(0)
    }

    pub(super) fn ticked(
        &mut self,
        due: Duration,
        now: Duration,
        observed: Observation,
        decisions: &[Decision],
    ) {
        self.ticks.push(Tick { due, now, observed });
        self.latest = self.latest.max(now.saturating_sub(due));
        for decision in decisions {
            self.replicas.push(decision.at, decision.to);
        }
    }

    /// The moment from which the record's times count.
    pub const fn since(&self) -> Stamp {
        self.since
    }

    /// The number of replicas wanted, over time.
    pub const fn replicas(&self) -> &ReplicaSeries {
        &self.replicas
    }

    /// Time from the record's start to its end, or to now.
    pub fn age(&self) -> Duration {
        if let Some(over) = self.over {
            return over;
        }
        let micros = Stamp::now().micros_since(self.since);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// The longest delay of a tick: another load on the machine delays the loops.
    pub const fn latest(&self) -> Duration {
        self.latest
    }

    /// How often the queue was polled.
    pub fn polls(&self) -> usize {
        self.ticks.len()
    }

    /// The largest number of replicas wanted.
    pub fn most(&self) -> u32 {
        self.replicas.counts().into_iter().max().unwrap_or(0)
    }

    /// Compares the replicas with what the model allows under `settings` up to `until`; also returns where the replicas leave
    /// that range.
    ///
    /// The local loops poll the queue at known moments, so no phase is unknown: the model makes the same ticks with the same
    /// readings. Its range is widened only by the longest delay of a tick ([`ScalingRecord::latest`]). If `settings` require a
    /// tick that the scaler did not make, the model makes it when it is due, with the last reading.
    ///
    /// In a cluster the times of the ticks are unknown: there, the range covers every phase of the loops.
    pub fn allowed(&self, settings: &Settings, until: Duration) -> (Allowed, Vec<Excursion>) {
        let envelope = if self.is_watched {
            self.possible_anyhow(settings, until, SEEN)
        } else {
            Envelope::around(&self.replayed(settings, until), self.latest, until)
        };
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let bands = envelope.bands().iter().map(|band| AllowedBand {
            from_ms: millis(band.from),
            until_ms: millis(band.until),
            low: band.low,
            high: band.high,
        });
        let excursions = envelope.excursions(&self.replicas);
        let allowed = Allowed {
            since: self.since,
            bands: bands.collect(),
            excursions: excursions.iter().map(ToString::to_string).collect(),
            queue: None,
        };
        (allowed, excursions)
    }

    /// The replicas of a model that follows `settings` and ticks when this scaler did.
    fn replayed(&self, settings: &Settings, until: Duration) -> ReplicaSeries {
        let mut model = Autoscaler::new(settings.clone(), &beginning(settings));
        let mut replicas = ReplicaSeries::starting_with(model.replicas());
        let mut seen = Ok(Queue::default());
        let mut step = |model: &mut Autoscaler, now, observed| {
            for decision in model.step(now, observed) {
                replicas.push(decision.at, decision.to);
            }
        };
        for tick in &self.ticks {
            while let Some(due) = model.next_due().filter(|due| *due < tick.due) {
                step(&mut model, due, seen);
            }
            seen = tick.observed;
            step(&mut model, tick.now, seen);
        }
        // A tick that was due less than a sync period ago may still be running.
        let over = until.saturating_sub(settings.controller.sync_period);
        while let Some(due) = model.next_due().filter(|due| *due < over) {
            step(&mut model, due, seen);
        }
        replicas
    }

    /// When the model first reaches `replicas` under `settings`, if its loops see the same readings tick for tick and are never
    /// late; `None`: never. For a cluster: the latest such moment over all phases.
    pub fn possible(&self, settings: &Settings, replicas: u32) -> Option<Duration> {
        if self.is_watched {
            let until = self.ticks.last()?.now;
            let envelope = self.possible_anyhow(settings, until, Duration::ZERO);
            let mut surely = envelope.bands().iter().filter(|band| band.low >= replicas);
            return surely.next().map(|band| band.from);
        }
        let mut model = Autoscaler::new(settings.clone(), &beginning(settings));
        self.ticks.iter().find_map(|tick| {
            let due = model.next_due()?;
            let decisions = model.step(due, tick.observed);
            decisions.iter().any(|it| it.to >= replicas).then_some(due)
        })
    }

    /// What the model allows for the recorded queue, over all phases of its loops.
    fn possible_anyhow(&self, settings: &Settings, until: Duration, slack: Duration) -> Envelope {
        let uncertainty = Uncertainty {
            slack,
            step: settings.controller.sync_period / STEPS,
            poll: None,
            sync: None,
        };
        let seen = self.ticks.iter().map(|tick| (tick.now, tick.observed));
        Envelope::new(
            settings,
            &Start::default(),
            &RecordedQueue::new(seen),
            until,
            &uncertainty,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: Duration = Duration::from_secs(15);

    fn settings() -> Settings {
        Settings::default().faster(10)
    }

    /// The record of a scaler that follows `settings`, whose queue always holds `messages`, and all of whose ticks are `late`.
    fn recorded(settings: &Settings, messages: u64, late: Duration) -> ScalingRecord {
        let mut recording = ScalingRecord::new(Stamp::from_micros(0));
        let mut model = Autoscaler::new(settings.clone(), &beginning(settings));
        let queue = Ok(Queue {
            visible: messages,
            leased: 0,
        });
        while let Some(due) = model.next_due().filter(|due| *due < UNTIL) {
            let now = due + late;
            let decisions = model.step(now, queue);
            recording.ticked(due, now, queue, &decisions);
        }
        recording
    }

    #[test]
    fn what_the_model_did_it_allows_and_what_it_did_not_it_does_not() {
        let mut recording = recorded(&settings(), 60, Duration::ZERO);
        assert_eq!(recording.replicas().counts(), [0, 1, 4, 8, 12]);
        let (allowed, excursions) = recording.allowed(&settings(), UNTIL);
        assert_eq!(excursions, []);
        assert!(allowed.bands.iter().any(|band| band.high == 12));
        recording.replicas.push(Duration::from_secs(12), 3);
        let (allowed, excursions) = recording.allowed(&settings(), UNTIL);
        assert_eq!(excursions.len(), 1, "{excursions:?}");
        assert!(allowed.excursions[0].contains("3 replicas from 12.0 s"));
    }

    #[test]
    fn the_slack_is_the_lateness_that_was_measured() {
        let bands = |late| {
            let recording = recorded(&settings(), 60, late);
            let (allowed, excursions) = recording.allowed(&settings(), UNTIL);
            assert_eq!(excursions, []);
            allowed.bands
        };
        let certain = |bands: &[AllowedBand]| bands.iter().all(|band| band.low == band.high);
        assert!(certain(&bands(Duration::ZERO)));
        let late = bands(Duration::from_millis(200));
        let widths = late.iter().filter(|band| band.low < band.high);
        let widths: Vec<_> = widths.map(|band| band.until_ms - band.from_ms).collect();
        assert_eq!(widths, [400, 400, 400, 400], "{late:?}");
    }

    /// The sync period is the HPA controller's (Kubernetes `horizontal-pod-autoscaler-sync-period`, 15 s).
    #[test]
    fn a_scaler_whose_hpa_is_three_times_slower_is_not_allowed() {
        let mut slower = settings();
        slower.controller.sync_period *= 3;
        let recording = recorded(&slower, 60, Duration::from_millis(20));
        let (_, excursions) = recording.allowed(&settings(), UNTIL);
        assert!(!excursions.is_empty());
        let (_, excursions) = recording.allowed(&slower, UNTIL);
        assert_eq!(excursions, []);
    }

    #[test]
    fn a_scaler_that_stops_looking_is_not_allowed() {
        let mut recording = recorded(&settings(), 60, Duration::ZERO);
        recording.ticks.truncate(3);
        recording.replicas = ReplicaSeries::starting_with(0);
        recording.replicas.push(Duration::ZERO, 1);
        let (_, excursions) = recording.allowed(&settings(), UNTIL);
        assert!(!excursions.is_empty());
    }

    #[test]
    fn what_is_possible_is_told_without_the_lateness_of_the_loops() {
        let (on_time, late) = (
            recorded(&settings(), 60, Duration::ZERO),
            recorded(&settings(), 60, Duration::from_millis(200)),
        );
        assert_eq!(on_time.latest(), Duration::ZERO);
        assert_eq!(late.latest(), Duration::from_millis(200));
        let possible = on_time.possible(&settings(), 12);
        assert_eq!(possible, on_time.replicas().reached(12));
        assert!(late.possible(&settings(), 12) < late.replicas().reached(12));
        assert_eq!(late.possible(&settings(), 13), None);
        assert_eq!(late.most(), 12);
    }
}
