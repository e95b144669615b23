//! Measurement: the latency of every hop, from the rows and from others' observations of their ends, and the judgement of
//! latency limits.
//!
//! A row's four time stamps describe the whole way of its message. Latency counts from `srcStamp`, the **intended** send time:
//! so a stalled generator or queue shows up instead of disappearing (coordinated omission). The naive figure, from the actual
//! send, is kept beside it, so that a report can show how much the correction matters.

mod hops;
mod interval;
mod limit;

pub use evidence::latency::{
    Circumstances, HIGHEST_MICROS, Hop, Hops, LatencyLimit, LatencyVerdict, Micros, ParseHopError,
    ParsePercentileError, Percentile, SAMPLES_BEYOND, Samples, SamplesError, Untold, WITHOUT_PLAN,
};
pub use hops::{Ending, Measure};
pub use interval::{Interval, confidence_ranks};
pub use limit::{LAG_SHARE, has_enough, judge, kept, median_at_least};
