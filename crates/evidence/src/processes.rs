//! The processes of a run, as its log tells of them.

use contract::Stamp;

/// The role of the processes under test.
pub const CONSUMER: &str = "consumer";

/// A process of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRecord {
    /// Its name.
    pub name: String,
    /// What it does.
    pub role: String,
    /// Its process id.
    pub pid: Option<u32>,
    /// When it was started.
    pub started: Stamp,
    /// How it ended; `None` when the log does not tell.
    pub exit: Option<ProcessExit>,
}

/// The end of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessExit {
    /// When.
    pub at: Stamp,
    /// How, such as `exit status: 0`.
    pub status: String,
    /// Whether the run meant it to end so.
    pub expected: bool,
    /// The last lines of its log, when it was not; empty when it had said nothing.
    pub last_lines: Option<String>,
    /// Whether it ended by itself and was started again, as the description of its workload allows.
    pub restarted: bool,
}
