//! What the state asks of a store: to write its changes, and to return the contents at the start.
//!
//! A change is written before it is acknowledged, in the order of the changes of its queue or table.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::{
    entity::{Entity, Key},
    message::{Lease, Message, Sequence},
    policy::Policy,
};

/// The number of a queue or a table, never reused: contents of a removed one cannot appear in a new one.
pub(crate) type ContainerId = u64;

/// The record of a queue, without its messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueueRecord {
    pub(crate) name: String,
    /// The secret of the queue's [`Naming`](crate::state::message::Naming).
    pub(crate) secret: u64,
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) policies: Vec<Policy>,
}

/// The record of a table, without its entities.
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
    /// The queue and all of its messages are removed.
    RemoveQueue(ContainerId),
    Message(ContainerId, Sequence, &'a Message),
    /// A message's lease; its text is unchanged.
    Lease(ContainerId, Sequence, &'a Lease),
    RemoveMessage(ContainerId, Sequence),
    Table(ContainerId, &'a TableRecord),
    /// The table and all of its entities are removed.
    RemoveTable(ContainerId),
    Entity(ContainerId, &'a Key, &'a Entity),
    RemoveEntity(ContainerId, &'a Key),
}

/// A place where changes are kept.
pub(crate) trait Store: Debug + Send + Sync {
    /// Writes all of the changes or none. Once this returns, they survive the end of the process.
    fn write(&self, changes: &[Change<'_>]) -> Result<(), StoreError>;
}

/// Error of a write or a read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StoreError(pub(crate) String);

/// A store that keeps nothing: data are in memory only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoStore;

impl Store for NoStore {
    fn write(&self, _: &[Change<'_>]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A container in a store, with its contents.
pub(crate) type Held<R, T> = (ContainerId, R, Vec<T>);

/// All contents of a store when it was opened.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) queues: Vec<Held<QueueRecord, (Sequence, Message)>>,
    pub(crate) tables: Vec<Held<TableRecord, (Key, Entity)>>,
    /// A number larger than that of any container ever used.
    pub(crate) next_container: ContainerId,
}
