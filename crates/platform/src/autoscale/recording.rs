//! What a scaler saw and did, and whether the model allows it.

use std::time::Duration;

use autoscaler::{
    Autoscaler, Decision, Envelope, Excursion, Observation, Phases, Queue, RecordedQueue,
    ReplicaSeries, Settings, Start, Uncertainty,
};
use workflow::contract::Stamp;

use evidence::events::{Allowed, AllowedBand};

/// Steps of the grid of phases in a sync period, where the phases are not known.
const STEPS: u32 = 20;

/// How much later a watch tells of a decision than it was made, and how far apart two looks at the queue may be.
const SEEN: Duration = Duration::from_secs(1);

/// Replicas and queue over time, as a scaler saw them; times count from its start.
#[derive(Debug, Clone)]
pub struct ScalingRecord {
    since: Stamp,
    ticks: Vec<Tick>,
    replicas: ReplicaSeries,
    latest: Duration,
    /// Whether it is of a real cluster, whose loops tick when they do; else each look at the queue was a tick.
    is_watched: bool,
    /// What kept a real autoscaler from being one, though nobody's settings were wrong.
    away: Option<String>,
}

/// One turn of a loop.
#[derive(Debug, Clone, Copy)]
struct Tick {
    /// When it was due.
    due: Duration,
    /// When the queue had been read.
    now: Duration,
    /// What the queue was like.
    observed: Observation,
}

/// How a scaler begins: as for a ScaledObject that is created now, the operator polls at once, and the HPA lets a period pass.
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
            away: None,
        }
    }

    /// Of a cluster whose scaling is only watched, from `since` on: a Deployment without replicas that nothing has scaled yet.
    pub fn watched(since: Stamp) -> Self {
        Self {
            is_watched: true,
            ..Self::new(since)
        }
    }

    /// The queue was looked at, `now` after the begin.
    pub fn looked(&mut self, now: Duration, observed: Observation) {
        let due = now;
        self.ticks.push(Tick { due, now, observed });
    }

    /// So many replicas are wanted from then on, `now` after the begin.
    pub fn scaled(&mut self, now: Duration, replicas: u32) {
        self.replicas.push(now, replicas);
    }

    /// A real autoscaler was not there, for this reason. The first is kept.
    pub fn was_away(&mut self, why: &str) {
        self.away.get_or_insert_with(|| why.to_owned());
    }

    /// Why it was not there, if it once was not.
    pub fn away(&self) -> Option<&str> {
        self.away.as_deref()
    }

    /// How many replicas are wanted now.
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

    /// When its times begin.
    pub const fn since(&self) -> Stamp {
        self.since
    }

    /// The replicas that were wanted.
    pub const fn replicas(&self) -> &ReplicaSeries {
        &self.replicas
    }

    /// From its begin to now.
    pub fn age(&self) -> Duration {
        let micros = Stamp::now().micros_since(self.since);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// Why it says nothing of the settings, if so: the loops were not there, or ticked later than `slack`.
    pub fn untold(&self, slack: Duration) -> Option<String> {
        if let Some(why) = self.away() {
            return Some(format!("KEDA did not answer the HPA: {why}"));
        }
        let latest = self.latest();
        (latest > slack).then(|| {
            format!("the machine was busy with something else, or storage did not answer: the loops ticked up to {latest:.1?} late")
        })
    }

    /// How late a tick of its loops was at most: a machine that is busy with something else delays them.
    pub const fn latest(&self) -> Duration {
        self.latest
    }

    /// How often the queue was looked at.
    pub fn polls(&self) -> usize {
        self.ticks.len()
    }

    /// The most replicas that were wanted.
    pub fn most(&self) -> u32 {
        self.replicas.counts().into_iter().max().unwrap_or(0)
    }

    /// What the model allows under `settings` up to `until`, and where the replicas leave it.
    ///
    /// The loops read the queue at known moments, so nothing is left open: the model makes the same ticks, with what they read.
    /// It is widened by how late these ticks were at most ([`ScalingRecord::latest`]), and by nothing else. A tick that `settings`
    /// ask for and the scaler did not make, the model makes when it is due, with what was read last.
    ///
    /// When the loops of a cluster tick, nobody knows: there it is what any of their phases allows.
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

    /// The replicas of a model that goes by `settings` and ticks as this scaler did.
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
        // What was due less than a sync period ago may still be under way.
        let over = until.saturating_sub(settings.controller.sync_period);
        while let Some(due) = model.next_due().filter(|due| *due < over) {
            step(&mut model, due, seen);
        }
        replicas
    }

    /// When the model has `replicas` of them for the first time under `settings` if its loops see what these saw, tick for tick,
    /// and are never late; `None`: never. In a cluster: the latest moment at which it has them, whatever the phases.
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

    /// What the model allows for the queue that was seen, whatever the phases of its loops.
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

    /// What a scaler records that goes by `settings`, whose queue holds `messages` throughout, and whose ticks are all `late`.
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

    #[test]
    fn loops_that_were_late_or_away_say_nothing_of_the_settings() {
        let mut recording = recorded(&settings(), 60, Duration::from_millis(200));
        let slack = Duration::from_millis(200);
        assert_eq!(recording.untold(slack), None);
        let late = recording.untold(slack / 2).unwrap();
        assert!(late.ends_with("up to 200.0ms late"), "{late}");
        recording.was_away("503");
        let away = recording.untold(slack).unwrap();
        assert_eq!(away, "KEDA did not answer the HPA: 503");
    }
}
