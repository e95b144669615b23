//! The processes of a run, as recorded in its log.

use contract::Stamp;

use crate::departures::{Cause, End};

/// The role of the processes under test.
pub const CONSUMER: &str = "consumer";

/// A process of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRecord {
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: String,
    /// Its process id.
    pub pid: Option<u32>,
    /// When it was started.
    pub started: Stamp,
    /// Its end; `None` if the log has none.
    pub exit: Option<ProcessExit>,
}

/// The end of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessExit {
    /// The time.
    pub at: Stamp,
    /// The status, such as `exit status: 0`.
    pub status: String,
    /// Whether the run expected this end.
    pub expected: bool,
    /// The last lines of its log, if the end was not expected; empty if the log is empty.
    pub last_lines: Option<String>,
    /// Whether it ended by itself and was started again, as the workload's description allows.
    pub restarted: bool,
    /// How it ended; `None`: the log does not say.
    pub end: Option<End>,
    /// Why it ended; `None`: the log does not say.
    pub cause: Option<Cause>,
}
