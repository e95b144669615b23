//! What is known of a message that has been handed over and not been deleted.

use contract::{Seq, Stamp};
use evidence::Operation;

use crate::audit::account::HandOvers;

/// A message of the queue that has been handed over and not been deleted.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) seq: Option<Seq>,
    /// Which of the run's queues it is in.
    pub(super) queue: usize,
    pub(super) redelivered: bool,
    /// When it was whole in the poison queue.
    pub(super) set_aside: Option<Stamp>,
    pub(super) refused: Option<Refused>,
    pub(super) hand_overs: HandOvers,
    /// Who has received it.
    pub(super) receivers: Vec<String>,
    /// The print of the body that was handed over.
    pub(super) print: Option<u64>,
    /// A delete of it has had no answer.
    pub(super) may_be_deleted: bool,
}

/// A request on a message that was refused for good, and whose client knows it.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) client: String,
    pub(super) operation: Operation,
    pub(super) receipt: Option<String>,
    /// When the client heard it.
    pub(super) since: Stamp,
    /// How often it has asked the same again since then.
    pub(super) repeats: u32,
}
