//! The hops of a message, and their samples.

use std::fmt;
use std::str::FromStr;

use contract::Stamp;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::latency::{Samples, SamplesError};

/// One part of a message's way, or the whole of it.
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
    /// From the receive to the row being handed to the table: the consumer's work.
    Work,
    /// From the row being handed to the table to its being stored: what a consumer leaves out of the other hops when it stamps
    /// early. By the table service's own `Timestamp` in whole milliseconds, and then service and consumer have two clocks.
    Store,
    /// From the intended send to the row being stored, as others than its writer have seen it. The figure that counts.
    EndToEnd,
    /// From the actual send to the row being stored: blind to a generator that waits for the system (coordinated omission). Shown
    /// beside [`Hop::EndToEnd`], never instead.
    EndToEndNaive,
}

/// Why hops that count from the plan have no figure where nothing tells the plan, and what to do.
pub const WITHOUT_PLAN: &str = "neither messages nor rows tell when a message was to be sent; add {intended} to message.body of the \
                                description, such as plannedAt: \"{intended:rfc3339}\"";

impl Hop {
    /// Whether it counts from the time at which the message was to be sent.
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

    /// The hop as it is serialised, and as a feature file names it.
    pub fn as_str(self) -> &'static str {
        self.into()
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
}

/// What the latencies of a run have suffered from that is no fault of the consumers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Circumstances {
    /// By how much the wall clock was set in mid-run, in microseconds.
    #[serde(default)]
    pub clock_set_us: u64,
    /// How far the clocks of different machines can be apart at most, in microseconds.
    #[serde(default)]
    pub clocks_apart_us: u64,
    /// What disturbed them, in words: storage that kept requests waiting, a harness that stood still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbed: Option<String>,
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
    /// How long workers had messages in hand, as the wire has seen it; none without one.
    #[serde(default)]
    in_hand: Samples,
    rows: u64,
    first_sent: Option<Stamp>,
    last_stored: Option<Stamp>,
    #[serde(default)]
    circumstances: Circumstances,
    /// The same of those rows alone that nothing has disturbed; absent where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undisturbed: Option<Box<Hops>>,
}

impl Hops {
    /// For the rows of a run in these circumstances.
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

    /// Whether no row and no message tells when one was to be sent, so that nothing that counts from the plan has a figure.
    pub fn lacks_plan(&self) -> bool {
        let is_without = |samples: &Samples| samples.count() == 0 && samples.missing() > 0;
        is_without(&self.schedule_lag) && is_without(&self.end_to_end)
    }

    /// One more row, whose message was sent and stored then.
    pub fn add_row(&mut self, sent: Option<Stamp>, stored: Option<Stamp>) {
        self.rows += 1;
        self.first_sent = match (self.first_sent, sent) {
            (Some(first), Some(sent)) => Some(first.min(sent)),
            (first, sent) => first.or(sent),
        };
        self.last_stored = self.last_stored.max(stored);
    }

    /// One more sample of `hop`, in microseconds; `None`: the row lacks a stamp.
    pub fn add_sample(&mut self, hop: Hop, micros: Option<i64>) {
        let samples = self.samples_mut(hop);
        match micros {
            Some(micros) => samples.record(micros),
            None => samples.record_missing(),
        }
    }

    /// For how long a worker had a message in hand, from the answer to its receive until its row was first asked to be stored, as the wire
    /// has seen it, in microseconds; `None`: it has not seen the receive.
    pub fn add_in_hand(&mut self, micros: Option<i64>) {
        match micros {
            Some(micros) => self.in_hand.record(micros),
            None => self.in_hand.record_missing(),
        }
    }

    /// For how long workers had messages in hand, as the wire has seen it: their work took no longer.
    pub const fn in_hand(&self) -> &Samples {
        &self.in_hand
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

    /// The rows that nothing has disturbed, and what has disturbed the others; `None` where nothing did.
    pub fn undisturbed(&self) -> Option<(&Self, &str)> {
        let disturbed = self.circumstances.disturbed.as_deref()?;
        Some((self.undisturbed.as_deref()?, disturbed))
    }

    /// The same, for the rows that nothing has disturbed to be added to; `None` where nothing disturbed any.
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
    /// end elsewhere share their two clocks: what one shows holds for all. A wall clock that was set in mid-run is off by as much.
    /// Where machines differ, the three and the way to storage's answer are off by what is known of their clocks.
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
