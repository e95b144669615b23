//! Latency limits, and the verdicts on them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::latency::{Hop, Micros, Percentile};
use crate::outcome::Outcome;

/// A promise: `percentile` of `hop` is at most `max_us`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyLimit {
    /// The limited hop.
    pub hop: Hop,
    /// The percentile.
    pub percentile: Percentile,
    /// Its upper limit, in microseconds.
    pub max_us: u64,
}

impl LatencyLimit {
    /// Makes a limit of `max`, in whole microseconds.
    pub fn new(hop: Hop, percentile: Percentile, max: Duration) -> Self {
        Self {
            hop,
            percentile,
            max_us: u64::try_from(max.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// The verdict on a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyVerdict {
    /// The limit.
    pub limit: LatencyLimit,
    /// The outcome: whether the limit was kept.
    pub outcome: Outcome,
    /// The measured percentile, in microseconds.
    pub observed_us: Option<i64>,
    /// Lower end of its 95 % confidence interval, widened by the clock offset.
    pub low_us: Option<i64>,
    /// Upper end of the interval.
    pub high_us: Option<i64>,
    /// Number of samples.
    pub samples: u64,
    /// Number of samples that this percentile needs.
    pub samples_needed: u64,
    /// The reason of the outcome, in words.
    pub reason: String,
    /// Why the outcome is inconclusive; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<Untold>,
}

/// Reason why it is unknown whether a limit was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Untold {
    /// The percentile needs more samples.
    TooFewSamples,
    /// The load was not the planned one: the generator was late.
    LateGenerator,
    /// Clocks disagree too much.
    ClocksApart,
    /// Rows lack a stamp.
    StampsMissing,
    /// Only the worker's own stamps show that the limit was kept.
    OwnWordAlone,
    /// The limit is inside the confidence interval.
    TooClose,
    /// Storage kept requests waiting, or the harness was paused.
    Disturbed,
}

impl LatencyVerdict {
    /// The limit in words: `end to end p99 at most 500 ms`.
    pub fn promised(&self) -> String {
        let max = Micros(i64::try_from(self.limit.max_us).unwrap_or(i64::MAX));
        format!("{} {} at most {max}", self.limit.hop, self.limit.percentile)
    }

    /// The measured value against the limit, in few words: `end to end p99 is 89.6 ms, limit 1.00 ms`.
    pub fn missed(&self) -> String {
        let max = Micros(i64::try_from(self.limit.max_us).unwrap_or(i64::MAX));
        let LatencyLimit {
            hop, percentile, ..
        } = self.limit;
        format!("{hop} {percentile} is {}, limit {max}", self.found())
    }

    /// The measured percentile in words, or that there are no samples.
    pub fn found(&self) -> String {
        self.observed_us
            .map_or("no samples".into(), |observed| Micros(observed).to_string())
    }

    /// The confidence interval, and the reason of the outcome.
    pub fn detail(&self) -> String {
        let interval = match (self.low_us, self.high_us) {
            (Some(low), Some(high)) => format!("95 %: {} to {}; ", Micros(low), Micros(high)),
            (Some(low), None) => format!("95 %: {} or more; ", Micros(low)),
            (None, Some(high)) => format!("95 %: up to {}; ", Micros(high)),
            (None, None) => String::new(),
        };
        format!("{interval}{}", self.reason)
    }

    /// The whole verdict in a line.
    pub fn sentence(&self) -> String {
        format!(
            "{}: found {} ({})",
            self.promised(),
            self.found(),
            self.detail()
        )
    }
}
