//! The hops of a message, and their samples.

use std::fmt;
use std::str::FromStr;

use contract::Stamp;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::latency::{Samples, SamplesError};

/// One part of a message's way, or the whole way.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Hop {
    /// From the intended to the actual start of the send: how late the generator was.
    ScheduleLag,
    /// From the start of the send to storage's answer, as the producer measured it.
    Send,
    /// From the start of the send to the receive by the consumer: in the queue.
    QueueWait,
    /// From the receive to the request to store the row: the consumer's work.
    Work,
    /// From the end of the work by `dateStamp` to the stored row: a consumer that stamps early moves time from other hops to
    /// this one. Without a wire, the end is the table service's own `Timestamp` in whole milliseconds, so that service and
    /// consumer have two clocks.
    Store,
    /// From the intended send to the stored row, as seen by others than its writer. The figure that counts.
    EndToEnd,
    /// From the actual send to the stored row: does not show a generator that waits for the system (coordinated omission).
    /// Shown beside [`Hop::EndToEnd`], never instead of it.
    EndToEndNaive,
}

/// Why hops that count from the planned time have no figure if neither messages nor rows tell it, and what to do.
pub const WITHOUT_PLAN: &str = "neither messages nor rows tell when a message was to be sent; add {intended} to message.body of the \
                                description, such as plannedAt: \"{intended:rfc3339}\"";

impl Hop {
    /// Whether the hop counts from the intended send time.
    pub const fn is_from_plan(self) -> bool {
        matches!(self, Self::ScheduleLag | Self::EndToEnd)
    }

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

    /// The hop's serialised name, which feature files use too.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The hop's name for people.
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
}

/// Circumstances that affected the latencies of a run and are not the consumers' fault.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Circumstances {
    /// By how much the wall clock was set during the run, in microseconds.
    #[serde(default)]
    pub clock_set_us: u64,
    /// Upper bound of the difference between the machines' clocks, in microseconds.
    #[serde(default)]
    pub clocks_apart_us: u64,
    /// Disturbances, in words: storage that kept requests waiting, a harness that was paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbed: Option<String>,
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}

/// Error of a text that names no hop.
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
    /// How long workers had messages in hand, as seen on the wire; empty without a wire.
    #[serde(default)]
    in_hand: Samples,
    rows: u64,
    first_sent: Option<Stamp>,
    last_stored: Option<Stamp>,
    #[serde(default)]
    circumstances: Circumstances,
    /// The samples of undisturbed rows alone; absent if there was no disturbance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undisturbed: Option<Box<Hops>>,
}

impl Hops {
    /// Makes the samples of a run in these circumstances.
    pub fn under(circumstances: Circumstances) -> Self {
        let disturbed = circumstances.disturbed.is_some();
        let undisturbed = disturbed.then(|| {
            let circumstances = Circumstances {
                disturbed: None,
                ..circumstances
            };
            Box::new(Self {
                circumstances,
                ..Self::default()
            })
        });
        Self {
            circumstances,
            undisturbed,
            ..Self::default()
        }
    }

    /// Whether neither rows nor messages tell the intended send time, so that hops which count from it have no figure.
    pub fn lacks_plan(&self) -> bool {
        let is_without = |samples: &Samples| samples.count() == 0 && samples.missing() > 0;
        is_without(&self.schedule_lag) && is_without(&self.end_to_end)
    }

    /// Adds a row, with the times at which its message was sent and the row stored.
    pub fn add_row(&mut self, sent: Option<Stamp>, stored: Option<Stamp>) {
        self.rows += 1;
        self.first_sent = match (self.first_sent, sent) {
            (Some(first), Some(sent)) => Some(first.min(sent)),
            (first, sent) => first.or(sent),
        };
        self.last_stored = self.last_stored.max(stored);
    }

    /// Adds a sample of `hop`, in microseconds; `None`: the row lacks a stamp.
    pub fn add_sample(&mut self, hop: Hop, micros: Option<i64>) {
        let samples = self.samples_mut(hop);
        match micros {
            Some(micros) => samples.record(micros),
            None => samples.record_missing(),
        }
    }

    /// Adds how long a worker had a message in hand, from the answer to its receive until the first request to store its row,
    /// as seen on the wire, in microseconds; `None`: the wire has not seen the receive.
    pub fn add_in_hand(&mut self, micros: Option<i64>) {
        match micros {
            Some(micros) => self.in_hand.record(micros),
            None => self.in_hand.record_missing(),
        }
    }

    /// How long workers had messages in hand, as seen on the wire: an upper bound of their work.
    pub const fn in_hand(&self) -> &Samples {
        &self.in_hand
    }

    /// Adds the producer's own histogram of its sends, in microseconds.
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

    /// The samples of undisturbed rows, and the disturbance of the others; `None` without a disturbance.
    pub fn undisturbed(&self) -> Option<(&Self, &str)> {
        let disturbed = self.circumstances.disturbed.as_deref()?;
        Some((self.undisturbed.as_deref()?, disturbed))
    }

    /// The sends, without as many of the slowest as there are disturbed rows: the producer does not tell which message each send was
    /// of. A message that was sent twice has one row, so its second send counts as undisturbed. No other hop has samples. `None`
    /// without a disturbance.
    pub fn undisturbed_sends(&self) -> Option<Self> {
        let undisturbed = self.undisturbed.as_ref()?;
        let disturbed = self.rows.saturating_sub(undisturbed.rows);
        Some(Self {
            send: self.send.without_slowest(disturbed),
            circumstances: undisturbed.circumstances.clone(),
            ..Self::default()
        })
    }

    /// As [`Hops::undisturbed`], for adding samples.
    pub fn undisturbed_mut(&mut self) -> Option<&mut Self> {
        self.undisturbed.as_deref_mut()
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

    /// Number of rows recorded.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// From the first send to the last row, in microseconds; `None` without rows, or if the clocks make it negative.
    pub fn span_micros(&self) -> Option<u64> {
        let span = self.last_stored?.micros_since(self.first_sent?);
        u64::try_from(span).ok()
    }

    /// Rows per second over that span.
    pub fn throughput(&self) -> Option<f64> {
        let seconds = self.span_micros()? as f64 / 1e6;
        (seconds > 0.0).then(|| self.rows as f64 / seconds)
    }

    /// Lower bound of the disagreement of the clocks behind the stamps of `hop`, in microseconds.
    ///
    /// A negative latency is impossible, so its amount is clock error. The three hops that start at the producer and end
    /// elsewhere share their two clocks, so the error of one holds for all. The error is at least the amount by which the wall
    /// clock was set during the run. If clients run on several machines, it is also at least the bound on their clocks, except
    /// for hops within one process.
    pub fn clock_offset_micros(&self, hop: Hop) -> u64 {
        const BETWEEN_PROCESSES: [Hop; 3] = [Hop::QueueWait, Hop::EndToEnd, Hop::EndToEndNaive];
        let own = [hop];
        let of_one_machine = matches!(hop, Hop::ScheduleLag | Hop::Send | Hop::Work);
        let apart = if of_one_machine {
            0
        } else {
            self.circumstances.clocks_apart_us
        };
        let alike = if BETWEEN_PROCESSES.contains(&hop) {
            &BETWEEN_PROCESSES[..]
        } else {
            &own[..]
        };
        let offsets = alike
            .iter()
            .map(|hop| self.samples(*hop).most_negative().unsigned_abs());
        offsets
            .max()
            .unwrap_or(0)
            .max(self.circumstances.clock_set_us)
            .max(apart)
    }
}
