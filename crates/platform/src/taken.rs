//! Resources that processes use on their machine.

use std::time::Duration;

/// The kinds of processes of a run, in the order of a message's way.
pub const PARTS: [&str; 4] = ["generators", "wire and harness", "storage", "consumers"];

/// Resources that one process has used since its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The kind of the process, one of [`PARTS`].
    pub part: &'static str,
    /// The name of the process within the run.
    pub process: String,
    /// CPU time of all of its threads.
    pub cpu: Duration,
    /// The most memory that it ever had resident, in KiB.
    pub peak_kib: u64,
}
