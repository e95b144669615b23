//! What clients did to storage, and how long it kept them waiting, added up.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use contract::duration;
use serde::{Deserialize, Serialize};

use crate::{Crossing, Happened, Operation};

/// Kinds of requests that were not understood and are told apart; further ones are counted together.
const MOST_STRANGE: usize = 20;

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
    /// Requests that are in no reference of the service and may have changed something: what each has, and how many there were.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub strange: BTreeMap<String, u64>,
    /// The sum of all steps of the wall clock, in microseconds.
    #[serde(default)]
    pub clock_set_us: i64,
    /// How far the clocks of clients can be from the wire's at most, in microseconds, where they are not one.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub clocks_apart_us: u64,
    /// Rows whose claims could not be compared, since the wall clock was set meanwhile.
    #[serde(default)]
    pub untold_claims: u64,
    /// Rows whose stamps could not be compared, since the machine stood still before they were sent.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub starved_claims: u64,
    /// How long storage took to answer the requests that nothing had broken on purpose; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<AnswerTimes>,
    /// What each client did.
    pub clients: BTreeMap<String, ClientTraffic>,
    /// What went through each of the run's queues, where it has several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub queues: BTreeMap<String, QueueTraffic>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
const fn is_nothing(micros: &u64) -> bool {
    *micros == 0
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

/// How long storage took to answer, as the wire saw it, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is what its name says")]
pub struct AnswerTimes {
    pub count: u64,
    pub p50_us: i64,
    pub p99_us: i64,
    pub max_us: i64,
}

/// What went through one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QueueTraffic {
    /// Messages put into it.
    pub puts: u64,
    /// Hand-overs of its messages to consumers.
    pub deliveries: u64,
    /// Messages deleted from it.
    pub deletes: u64,
}

impl Traffic {
    /// Counts what one crossing did to the queue that it is about.
    pub fn of_queue(&mut self, crossing: &Crossing) {
        if crossing.happened() != Happened::Yes {
            return;
        }
        if !self.queues.contains_key(&crossing.resource) {
            let queue = QueueTraffic::default();
            self.queues.insert(crossing.resource.clone(), queue);
        }
        let queue = self.queues.get_mut(&crossing.resource);
        let queue = queue.expect("a queue that was just added must be there");
        match crossing.operation {
            Operation::PutMessage => queue.puts += 1,
            Operation::ReceiveMessages => queue.deliveries += crossing.messages.len() as u64,
            Operation::DeleteMessage => queue.deletes += 1,
            _ => {}
        }
    }

    /// Counts one crossing.
    pub fn crossing(&mut self, crossing: &Crossing) {
        self.requests += 1;
        let happened = crossing.happened();
        if let (Some(strange), true) = (&crossing.strange, happened != Happened::No) {
            let known = self.strange.len() < MOST_STRANGE || self.strange.contains_key(strange);
            let strange = if known { strange } else { "others" };
            *self.strange.entry(strange.to_owned()).or_default() += 1;
        }
        if !self.clients.contains_key(&crossing.client) {
            let client = ClientTraffic::default();
            self.clients.insert(crossing.client.clone(), client);
        }
        let client = self.clients.get_mut(&crossing.client);
        let client = client.expect("a client that was just added must be there");
        client.requests += 1;
        if happened != Happened::Yes {
            return;
        }
        match (crossing.operation, crossing.messages.first()) {
            (Operation::ReceiveMessages, _) => {
                let messages = crossing.messages.len() as u64;
                client.receives += 1;
                client.deliveries += messages;
                self.deliveries += messages;
            }
            (Operation::DeleteMessage, Some(_)) => client.deletes += 1,
            (Operation::UpdateMessage, Some(message)) if message.hidden_s == Some(0) => {
                client.handed_back += 1;
            }
            (Operation::UpdateMessage, Some(_)) => client.renewals += 1,
            _ => {}
        }
    }
}

/// The time of a run, and what of it storage has wasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StorageTime {
    /// Time in which at least one request had waited for more than half a second, or nobody reached storage. Requests that a
    /// rule has broken are not counted.
    pub starved_ms: u64,
    /// Time in which the harness itself stood still: it passed nothing on.
    #[serde(default)]
    pub paused_ms: u64,
    /// From the first request to the last answer.
    pub observed_ms: u64,
}

impl fmt::Display for StorageTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |ms| duration::text(Duration::from_millis(ms));
        let observed = text(self.observed_ms);
        let starved = text(self.starved_ms);
        let paused = text(self.paused_ms);
        match (self.starved_ms, self.paused_ms) {
            (_, 0) => write!(
                f,
                "storage kept requests waiting for {starved} of {observed}"
            ),
            (0, _) => write!(
                f,
                "the harness itself stood still for {paused} of {observed}"
            ),
            (..) => write!(
                f,
                "storage kept requests waiting for {starved} of {observed}, and the harness itself stood still for {paused}"
            ),
        }
    }
}
