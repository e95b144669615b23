//! How often messages came back because their leases had run out.

use std::collections::HashMap;

use evidence::{Crossing, Happened, Operation};

/// Number of deliveries and of hand-backs of each message, by its message id in the queue. The two are counted and not paired,
/// because a hand-back and the receive that follows from it may be recorded in either order.
#[derive(Debug, Default)]
pub(super) struct Lapses(HashMap<String, (u64, u64)>);

impl Lapses {
    /// Adds the next crossing.
    pub(super) fn take(&mut self, crossing: &Crossing) {
        let is_receive = match crossing.operation {
            Operation::ReceiveMessages => true,
            Operation::UpdateMessage => false,
            _ => return,
        };
        let counts = match crossing.happened() {
            Happened::Yes => true,
            // A hand-back that may have happened explains a delivery.
            Happened::Unknown => !is_receive,
            Happened::No => false,
        };
        for message in crossing.messages.iter().filter(|_| counts) {
            let (deliveries, handed_back) = self.0.entry(message.queue_id.clone()).or_default();
            if is_receive {
                *deliveries += 1;
            } else if message.hidden_s == Some(0) {
                *handed_back += 1;
            }
        }
    }

    /// How often a message was delivered again without a hand-back.
    pub(super) fn count(&self) -> u64 {
        let unexplained =
            |(deliveries, handed_back): &(u64, u64)| deliveries.saturating_sub(handed_back + 1);
        self.0.values().map(unexplained).sum()
    }
}
