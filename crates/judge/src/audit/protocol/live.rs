//! What is known of a message that has been handed over and not been deleted.

use contract::{Seq, Stamp};
use evidence::{Crossing, Handled, Operation};

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
    /// A part of it that was put into the poison queue since it was last whole there will vanish.
    part_vanishes: bool,
    /// The same of any part, in words.
    pub(super) vanishing: Option<String>,
    pub(super) refused: Option<Refused>,
    pub(super) hand_overs: HandOvers,
    /// Who has received it.
    pub(super) receivers: Vec<String>,
    /// The print of the body that was handed over.
    pub(super) print: Option<u64>,
    /// A delete of it has had no answer.
    pub(super) may_be_deleted: bool,
}

/// For how many seconds a message of the poison queue has to stay at least: seven days, which is what storage keeps a message for where
/// nothing is said ("Put Message", `messagettl`). A person has to see it.
const STAYS_S: u64 = 7 * 24 * 60 * 60;

impl Live {
    /// It was put into the poison queue, whole with this `message`: safe there only where storage keeps all of its parts.
    pub(super) fn put_aside(&mut self, crossing: &Crossing, message: &Handled) {
        self.put_in_part(crossing, message);
        if !std::mem::take(&mut self.part_vanishes) {
            self.set_aside = Some(crossing.ended);
        }
    }

    /// A part of it was put into the poison queue with this `message`.
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
