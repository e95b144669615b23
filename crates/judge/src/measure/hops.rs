//! The latency samples of a row: which two stamps give which hop.

use contract::{Stamp, StoredRow};
use evidence::latency::{Hop, Hops};

/// The end of a row's way, as seen by others than its writer. The writer's own stamp (`dateStamp`) ends no latency: a worker
/// that stamps before its work would seem as fast as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ending {
    /// When storage acknowledged the insert, as seen on the wire.
    pub answered: Option<Stamp>,
    /// How long the worker had the message in hand before it requested to store the row, as seen on the wire, in microseconds:
    /// the upper bound of its work.
    pub in_hand_us: Option<i64>,
    /// Whether storage kept requests waiting in between, or the harness was paused.
    pub disturbed: bool,
}

impl Ending {
    /// When `row` was stored; without a wire, by the table's own `Timestamp`, whose precision is a millisecond: the end of that
    /// millisecond.
    fn of(self, row: &StoredRow) -> Option<Stamp> {
        let told = || {
            let millis = whole_millis(row.timestamp?).as_micros();
            Some(Stamp::from_micros(millis.saturating_add(999)))
        };
        self.answered.or_else(told)
    }
}

/// Takes the latency samples of rows.
pub trait Measure {
    /// Takes the samples of one row whose insert no wire has seen. A missing stamp is counted at every hop that needs it.
    fn record(&mut self, row: &StoredRow) {
        self.record_ended(row, Ending::default());
    }

    /// Takes the samples of a row with the end `ending`.
    fn record_ended(&mut self, row: &StoredRow, ending: Ending);
}

impl Measure for Hops {
    fn record_ended(&mut self, row: &StoredRow, ending: Ending) {
        if let (Some(undisturbed), false) = (self.undisturbed_mut(), ending.disturbed) {
            undisturbed.record_ended(row, ending);
        }
        for hop in Hop::ALL {
            if hop != Hop::Send {
                self.add_sample(hop, sample(hop, row, ending));
            }
        }
        if ending.answered.is_some() {
            self.add_in_hand(ending.in_hand_us);
        }
        self.add_row(row.sent_stamp, ending.of(row));
    }
}

/// The sample of `row` for a hop, in microseconds. [`Hop::Send`] is not in the rows.
fn sample(hop: Hop, row: &StoredRow, ending: Ending) -> Option<i64> {
    let since = |to: Option<Stamp>, from: Option<Stamp>| Some(to?.micros_since(from?));
    match hop {
        Hop::ScheduleLag => since(row.sent_stamp, row.src_stamp),
        Hop::Send => None,
        Hop::QueueWait => since(row.dequeued_stamp, row.sent_stamp),
        Hop::Work => since(row.date_stamp, row.dequeued_stamp),
        Hop::Store if ending.answered.is_some() => since(ending.answered, row.date_stamp),
        // Both are cut to the service's precision, so that rounding never makes a negative sample.
        Hop::Store => since(
            row.timestamp.map(whole_millis),
            row.date_stamp.map(whole_millis),
        ),
        Hop::EndToEnd => since(ending.of(row), row.src_stamp),
        Hop::EndToEndNaive => since(ending.of(row), row.sent_stamp),
    }
}

fn whole_millis(stamp: Stamp) -> Stamp {
    Stamp::from_micros(stamp.as_micros().div_euclid(1_000) * 1_000)
}

#[cfg(test)]
mod tests;
