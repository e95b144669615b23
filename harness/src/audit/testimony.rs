//! What the history of the wire has to say: what it found by itself, and what storage is to be held against.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use workflow::contract::{POISON_SUFFIX, Seq, Stamp};

use super::Finding;
use super::inserts::Inserts;
use super::starvation::{Disturbances, StorageTime};
use crate::wire::{Crossing, Happened, Operation};

/// Kinds of requests that were not understood and are told apart; further ones are counted together.
const MOST_STRANGE: usize = 20;

/// What a run has in storage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources {
    /// Its queue; the poison queue is named after it.
    pub queue: Option<String>,
    /// Its table.
    pub table: Option<String>,
}

impl Resources {
    pub(super) fn is_queue(&self, name: &str) -> bool {
        match &self.queue {
            Some(queue) => queue == name,
            None => !name.ends_with(POISON_SUFFIX),
        }
    }

    pub(super) fn is_poison(&self, name: &str) -> bool {
        name.strip_suffix(POISON_SUFFIX)
            .is_some_and(|queue| self.is_queue(queue))
    }

    /// Names of tables are the same in small and in large letters ("Understanding the Table service data model").
    pub(super) fn is_table(&self, name: &str) -> bool {
        let table = self.table.as_deref();
        table.is_none_or(|table| table.eq_ignore_ascii_case(name))
    }
}

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
    /// Rows whose claims could not be compared, since the wall clock was set meanwhile.
    #[serde(default)]
    pub untold_claims: u64,
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

impl Traffic {
    /// Counts one crossing.
    pub(super) fn crossing(&mut self, crossing: &Crossing) {
        self.requests += 1;
        let happened = crossing.happened();
        if let (Some(strange), true) = (&crossing.strange, happened != Happened::No) {
            let known = self.strange.len() < MOST_STRANGE || self.strange.contains_key(strange);
            let strange = if known { strange } else { "others" };
            *self.strange.entry(strange.to_owned()).or_default() += 1;
        }
        let client = self.clients.entry(crossing.client.clone()).or_default();
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

/// A message that was put into the poison queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenUp {
    pub(super) seq: Seq,
    pub(super) client: String,
}

/// What a whole history has to say.
#[derive(Debug)]
pub struct Testimony {
    /// What was done.
    pub traffic: Traffic,
    /// The promises that were broken on the way.
    pub findings: Vec<Finding>,
    pub(super) inserts: Inserts,
    pub(super) given_up: Vec<GivenUp>,
    pub(super) disturbances: Disturbances,
    /// Messages that must still be in the queue.
    pub(super) inside: u64,
}

impl Testimony {
    /// When storage answered that the row of `seq` is stored, by the wall clock.
    pub(super) fn answered(&self, seq: Seq) -> Option<Stamp> {
        self.inserts.answered(seq)
    }

    /// Whether a request that is not understood may have changed the table.
    pub(super) fn is_blurred(&self) -> bool {
        !self.traffic.strange.is_empty()
    }
}
