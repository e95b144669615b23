//! The search for the highest rate that keeps a run's latency limits: one step for each tried rate.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::latency::{Hop, LatencyVerdict};
use crate::outcome::Outcome;
use crate::usage::Usage;

/// A tried rate, with its own run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateStep {
    /// Planned rate of sends, in messages per second.
    pub rate_per_s: f64,
    /// Rate of stored messages per second, from the first send to the last row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_per_s: Option<f64>,
    /// Number of messages in the step.
    pub messages: u64,
    /// The directory of its run, relative to the log's.
    pub run_dir: String,
    /// The outcome of its run.
    pub outcome: Outcome,
    /// Why it did not pass; empty for a pass.
    pub reasons: Vec<String>,
    /// The outcome that each reason stands for, in their order; absent in logs of older harnesses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reason_outcomes: Vec<Outcome>,
    /// The verdicts on the limits.
    pub verdicts: Vec<LatencyVerdict>,
    /// Its latencies, by hop.
    pub hops: Vec<HopLatency>,
    /// Measurements of the parts that could be the bottleneck.
    pub measured: StepMeasured,
    /// The bottleneck, by these measurements.
    pub bottleneck: Bottleneck,
}

/// Latencies of one hop, in microseconds; absent without samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is the percentile of its name")]
pub struct HopLatency {
    pub hop: Hop,
    pub samples: u64,
    pub p50_us: Option<i64>,
    pub p90_us: Option<i64>,
    pub p99_us: Option<i64>,
    pub p99_9_us: Option<i64>,
    pub max_us: Option<i64>,
}

/// Measurements of a step other than latencies. A value that could not be measured is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StepMeasured {
    /// Lateness of the generators at p99, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lateness_us_p99: Option<u64>,
    /// Response time of storage at p50, as seen on the wire, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_us_p50: Option<i64>,
    /// Response time of storage at p99.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_us_p99: Option<i64>,
    /// Average share of the consumers' concurrency that was in use: 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumers_busy: Option<f64>,
    /// CPU time and memory during the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// The part that limited a rate, or would be the next to limit it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bottleneck {
    /// The part.
    pub part: BottleneckPart,
    /// The figures that show it, in a sentence without a full stop.
    pub why: String,
}

/// A part that can limit a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BottleneckPart {
    /// The CPU of the machine that all parts share.
    Processor,
    /// The generators, which send.
    Generators,
    /// The proxy in front of storage.
    Wire,
    /// Storage.
    Storage,
    /// The consumers.
    Consumers,
    /// No part was near its limit.
    None,
}

impl fmt::Display for BottleneckPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Processor => "the processor",
            Self::Generators => "the generators",
            Self::Wire => "the wire",
            Self::Storage => "storage",
            Self::Consumers => "the consumers",
            Self::None => "none of the parts",
        })
    }
}

/// Result of the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateFound {
    /// The highest rate that kept all limits; `None`: no rate did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_s: Option<f64>,
    /// The lowest rate that broke a limit; `None`: none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_at_per_s: Option<f64>,
    /// The rate at which the search went no higher, since it could not be told whether that rate keeps the limits; `None`: it went
    /// on until a rate broke one, or to the highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold_at_per_s: Option<f64>,
    /// The bottleneck at the lower of these two rates, or at the highest tried rate if there is none.
    pub bottleneck: Bottleneck,
}
