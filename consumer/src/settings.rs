//! The settings of the protocol, from whatever source.

use std::time::Duration;

use workflow::backoff::Backoff;

use crate::work::Work;
use crate::writer::Limits;

/// Settings of one consumer, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The consumer's name in every row.
    pub(crate) name: String,
    /// The node's name in every row.
    pub(crate) node: String,
    /// Most messages leased at a time.
    pub(crate) concurrency: usize,
    /// Whole seconds.
    pub(crate) visibility: Duration,
    /// A message delivered more often than this is poison.
    pub(crate) max_attempts: u32,
    pub(crate) work: Work,
    pub(crate) limits: Limits,
    /// Waits between polls of an empty queue.
    pub(crate) idle: Backoff,
    /// Time for the drain, from the first signal on.
    pub(crate) grace: Duration,
    /// How long storage may be unavailable at the start.
    pub(crate) start_timeout: Duration,
    pub(crate) exit_when_idle: Option<Duration>,
    /// Whether a missing queue or table is created.
    pub(crate) create: bool,
}
