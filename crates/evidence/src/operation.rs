//! Operations in the REST reference of the queue and the table service, as far as the history distinguishes them.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// An operation of the queue or the table service.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Operation {
    /// Put Message.
    PutMessage,
    /// Get Messages.
    ReceiveMessages,
    /// Peek Messages.
    PeekMessages,
    /// Update Message: renews a lease, or hands a message back.
    UpdateMessage,
    /// Delete Message.
    DeleteMessage,
    /// Clear Messages.
    ClearMessages,
    /// Insert Entity.
    InsertEntity,
    /// Perform Entity Group Transactions.
    Transaction,
    /// Query Entities, for one row.
    GetEntity,
    /// Query Entities.
    QueryEntities,
    /// Update or Merge Entity: with `If-Match`, so that the row must be there.
    UpdateEntity,
    /// Insert Or Replace or Insert Or Merge Entity.
    UpsertEntity,
    /// Delete Entity.
    DeleteEntity,
    /// Create Queue.
    CreateQueue,
    /// Set Queue Metadata, Set Queue ACL or Set Queue Service Properties: changes settings of a queue, or of all queues.
    ChangeQueue,
    /// Set Table ACL or Set Table Service Properties: changes settings of a table, or of all tables.
    ChangeTable,
    /// Delete Queue.
    DeleteQueue,
    /// Create Table.
    CreateTable,
    /// Delete Table.
    DeleteTable,
    /// Anything else, such as a list of tables.
    Other,
}

impl Operation {
    /// The operation's serialised name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether it may change an existing row, which the contract never does.
    pub const fn overwrites(self) -> bool {
        matches!(
            self,
            Self::UpdateEntity | Self::UpsertEntity | Self::DeleteEntity
        )
    }

    /// Whether it can store rows.
    pub const fn stores(self) -> bool {
        matches!(
            self,
            Self::InsertEntity | Self::Transaction | Self::UpdateEntity | Self::UpsertEntity
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The service that a request addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Azure Queue Storage.
    Queue,
    /// Azure Table Storage.
    Table,
}

/// The keys of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Keys {
    /// `PartitionKey`.
    pub partition: String,
    /// `RowKey`.
    pub row: String,
}
