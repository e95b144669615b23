//! Different clocks of clients on several nodes. A client's own requests bound its clock's offset from the wire's: it cannot
//! have stamped a message before the wire had the answer, nor a row after the wire had the insert. Each row narrows the bounds.

use std::collections::HashMap;

use contract::Stamp;

/// Largest plausible offset of a synchronised clock, in microseconds; the nodes of a cluster keep theirs within milliseconds.
const FAR_US: i64 = 1_000_000;

/// Rows that were received within this time have one offset, in microseconds. Over a longer time it may have been corrected: that of a
/// node that has just started, for example.
const STEADY_US: i64 = 10_000_000;

/// Bounds on how far the clients' clocks are ahead of the wire's, in microseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Skews(HashMap<String, Clock>);

#[derive(Debug, Clone, Copy)]
struct Clock {
    /// Those of the whole run.
    all: Bounds,
    /// Those of the latest rows.
    steady: Bounds,
    /// When the first of the latest rows was received.
    since: Stamp,
}

#[derive(Debug, Clone, Copy)]
struct Bounds {
    least: i64,
    most: i64,
}

impl Bounds {
    const NONE: Self = Self {
        least: i64::MIN,
        most: i64::MAX,
    };

    fn narrow(&mut self, least: i64, most: i64) {
        self.least = self.least.max(least);
        self.most = self.most.min(most);
    }

    /// By how much the bounds contradict each other; negative if they do not.
    const fn gap(self) -> i64 {
        self.least.saturating_sub(self.most)
    }
}

/// Result of comparing the stamps of one row with all earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Skewed {
    /// Some constant offset of the clock makes all stamps true.
    Possible,
    /// No constant offset explains the stamps; they differ by this much.
    Contradicted(i64),
    /// The offset has changed by this much since earlier rows: the clock was corrected, or the client stamps differently.
    Changed(i64),
    /// The clock is wrong by at least this much: either the clock or the client may be at fault.
    Far(i64),
}

impl Skews {
    /// Compares a row's stamps: the client had the message at `had` and claims `dequeued`; it sent the row at `asked` and
    /// claims `date`.
    pub(super) fn claim(
        &mut self,
        client: &str,
        (dequeued, had): (Stamp, Stamp),
        (date, asked): (Stamp, Stamp),
        slack_us: i64,
    ) -> Skewed {
        let clock = self.0.entry(client.to_owned()).or_insert(Clock {
            all: Bounds::NONE,
            steady: Bounds::NONE,
            since: had,
        });
        // Answers come in order, and rows nearly so.
        if had.micros_since(clock.since).saturating_abs() > STEADY_US {
            (clock.steady, clock.since) = (Bounds::NONE, had);
        }
        for bounds in [&mut clock.all, &mut clock.steady] {
            bounds.narrow(date.micros_since(asked), dequeued.micros_since(had));
        }
        let (all, steady) = (clock.all, clock.steady);
        let off = all.least.max(all.most.saturating_neg());
        if steady.gap() > slack_us {
            Skewed::Contradicted(steady.gap())
        } else if all.gap() > slack_us {
            Skewed::Changed(all.gap())
        } else if off > FAR_US {
            Skewed::Far(off)
        } else {
            Skewed::Possible
        }
    }

    /// Upper bound of the difference between clocks, as far as known, in microseconds.
    pub(super) fn most_us(&self) -> u64 {
        let known = self.0.values();
        let widest = known.map(|it| it.all.least.unsigned_abs().max(it.all.most.unsigned_abs()));
        widest.max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of a client whose clock is `ahead` of the wire's: received at `at`, 20 ms of work, one millisecond for each way.
    fn row(skews: &mut Skews, at: i64, ahead: i64) -> Skewed {
        let stamp = Stamp::from_micros;
        let received = (stamp(at + 1_000 + ahead), stamp(at));
        let sent = (stamp(at + 21_000 + ahead), stamp(at + 22_000));
        skews.claim("pod-1", received, sent, 5_000)
    }

    #[test]
    fn a_clock_that_is_off_contradicts_nobody_and_is_measured() {
        for ahead in [-40_000, 0, 300_000] {
            let mut skews = Skews::default();
            for at in [10_000_000, 20_000_000, 30_000_000] {
                assert_eq!(row(&mut skews, at, ahead), Skewed::Possible, "{ahead}");
            }
            let most = i64::try_from(skews.most_us()).unwrap();
            assert!((most - ahead.abs()).abs() <= 1_000, "{ahead}: {most}");
        }
    }

    #[test]
    fn one_row_that_is_stamped_otherwise_than_the_rest_is_a_lie() {
        let mut skews = Skews::default();
        row(&mut skews, 10_000_000, 40_000);
        assert_eq!(
            row(&mut skews, 20_000_000, -40_000),
            Skewed::Contradicted(78_000)
        );
    }

    /// As that of a node that has just started.
    #[test]
    fn a_clock_that_is_corrected_between_rows_cannot_be_told_from_another_way_to_stamp() {
        let mut skews = Skews::default();
        for (at, ahead, found) in [
            (10_000_000, 20_000, Skewed::Possible),
            (20_000_000, 20_000, Skewed::Possible),
            (20_000_001, 0, Skewed::Changed(18_000)),
            (30_000_001, 0, Skewed::Changed(18_000)),
            (30_000_000, 20_000, Skewed::Contradicted(18_000)),
        ] {
            assert_eq!(row(&mut skews, at, ahead), found, "{at}");
        }
        assert_eq!(skews.most_us(), 20_000 - 1_000);
    }

    #[test]
    fn a_clock_that_nobody_keeps_cannot_be_told_from_a_lie() {
        let mut skews = Skews::default();
        assert!(matches!(
            row(&mut skews, 10_000_000, 5_000_000),
            Skewed::Far(_)
        ));
        let mut skews = Skews::default();
        assert!(matches!(
            row(&mut skews, 10_000_000, -5_000_000),
            Skewed::Far(_)
        ));
    }

    #[test]
    fn what_is_within_the_slack_or_within_a_second_is_possible() {
        let claim = |dequeued: i64, date: i64| {
            let stamp = Stamp::from_micros;
            let received = (stamp(10_000_000 + dequeued), stamp(10_000_000));
            let sent = (stamp(10_050_000 + date), stamp(10_050_000));
            Skews::default().claim("pod-1", received, sent, 5_000)
        };
        // The clock is ahead by at least the second value, and by at most the first.
        for (dequeued, date, found) in [
            (0, 5_000, Skewed::Possible),
            (0, 5_001, Skewed::Contradicted(5_001)),
            (FAR_US, FAR_US, Skewed::Possible),
            (FAR_US + 1, FAR_US + 1, Skewed::Far(FAR_US + 1)),
            (-FAR_US, -FAR_US, Skewed::Possible),
            (-FAR_US - 1, -FAR_US - 1, Skewed::Far(FAR_US + 1)),
        ] {
            assert_eq!(claim(dequeued, date), found, "{dequeued} {date}");
        }
    }

    #[test]
    fn each_client_has_a_clock_of_its_own_and_the_widest_is_told() {
        let stamp = Stamp::from_micros;
        let mut skews = Skews::default();
        assert_eq!(skews.most_us(), 0);
        for (client, ahead) in [("pod-1", -40_000), ("pod-2", 30_000)] {
            let pair = |at| (stamp(at + ahead), stamp(at));
            let found = skews.claim(client, pair(1_000_000), pair(1_020_000), 5_000);
            assert_eq!(found, Skewed::Possible, "{client}");
        }
        assert_eq!(skews.most_us(), 40_000);
    }
}
