//! The hops of a message, and their samples from rows.

use std::fmt;
use std::str::FromStr;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use workflow::contract::{Stamp, StoredRow};

use super::{Samples, SamplesError};

/// One part of a message's way, or the whole of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hop {
    /// From the intended to the actual start of the send: how late the generator was.
    ScheduleLag,
    /// From the start of the send to storage's answer, as the producer measured it.
    Send,
    /// From the start of the send to the receive by the consumer: in the queue.
    QueueWait,
    /// From the receive to the row being handed to the table: the consumer's work.
    Work,
    /// From the row being handed to the table to the table service's own `Timestamp` of it, in whole milliseconds: what a
    /// consumer leaves out of the other hops when it stamps early. Service and consumer have two clocks.
    Store,
    /// From the intended send to the row. The figure that counts.
    EndToEnd,
    /// From the actual send to the row: blind to a generator that waits for the system (coordinated omission). Shown
    /// beside [`Hop::EndToEnd`], never instead.
    EndToEndNaive,
}

impl Hop {
    /// Every hop, in the order of a message's way.
    pub const ALL: [Self; 7] = [
        Self::ScheduleLag,
        Self::Send,
        Self::QueueWait,
        Self::Work,
        Self::Store,
        Self::EndToEnd,
        Self::EndToEndNaive,
    ];

    /// The hop as it is serialised, and as a feature file names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScheduleLag => "schedule-lag",
            Self::Send => "send",
            Self::QueueWait => "queue-wait",
            Self::Work => "work",
            Self::Store => "store",
            Self::EndToEnd => "end-to-end",
            Self::EndToEndNaive => "end-to-end-naive",
        }
    }

    /// The hop for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ScheduleLag => "schedule lag",
            Self::Send => "send",
            Self::QueueWait => "queue wait",
            Self::Work => "work",
            Self::Store => "store",
            Self::EndToEnd => "end to end",
            Self::EndToEndNaive => "end to end, naive",
        }
    }

    /// The sample that `row` gives, in microseconds. [`Hop::Send`] is not in the rows.
    fn of(self, row: &StoredRow) -> Option<i64> {
        let since = |to: Option<Stamp>, from: Option<Stamp>| Some(to?.micros_since(from?));
        match self {
            Self::ScheduleLag => since(row.sent_stamp, row.src_stamp),
            Self::Send => None,
            Self::QueueWait => since(row.dequeued_stamp, row.sent_stamp),
            Self::Work => since(row.date_stamp, row.dequeued_stamp),
            // Both cut to what the service tells, so that rounding never makes a negative sample.
            Self::Store => since(
                row.timestamp.map(whole_millis),
                row.date_stamp.map(whole_millis),
            ),
            Self::EndToEnd => since(row.date_stamp, row.src_stamp),
            Self::EndToEndNaive => since(row.date_stamp, row.sent_stamp),
        }
    }
}

fn whole_millis(stamp: Stamp) -> Stamp {
    Stamp::from_micros(stamp.as_micros().div_euclid(1_000) * 1_000)
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}

/// Why a text names no hop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "hop {0:?} is none of schedule lag, send, queue wait, work, store, end to end, end to end naive"
)]
pub struct ParseHopError(String);

impl FromStr for Hop {
    type Err = ParseHopError;

    /// Accepts `queue-wait` and `queue wait` alike.
    fn from_str(text: &str) -> Result<Self, ParseHopError> {
        let name = text.trim().replace(", ", "-").replace(' ', "-");
        Self::ALL
            .into_iter()
            .find(|hop| hop.as_str() == name)
            .ok_or_else(|| ParseHopError(text.to_owned()))
    }
}

/// The samples of every hop of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Hops {
    schedule_lag: Samples,
    send: Samples,
    queue_wait: Samples,
    work: Samples,
    #[serde(default)]
    store: Samples,
    end_to_end: Samples,
    end_to_end_naive: Samples,
    rows: u64,
    first_sent: Option<Stamp>,
    last_stored: Option<Stamp>,
}

impl Hops {
    /// The samples of one row. A stamp that is missing is counted at every hop that needs it.
    pub fn record(&mut self, row: &StoredRow) {
        self.rows += 1;
        for hop in Hop::ALL {
            if hop == Hop::Send {
                continue;
            }
            match hop.of(row) {
                Some(micros) => self.samples_mut(hop).record(micros),
                None => self.samples_mut(hop).record_missing(),
            }
        }
        self.first_sent = match (self.first_sent, row.sent_stamp) {
            (Some(first), Some(sent)) => Some(first.min(sent)),
            (first, sent) => first.or(sent),
        };
        self.last_stored = self.last_stored.max(row.date_stamp);
    }

    /// The producer's own histogram of its sends, in microseconds.
    pub fn add_send(&mut self, histogram: &Histogram<u64>) -> Result<(), SamplesError> {
        self.send.add(histogram)
    }

    /// The samples of `hop`.
    pub const fn samples(&self, hop: Hop) -> &Samples {
        match hop {
            Hop::ScheduleLag => &self.schedule_lag,
            Hop::Send => &self.send,
            Hop::QueueWait => &self.queue_wait,
            Hop::Work => &self.work,
            Hop::Store => &self.store,
            Hop::EndToEnd => &self.end_to_end,
            Hop::EndToEndNaive => &self.end_to_end_naive,
        }
    }

    const fn samples_mut(&mut self, hop: Hop) -> &mut Samples {
        match hop {
            Hop::ScheduleLag => &mut self.schedule_lag,
            Hop::Send => &mut self.send,
            Hop::QueueWait => &mut self.queue_wait,
            Hop::Work => &mut self.work,
            Hop::Store => &mut self.store,
            Hop::EndToEnd => &mut self.end_to_end,
            Hop::EndToEndNaive => &mut self.end_to_end_naive,
        }
    }

    /// Rows recorded.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// From the first send to the last row, in microseconds; `None` without rows, or when the clocks have it negative.
    pub fn span_micros(&self) -> Option<u64> {
        let span = self.last_stored?.micros_since(self.first_sent?);
        u64::try_from(span).ok()
    }

    /// Rows per second over that span.
    pub fn throughput(&self) -> Option<f64> {
        let seconds = self.span_micros()? as f64 / 1e6;
        (seconds > 0.0).then(|| self.rows as f64 / seconds)
    }

    /// How far the clocks behind the stamps of `hop` disagree at least, in microseconds.
    ///
    /// A negative latency is impossible, so its amount is clock error. The three hops that start at the producer and
    /// end at the consumer share their two clocks: what one shows holds for all.
    pub fn clock_offset_micros(&self, hop: Hop) -> u64 {
        const BETWEEN_PROCESSES: [Hop; 3] = [Hop::QueueWait, Hop::EndToEnd, Hop::EndToEndNaive];
        let own = [hop];
        let alike = if BETWEEN_PROCESSES.contains(&hop) {
            &BETWEEN_PROCESSES[..]
        } else {
            &own[..]
        };
        let offsets = alike
            .iter()
            .map(|hop| self.samples(*hop).most_negative().unsigned_abs());
        offsets.max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored 5 ms after it was handed over.
    fn row(src: i64, sent: i64, dequeued: i64, date: i64) -> StoredRow {
        StoredRow {
            src_stamp: Some(Stamp::from_micros(src)),
            sent_stamp: Some(Stamp::from_micros(sent)),
            dequeued_stamp: Some(Stamp::from_micros(dequeued)),
            date_stamp: Some(Stamp::from_micros(date)),
            timestamp: Some(Stamp::from_micros(date + 5_000)),
            attempt: Some(1),
            ..StoredRow::default()
        }
    }

    #[test]
    fn each_hop_is_the_difference_of_its_two_stamps() {
        let mut hops = Hops::default();
        hops.record(&row(1_000, 1_001, 1_011, 1_111));
        let found = Hop::ALL.map(|hop| hops.samples(hop).max());
        assert_eq!(
            found,
            [
                Some(1),
                None,
                Some(10),
                Some(100),
                Some(5_003),
                Some(111),
                Some(110)
            ]
        );
        assert_eq!(hops.span_micros(), Some(110));
    }

    #[test]
    fn a_stalled_generator_shows_in_the_corrected_figure_only() {
        let mut hops = Hops::default();
        hops.record(&row(0, 500_000, 500_100, 500_200));
        assert_eq!(hops.samples(Hop::EndToEndNaive).max(), Some(200));
        assert!(hops.samples(Hop::EndToEnd).max() >= Some(500_200));
    }

    #[test]
    fn a_missing_stamp_is_counted_where_it_is_needed() {
        let mut hops = Hops::default();
        hops.record(&StoredRow {
            dequeued_stamp: None,
            ..row(1, 2, 3, 4)
        });
        let missing = Hop::ALL.map(|hop| hops.samples(hop).missing());
        assert_eq!(missing, [0, 0, 1, 1, 0, 0, 0]);
    }

    #[test]
    fn the_store_is_in_whole_milliseconds_and_its_rounding_is_no_clock_that_disagrees() {
        let stored = |micros| StoredRow {
            timestamp: Some(Stamp::from_micros(micros)),
            ..row(1_000, 1_000, 1_000, 7_900)
        };
        let mut hops = Hops::default();
        hops.record(&stored(7_000));
        hops.record(&stored(8_000));
        let samples = hops.samples(Hop::Store);
        assert_eq!((samples.count(), samples.negative()), (2, 0));
        hops.record(&stored(6_999));
        assert_eq!(hops.clock_offset_micros(Hop::Store), 1_000);
        assert_eq!(hops.clock_offset_micros(Hop::EndToEnd), 0);
    }

    #[test]
    fn clocks_that_disagree_are_told() {
        let mut hops = Hops::default();
        hops.record(&row(1_000, 1_000, 400, 500));
        assert_eq!(hops.clock_offset_micros(Hop::EndToEnd), 600);
        assert_eq!(hops.clock_offset_micros(Hop::Work), 0);
        assert_eq!(hops.samples(Hop::QueueWait).negative(), 1);
    }

    #[test]
    fn hops_are_named_with_hyphens_or_spaces() {
        for hop in Hop::ALL {
            assert_eq!(hop.as_str().parse(), Ok(hop));
            assert_eq!(hop.title().parse(), Ok(hop));
        }
        assert!("teleport".parse::<Hop>().is_err());
    }
}
