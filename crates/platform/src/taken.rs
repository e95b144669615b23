//! What processes take of the machine that they run on.

use std::time::Duration;

/// The kinds of processes of a run, in the order of a message's way.
pub const PARTS: [&str; 4] = ["generators", "wire and harness", "storage", "consumers"];

/// What one process has taken since it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Which kind of process, one of [`PARTS`].
    pub part: &'static str,
    /// What tells it from others of the run.
    pub process: String,
    /// Processor time of all of its threads.
    pub cpu: Duration,
    /// The most memory that it had resident at once, in KiB.
    pub peak_kib: u64,
}
