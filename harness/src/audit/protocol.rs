//! The protocol: what a history must show of the consumers' way with messages, whatever the table looks like in the end.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use workflow::contract::{MessageId, RunId, Seq, Stamp};

use super::body::{Owner, owner_of_id};
use super::finding::Findings;
use super::seen::Marks;
use super::{Finding, Violation, Witness};
use crate::wire::{Crossing, Handled, Happened, Operation, RowChange};

/// How often a client may repeat a request on a message though it has heard that storage refuses it for good. Once may be a
/// second thought; twice is a loop.
const MOST_REPEATS: u32 = 1;

/// What a history told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Requests written down.
    pub requests: u64,
    /// Hand-overs of a message to a consumer.
    pub deliveries: u64,
    /// Messages of the queue that were handed over more than once.
    pub redelivered: u64,
    /// What each client did.
    pub clients: BTreeMap<String, ClientTraffic>,
}

/// What one client did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientTraffic {
    /// Requests of any kind.
    pub requests: u64,
    /// Requests to receive messages that storage answered.
    pub receives: u64,
    /// Messages received.
    pub deliveries: u64,
    /// Leases renewed.
    pub renewals: u64,
    /// Messages handed back, with visibility 0.
    pub handed_back: u64,
    /// Messages deleted.
    pub deletes: u64,
}

/// A message of the queue that has been handed over and not been deleted.
#[derive(Debug, Default)]
struct Live {
    seq: Option<Seq>,
    redelivered: bool,
    /// When it was whole in the poison queue.
    set_aside: Option<Stamp>,
    refused: Option<Refused>,
}

/// A request on a message that was refused for good, and whose client knows it.
#[derive(Debug)]
struct Refused {
    client: String,
    operation: Operation,
    receipt: Option<String>,
    /// When the client heard it.
    since: Stamp,
    /// How often it has asked the same again since then.
    repeats: u32,
}

/// Judges a history, crossing by crossing, in its order.
#[derive(Debug)]
pub struct Protocol {
    run: RunId,
    last: u64,
    /// Messages whose row was stored.
    stored: Marks,
    /// When, for those whose message is not yet deleted.
    stored_at: HashMap<Seq, Stamp>,
    live: HashMap<String, Live>,
    traffic: Traffic,
    findings: Findings,
}

impl Protocol {
    /// A judge of `run`, whose sequence numbers end at `last`.
    pub fn new(run: RunId, last: u64) -> Self {
        Self {
            run,
            last,
            stored: Marks::new(last),
            stored_at: HashMap::new(),
            live: HashMap::new(),
            traffic: Traffic::default(),
            findings: Findings::default(),
        }
    }

    /// The next crossing.
    pub fn crossing(&mut self, crossing: &Crossing) {
        self.traffic.requests += 1;
        let client = self
            .traffic
            .clients
            .entry(crossing.client.clone())
            .or_default();
        client.requests += 1;
        let happened = crossing.happened();
        match crossing.operation {
            Operation::ReceiveMessages if happened == Happened::Yes => {
                client.receives += 1;
                client.deliveries += crossing.messages.len() as u64;
                self.traffic.deliveries += crossing.messages.len() as u64;
                for message in &crossing.messages {
                    self.delivered(message);
                }
            }
            Operation::UpdateMessage | Operation::DeleteMessage => {
                let Some(message) = crossing.messages.first() else {
                    return;
                };
                if happened == Happened::Yes {
                    let count = match (crossing.operation, message.hidden_s) {
                        (Operation::DeleteMessage, _) => &mut client.deletes,
                        (_, Some(0)) => &mut client.handed_back,
                        _ => &mut client.renewals,
                    };
                    *count += 1;
                }
                self.refused(crossing, message);
                if crossing.operation == Operation::DeleteMessage {
                    self.deleted(crossing, message);
                }
            }
            Operation::PutMessage if happened == Happened::Yes => {
                for message in &crossing.messages {
                    let about = message
                        .poisons
                        .as_ref()
                        .and_then(|id| self.live.get_mut(id));
                    if let Some(live) = about {
                        live.set_aside = Some(crossing.ended);
                    }
                }
            }
            _ => {
                for row in &crossing.rows {
                    self.touched(crossing, row);
                }
            }
        }
    }

    /// What was found.
    pub fn finish(self) -> (Traffic, Vec<Finding>) {
        (self.traffic, self.findings.finish())
    }

    fn delivered(&mut self, message: &Handled) {
        let seq = message.id.as_deref().and_then(|id| self.seq_of(id));
        let live = self.live.entry(message.queue_id.clone()).or_default();
        live.seq = live.seq.or(seq);
        if message.attempt > Some(1) && !live.redelivered {
            live.redelivered = true;
            self.traffic.redelivered += 1;
        }
    }

    /// A row was named: by an insert, a transaction, a read or something that the contract does not have.
    fn touched(&mut self, crossing: &Crossing, row: &RowChange) {
        let seq = self.seq_of(&row.keys.row);
        let exists = match (row.operation, crossing.happened()) {
            (Operation::DeleteEntity, _) => false,
            (_, Happened::Yes) => true,
            // Refused because the row is there: that is where a second delivery learns that it was done.
            (Operation::InsertEntity, Happened::No) => {
                crossing.status() == Some(409)
                    && crossing.code() == Some("EntityAlreadyExists")
                    // Of a transaction, only the row that storage blames: of the others it says nothing.
                    && row.part == crossing.failed_part
            }
            _ => false,
        };
        if let (true, Some(seq)) = (exists, seq)
            && !self.stored.mark(seq)
        {
            self.stored_at.insert(seq, crossing.ended);
        }
        let overwrites = matches!(
            row.operation,
            Operation::UpdateEntity | Operation::UpsertEntity | Operation::DeleteEntity
        );
        if overwrites && crossing.happened() != Happened::No {
            self.findings.add(Violation::Overwritten, || {
                let detail = format!(
                    "{} changed the row with {}; rows are inserted, and never changed",
                    crossing.client, row.operation
                );
                Witness::new(&row.keys.row, detail)
            });
        }
    }

    fn deleted(&mut self, crossing: &Crossing, message: &Handled) {
        if crossing.happened() == Happened::No {
            return;
        }
        // A delete whose answer is lost may be repeated: it is judged when it may have happened first.
        let Some(live) = self.live.remove(&message.queue_id) else {
            return;
        };
        let before = |at: Option<Stamp>| at.is_some_and(|at| at <= crossing.began);
        let stored = live.seq.is_some_and(|seq| {
            self.stored.has(seq)
                && self
                    .stored_at
                    .remove(&seq)
                    .is_none_or(|at| at <= crossing.began)
        });
        if stored || before(live.set_aside) {
            return;
        }
        let subject = subject(&self.run, live.seq, message);
        self.findings.add(Violation::Unsecured, || {
            let detail = format!(
                "{} deleted the message before storage had confirmed its row, or its poison message",
                crossing.client
            );
            Witness::new(subject, detail)
        });
    }

    /// Counts refusals that no repetition cures: 404, and 400 for a receipt that is no longer valid.
    fn refused(&mut self, crossing: &Crossing, message: &Handled) {
        let for_good = matches!(crossing.status(), Some(400 | 404));
        let Some(live) = self.live.get_mut(&message.queue_id).filter(|_| for_good) else {
            return;
        };
        let same = |refused: &&mut Refused| {
            (&refused.client, refused.operation, &refused.receipt)
                == (&crossing.client, crossing.operation, &message.receipt)
        };
        let Some(refused) = live.refused.as_mut().filter(same) else {
            if crossing.was_heard() {
                live.refused = Some(Refused {
                    client: crossing.client.clone(),
                    operation: crossing.operation,
                    receipt: message.receipt.clone(),
                    since: crossing.ended,
                    repeats: 0,
                });
            }
            return;
        };
        if crossing.began <= refused.since {
            return;
        }
        refused.repeats += 1;
        let repeats = refused.repeats;
        if repeats == MOST_REPEATS + 1 {
            let subject = subject(&self.run, live.seq, message);
            self.findings.add(Violation::Stubborn, || {
                let detail = format!(
                    "{} repeats {} with a receipt that it has heard to be refused, {repeats} times",
                    crossing.client, crossing.operation
                );
                Witness::new(subject, detail)
            });
        }
    }

    fn seq_of(&self, id: &str) -> Option<Seq> {
        match owner_of_id(&self.run, id) {
            Owner::Ours(seq) if seq.get() <= self.last => Some(seq),
            _ => None,
        }
    }
}

/// A message by its id, or by that of the queue where it carries none.
fn subject(run: &RunId, seq: Option<Seq>, message: &Handled) -> String {
    seq.map_or_else(
        || format!("queue message {}", message.queue_id),
        |seq| MessageId::new(run.clone(), seq).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Answer, Keys};

    /// A history of one message, told step by step, each a microsecond after the one before.
    struct Told {
        protocol: Protocol,
        clock: i64,
    }

    impl Told {
        fn new() -> Self {
            Self {
                protocol: Protocol::new("r1".parse().unwrap(), 10),
                clock: 0,
            }
        }

        fn step(&mut self, operation: Operation, status: u16, fill: impl FnOnce(&mut Crossing)) {
            self.clock += 2;
            let code = (status == 409).then(|| "EntityAlreadyExists".to_owned());
            let mut crossing = Crossing {
                client: "consumer-1".to_owned(),
                operation,
                resource: String::new(),
                began: Stamp::from_micros(self.clock),
                ended: Stamp::from_micros(self.clock + 1),
                answer: Answer::Status(status, code),
                failed_part: None,
                fault: None,
                unheard: false,
                messages: vec![],
                rows: vec![],
            };
            fill(&mut crossing);
            self.protocol.crossing(&crossing);
        }

        fn receive(&mut self, attempt: u32) {
            self.step(Operation::ReceiveMessages, 200, |crossing| {
                crossing.messages.push(Handled {
                    queue_id: "m7".to_owned(),
                    id: Some("r1-7".to_owned()),
                    attempt: Some(attempt),
                    ..Handled::default()
                });
            });
        }

        fn row(&mut self, operation: Operation, status: u16) {
            self.step(operation, status, |crossing| {
                crossing.rows.push(RowChange {
                    operation,
                    keys: Keys {
                        partition: "r1.00".to_owned(),
                        row: "r1-7".to_owned(),
                    },
                    part: None,
                    digest: None,
                });
            });
        }

        /// A transaction that inserts the row second of three, and is refused with 409 because of `blamed`.
        fn refused_transaction(&mut self, blamed: Option<usize>) {
            self.step(Operation::Transaction, 409, |crossing| {
                crossing.failed_part = blamed;
                crossing.rows = (6..=8)
                    .zip(0..)
                    .map(|(seq, part)| row_of(seq, part))
                    .collect();
            });
        }

        fn on_message(&mut self, operation: Operation, status: u16) {
            self.step(operation, status, |crossing| {
                crossing.messages.push(Handled {
                    queue_id: "m7".to_owned(),
                    ..Handled::default()
                });
            });
        }

        fn poison(&mut self, status: u16) {
            self.step(Operation::PutMessage, status, |crossing| {
                crossing.messages.push(Handled {
                    poisons: Some("m7".to_owned()),
                    ..Handled::default()
                });
            });
        }

        fn violations(self) -> Vec<Violation> {
            let (_, findings) = self.protocol.finish();
            findings.iter().map(|finding| finding.violation).collect()
        }
    }

    fn row_of(seq: u64, part: usize) -> RowChange {
        RowChange {
            operation: Operation::InsertEntity,
            keys: Keys {
                partition: "r1.00".to_owned(),
                row: format!("r1-{seq}"),
            },
            part: Some(part),
            digest: None,
        }
    }

    use Operation::{DeleteEntity, DeleteMessage, InsertEntity, UpdateMessage, UpsertEntity};

    #[test]
    fn a_good_history_passes_and_is_counted() {
        let mut told = Told::new();
        told.receive(1);
        told.on_message(UpdateMessage, 204);
        told.row(InsertEntity, 201);
        told.on_message(DeleteMessage, 204);
        let (traffic, findings) = told.protocol.finish();
        assert_eq!(findings, []);
        assert_eq!(
            (traffic.requests, traffic.deliveries, traffic.redelivered),
            (4, 1, 0)
        );
        let client = &traffic.clients["consumer-1"];
        assert_eq!(
            (client.receives, client.renewals, client.deletes),
            (1, 1, 1)
        );
    }

    #[test]
    fn a_second_delivery_may_find_the_row_and_delete() {
        let mut told = Told::new();
        told.receive(1);
        told.row(InsertEntity, 201);
        told.receive(2);
        told.row(InsertEntity, 409);
        told.on_message(DeleteMessage, 204);
        assert_eq!(told.protocol.traffic.redelivered, 1);
        assert_eq!(told.violations(), []);
    }

    #[test]
    fn a_refused_transaction_proves_the_row_that_it_blames_and_no_other() {
        for (blamed, found) in [
            (Some(1), vec![]),
            (Some(0), vec![Violation::Unsecured]),
            (Some(2), vec![Violation::Unsecured]),
            (None, vec![Violation::Unsecured]),
        ] {
            let mut told = Told::new();
            told.receive(2);
            told.refused_transaction(blamed);
            told.on_message(DeleteMessage, 204);
            assert_eq!(told.violations(), found, "{blamed:?}");
        }
    }

    #[test]
    fn a_delete_before_the_row_is_confirmed_is_found() {
        for (insert, status) in [(None, 204), (Some(500), 204), (Some(503), 204), (None, 500)] {
            let mut told = Told::new();
            told.receive(1);
            if let Some(insert) = insert {
                told.row(InsertEntity, insert);
            }
            told.on_message(DeleteMessage, status);
            told.row(InsertEntity, 201);
            assert_eq!(
                told.violations(),
                [Violation::Unsecured],
                "{insert:?} {status}"
            );
        }
    }

    #[test]
    fn a_delete_that_overtakes_its_insert_is_found() {
        let mut told = Told::new();
        told.receive(1);
        told.row(InsertEntity, 201);
        told.step(DeleteMessage, 204, |crossing| {
            crossing.messages.push(Handled {
                queue_id: "m7".to_owned(),
                ..Handled::default()
            });
            // Asked for while the insert was under way.
            crossing.began = Stamp::from_micros(4);
        });
        assert_eq!(told.violations(), [Violation::Unsecured]);
    }

    #[test]
    fn a_delete_after_the_poison_put_is_right_and_before_it_is_not() {
        let mut right = Told::new();
        right.receive(1);
        right.poison(201);
        right.on_message(DeleteMessage, 204);
        assert_eq!(right.violations(), []);
        let mut refused = Told::new();
        refused.receive(1);
        refused.poison(503);
        refused.on_message(DeleteMessage, 204);
        assert_eq!(refused.violations(), [Violation::Unsecured]);
    }

    #[test]
    fn changing_a_row_is_found() {
        for operation in [UpsertEntity, Operation::UpdateEntity, DeleteEntity] {
            let mut told = Told::new();
            told.receive(1);
            told.row(operation, 204);
            assert_eq!(told.violations(), [Violation::Overwritten], "{operation}");
        }
    }

    #[test]
    fn a_client_that_does_not_take_no_for_an_answer_is_found() {
        for (refusals, found) in [
            (2, vec![]),
            (3, vec![Violation::Stubborn]),
            (9, vec![Violation::Stubborn]),
        ] {
            let mut told = Told::new();
            told.receive(1);
            for _ in 0..refusals {
                told.on_message(DeleteMessage, 404);
            }
            assert_eq!(told.violations(), found, "{refusals}");
        }
        // A client that hears of none of them, and one that had asked again before it heard.
        for (unheard, late) in [(true, false), (false, true)] {
            let mut told = Told::new();
            told.receive(1);
            let heard = told.clock + 100;
            for _ in 0..9 {
                told.step(DeleteMessage, 404, |crossing| {
                    crossing.unheard = unheard;
                    if late {
                        crossing.ended = Stamp::from_micros(heard);
                    }
                    crossing.messages.push(Handled {
                        queue_id: "m7".to_owned(),
                        ..Handled::default()
                    });
                });
            }
            assert_eq!(told.violations(), [], "{unheard} {late}");
        }
        let mut busy = Told::new();
        busy.receive(1);
        for _ in 0..9 {
            busy.on_message(UpdateMessage, 503);
        }
        assert_eq!(busy.violations(), []);
    }
}
