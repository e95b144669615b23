//! The table port: inserts results, and reads them back.

use std::future::Future;

use futures::stream::BoxStream;
use serde_json::{Map, Value};

use crate::contract::{Digest, MessageId, ResultRow, StoredRow};

use super::StorageError;

/// Stored rows with every column, page by page.
pub type EntityStream = BoxStream<'static, Result<Map<String, Value>, StorageError>>;

/// Most rows of one insert (Table Storage, entity group transactions).
pub const MAX_BATCH: usize = 100;

/// Result of a successful insert of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsertOutcome {
    /// The row is new.
    Inserted,
    /// The row exists already with the same digest: an earlier delivery, or an earlier try, has stored it.
    AlreadyDone,
    /// A row with this key and another digest exists. It was not overwritten; a person must look at it.
    Conflict {
        /// The stored digest, if the row has one.
        stored: Option<Digest>,
    },
}

/// The table of results.
pub trait ResultTable: Clone + Send + Sync + 'static {
    /// Its name.
    fn name(&self) -> &str;

    /// Creates the table; no error if it exists.
    fn create(&self) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// Deletes the table with everything in it; no error if it does not exist.
    fn delete_table(&self) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// Inserts rows of one partition, 1 to [`MAX_BATCH`], and returns their outcomes in order.
    ///
    /// Idempotent, so it can be repeated after any error: it never overwrites, and a row of an earlier try gives
    /// [`InsertOutcome::AlreadyDone`]. After an error, some of the rows may have been stored.
    fn insert(
        &self,
        rows: &[ResultRow],
    ) -> impl Future<Output = Result<Vec<InsertOutcome>, StorageError>> + Send;

    /// The row of a message, if there is one.
    fn get(
        &self,
        id: &MessageId,
    ) -> impl Future<Output = Result<Option<StoredRow>, StorageError>> + Send;

    /// Every row of the table, to the last page, in key order, with every column: an auditor also looks for rows that are not of the
    /// contract. The stream ends after its first error.
    fn all_entities(&self) -> EntityStream;
}
