//! The summary of a run, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use workflow::contract::{PayloadSize, RunId, STAMP_BLOCK, Seq, Stamp, StampSums};
use workflow::histogram::{self, HistogramError};

use crate::duplicates::Duplicates;
use crate::plan::Plan;
use crate::ranges::SeqRanges;
use crate::slice::Slice;
use crate::tally::{SendEnd, Tally};

/// Version of the summary's format; raised when an older reader would misread the new format.
pub const SUMMARY_VERSION: u32 = 1;

/// The result of a run's sends.
///
/// The first `begun` messages of its slice were sent, each with one outcome: unknown or failed if [`Exceptions`] says so, else
/// acknowledged. Messages after these were never tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SUMMARY_VERSION`] of the writer.
    pub version: u32,
    /// The run.
    pub run: RunId,
    /// Its seed: payloads, duplicates and Poisson arrivals follow from it.
    pub seed: u64,
    /// The size of its payloads.
    pub payload: PayloadSize,
    /// Its shape, as text.
    pub shape: String,
    /// Which slice of the load it is of; absent where it is of the whole load.
    #[serde(default, skip_serializing_if = "Slice::is_whole_ref")]
    pub slice: Slice,
    /// The queue; `None` for the null sink, which keeps nothing.
    pub queue: Option<String>,
    /// Most messages in flight.
    pub concurrency: usize,
    /// How many messages there were to be, if the plan has an end.
    pub planned: Option<u64>,
    /// How many were begun.
    pub begun: u64,
    /// How many are in the queue, at least once.
    pub acknowledged: u64,
    /// How many may be in the queue.
    pub unknown: u64,
    /// How many are not in the queue.
    pub failed: u64,
    /// How many of the failed ones were never begun because their generator was stopped; the others are those that storage did not
    /// take. Absent where there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stopped: u64,
    /// Which ones are unknown or failed.
    pub exceptions: Exceptions,
    /// The fraction that was to be sent twice; see [`Summary::duplicates`] for which.
    pub duplicate_rate: f64,
    /// How many second copies were acknowledged.
    pub duplicates_sent: u64,
    /// Tries after the first of a copy.
    pub retries: u64,
    /// Failed tries by kind.
    pub errors: BTreeMap<String, u64>,
    /// When the schedule started, by the wall clock.
    pub started: Stamp,
    /// When the last send had ended: `started` plus the time that passed.
    pub ended: Stamp,
    /// Acknowledged messages per second, from start to end.
    pub rate_per_s: f64,
    /// From intended to actual start of a send, of every begun message.
    pub lateness_us: Times,
    /// From the start of the first try to the acknowledgement, of every acknowledged message.
    pub send_us: Times,
    /// What `srcStamp` and `sentStamp` of the acknowledged messages were; absent in summaries of older producers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp_sums: Option<StampSums>,
    /// Whether it was stopped, or could not go on, before every planned message had begun and ended.
    pub interrupted: bool,
    /// Why it could not go on, if so.
    pub fatal: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The messages that are not acknowledged, in inclusive ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Exceptions {
    /// May be in the queue.
    pub unknown: SeqRanges,
    /// Are not in the queue.
    pub failed: SeqRanges,
}

/// Times in microseconds, to three digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// How many there are.
    pub count: u64,
    /// Smallest.
    pub min: u64,
    /// Average.
    pub mean: f64,
    /// Half are at most this.
    pub p50: u64,
    /// 90 %.
    pub p90: u64,
    /// 99 %.
    pub p99: u64,
    /// 99.9 %.
    pub p99_9: u64,
    /// Largest.
    pub max: u64,
    /// All of them: `HdrHistogram` V2, compressed, in base64, as in `.hlog` files.
    pub hdr_base64: String,
}

/// A summary cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// Its histogram cannot be read.
    #[error("read a summary: {0}")]
    Histogram(#[from] HistogramError),
    /// Counts and ranges contradict each other.
    #[error("read a summary: {0}")]
    Inconsistent(String),
}

impl Summary {
    pub(crate) fn new(
        plan: &Plan,
        queue: Option<String>,
        planned: Option<u64>,
        tally: &Tally,
    ) -> Self {
        Self {
            version: SUMMARY_VERSION,
            run: plan.run.clone(),
            seed: plan.payloads.seed,
            payload: plan.payloads.size,
            shape: plan.shape.to_string(),
            slice: plan.slice,
            queue,
            concurrency: plan.concurrency,
            planned,
            begun: tally.begun,
            acknowledged: tally.acknowledged,
            unknown: tally.unknown.count(),
            failed: tally.failed.count(),
            stopped: 0,
            exceptions: Exceptions {
                unknown: tally.unknown.clone(),
                failed: tally.failed.clone(),
            },
            duplicate_rate: plan.duplicate_rate,
            duplicates_sent: tally.duplicates_sent,
            retries: tally.retries,
            errors: tally
                .errors
                .iter()
                .map(|(kind, n)| ((*kind).to_owned(), *n))
                .collect(),
            started: Stamp::default(),
            ended: Stamp::default(),
            rate_per_s: 0.0,
            lateness_us: Times::of(&tally.lateness_us),
            send_us: Times::of(&tally.send_us),
            stamp_sums: Some(tally.stamp_sums.clone()),
            interrupted: false,
            fatal: None,
        }
    }

    /// Sets when it ran.
    pub(crate) fn time(&mut self, started: Stamp, elapsed: Duration) {
        self.started = started;
        self.ended = started.plus(elapsed);
        self.rate_per_s = self.acknowledged as f64 / elapsed.as_secs_f64().max(1e-6);
    }

    /// How message `seq` ended; `None` if it was never begun.
    pub fn outcome(&self, seq: Seq) -> Option<SendEnd> {
        if !self.slice.contains(seq) || seq.get() > self.last_begun() {
            None
        } else if self.exceptions.unknown.contains(seq) {
            Some(SendEnd::Unknown)
        } else if self.exceptions.failed.contains(seq) {
            Some(SendEnd::Failed)
        } else {
            Some(SendEnd::Acknowledged)
        }
    }

    /// The number of the last message that was begun; 0 where none was.
    pub fn last_begun(&self) -> u64 {
        self.slice.last(self.begun)
    }

    /// Which messages were sent twice on purpose, as far as they were acknowledged.
    pub fn duplicates(&self) -> Option<Duplicates> {
        Duplicates::new(self.seed, self.duplicate_rate)
    }

    /// Whether version, counts and ranges agree: a reader that trusts one of them trusts all.
    pub fn check(&self) -> Result<(), SummaryError> {
        let refuse = |problem: String| Err(SummaryError::Inconsistent(problem));
        let Exceptions { unknown, failed } = &self.exceptions;
        let last = |ranges: &SeqRanges| ranges.iter().last().map_or(0, |(_, last)| last);
        if self.version != SUMMARY_VERSION {
            return refuse(format!("version {} is not {SUMMARY_VERSION}", self.version));
        }
        let sum = self.acknowledged.checked_add(self.unknown);
        if sum.and_then(|sum| sum.checked_add(self.failed)) != Some(self.begun) {
            return refuse("acknowledged, unknown and failed do not add up to begun".to_owned());
        }
        if (unknown.count(), failed.count()) != (self.unknown, self.failed) {
            return refuse("the exceptions are not as many as are counted".to_owned());
        }
        if last(unknown).max(last(failed)) > self.last_begun() {
            return refuse("an exception was never begun".to_owned());
        }
        if self.stopped > self.failed {
            return refuse("more messages were stopped than failed".to_owned());
        }
        let blocks = self.stamp_sums.as_ref().map_or(0, StampSums::blocks);
        if blocks as u64 > self.last_begun().div_ceil(STAMP_BLOCK) {
            return refuse("a stamp sum is of messages that were never begun".to_owned());
        }
        Ok(())
    }
}

impl Times {
    pub(crate) fn of(times: &Histogram<u64>) -> Self {
        Self {
            count: times.len(),
            min: times.min(),
            mean: times.mean(),
            p50: times.value_at_quantile(0.5),
            p90: times.value_at_quantile(0.9),
            p99: times.value_at_quantile(0.99),
            p99_9: times.value_at_quantile(0.999),
            max: times.max(),
            hdr_base64: histogram::encode(times),
        }
    }

    /// All of the times, in microseconds.
    pub fn histogram(&self) -> Result<Histogram<u64>, SummaryError> {
        Ok(histogram::decode(&self.hdr_base64)?)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 0 {
            return f.write_str("no sample");
        }
        let ms = |us: u64| us as f64 / 1_000.0;
        write!(
            f,
            "p50 {:.3}  p90 {:.3}  p99 {:.3}  p99.9 {:.3}  max {:.3} ms",
            ms(self.p50),
            ms(self.p90),
            ms(self.p99),
            ms(self.p99_9),
            ms(self.max)
        )
    }
}

/// For people: what was asked for, what came of it.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "run {}  seed {}  shape {}  payload {}",
            self.run, self.seed, self.shape, self.payload
        )?;
        match &self.queue {
            Some(queue) => writeln!(f, "  queue         {queue}")?,
            None => writeln!(
                f,
                "  queue         none: NULL SINK, nothing was sent anywhere"
            )?,
        }
        let planned = self
            .planned
            .map_or("no end planned".to_owned(), |n| format!("of {n} planned"));
        let seconds = self.ended.micros_since(self.started) as f64 / 1e6;
        writeln!(
            f,
            "  begun         {} {planned}, in {seconds:.1} s",
            self.begun
        )?;
        writeln!(
            f,
            "  acknowledged  {} ({:.1}/s)",
            self.acknowledged, self.rate_per_s
        )?;
        for (name, count, ranges) in [
            ("unknown", self.unknown, &self.exceptions.unknown),
            ("failed", self.failed, &self.exceptions.failed),
        ] {
            writeln!(f, "  {name:<13} {count}{}", listed(ranges))?;
        }
        if self.duplicate_rate > 0.0 {
            writeln!(f, "  sent twice    {}", self.duplicates_sent)?;
        }
        if !self.errors.is_empty() {
            let errors: Vec<_> = self
                .errors
                .iter()
                .map(|(kind, n)| format!("{kind} {n}"))
                .collect();
            writeln!(
                f,
                "  failed tries  {}; tried again {}",
                errors.join(", "),
                self.retries
            )?;
        }
        writeln!(f, "  lateness      {}", self.lateness_us)?;
        write!(f, "  send          {}", self.send_us)?;
        if self.interrupted {
            write!(
                f,
                "\n  INTERRUPTED: {}",
                self.fatal.as_deref().unwrap_or("stopped before its end")
            )?;
        }
        Ok(())
    }
}

/// The first few ranges.
fn listed(ranges: &SeqRanges) -> String {
    const SHOWN: usize = 5;
    if ranges.is_empty() {
        return String::new();
    }
    let text = |(first, last)| {
        if first == last {
            format!("{first}")
        } else {
            format!("{first}-{last}")
        }
    };
    let mut shown: Vec<_> = ranges.iter().take(SHOWN).map(text).collect();
    if ranges.iter().nth(SHOWN).is_some() {
        shown.push("...".to_owned());
    }
    format!(": messages {}", shown.join(", "))
}

#[cfg(test)]
mod tests;
