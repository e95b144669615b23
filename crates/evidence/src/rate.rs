//! The search for the highest rate that keeps a run's latency limits: one step for each rate that was tried.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::latency::{Hop, LatencyVerdict};
use crate::outcome::Outcome;
use crate::usage::Usage;

/// A rate that was tried, in a run of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateStep {
    /// Messages a second that were to be sent.
    pub rate_per_s: f64,
    /// Messages a second that were stored, from the first send to the last row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_per_s: Option<f64>,
    /// Messages of the step.
    pub messages: u64,
    /// The directory of its run, relative to the log's.
    pub run_dir: String,
    /// How its run ended.
    pub outcome: Outcome,
    /// Why it did not pass; empty where it did.
    pub reasons: Vec<String>,
    /// The limits, judged.
    pub verdicts: Vec<LatencyVerdict>,
    /// Its latencies, by hop.
    pub hops: Vec<HopLatency>,
    /// What was measured of the parts that could be the bottleneck.
    pub measured: StepMeasured,
    /// Which of them is, by what was measured.
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

/// What was measured in a step besides latencies. What could not be measured is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StepMeasured {
    /// How late the generators were at p99, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lateness_us_p99: Option<u64>,
    /// How long storage took to answer at p50, as the wire saw it, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_us_p50: Option<i64>,
    /// The same at p99.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_us_p99: Option<i64>,
    /// Which part of all that consumers can work on at once they had in hand, on average: 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumers_busy: Option<f64>,
    /// Processor time and memory while the load was on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// What a rate was bounded by, or would be next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bottleneck {
    /// Which part.
    pub part: BottleneckPart,
    /// The figures that say so, in a sentence without a full stop.
    pub why: String,
}

/// A part that can bound a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BottleneckPart {
    /// The processor of the machine that all parts share.
    Processor,
    /// What sends.
    Generators,
    /// The proxy before storage.
    Wire,
    /// Storage.
    Storage,
    /// What works.
    Consumers,
    /// None of them was near its bound.
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

/// What the search came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateFound {
    /// The highest rate that kept all limits; `None`: none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_s: Option<f64>,
    /// The lowest rate above it that did not; `None`: none was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_at_per_s: Option<f64>,
    /// The same as the step at that rate says; of the highest rate that was tried, where none broke a limit.
    pub bottleneck: Bottleneck,
}
