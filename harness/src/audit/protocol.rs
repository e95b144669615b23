//! The protocol: what a history must show of the consumers' way with messages, whatever the table looks like in the end.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use workflow::contract::{MessageId, RunId, Seq, Stamp};

use super::body::{Owner, owner_of_id};
use super::deliveries::Deliveries;
use super::finding::Findings;
use super::seen::Marks;
use super::starvation::{Starvation, StorageTime};
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
    /// How long storage kept requests waiting that nothing had broken on purpose.
    #[serde(default)]
    pub storage: StorageTime,
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
    deliveries: Deliveries,
    traffic: Traffic,
    starvation: Starvation,
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
            deliveries: Deliveries::default(),
            traffic: Traffic::default(),
            starvation: Starvation::default(),
            findings: Findings::default(),
        }
    }

    /// The next crossing.
    pub fn crossing(&mut self, crossing: &Crossing) {
        self.traffic.requests += 1;
        self.starvation.crossing(crossing);
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
                    self.delivered(crossing, message);
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
    pub fn finish(mut self) -> (Traffic, Vec<Finding>) {
        self.traffic.storage = self.starvation.finish();
        (self.traffic, self.findings.finish())
    }

    fn delivered(&mut self, crossing: &Crossing, message: &Handled) {
        let seq = message.id.as_deref().and_then(|id| self.seq_of(id));
        let live = self.live.entry(message.queue_id.clone()).or_default();
        live.seq = live.seq.or(seq);
        if let Some(seq) = live.seq {
            self.deliveries.add(seq, crossing, message);
        }
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
        let inserted = row.operation == Operation::InsertEntity;
        if let (true, Happened::Yes, Some(seq)) = (inserted, crossing.happened(), seq)
            && let Some(claimed) = &row.delivery
            && let Some(detail) = self.deliveries.contradict(seq, crossing, claimed)
        {
            let witness = || Witness::new(&row.keys.row, detail);
            self.findings.add(Violation::Misreported, witness);
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
        if let Some(seq) = live.seq {
            self.deliveries.forget(seq);
        }
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
mod tests;
