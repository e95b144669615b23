//! A horizon in the middle of a drain.

use std::time::Duration;

use autoscaler::{Arrivals, Figures};

use super::tried::Tried;
use views::clock;

/// A drain that ends within this time after the horizon, or within the horizon's length, counts as cut by the horizon.
const SOON: Duration = Duration::from_secs(3_600);
const MINUTE: u64 = 60;

/// No more messages arrive, and those left at the horizon are finished soon after.
pub(super) struct Cut<Q: Tried> {
    /// The time until all messages are finished.
    pub(super) horizon: Duration,
    /// The runs up to that time.
    pub(super) runs: Vec<Q::Run>,
    /// The remark in words.
    pub(super) text: String,
}

impl<Q: Tried> Cut<Q> {
    /// `left`: the most messages left at the horizon.
    pub(super) fn new(
        question: &Q,
        arrivals: &Arrivals,
        left: u64,
        figures: fn(&Q::Run) -> &Figures,
    ) -> Option<Self> {
        let horizon = question.horizon();
        let last = arrivals.last().filter(|last| *last <= horizon)?;
        if left == 0 {
            return None;
        }
        let runs = question.within(horizon + horizon.max(SOON)).some_runs();
        let drains: Option<Vec<_>> = runs.iter().map(|run| figures(run).drain).collect();
        let done = last + drains?.into_iter().max()?;
        // Whole minutes, with a reserve for phases that were not tried.
        let minutes = (done + done / 10).as_secs() / MINUTE + 1;
        let horizon = Duration::from_secs(minutes * MINUTE);
        let longest = runs.iter().map(|run| figures(run).longest_wait).max();
        Some(Self {
            horizon,
            text: format!(
                "The horizon cuts into a drain that goes on: no more messages come, and of the up to {left} that are left the last \
                 is done at {}, the longest wait being {}. --horizon {minutes}m shows all of it",
                clock::words(done),
                clock::words(longest.unwrap_or_default()),
            ),
            runs,
        })
    }
}
