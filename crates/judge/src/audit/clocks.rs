//! The wall clock during a run, held against the history's own, which is never set.

use contract::Stamp;

use evidence::Crossing;

/// The wall clock is led back to the right time by small changes all the time; a larger one at once is a step.
const STEP_US: i64 = 10_000;

/// Changes below this are not remembered.
const NEGLIGIBLE_US: i64 = 500;

/// How far the wall clock was ahead, and since when.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    changes: Vec<(Stamp, i64)>,
    stepped_us: i64,
}

impl Clocks {
    pub(super) fn crossing(&mut self, crossing: &Crossing) {
        let (before, now) = (self.ahead_us(), crossing.clock_us);
        let change = now.saturating_sub(before).saturating_abs();
        if change > STEP_US {
            self.stepped_us = self.stepped_us.saturating_add(change);
        }
        if change > NEGLIGIBLE_US {
            self.changes.push((crossing.ended, now));
        }
    }

    /// How far it is ahead now, in microseconds.
    pub(super) fn ahead_us(&self) -> i64 {
        self.changes.last().map_or(0, |(_, ahead)| *ahead)
    }

    /// The sum of all steps, in microseconds.
    pub(super) const fn stepped_us(&self) -> i64 {
        self.stepped_us
    }

    /// The least and the most that it was ahead from `from` until now.
    pub(super) fn ahead_since(&self, from: Stamp) -> (i64, i64) {
        let first = self.changes.partition_point(|(at, _)| *at <= from);
        let before = first.checked_sub(1).map_or(0, |at| self.changes[at].1);
        let since = self.changes[first..].iter().map(|(_, ahead)| *ahead);
        since.fold((before, before), |(least, most), ahead| {
            (least.min(ahead), most.max(ahead))
        })
    }
}
