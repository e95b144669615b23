//! Latency limits, and how they were judged.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::latency::{Hop, Micros, Percentile};
use crate::outcome::Outcome;

/// A promise: `percentile` of `hop` is at most `max_us`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyLimit {
    /// What is limited.
    pub hop: Hop,
    /// At which percentile.
    pub percentile: Percentile,
    /// The most it may be, in microseconds.
    pub max_us: u64,
}

impl LatencyLimit {
    /// A limit of `max`, in whole microseconds.
    pub fn new(hop: Hop, percentile: Percentile, max: Duration) -> Self {
        Self {
            hop,
            percentile,
            max_us: u64::try_from(max.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// How a limit was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyVerdict {
    /// The limit.
    pub limit: LatencyLimit,
    /// Whether it holds.
    pub outcome: Outcome,
    /// The percentile as found, in microseconds.
    pub observed_us: Option<i64>,
    /// Lower end of its 95 % confidence interval, widened by the clock offset.
    pub low_us: Option<i64>,
    /// Upper end.
    pub high_us: Option<i64>,
    /// How many samples there were.
    pub samples: u64,
    /// How many this percentile needs.
    pub samples_needed: u64,
    /// Why the outcome is what it is, in words.
    pub reason: String,
    /// Why it cannot be told whether the limit holds; absent where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<Untold>,
}

/// Why it cannot be told whether a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Untold {
    /// The percentile needs more samples.
    TooFewSamples,
    /// The load was not what was planned: the generator was late.
    LateGenerator,
    /// Clocks disagree.
    ClocksApart,
    /// Rows lack a stamp.
    StampsMissing,
    /// Nothing but the worker's own stamps says that it holds.
    OwnWordAlone,
    /// The limit is inside the confidence interval.
    TooClose,
    /// Storage kept requests waiting, or the harness stood still.
    Disturbed,
}

impl LatencyVerdict {
    /// What was promised: `end to end p99 at most 500 ms`.
    pub fn promised(&self) -> String {
        let max = Micros(i64::try_from(self.limit.max_us).unwrap_or(i64::MAX));
        format!("{} {} at most {max}", self.limit.hop, self.limit.percentile)
    }

    /// What was found against the limit, in as few words as will do: `end to end p99 is 89.6 ms, limit 1.00 ms`.
    pub fn missed(&self) -> String {
        let max = Micros(i64::try_from(self.limit.max_us).unwrap_or(i64::MAX));
        let LatencyLimit {
            hop, percentile, ..
        } = self.limit;
        format!("{hop} {percentile} is {}, limit {max}", self.found())
    }

    /// What was found: the percentile, or that there are no samples.
    pub fn found(&self) -> String {
        self.observed_us
            .map_or("no samples".into(), |observed| Micros(observed).to_string())
    }

    /// The confidence interval, and why the outcome is what it is.
    pub fn detail(&self) -> String {
        let interval = match (self.low_us, self.high_us) {
            (Some(low), Some(high)) => format!("95 %: {} to {}; ", Micros(low), Micros(high)),
            (Some(low), None) => format!("95 %: {} or more; ", Micros(low)),
            (None, Some(high)) => format!("95 %: up to {}; ", Micros(high)),
            (None, None) => String::new(),
        };
        format!("{interval}{}", self.reason)
    }

    /// All of it in a line.
    pub fn sentence(&self) -> String {
        format!(
            "{}: found {} ({})",
            self.promised(),
            self.found(),
            self.detail()
        )
    }
}
