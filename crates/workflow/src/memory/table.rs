//! A table in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::{StreamExt as _, stream};

use crate::contract::{MAX_DATA_UTF16, MessageId, ResultRow, Stamp, StoredRow};
use crate::ports::{EntityStream, ErrorKind, InsertOutcome, MAX_BATCH, ResultTable, StorageError};

type Rows = BTreeMap<(String, String), StoredRow>;

/// A table in memory. Clones share it.
#[derive(Debug, Clone)]
pub struct MemoryTable {
    name: Arc<str>,
    rows: Arc<Mutex<Option<Rows>>>,
}

impl MemoryTable {
    /// Makes a table that does not exist yet; see [`ResultTable::create`].
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            rows: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Rows>> {
        self.rows
            .lock()
            .expect("no holder of the table's lock may panic")
    }

    fn error(&self, kind: ErrorKind, operation: &'static str) -> StorageError {
        StorageError::new(kind, operation, format!("table {}", self.name))
    }
}

fn insert_one(rows: &mut Rows, row: &ResultRow) -> InsertOutcome {
    let key = (row.partition_key.clone(), row.row_key.clone());
    match rows.get(&key) {
        Some(stored) if stored.digest == Some(row.digest) => InsertOutcome::AlreadyDone,
        Some(stored) => InsertOutcome::Conflict {
            stored: stored.digest,
        },
        None => {
            let stored = StoredRow {
                timestamp: Some(Stamp::now()),
                ..row.clone().into()
            };
            rows.insert(key, stored);
            InsertOutcome::Inserted
        }
    }
}

impl ResultTable for MemoryTable {
    fn name(&self) -> &str {
        &self.name
    }

    async fn create(&self) -> Result<(), StorageError> {
        self.lock().get_or_insert_default();
        Ok(())
    }

    async fn delete_table(&self) -> Result<(), StorageError> {
        *self.lock() = None;
        Ok(())
    }

    async fn insert(&self, rows: &[ResultRow]) -> Result<Vec<InsertOutcome>, StorageError> {
        let fail = |kind| Err(self.error(kind, "insert rows"));
        let mut table = self.lock();
        let Some(stored) = table.as_mut() else {
            return fail(ErrorKind::NoSuchResource);
        };
        let one_partition = rows
            .iter()
            .all(|row| row.partition_key == rows[0].partition_key);
        if rows.is_empty() || rows.len() > MAX_BATCH || !one_partition {
            return fail(ErrorKind::Rejected);
        }
        if rows
            .iter()
            .any(|row| row.data.encode_utf16().count() > MAX_DATA_UTF16)
        {
            return fail(ErrorKind::TooLarge);
        }
        Ok(rows.iter().map(|row| insert_one(stored, row)).collect())
    }

    async fn get(&self, id: &MessageId) -> Result<Option<StoredRow>, StorageError> {
        let key = (id.partition_key(), id.row_key());
        let table = self.lock();
        let rows = table
            .as_ref()
            .ok_or_else(|| self.error(ErrorKind::NoSuchResource, "get row"))?;
        Ok(rows.get(&key).cloned())
    }

    fn all_entities(&self) -> EntityStream {
        let rows = match self.lock().as_ref() {
            None => vec![Err(self.error(ErrorKind::NoSuchResource, "query rows"))],
            Some(rows) => rows
                .values()
                .map(|row| Ok(row.entity()))
                .collect::<Vec<_>>(),
        };
        stream::iter(rows).boxed()
    }
}
