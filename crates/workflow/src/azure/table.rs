//! The table port on Azure Table Storage, through the `tables` crate.

use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_core::http::{ClientOptions, Url};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tables::models::{Metadata, TableClientQueryEntitiesOptions};
use tables::{ErrorCode, TableClient, TableClientOptions, TransactionError};

use super::TableName;
use super::error::{On, storage_error};
use super::sign_in::Target;
use crate::contract::{MessageId, ResultRow, StoredRow};
use crate::ports::{EntityStream, ErrorKind, InsertOutcome, MAX_BATCH, ResultTable, StorageError};

/// A table of Azure Table Storage. Clones share its client.
#[derive(Clone)]
pub struct AzureTable {
    inner: Arc<Inner>,
}

struct Inner {
    name: TableName,
    target: Target,
    client: TableClient,
}

impl std::fmt::Debug for AzureTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AzureTable({})", self.inner.name)
    }
}

impl AzureTable {
    pub(super) fn new(
        name: &TableName,
        target: Target,
        url: Url,
        token: Option<Arc<dyn TokenCredential>>,
        client_options: ClientOptions,
    ) -> azure_core::Result<Self> {
        let options = TableClientOptions {
            client_options,
            ..TableClientOptions::default()
        };
        let client = TableClient::new(url, name.as_str(), token, Some(options))?;
        Ok(Self {
            inner: Arc::new(Inner {
                name: name.clone(),
                target,
                client,
            }),
        })
    }

    fn error(&self, operation: &'static str, error: &azure_core::Error) -> StorageError {
        storage_error(operation, &self.inner.target, On::Resource, error)
    }

    /// Inserts one row; on a conflict, reads the stored row to see whether it has the same digest.
    async fn insert_one(&self, row: &ResultRow) -> Result<InsertOutcome, StorageError> {
        match self.inner.client.insert_entity(row, None).await {
            Ok(_) => Ok(InsertOutcome::Inserted),
            Err(error) if is_known(&error) => self.compare(row).await,
            Err(error) => Err(self.error("insert row", &error)),
        }
    }

    async fn compare(&self, row: &ResultRow) -> Result<InsertOutcome, StorageError> {
        let stored = self.read(&row.partition_key, &row.row_key).await?;
        Ok(match stored {
            Some(stored) if stored.digest == Some(row.digest) => InsertOutcome::AlreadyDone,
            Some(stored) => InsertOutcome::Conflict {
                stored: stored.digest,
            },
            // The row was deleted between the two requests: the caller may try again.
            None => {
                return Err(StorageError::new(
                    ErrorKind::Interrupted,
                    "compare row",
                    self.inner.target.to_string(),
                ));
            }
        })
    }

    async fn read(&self, partition: &str, row: &str) -> Result<Option<StoredRow>, StorageError> {
        let read = self
            .inner
            .client
            .get_entity::<StoredRow>(partition, row, None);
        match read.await.and_then(azure_core::http::Response::into_model) {
            Ok(stored) => Ok(Some(stored.entity)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.error("get row", &error)),
        }
    }

    /// Inserts rows in one entity group transaction; `false` if one of them exists already, so that none was stored.
    async fn insert_all(&self, rows: &[ResultRow]) -> Result<bool, StorageError> {
        let fail = |error: azure_core::Error| self.error("insert rows", &error);
        let mut transaction = self.inner.client.transaction();
        for row in rows {
            transaction
                .insert(row)
                .map_err(|error| fail(error.into()))?;
        }
        match self
            .inner
            .client
            .submit_transaction(transaction, None)
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if is_known(&error) => Ok(false),
            Err(error) => Err(fail(error)),
        }
    }
}

fn code(error: &azure_core::Error) -> Option<ErrorCode> {
    match error.downcast_ref::<TransactionError>() {
        Some(failed) => failed.code.clone(),
        None => ErrorCode::of(error),
    }
}

fn is_known(error: &azure_core::Error) -> bool {
    code(error) == Some(ErrorCode::EntityAlreadyExists)
}

/// Whether the error says that the row does not exist, although the table does.
fn is_absent(error: &azure_core::Error) -> bool {
    matches!(
        code(error),
        Some(ErrorCode::ResourceNotFound | ErrorCode::EntityNotFound)
    )
}

impl ResultTable for AzureTable {
    fn name(&self) -> &str {
        self.inner.name.as_str()
    }

    async fn create(&self) -> Result<(), StorageError> {
        match self.inner.client.create_if_not_exists(None).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.error("create", &error)),
        }
    }

    async fn delete_table(&self) -> Result<(), StorageError> {
        match self.inner.client.delete(None).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = self.error("delete", &error);
                if error.kind() == ErrorKind::NoSuchResource {
                    Ok(())
                } else {
                    Err(error)
                }
            }
        }
    }

    async fn insert(&self, rows: &[ResultRow]) -> Result<Vec<InsertOutcome>, StorageError> {
        let one_partition = rows
            .iter()
            .all(|row| row.partition_key == rows[0].partition_key);
        if rows.is_empty() || rows.len() > MAX_BATCH || !one_partition {
            let error = StorageError::new(
                ErrorKind::Rejected,
                "insert rows",
                self.inner.target.to_string(),
            );
            return Err(error.with_source("an insert takes 1 to 100 rows of one partition"));
        }
        if rows.len() > 1 && self.insert_all(rows).await? {
            return Ok(vec![InsertOutcome::Inserted; rows.len()]);
        }
        // Redeliveries are rare: with one in a batch, inserting row by row is simple and gives each outcome.
        stream::iter(rows)
            .then(|row| self.insert_one(row))
            .try_collect()
            .await
    }

    async fn get(&self, id: &MessageId) -> Result<Option<StoredRow>, StorageError> {
        self.read(&id.partition_key(), &id.row_key()).await
    }

    fn all_entities(&self) -> EntityStream {
        let options = TableClientQueryEntitiesOptions {
            metadata: Metadata::None,
            ..TableClientQueryEntitiesOptions::default()
        };
        let table = self.clone();
        match self.inner.client.query_entities(Some(options)) {
            Ok(pager) => pager
                .map_err(move |error| table.error("query rows", &error))
                .boxed(),
            Err(error) => stream::iter([Err(self.error("query rows", &error))]).boxed(),
        }
    }
}
