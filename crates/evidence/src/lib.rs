//! Types of the evidence that a run leaves behind: harness, platform and judge write and read them; nothing here judges.
//!
//! - [`events`]: the event log of a run; every report is made from it.
//! - [`Crossing`]: one request to storage and its answer. [`history`]: all crossings of a run, in order.
//! - [`audit`]: results of an audit. [`latency`]: samples by hop, limits, and verdicts on them.
//! - [`Usage`]: resources that a phase used on its machine. [`rate`]: rates that were tried, and the highest that keeps the
//!   limits.
//! - [`processes`]: start and end of each process of a run; [`nodes`]: each of its nodes, from joining the cluster until its end.
//! - [`departures`], [`evictions`]: how workers ended, and nodes were taken back, as the platform of a run reports it.
//! - [`poison`]: what was found in the poison queue.
//! - [`outcome`]: the four outcomes. [`pace`]: how many times faster than in production a run was.
//!
//! Only files are read and written, no network is used, and there is no clock: the caller that appends gives the time.

pub mod audit;
mod crossing;
pub mod departures;
pub mod events;
pub mod evictions;
mod finding;
pub mod history;
mod hops;
mod limit;
mod micros;
pub mod nodes;
mod operation;
pub mod outcome;
pub mod pace;
mod percentile;
pub mod poison;
pub mod processes;
pub mod rate;
mod row_summary;
mod samples;
mod storage_names;
mod traffic;
mod usage;

/// Latencies: samples by hop, limits, and verdicts on them.
pub mod latency {
    pub use crate::hops::{Circumstances, Hop, Hops, ParseHopError, WITHOUT_PLAN};
    pub use crate::limit::{LatencyLimit, LatencyVerdict, Untold};
    pub use crate::micros::Micros;
    pub use crate::percentile::{ParsePercentileError, Percentile, SAMPLES_BEYOND};
    pub use crate::samples::{HIGHEST_MICROS, Samples, SamplesError};
}

pub use crossing::{
    Answer, Claimed, Crossing, Handled, Happened, PRODUCER, Pause, RowChange, fingerprint,
};
pub use operation::{Keys, Operation, Service};
pub use row_summary::{RowSummary, quoted};
pub use usage::{PartUsage, Usage};
