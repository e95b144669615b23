//! Entity group transactions: up to 100 changes to entities of one partition, all or none.
//!
//! Rules: <https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions>

mod error;
mod multipart;
mod outcome;
#[cfg(test)]
mod tests;

pub use error::{InvalidTransaction, TransactionError};
pub use outcome::TransactionOutcome;
pub(crate) use outcome::read_outcome;

use crate::{
    endpoint::push_entity_address,
    keys,
    models::UpdateMode,
    ser::{self, EntityError, PARTITION_KEY, ROW_KEY},
};
use azure_core::{Uuid, http::Etag};
use serde::Serialize;
use std::{collections::HashMap, fmt, io::Write as _};

/// The most operations in one transaction.
pub const MAX_OPERATIONS: usize = 100;
/// The most bytes in one transaction, as sent.
pub const MAX_SIZE_BYTES: usize = 4 * 1024 * 1024;

/// The kind of an operation in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperationKind {
    /// Inserts an entity.
    Insert,
    /// Changes an existing entity.
    Update,
    /// Changes or inserts an entity.
    Upsert,
    /// Deletes an entity.
    Delete,
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
        })
    }
}

/// A transaction under construction, made by [`TableClient::transaction`](crate::TableClient::transaction).
///
/// Each operation is written into the request when it is added. It is refused with an [`InvalidTransaction`] if the service
/// would refuse it: another partition, an entity named before, more than [`MAX_OPERATIONS`], more than [`MAX_SIZE_BYTES`]. A
/// refused operation leaves the transaction unchanged, so a full transaction can be submitted, and the operation added to the
/// next one.
pub struct Transaction {
    /// `{account}/{table}`, with which the addresses of operations start.
    table: String,
    /// Random, so that no entity can contain the line that separates operations.
    id: Uuid,
    body: Vec<u8>,
    operations: Operations,
}

/// The operations of a transaction, for naming one that fails.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    partition: Option<String>,
    kinds: Vec<OperationKind>,
    /// The index of each row's operation.
    rows: HashMap<String, usize>,
}

/// A transaction ready to be sent.
pub(crate) struct Batch {
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
    pub(crate) operations: Operations,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("operations", &self.len())
            .field("size_bytes", &self.size_bytes())
            .finish_non_exhaustive()
    }
}

impl Transaction {
    pub(crate) fn new(table: &str) -> Self {
        let id = Uuid::new_v4();
        let mut body = Vec::new();
        write!(
            body,
            "--batch_{id}\r\nContent-Type: multipart/mixed; boundary=changeset_{id}\r\n\r\n"
        )
        .expect("writing to a Vec must succeed");
        Self {
            table: table.to_owned(),
            id,
            body,
            operations: Operations::default(),
        }
    }

    /// The number of operations.
    pub fn len(&self) -> usize {
        self.operations.kinds.len()
    }

    /// Whether there is no operation yet.
    pub fn is_empty(&self) -> bool {
        self.operations.kinds.is_empty()
    }

    /// The size of the request, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.body.len() + self.closing().len()
    }

    /// The partition of the operations; `None` without operations.
    pub fn partition_key(&self) -> Option<&str> {
        self.operations.partition.as_deref()
    }

    /// Adds the insertion of an entity.
    pub fn insert<T: Serialize + ?Sized>(
        &mut self,
        entity: &T,
    ) -> Result<&mut Self, InvalidTransaction> {
        let (json, partition, row) = encode(entity)?;
        self.add(
            OperationKind::Insert,
            partition,
            row,
            |body, table, _, _| {
                head(body, "POST", table);
                body.extend_from_slice(b"Prefer: return-no-content\r\n");
                content(body, &json);
            },
        )
    }

    /// Adds a change of an entity that must exist, with the version `if_match` if it is given.
    pub fn update<T: Serialize + ?Sized>(
        &mut self,
        entity: &T,
        mode: UpdateMode,
        if_match: Option<&Etag>,
    ) -> Result<&mut Self, InvalidTransaction> {
        let (json, partition, row) = encode(entity)?;
        self.add(
            OperationKind::Update,
            partition,
            row,
            |body, table, partition, row| {
                head(body, method(mode), &address(table, partition, row));
                condition(body, if_match);
                content(body, &json);
            },
        )
    }

    /// Adds a change of an entity, or its insertion if it does not exist.
    pub fn upsert<T: Serialize + ?Sized>(
        &mut self,
        entity: &T,
        mode: UpdateMode,
    ) -> Result<&mut Self, InvalidTransaction> {
        let (json, partition, row) = encode(entity)?;
        self.add(
            OperationKind::Upsert,
            partition,
            row,
            |body, table, partition, row| {
                head(body, method(mode), &address(table, partition, row));
                content(body, &json);
            },
        )
    }

    /// Adds the deletion of an entity that must exist, with the version `if_match` if it is given.
    pub fn delete(
        &mut self,
        partition_key: &str,
        row_key: &str,
        if_match: Option<&Etag>,
    ) -> Result<&mut Self, InvalidTransaction> {
        keys::validate(PARTITION_KEY, partition_key).map_err(EntityError::from)?;
        keys::validate(ROW_KEY, row_key).map_err(EntityError::from)?;
        let (partition, row) = (partition_key.to_owned(), row_key.to_owned());
        self.add(
            OperationKind::Delete,
            partition,
            row,
            |body, table, partition, row| {
                head(body, "DELETE", &address(table, partition, row));
                condition(body, if_match);
                body.extend_from_slice(b"\r\n");
            },
        )
    }

    /// Checks the limits, and calls `write` to append the operation.
    fn add(
        &mut self,
        kind: OperationKind,
        partition: String,
        row: String,
        write: impl FnOnce(&mut Vec<u8>, &str, &str, &str),
    ) -> Result<&mut Self, InvalidTransaction> {
        self.operations.check(&partition, &row)?;
        let before = self.body.len();
        write!(
            self.body,
            "--changeset_{}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n",
            self.id
        )
        .expect("writing to a Vec must succeed");
        write(&mut self.body, &self.table, &partition, &row);
        let size_bytes = self.size_bytes();
        if size_bytes > MAX_SIZE_BYTES {
            self.body.truncate(before);
            return Err(InvalidTransaction::TooLarge { size_bytes });
        }
        self.operations.push(kind, partition, row);
        Ok(self)
    }

    fn closing(&self) -> String {
        format!("--changeset_{id}--\r\n--batch_{id}--\r\n", id = self.id)
    }

    /// Completes the request, for the table at this address.
    pub(crate) fn finish(mut self, table: &str) -> Result<Batch, InvalidTransaction> {
        if self.is_empty() {
            return Err(InvalidTransaction::Empty);
        }
        if self.table != table {
            return Err(InvalidTransaction::OtherTable);
        }
        let closing = self.closing();
        self.body.extend_from_slice(closing.as_bytes());
        Ok(Batch {
            content_type: format!("multipart/mixed; boundary=batch_{}", self.id),
            body: self.body,
            operations: self.operations,
        })
    }
}

impl Operations {
    /// Checks that one more operation, on this row, is within the rules.
    fn check(&self, partition: &str, row: &str) -> Result<(), InvalidTransaction> {
        if let Some(expected) = self
            .partition
            .as_deref()
            .filter(|expected| *expected != partition)
        {
            return Err(InvalidTransaction::OtherPartition {
                expected: expected.to_owned(),
                found: partition.to_owned(),
            });
        }
        if let Some(index) = self.rows.get(row) {
            return Err(InvalidTransaction::DuplicateEntity {
                row_key: row.to_owned(),
                index: *index,
            });
        }
        if self.kinds.len() == MAX_OPERATIONS {
            return Err(InvalidTransaction::TooManyOperations);
        }
        Ok(())
    }

    fn push(&mut self, kind: OperationKind, partition: String, row: String) {
        self.rows.insert(row, self.kinds.len());
        self.kinds.push(kind);
        self.partition.get_or_insert(partition);
    }
}

fn encode<T: Serialize + ?Sized>(entity: &T) -> Result<(Vec<u8>, String, String), EntityError> {
    let mut json = Vec::with_capacity(ser::USUAL_SIZE_BYTES);
    let keys = ser::encode(entity, &mut json)?;
    let (partition, row) = (
        keys.partition(&json).into_owned(),
        keys.row(&json).into_owned(),
    );
    Ok((json, partition, row))
}

fn method(mode: UpdateMode) -> &'static str {
    match mode {
        UpdateMode::Merge => "PATCH",
        UpdateMode::Replace => "PUT",
    }
}

fn address(table: &str, partition: &str, row: &str) -> String {
    let mut address = table.to_owned();
    push_entity_address(&mut address, partition, row);
    address
}

/// Appends the request line and the common headers of all operations.
fn head(body: &mut Vec<u8>, method: &str, url: &str) {
    write!(
        body,
        "{method} {url} HTTP/1.1\r\nAccept: application/json;odata=minimalmetadata\r\nDataServiceVersion: 3.0;NetFx\r\n"
    )
    .expect("writing to a Vec must succeed");
}

fn condition(body: &mut Vec<u8>, if_match: Option<&Etag>) {
    write!(
        body,
        "If-Match: {}\r\n",
        if_match.map_or("*", |etag| etag.as_ref())
    )
    .expect("writing to a Vec must succeed");
}

fn content(body: &mut Vec<u8>, json: &[u8]) {
    write!(
        body,
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        json.len()
    )
    .expect("writing to a Vec must succeed");
    body.extend_from_slice(json);
    body.extend_from_slice(b"\r\n");
}
