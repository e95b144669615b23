//! State of a message that was handed over and not deleted.

use contract::{Seq, Stamp};
use evidence::{Crossing, Handled, Operation};

use crate::audit::account::HandOvers;

/// A message of the queue that was handed over and not deleted.
#[derive(Debug, Clone, Default)]
pub(super) struct Live {
    pub(super) seq: Option<Seq>,
    /// The index of its queue among the run's.
    pub(super) queue: usize,
    pub(super) redelivered: bool,
    /// When it was completely in the poison queue.
    pub(super) set_aside: Option<Stamp>,
    /// Whether a part that was put into the poison queue since the message was last complete there will expire too early.
    part_vanishes: bool,
    /// Description of any part that will expire too early.
    pub(super) vanishing: Option<String>,
    pub(super) refused: Option<Refused>,
    pub(super) hand_overs: HandOvers,
    /// The clients that have received it.
    pub(super) receivers: Vec<String>,
    /// What an envelope of it is compared with.
    pub(super) told: ToldOf,
    /// The fingerprint of the body that was handed over.
    pub(super) print: Option<u64>,
    /// Whether a delete of it had no answer.
    pub(super) may_be_deleted: bool,
}

/// What an envelope of a message may tell of its deliveries.
#[derive(Debug, Clone, Default)]
pub(super) struct ToldOf {
    /// Each hand-over that the wire has seen, with its delivery count.
    pub(super) handed: Vec<Handed>,
    /// Whether an envelope was found to tell of another delivery.
    pub(super) is_misreported: bool,
}

/// One hand-over of a message.
#[derive(Debug, Clone)]
pub(super) struct Handed {
    pub(super) client: String,
    pub(super) attempt: Option<u32>,
    /// When storage had answered the receive: the consumer cannot have had the message earlier.
    pub(super) ended: Stamp,
}

/// Minimum time to live of a message in the poison queue, in seconds: seven days, storage's default ("Put Message",
/// `messagettl`), so that a person can see it.
const STAYS_S: u64 = 7 * 24 * 60 * 60;

impl Live {
    /// Records that `message` completes the message in the poison queue. It is safe there only if no part expires too early.
    pub(super) fn put_aside(&mut self, crossing: &Crossing, message: &Handled) {
        self.put_in_part(crossing, message);
        if !std::mem::take(&mut self.part_vanishes) {
            self.set_aside = Some(crossing.ended);
        }
    }

    /// Records that `message` puts a part of it into the poison queue.
    pub(super) fn put_in_part(&mut self, crossing: &Crossing, message: &Handled) {
        if let Some(seconds) = message.lives_s.filter(|seconds| *seconds < STAYS_S) {
            let queue = &crossing.resource;
            self.part_vanishes = true;
            self.vanishing = Some(format!(
                "it has put it into {queue:?} for {seconds} s only (messagettl), where it has to stay for seven days or more"
            ));
        }
    }
}

/// A request on a message that was refused for good, as its client knows.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) client: String,
    pub(super) operation: Operation,
    pub(super) receipt: Option<String>,
    /// When the client got the refusal.
    pub(super) since: Stamp,
    /// How often the client has repeated the same request since then.
    pub(super) repeats: u32,
}
