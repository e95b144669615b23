//! What a run leaves behind, as types: what harness, platform and judge write and read, and nothing that judges it.
//!
//! - [`events`]: the log of a run, appended as things happen; every report is made of it.
//! - [`Crossing`]: one request to storage and its answer. [`history`]: all of a run's, read in order.
//! - [`audit`]: what an auditor found. [`latency`]: samples by hop, limits, and how they were judged.
//! - [`Usage`]: what a phase took of its machine. [`rate`]: rates that were tried, and the highest that keeps the limits.
//! - [`processes`]: how each process of a run began and ended.
//! - [`outcome`]: the four outcomes. [`pace`]: how many times as fast as in production a run went.
//!
//! Files are read and written here; nothing is asked over a network, and no time is taken: who appends says when.

pub mod audit;
mod crossing;
pub mod events;
mod finding;
pub mod history;
mod hops;
mod limit;
mod micros;
mod operation;
pub mod outcome;
pub mod pace;
mod percentile;
pub mod processes;
pub mod rate;
mod row_summary;
mod samples;
mod storage_names;
mod traffic;
mod usage;

/// Latencies: samples by hop, limits, and how they were judged.
pub mod latency {
    pub use crate::hops::{Circumstances, Hop, Hops, ParseHopError, WITHOUT_PLAN};
    pub use crate::limit::{LatencyLimit, LatencyVerdict, Untold};
    pub use crate::micros::Micros;
    pub use crate::percentile::{ParsePercentileError, Percentile, SAMPLES_BEYOND};
    pub use crate::samples::{HIGHEST_MICROS, Samples, SamplesError};
}

pub use crossing::{Answer, Claimed, Crossing, Handled, Happened, Pause, RowChange, fingerprint};
pub use operation::{Keys, Operation, Service};
pub use row_summary::{RowSummary, quoted};
pub use usage::{PartUsage, Usage};
