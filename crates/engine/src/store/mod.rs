//! What outlives the process: the changes that the state asks a store to write, and what a store gives back at the start.
//!
//! A change is written before it is acknowledged, in the order in which it happened to its queue or table.

pub(crate) mod codec;
pub(crate) mod disk;

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::state::{
    entity::{Entity, Key},
    message::{Lease, Message, Sequence},
    policy::Policy,
};

/// The number of a queue or a table, never used twice: what is left of a removed one cannot come back in a new one.
pub(crate) type ContainerId = u64;

/// What a queue is, without its messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueueRecord {
    pub(crate) name: String,
    /// Of [`Naming`](crate::state::message::Naming).
    pub(crate) secret: u64,
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) policies: Vec<Policy>,
}

/// What a table is, without its entities.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableRecord {
    pub(crate) name: String,
    pub(crate) policies: Vec<Policy>,
}

/// One change, borrowed from the state.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    /// The properties of a service, by its name in addresses, as XML.
    Properties(&'a str, &'a str),
    Queue(ContainerId, &'a QueueRecord),
    /// The queue and all of its messages are gone.
    RemoveQueue(ContainerId),
    Message(ContainerId, Sequence, &'a Message),
    /// A message without its text, which has not changed.
    Lease(ContainerId, Sequence, &'a Lease),
    RemoveMessage(ContainerId, Sequence),
    Table(ContainerId, &'a TableRecord),
    /// The table and all of its entities are gone.
    RemoveTable(ContainerId),
    Entity(ContainerId, &'a Key, &'a Entity),
    RemoveEntity(ContainerId, &'a Key),
}

/// Where changes are kept.
pub(crate) trait Store: Debug + Send + Sync {
    /// Writes all of the changes or none. Once this returns, they survive the end of the process.
    fn write(&self, changes: &[Change<'_>]) -> Result<(), StoreError>;
}

/// Something was not written, or cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StoreError(pub(crate) String);

/// Keeps nothing: the data is in memory alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoStore;

impl Store for NoStore {
    fn write(&self, _: &[Change<'_>]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A container that a store held, and what is in it.
pub(crate) type Held<R, T> = (ContainerId, R, Vec<T>);

/// Everything that a store held when it was opened.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) queues: Vec<Held<QueueRecord, (Sequence, Message)>>,
    pub(crate) tables: Vec<Held<TableRecord, (Key, Entity)>>,
    /// Larger than every number of a container that was ever used.
    pub(crate) next_container: ContainerId,
}
