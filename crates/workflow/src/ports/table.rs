//! The table port: insert-only results, read back by run.

use std::future::Future;

use futures::stream::BoxStream;
use serde_json::{Map, Value};

use crate::contract::{Digest, MessageId, ResultRow, RunId, StoredRow};

use super::StorageError;

/// Rows as they are stored, page by page: every column, whatever it is called.
pub type EntityStream = BoxStream<'static, Result<Map<String, Value>, StorageError>>;

/// Most rows that one insert takes (Table Storage, entity group transactions).
pub const MAX_BATCH: usize = 100;

/// Rows as they are read, page by page.
pub type RowStream = BoxStream<'static, Result<StoredRow, StorageError>>;

/// How the insert of one row ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsertOutcome {
    /// The row is new.
    Inserted,
    /// The row was there already with the same digest: an earlier delivery, or an earlier try, had done it.
    AlreadyDone,
    /// A row with this key and another digest is there. It was not overwritten; somebody must look.
    Conflict {
        /// The digest that is stored, if it has one.
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
    /// Idempotent, hence safe to repeat after any error: never overwrites, and a row of an earlier try is
    /// [`InsertOutcome::AlreadyDone`]. On an error some of the rows may have been stored.
    fn insert(
        &self,
        rows: &[ResultRow],
    ) -> impl Future<Output = Result<Vec<InsertOutcome>, StorageError>> + Send;

    /// The row of a message, if there is one.
    fn get(
        &self,
        id: &MessageId,
    ) -> impl Future<Output = Result<Option<StoredRow>, StorageError>> + Send;

    /// Every row of a run, to the last page, in key order. The stream ends after its first error.
    fn rows(&self, run: &RunId) -> RowStream;

    /// Every row of the table, as [`ResultTable::rows`] gives them. What an auditor needs: a consumer that makes up its
    /// keys leaves rows where nobody would look for them.
    fn all_rows(&self) -> RowStream;

    /// The same with every column, for rows that are not of the contract.
    fn all_entities(&self) -> EntityStream;
}
