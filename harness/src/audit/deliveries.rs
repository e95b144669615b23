//! Whether a row tells of its delivery what the wire has seen of it: else a consumer that invents a time, or a number of
//! attempts, would pass every limit on them.

use std::collections::HashMap;

use workflow::contract::{Seq, Stamp};

use crate::wire::{Claimed, Crossing, Handled};

/// How far a consumer's clock may be from the harness's, which it shares: both are processes of one machine. The slack is for
/// a clock that is set while they run.
const CLOCK: i64 = 1_000_000;

/// Deliveries of messages that are not yet deleted, by message.
#[derive(Debug, Default)]
pub(super) struct Deliveries(HashMap<Seq, Vec<Delivery>>);

#[derive(Debug)]
struct Delivery {
    client: String,
    attempt: u32,
    /// When the request began whose answer it was: the consumer cannot have had it before.
    began: Stamp,
}

impl Deliveries {
    /// `message` was handed over in answer to `crossing`.
    pub(super) fn add(&mut self, seq: Seq, crossing: &Crossing, message: &Handled) {
        if let Some(attempt) = message.attempt {
            self.0.entry(seq).or_default().push(Delivery {
                client: crossing.client.clone(),
                attempt,
                began: crossing.began,
            });
        }
    }

    /// The message is deleted.
    pub(super) fn forget(&mut self, seq: Seq) {
        self.0.remove(&seq);
    }

    /// What is not so of what a row, stored by the insert `crossing`, claims; `None` where nothing speaks against it.
    pub(super) fn contradict(
        &self,
        seq: Seq,
        crossing: &Crossing,
        claimed: &Claimed,
    ) -> Option<String> {
        let client = &crossing.client;
        if claimed.consumer != *client {
            return Some(format!(
                "`consumer` is {:?}, and {client} inserted the row",
                claimed.consumer
            ));
        }
        // What it was given by an answer that nobody could read is not known.
        let own: Vec<_> = self.0.get(&seq)?.iter().collect();
        let own: Vec<_> = own.into_iter().filter(|it| it.client == *client).collect();
        let last = own.last()?;
        let Some(delivery) = own.iter().find(|it| it.attempt == claimed.attempt) else {
            return Some(format!(
                "`attempt` is {}, and {client} got the message as delivery {}",
                claimed.attempt, last.attempt
            ));
        };
        let asked = crossing.began.as_micros().saturating_add(CLOCK);
        if claimed.dequeued.as_micros().saturating_add(CLOCK) < delivery.began.as_micros() {
            return Some(format!(
                "`dequeuedStamp` is {}, before {client} had asked for the message, at {}",
                claimed.dequeued, delivery.began
            ));
        }
        let late = [
            ("dequeuedStamp", claimed.dequeued),
            ("dateStamp", claimed.date),
        ];
        let late = late.into_iter().find(|(_, at)| at.as_micros() > asked);
        late.map(|(column, at)| {
            format!(
                "`{column}` is {at}, after {client} had sent the row, at {}",
                crossing.began
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Answer, Operation};

    const SECOND: i64 = 1_000_000;

    fn crossing(client: &str, operation: Operation, began_s: i64) -> Crossing {
        let at = Stamp::from_micros(began_s * SECOND);
        Crossing {
            client: client.to_owned(),
            operation,
            resource: String::new(),
            began: at,
            ended: at,
            answer: Answer::Status(201, None),
            failed_part: None,
            fault: None,
            unheard: false,
            messages: vec![],
            rows: vec![],
        }
    }

    /// Of message 7: consumer-1 got it first, at 10 s, consumer-2 at 40 s.
    fn deliveries() -> (Deliveries, Seq) {
        let (mut deliveries, seq) = (Deliveries::default(), Seq::new(7).unwrap());
        for (client, attempt, at) in [("consumer-1", 1, 10), ("consumer-2", 2, 40)] {
            let message = Handled {
                attempt: Some(attempt),
                ..Handled::default()
            };
            let receive = crossing(client, Operation::ReceiveMessages, at);
            deliveries.add(seq, &receive, &message);
        }
        (deliveries, seq)
    }

    fn claimed(consumer: &str, attempt: u32, dequeued_s: i64, date_s: i64) -> Claimed {
        Claimed {
            dequeued: Stamp::from_micros(dequeued_s * SECOND),
            date: Stamp::from_micros(date_s * SECOND),
            attempt,
            consumer: consumer.to_owned(),
        }
    }

    #[test]
    fn what_was_so_is_not_contradicted_though_the_message_has_gone_on_to_another() {
        let (deliveries, seq) = deliveries();
        let at_50 = |client| crossing(client, Operation::InsertEntity, 50);
        for (client, attempt, dequeued) in [("consumer-1", 1, 10), ("consumer-2", 2, 41)] {
            let row = claimed(client, attempt, dequeued, 50);
            assert_eq!(deliveries.contradict(seq, &at_50(client), &row), None);
        }
        // It says nothing of a message that it has not seen handed over.
        let unseen = claimed("consumer-1", 9, 0, 0);
        let other = Seq::new(8).unwrap();
        assert_eq!(
            deliveries.contradict(other, &at_50("consumer-1"), &unseen),
            None
        );
    }

    #[test]
    fn what_was_not_so_is_named() {
        let (deliveries, seq) = deliveries();
        let insert = crossing("consumer-2", Operation::InsertEntity, 50);
        for (row, text) in [
            (
                claimed("consumer-1", 1, 41, 50),
                "`consumer` is \"consumer-1\"",
            ),
            (
                claimed("consumer-2", 1, 41, 50),
                "`attempt` is 1, and consumer-2 got the message as delivery 2",
            ),
            (
                claimed("consumer-2", 2, 38, 50),
                "before consumer-2 had asked",
            ),
            (
                claimed("consumer-2", 2, 36_041, 36_050),
                "`dequeuedStamp` is 1970-01-01 10:00:41",
            ),
            (claimed("consumer-2", 2, 41, 52), "`dateStamp` is"),
        ] {
            let found = deliveries.contradict(seq, &insert, &row).unwrap();
            assert!(found.contains(text), "{found}");
        }
    }
}
