//! How consumers end.

use std::process::ExitStatus;
use std::time::Duration;

use crate::outcome::Unmet;

/// How a consumer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Its name.
    pub name: String,
    /// How it ended, such as `exit status: 0` or `signal: 9 (SIGKILL)`.
    pub status: ExitStatus,
    /// Whether it ended when it was asked to and as it should.
    pub orderly: bool,
    /// How long it took from its SIGTERM; zero when nobody asked it.
    pub after: Duration,
    /// Messages that it had in its hands when it was asked.
    pub held: u64,
    /// The same in words, such as `consumer-3 ended unasked: exit status: 0`.
    pub sentence: String,
    /// The last lines of its log, and where that is.
    pub tail: String,
}

impl Departure {
    /// An error unless it ended in order.
    pub fn ensure_orderly(&self) -> anyhow::Result<()> {
        if self.orderly {
            return Ok(());
        }
        Err(Unmet(format!("{}\n{}", self.sentence, self.tail)).into())
    }
}
