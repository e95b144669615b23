//! Reasons why a transaction is not sent, and why a sent one failed.

use super::{MAX_OPERATIONS, MAX_SIZE_BYTES, OperationKind};
use crate::{ErrorCode, ser::EntityError};
use azure_core::error::ErrorKind;
use std::fmt;

/// Reason why an operation cannot be added to a transaction, or a transaction cannot be sent. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTransaction {
    /// The transaction has no operation.
    #[error("the transaction has no operation")]
    Empty,
    /// The transaction was made by the client of another table or account.
    #[error("the transaction was made for another table")]
    OtherTable,
    /// The operation is for another partition than the earlier ones.
    #[error(
        "the operation is for partition {found:?}, the transaction for {expected:?}: a transaction has one partition"
    )]
    OtherPartition {
        /// The partition of the transaction.
        expected: String,
        /// The partition of the operation.
        found: String,
    },
    /// The transaction already has an operation on this entity.
    #[error(
        "operation {index} of the transaction is on RowKey {row_key:?} too: each entity may appear once"
    )]
    DuplicateEntity {
        /// The row.
        row_key: String,
        /// The index of the earlier operation, from 0.
        index: usize,
    },
    /// The transaction is full.
    #[error("the transaction has {MAX_OPERATIONS} operations already, the most the service takes")]
    TooManyOperations,
    /// The transaction would grow too large.
    #[error(
        "with the operation the transaction has {size_bytes} bytes, the service takes {MAX_SIZE_BYTES} (4 MiB)"
    )]
    TooLarge {
        /// The size with the operation, in bytes.
        size_bytes: usize,
    },
    /// The entity cannot be stored.
    #[error(transparent)]
    Entity(#[from] EntityError),
}

impl From<InvalidTransaction> for azure_core::Error {
    fn from(error: InvalidTransaction) -> Self {
        match error {
            InvalidTransaction::Entity(error) => error.into(),
            other => Self::new(ErrorKind::Other, other),
        }
    }
}

/// The operation because of which a transaction failed. Nothing of the transaction was stored.
///
/// It is the inner error of the [`azure_core::Error`] that
/// [`submit_transaction`](crate::TableClient::submit_transaction) returns: `error.downcast_ref::<TransactionError>()`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransactionError {
    /// The index of the operation in the transaction, from 0; `None` if the service did not say.
    pub index: Option<usize>,
    /// The kind of the operation; `None` if it is unknown which one failed.
    pub operation: Option<OperationKind>,
    /// The partition of the transaction.
    pub partition_key: String,
    /// The row of the operation; `None` if it is unknown which one failed.
    pub row_key: Option<String>,
    /// The error code; `None` if the service gave none.
    pub code: Option<ErrorCode>,
    /// The service's message.
    pub message: String,
}

impl fmt::Display for TransactionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.index, self.operation, &self.row_key) {
            (Some(index), Some(operation), Some(row)) => write!(
                f,
                "operation {index} ({operation} of PartitionKey {:?}, RowKey {row:?})",
                self.partition_key
            )?,
            _ => write!(f, "an operation on PartitionKey {:?}", self.partition_key)?,
        }
        write!(f, " failed, and with it the transaction: {}", self.message)
    }
}

impl std::error::Error for TransactionError {}
