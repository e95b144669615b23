//! Statistics of clients' requests to storage, and of the time that storage kept them waiting.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use contract::duration;
use serde::{Deserialize, Serialize};

use crate::{Crossing, Happened, Operation};

/// Most kinds of requests that were not understood; further kinds are counted together.
const MOST_STRANGE: usize = 20;

/// Statistics of a history.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Recorded requests.
    pub requests: u64,
    /// Hand-overs of a message to a consumer.
    pub deliveries: u64,
    /// Messages of the queue that were handed over more than once.
    pub redelivered: u64,
    /// How long storage kept requests waiting, without those that a fault has broken.
    #[serde(default)]
    pub storage: StorageTime,
    /// Requests that are in no reference of the service and may have changed something: the unknown part, and their number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub strange: BTreeMap<String, u64>,
    /// The sum of all steps of the wall clock, in microseconds.
    #[serde(default)]
    pub clock_set_us: i64,
    /// Upper bound of the difference between clients' clocks and the wire's, in microseconds, if they are different clocks.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub clocks_apart_us: u64,
    /// Rows whose claims could not be compared, because the wall clock was set in between.
    #[serde(default)]
    pub untold_claims: u64,
    /// Rows whose stamps could not be compared, because the machine was paused before they were sent.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub starved_claims: u64,
    /// Messages that consumers worked on and may have received in answers that could not be read: what was done with them could not be
    /// judged.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub unread_messages: u64,
    /// Response times of storage for requests that no fault has broken; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<AnswerTimes>,
    /// Statistics of each client.
    pub clients: BTreeMap<String, ClientTraffic>,
    /// Statistics of each of the run's queues, if it has several.
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

/// Statistics of one client.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientTraffic {
    /// Requests of any kind.
    pub requests: u64,
    /// Receives that storage answered.
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

/// Response times of storage, as seen on the wire, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is what its name says")]
pub struct AnswerTimes {
    pub count: u64,
    pub p50_us: i64,
    pub p99_us: i64,
    pub max_us: i64,
}

/// Statistics of one queue.
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
    /// Adds one crossing to the statistics of its queue.
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

    /// Adds one crossing.
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

/// The time of a run, and the part of it that storage wasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StorageTime {
    /// Time in which at least one request had waited for more than half a second, or no request reached storage. Requests that
    /// a rule has broken do not count.
    pub starved_ms: u64,
    /// Time in which the harness itself was paused: it forwarded nothing.
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
