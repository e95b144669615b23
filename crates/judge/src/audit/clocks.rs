//! Changes of the wall clock during a run, measured by the history's own clock, which is never set; and pauses of the machine.

use contract::Stamp;

use evidence::{Crossing, Pause};

/// Smallest change that counts as a step, in microseconds: time synchronisation adjusts the clock continuously in smaller
/// changes.
const STEP_US: i64 = 10_000;

/// Smallest change that is remembered, in microseconds.
const NEGLIGIBLE_US: i64 = 500;

/// How far the wall clock was ahead, over time.
#[derive(Debug, Clone, Default)]
pub(super) struct Clocks {
    changes: Vec<(Stamp, i64)>,
    stepped_us: i64,
    back_us: i64,
    /// Times when the harness was stopped or got no CPU time.
    pauses: Vec<Pause>,
}

impl Clocks {
    pub(super) fn crossing(&mut self, crossing: &Crossing) {
        self.pauses.extend(&crossing.pauses);
        let (before, now) = (self.ahead_us(), crossing.clock_us);
        let change = now.saturating_sub(before).saturating_abs();
        if change > STEP_US {
            self.stepped_us = self.stepped_us.saturating_add(change);
        }
        if change > NEGLIGIBLE_US {
            self.changes.push((crossing.ended, now));
            self.back_us = self.back_us.max(before.saturating_sub(now));
        }
    }

    /// Adds pauses after the last crossing.
    pub(super) fn end(&mut self, pauses: &[Pause]) {
        self.pauses.extend(pauses);
    }

    /// Whether the harness was paused at any time between `from` and `to`: then the consumers on the same machine may have been
    /// too. A pause is recorded with a later crossing, so the result is complete only at the end of the history.
    pub(super) fn stood_still(&self, from: Stamp, to: Stamp) -> bool {
        let mut pauses = self.pauses.iter();
        pauses.any(|pause| pause.from < to && from < pause.to)
    }

    /// How far the wall clock is ahead now, in microseconds.
    pub(super) fn ahead_us(&self) -> i64 {
        self.changes.last().map_or(0, |(_, ahead)| *ahead)
    }

    /// The sum of all steps, in microseconds.
    pub(super) const fn stepped_us(&self) -> i64 {
        self.stepped_us
    }

    /// The largest single change back, in microseconds: two stamps may be in the wrong order by so much.
    pub(super) const fn back_us(&self) -> i64 {
        self.back_us
    }

    /// The smallest and the largest lead of the wall clock from `from` until now.
    pub(super) fn ahead_since(&self, from: Stamp) -> (i64, i64) {
        let first = self.changes.partition_point(|(at, _)| *at <= from);
        let before = first.checked_sub(1).map_or(0, |at| self.changes[at].1);
        let since = self.changes[first..].iter().map(|(_, ahead)| *ahead);
        since.fold((before, before), |(least, most), ahead| {
            (least.min(ahead), most.max(ahead))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::sample_crossing;
    use evidence::Operation;

    /// Clocks that were ahead by these numbers of microseconds at these times.
    fn clocks(changes: &[(i64, i64)]) -> Clocks {
        let mut clocks = Clocks::default();
        for (ended, ahead) in changes {
            clocks.crossing(&Crossing {
                ended: Stamp::from_micros(*ended),
                clock_us: *ahead,
                ..sample_crossing(Operation::ReceiveMessages)
            });
        }
        clocks
    }

    #[test]
    fn only_a_change_of_more_than_ten_milliseconds_at_once_is_a_step() {
        for (changes, stepped) in [
            (&[][..], 0),
            (&[(1, STEP_US)], 0),
            (&[(1, STEP_US + 1)], STEP_US + 1),
            (&[(1, -STEP_US - 1)], STEP_US + 1),
            // Small changes only.
            (&[(1, 8_000), (2, 16_000), (3, 24_000)], 0),
            // A step ahead, and back.
            (&[(1, 50_000), (2, 50_000), (3, 30_000)], 70_000),
        ] {
            assert_eq!(clocks(changes).stepped_us(), stepped, "{changes:?}");
        }
    }

    #[test]
    fn it_stood_still_where_a_pause_reaches_into_a_time() {
        let at = Stamp::from_micros;
        let (from, to) = (at(100), at(200));
        let mut clocks = Clocks::default();
        clocks.crossing(&Crossing {
            pauses: vec![Pause { from, to }],
            ..sample_crossing(Operation::ReceiveMessages)
        });
        // The harness was paused again after the last request.
        let again = Pause {
            from: at(400),
            to: at(500),
        };
        clocks.end(&[again]);
        for (from, to, stood) in [
            (0, 100, false),
            (0, 101, true),
            (120, 130, true),
            (199, 300, true),
            (200, 300, false),
            (410, 420, true),
        ] {
            assert_eq!(clocks.stood_still(at(from), at(to)), stood, "{from} {to}");
        }
    }

    #[test]
    fn it_is_ahead_by_the_last_change_that_is_worth_a_note() {
        for (changes, ahead) in [
            (&[][..], 0),
            (&[(1, NEGLIGIBLE_US)], 0),
            (&[(1, NEGLIGIBLE_US + 1)], NEGLIGIBLE_US + 1),
            (&[(1, -70_000), (2, -70_400)], -70_000),
        ] {
            assert_eq!(clocks(changes).ahead_us(), ahead, "{changes:?}");
        }
    }

    #[test]
    fn what_it_was_ahead_since_a_time_counts_from_the_change_before() {
        let several = clocks(&[(10, 2_000), (20, -3_000), (30, 7_000), (40, 5_000)]);
        for (from, least, most) in [
            (9, -3_000, 7_000),
            (19, -3_000, 7_000),
            (20, -3_000, 7_000),
            (30, 5_000, 7_000),
            (40, 5_000, 5_000),
            (50, 5_000, 5_000),
        ] {
            let found = several.ahead_since(Stamp::from_micros(from));
            assert_eq!(found, (least, most), "since {from}");
        }
        // Before its first change, the wall clock was right.
        let once = clocks(&[(10, 2_000)]);
        assert_eq!(once.ahead_since(Stamp::from_micros(9)), (0, 2_000));
        assert_eq!(once.ahead_since(Stamp::from_micros(10)), (2_000, 2_000));
    }
}
