//! What the history of a run tells of messages that came twice, and of consumers that took more than they should have.

use std::collections::HashMap;

use workflow::contract::Stamp;

use super::Run;
use crate::wire::{Crossing, Happened, Operation};

impl Run {
    /// When `client` asked for messages and got some for the first time after `since`; `None`: it did not.
    pub fn received_after(&self, client: &str, since: Stamp) -> anyhow::Result<Option<Stamp>> {
        for crossing in self.history()?.read()? {
            let crossing = crossing?;
            let took = crossing.operation == Operation::ReceiveMessages
                && crossing.happened() == Happened::Yes
                && !crossing.messages.is_empty();
            if took && crossing.client == client && crossing.began > since {
                return Ok(Some(crossing.began));
            }
        }
        Ok(None)
    }

    /// How often a message was delivered again though nobody had handed it back: its lease had run out.
    pub fn lapsed(&self) -> anyhow::Result<u64> {
        let mut lapses = Lapses::default();
        for crossing in self.history()?.read()? {
            lapses.take(&crossing?);
        }
        Ok(lapses.count())
    }
}

/// Deliveries and hand-backs of each message, by the queue's id. Both are counted, and not matched: the answers to a hand-back
/// and to the receive that came of it may be written down in either order.
#[derive(Debug, Default)]
struct Lapses(HashMap<String, (u64, u64)>);

impl Lapses {
    fn take(&mut self, crossing: &Crossing) {
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

    fn count(&self) -> u64 {
        let unexplained =
            |(deliveries, handed_back): &(u64, u64)| deliveries.saturating_sub(handed_back + 1);
        self.0.values().map(unexplained).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Answer, Handled};

    fn crossing(
        operation: Operation,
        message: &str,
        hidden_s: Option<u32>,
        status: u16,
    ) -> Crossing {
        Crossing {
            client: "consumer-1".to_owned(),
            operation,
            resource: "q".to_owned(),
            began: Stamp::from_micros(1),
            ended: Stamp::from_micros(2),
            answer: Answer::Status(status, None),
            failed_part: None,
            fault: None,
            unheard: false,
            messages: vec![Handled {
                queue_id: message.to_owned(),
                hidden_s,
                ..Handled::default()
            }],
            rows: vec![],
        }
    }

    fn lapses(crossings: &[Crossing]) -> u64 {
        let mut lapses = Lapses::default();
        for crossing in crossings {
            lapses.take(crossing);
        }
        lapses.count()
    }

    #[test]
    fn only_what_nobody_handed_back_has_lapsed() {
        let receive = |message| crossing(Operation::ReceiveMessages, message, None, 200);
        let hand_back = |status| crossing(Operation::UpdateMessage, "a", Some(0), status);
        let renew = crossing(Operation::UpdateMessage, "a", Some(4), 204);
        assert_eq!(lapses(&[receive("a"), receive("b")]), 0);
        assert_eq!(lapses(&[receive("a"), hand_back(204), receive("a")]), 0);
        assert_eq!(lapses(&[receive("a"), receive("a"), hand_back(204)]), 0);
        assert_eq!(lapses(&[receive("a"), hand_back(500), receive("a")]), 0);
        assert_eq!(lapses(&[receive("a"), hand_back(404), receive("a")]), 1);
        assert_eq!(lapses(&[receive("a"), renew, receive("a")]), 1);
        assert_eq!(lapses(&[receive("a"), receive("a"), receive("a")]), 2);
    }
}
