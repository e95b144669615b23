//! What has happened so far, shared by the senders and the reporter.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use hdrhistogram::Histogram;
use workflow::contract::{Seq, Stamp, StampSums};

use crate::ranges::SeqRanges;

/// Highest time that a histogram tells apart, a day; longer ones count as a day.
const MAX_US: u64 = 86_400_000_000;

/// Digits that a histogram keeps: an error below 0.1 %, in about 200 KiB.
const DIGITS: u8 = 3;

/// How the sending of one message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendEnd {
    /// It is in the queue, at least once.
    Acknowledged,
    /// It may be in the queue: some try ended without an answer that says, and no later one was acknowledged.
    Unknown,
    /// It is not in the queue: no try can have had an effect.
    Failed,
}

/// Counts and times of a run.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) begun: u64,
    pub(crate) acknowledged: u64,
    pub(crate) unknown: SeqRanges,
    pub(crate) failed: SeqRanges,
    pub(crate) duplicates_sent: u64,
    pub(crate) retries: u64,
    pub(crate) errors: BTreeMap<&'static str, u64>,
    pub(crate) lateness_us: Histogram<u64>,
    pub(crate) send_us: Histogram<u64>,
    /// Of every acknowledged message, once.
    pub(crate) stamp_sums: StampSums,
    /// Lateness since the reporter last looked.
    pub(crate) recent_lateness_us: Histogram<u64>,
}

/// A histogram of microseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(MAX_US, DIGITS).expect("the bounds of a histogram must be in order")
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(MAX_US)
}

impl Tally {
    fn new() -> Self {
        Self {
            begun: 0,
            acknowledged: 0,
            unknown: SeqRanges::default(),
            failed: SeqRanges::default(),
            duplicates_sent: 0,
            retries: 0,
            errors: BTreeMap::new(),
            lateness_us: histogram(),
            send_us: histogram(),
            stamp_sums: StampSums::default(),
            recent_lateness_us: histogram(),
        }
    }

    /// Messages whose sending has begun and not ended.
    pub(crate) fn in_flight(&self) -> u64 {
        self.begun - self.acknowledged - self.unknown.count() - self.failed.count()
    }

    /// The sending of the next message begins, `late` after it was meant to.
    pub(crate) fn begin(&mut self, late: Duration) {
        self.begun += 1;
        let late = micros(late);
        self.lateness_us.saturating_record(late);
        self.recent_lateness_us.saturating_record(late);
    }

    /// Storage has `seq`, with these stamps, after a send that `took` so long.
    pub(crate) fn acknowledge(&mut self, seq: Seq, took: Duration, src: Stamp, sent: Stamp) {
        self.send_us.saturating_record(micros(took));
        self.stamp_sums.add(seq, src, sent);
    }

    /// The sending of `seq` ended.
    pub(crate) fn settle(&mut self, seq: Seq, outcome: SendEnd) {
        match outcome {
            SendEnd::Acknowledged => self.acknowledged += 1,
            SendEnd::Unknown => self.unknown.insert(seq),
            SendEnd::Failed => self.failed.insert(seq),
        }
    }

    /// A try failed. Whether it is the first of its kind.
    pub(crate) fn error(&mut self, name: &'static str) -> bool {
        let count = self.errors.entry(name).or_default();
        *count += 1;
        *count == 1
    }
}

/// The tally, shared.
#[derive(Debug)]
pub(crate) struct Board(Mutex<Tally>);

impl Board {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Tally::new()))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().expect("no holder of the tally may panic")
    }
}

/// A try that had no answer when the time for the message was up.
pub(crate) const TIMED_OUT: &str = "timed_out";
