//! The ends of workers, as a platform reports them: how each ended, why, and what it had in hand.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The number of SIGTERM, on every system that runs workers (POSIX, "kill").
const SIGTERM: i32 = 15;

/// How a process or container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// By itself, with this exit code.
    Exited(i32),
    /// A signal of this number ended it.
    Signalled(i32),
    /// Unknown to the platform.
    Unknown,
}

impl End {
    /// The exit code, if it ended by itself.
    pub const fn code(self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(code),
            Self::Signalled(_) | Self::Unknown => None,
        }
    }

    /// Whether SIGTERM ended it, with which a platform asks a worker to end.
    pub const fn is_by_sigterm(self) -> bool {
        matches!(self, Self::Signalled(SIGTERM))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit status: {code}"),
            Self::Signalled(9) => f.write_str("signal: 9 (SIGKILL)"),
            Self::Signalled(15) => f.write_str("signal: 15 (SIGTERM)"),
            Self::Signalled(signal) => write!(f, "signal: {signal}"),
            Self::Unknown => f.write_str("an unknown end"),
        }
    }
}

/// Why a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It ended by itself, without being told to.
    Unasked,
    /// It was told to end: by a scenario, because there were too many, or because the run is over.
    Told,
    /// Its node told it of its eviction.
    Notice,
    /// A scenario or the harness killed it.
    Killed,
    /// A fault on the wire killed it.
    Fault,
    /// It ended with its node.
    Evicted,
}

/// The end of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Its name.
    pub name: String,
    /// How its process ended.
    pub end: End,
    /// Why it ended.
    pub cause: Cause,
    /// Whether it ended as it should, or was killed on purpose.
    pub is_orderly: bool,
    /// Whether it ended by itself, which its description allows as a restart.
    pub is_restart: bool,
    /// Whether it was told to end while its process still started, and SIGTERM ended it: it had not begun to work.
    pub is_early: bool,
    /// Time from the request to end until the end; zero without a request.
    pub after: Duration,
    /// Messages that it had in hand when it was asked to end.
    pub held: u64,
    /// The departure in words, such as `consumer-3 ended unasked: exit status: 0`.
    pub sentence: String,
    /// The last lines of its log, and the log's path.
    pub tail: String,
}
