//! The run that stays nearest to a recording.

use std::time::Duration;

use super::{Load, Uncertainty, runs};
use crate::{Phases, ReplicaSeries, Settings, Start};

/// The most likely series, once a recording has told what the phases were.
///
/// It does not ask for the same changes in the same order. A recorded queue is known at its samples only, and one message more
/// or less at the moment of a read can be one replica more or less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// The phases.
    pub phases: Phases,
    /// The model's replicas with them, both loops on time.
    pub series: ReplicaSeries,
    /// How far in time it is from the recording ([`ReplicaSeries::distance`]).
    pub distance: Duration,
}

impl Nearest {
    /// Tries every phase on the grid, those known excepted. `None`: each of these runs lacks a count that the recording has,
    /// or has one that the recording lacks.
    pub fn new(
        settings: &Settings,
        start: &Start,
        load: &impl Load,
        recording: &ReplicaSeries,
        horizon: Duration,
        uncertainty: &Uncertainty,
    ) -> Option<Self> {
        let mut best: Option<Self> = None;
        let each = |phases, series: &ReplicaSeries| {
            let Some(distance) = series.distance(recording, horizon) else {
                return;
            };
            if best.as_ref().is_none_or(|best| distance < best.distance) {
                best = Some(Self {
                    phases,
                    series: series.clone(),
                    distance,
                });
            }
        };
        runs::each_on_time(settings, start, load, horizon, uncertainty, each);
        best
    }
}
