//! The run that comes closest to a recording.

use std::time::Duration;

use super::{Load, Uncertainty, runs};
use crate::{Phases, ReplicaSeries, Settings, Start};

/// What the model does with the phases that a recording makes most likely.
///
/// An envelope says whether a recording is possible at all; this says how well one pair of phases, with both loops on time,
/// explains every change in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// The phases.
    pub phases: Phases,
    /// The model's replicas with them.
    pub series: ReplicaSeries,
    /// The greatest distance in time between a change of the recording and the same change of the model.
    pub off_by: Duration,
}

impl Fit {
    /// Tries every phase on the grid, those known excepted. `None`: with none of them the model has the recording's counts,
    /// in its order, up to the horizon.
    pub fn new(
        settings: &Settings,
        start: &Start,
        load: &impl Load,
        recording: &ReplicaSeries,
        horizon: Duration,
        uncertainty: &Uncertainty,
    ) -> Option<Self> {
        let mut best: Option<Self> = None;
        runs::each_on_time(
            settings,
            start,
            load,
            horizon,
            uncertainty,
            |phases, series| {
                let Some(off_by) = distance(series, recording, horizon) else {
                    return;
                };
                if best.as_ref().is_none_or(|best| off_by < best.off_by) {
                    best = Some(Self {
                        phases,
                        series: series.clone(),
                        off_by,
                    });
                }
            },
        );
        best
    }
}

fn distance(
    model: &ReplicaSeries,
    recording: &ReplicaSeries,
    horizon: Duration,
) -> Option<Duration> {
    let recorded = recording.steps().iter().filter(|step| step.at <= horizon);
    if recorded.clone().count() != model.steps().len() {
        return None;
    }
    let mut pairs = model.steps().iter().zip(recorded);
    pairs.try_fold(Duration::ZERO, |most, (ours, theirs)| {
        (ours.replicas == theirs.replicas).then(|| most.max(ours.at.abs_diff(theirs.at)))
    })
}
