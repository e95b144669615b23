//! What a scaler saw and did, and whether the model allows it.

use std::time::Duration;

use autoscaler::{
    Autoscaler, Decision, Envelope, Excursion, Observation, ReplicaSeries, Samples, Settings,
    Start, Uncertainty,
};
use workflow::contract::Stamp;

use crate::events::{Allowed, AllowedBand};

/// The grid of phases has so many steps a sync period: an envelope in a tenth of a second, and finer than the slack.
const STEPS: u32 = 20;

/// Replicas and queue over time, as a scaler saw them; times count from its start.
#[derive(Debug, Clone)]
pub struct Recording {
    since: Stamp,
    settings: Settings,
    start: Start,
    observed: Vec<(Duration, Observation)>,
    replicas: ReplicaSeries,
    latest: Duration,
    /// Whether it is of a real cluster, whose loops tick when they do; else each look at the queue was a tick.
    is_watched: bool,
}

impl Recording {
    pub(super) fn new(since: Stamp, settings: Settings, start: Start) -> Self {
        Self {
            since,
            settings,
            replicas: ReplicaSeries::starting_with(start.replicas),
            start,
            observed: Vec::new(),
            latest: Duration::ZERO,
            is_watched: false,
        }
    }

    /// Of a cluster whose scaling is only watched, from `since` on: a Deployment without replicas that nothing has scaled yet.
    pub(crate) fn watched(since: Stamp, settings: Settings) -> Self {
        Self {
            is_watched: true,
            ..Self::new(since, settings, Start::default())
        }
    }

    /// The queue was looked at, `now` after the begin.
    pub(crate) fn looked(&mut self, now: Duration, observed: Observation) {
        self.observed.push((now, observed));
    }

    /// So many replicas are wanted from then on, `now` after the begin.
    pub(crate) fn scaled(&mut self, now: Duration, replicas: u32) {
        self.replicas.push(now, replicas);
    }

    /// How many replicas are wanted now.
    pub(crate) fn wanted(&self) -> u32 {
        self.replicas.counts().last().copied().unwrap_or(0)
    }

    pub(super) fn ticked(
        &mut self,
        due: Duration,
        now: Duration,
        observed: Observation,
        decisions: &[Decision],
    ) {
        self.observed.push((now, observed));
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

    /// How late a tick of its loops was at most: a machine that is busy with something else delays them.
    pub const fn latest(&self) -> Duration {
        self.latest
    }

    /// How often the queue was looked at.
    pub fn polls(&self) -> usize {
        self.observed.len()
    }

    /// The most replicas that were wanted.
    pub fn most(&self) -> u32 {
        self.replicas.counts().into_iter().max().unwrap_or(0)
    }

    /// How often the number of replicas began to fall after it had risen, or to rise after it had fallen.
    pub fn turns(&self) -> usize {
        turns(&self.replicas.counts())
    }

    /// The most replicas that one decision took away.
    pub fn deepest_cut(&self) -> u32 {
        let counts = self.replicas.counts();
        let cuts = counts
            .windows(2)
            .map(|pair| pair[0].saturating_sub(pair[1]));
        cuts.max().unwrap_or(0)
    }

    /// What the model allows for the queue that was seen, up to `until`, if nothing is known of when the loops tick; and where
    /// the replicas leave it. `slack` is how late a tick may be.
    pub fn allowed(&self, until: Duration, slack: Duration) -> (Allowed, Vec<Excursion>) {
        let envelope = self.envelope(until, slack);
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
        };
        (allowed, excursions)
    }

    /// When the model has `replicas` of them for the first time if its loops see what these saw, tick for tick, and are never
    /// late; `None`: never.
    ///
    /// Of a cluster, whose loops' phases nobody knows: the latest moment at which the model may have them first.
    pub fn possible(&self, replicas: u32) -> Option<Duration> {
        if self.is_watched {
            return self.latest_possible(replicas);
        }
        let mut model = Autoscaler::new(self.settings.clone(), &self.start);
        self.observed.iter().find_map(|(_, observed)| {
            let due = model.next_due()?;
            let decisions = model.step(due, *observed);
            decisions.iter().any(|it| it.to >= replicas).then_some(due)
        })
    }

    fn latest_possible(&self, replicas: u32) -> Option<Duration> {
        let (until, _) = self.observed.last()?;
        let envelope = self.envelope(*until, Duration::ZERO);
        let bands = envelope.bands().iter();
        let mut surely = bands.filter(|band| band.low >= replicas);
        surely.next().map(|band| band.from)
    }

    fn envelope(&self, until: Duration, slack: Duration) -> Envelope {
        let uncertainty = Uncertainty {
            slack,
            step: self.settings.controller.sync_period / STEPS,
            poll: None,
            sync: None,
        };
        Envelope::new(
            &self.settings,
            &self.start,
            &Samples::new(self.observed.iter().copied()),
            until,
            &uncertainty,
        )
    }
}

fn turns(counts: &[u32]) -> usize {
    let mut directions: Vec<_> = counts
        .windows(2)
        .map(|pair| pair[0].cmp(&pair[1]))
        .filter(|direction| direction.is_ne())
        .collect();
    directions.dedup();
    directions.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use autoscaler::{Phases, Queue};

    use super::*;

    #[test]
    fn turns_are_counted_and_steps_in_one_direction_are_none() {
        assert_eq!(turns(&[]), 0);
        assert_eq!(turns(&[0]), 0);
        assert_eq!(turns(&[0, 1, 5, 15]), 0);
        assert_eq!(turns(&[0, 1, 5, 3, 2, 0]), 1);
        assert_eq!(turns(&[0, 15, 0, 15, 0]), 3);
    }

    /// What a scaler records whose queue holds `messages` throughout, and whose ticks are all `late`.
    fn recorded(messages: u64, late: Duration) -> Recording {
        let settings = Settings::default().faster(10);
        let start = Start {
            phases: Phases {
                poll: Duration::ZERO,
                sync: settings.controller.sync_period,
                second: Duration::from_millis(50),
            },
            ..Start::default()
        };
        let mut recording = Recording::new(Stamp::from_micros(0), settings.clone(), start);
        let mut model = Autoscaler::new(settings, &start);
        let queue = Ok(Queue {
            visible: messages,
            leased: 0,
        });
        while let Some(due) = model.next_due().filter(|due| due.as_secs() < 15) {
            let now = due + late;
            let decisions = model.step(now, queue);
            recording.ticked(due, now, queue, &decisions);
        }
        recording
    }

    #[test]
    fn what_the_model_did_it_allows_and_what_it_did_not_it_does_not() {
        let (until, slack) = (Duration::from_secs(15), Duration::from_millis(500));
        let mut recording = recorded(60, Duration::ZERO);
        assert_eq!(recording.replicas().counts(), [0, 1, 4, 8, 12]);
        let (allowed, excursions) = recording.allowed(until, slack);
        assert_eq!(excursions, []);
        assert!(allowed.bands.iter().any(|band| band.high == 12));
        recording.replicas.push(Duration::from_secs(12), 3);
        let (allowed, excursions) = recording.allowed(until, slack);
        assert_eq!(excursions.len(), 1, "{excursions:?}");
        assert!(allowed.excursions[0].contains("3 replicas from 12.0 s"));
    }

    #[test]
    fn what_is_possible_is_told_without_the_lateness_of_the_loops() {
        let (on_time, late) = (
            recorded(60, Duration::ZERO),
            recorded(60, Duration::from_millis(200)),
        );
        assert_eq!(on_time.latest(), Duration::ZERO);
        assert_eq!(late.latest(), Duration::from_millis(200));
        assert_eq!(on_time.possible(12), on_time.replicas().reached(12));
        assert!(late.possible(12) < late.replicas().reached(12));
        assert_eq!(late.possible(13), None);
        assert_eq!((late.most(), late.turns(), late.deepest_cut()), (12, 0, 0));
    }
}
