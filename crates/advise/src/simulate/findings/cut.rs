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
    /// `asked`: the runs up to the horizon.
    pub(super) fn new(
        question: &Q,
        arrivals: &Arrivals,
        asked: &[Q::Run],
        figures: fn(&Q::Run) -> &Figures,
    ) -> Option<Self> {
        let horizon = question.horizon();
        let last = arrivals.last().filter(|last| *last <= horizon)?;
        let left = asked.iter().map(|run| figures(run).left).max()?;
        // What is stranded in some phase is there for ever, however long the horizon is.
        if left == 0 || asked.iter().any(|run| figures(run).stranded > 0) {
            return None;
        }
        let runs = question.within(horizon + horizon.max(SOON)).some_runs();
        let drains: Option<Vec<_>> = runs.iter().map(|run| figures(run).drain).collect();
        let done = last + drains?.into_iter().max()?;
        // The phases in which messages are left are not among these.
        if done <= horizon {
            return None;
        }
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

#[cfg(test)]
mod tests {
    use autoscaler::Settings;

    use super::*;
    use crate::simulate::outlook::Question;
    use crate::simulate::outlook::tests::question;

    /// A burst of 1,000 messages, which 15 replicas work off in some minutes.
    fn within(horizon: Duration, left: u64, stranded: u64) -> Option<Cut<Question>> {
        let settings = Settings {
            max_replica_count: 15,
            ..Settings::default()
        };
        let question = Question {
            horizon,
            ..question(&settings, 1_000)
        };
        let asked = Figures {
            left,
            stranded,
            ..Figures::default()
        };
        Cut::new(&question, &question.workload.arrivals, &[asked], |run| run)
    }

    #[test]
    fn a_drain_is_cut_if_it_ends_after_the_horizon_and_strands_nothing() {
        let (short, long) = (Duration::from_secs(60), Duration::from_secs(3_600));
        assert!(within(short, 300, 0).is_some());
        assert!(within(short, 0, 0).is_none());
        // In other phases than those that are tried.
        assert!(
            within(short, 300, 3).is_none(),
            "stranded messages are never done"
        );
        assert!(
            within(long, 3, 0).is_none(),
            "all of it is within the horizon"
        );
    }
}
