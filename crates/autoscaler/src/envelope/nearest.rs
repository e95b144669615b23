//! The run that is closest to a recording.

use std::time::Duration;

use super::{Load, Uncertainty, runs};
use crate::{Phases, ReplicaSeries, Settings, Start};

/// The model's run that is closest to a recording, which shows what the unknown phases probably were.
///
/// The run need not have the same changes in the same order. A recorded queue is known only at its samples, and one message
/// more or less at the time of a read can mean one replica more or less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// The phases.
    pub phases: Phases,
    /// The model's replicas with these phases, both loops on time.
    pub series: ReplicaSeries,
    /// Its distance in time from the recording ([`ReplicaSeries::distance`]).
    pub distance: Duration,
}

impl Nearest {
    /// Tries every phase on the grid, except for known ones. `None`: each of these runs lacks a count that the recording has,
    /// or has a count that the recording lacks.
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
