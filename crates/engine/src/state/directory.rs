//! The account's queues and tables by name, and the properties of its services.
//!
//! Locks: the directory's lock is held while a name is looked up, added or removed. Each container has its own lock, which is
//! never taken while another container's is held.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};

use super::{
    message::Naming,
    queue::Messages,
    store::{Change, ContainerId, Contents, QueueRecord, Store, StoreError, TableRecord},
    table::Entities,
};
use crate::clock::Moment;

/// A queue: its record, and its messages.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) record: QueueRecord,
    pub(crate) messages: Messages,
    id: ContainerId,
    /// Set when the queue is deleted, for operations that looked it up before.
    removed: bool,
}

/// A table: its record, and its entities.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) record: TableRecord,
    pub(crate) entities: Entities,
    id: ContainerId,
    removed: bool,
}

impl Queue {
    /// Writes the queue's record after a change.
    pub(crate) fn save(
        &mut self,
        store: &dyn Store,
        record: QueueRecord,
    ) -> Result<(), StoreError> {
        store.write(&[Change::Queue(self.id, &record)])?;
        self.record = record;
        Ok(())
    }

    /// Removes all messages, in constant time: they are moved to a queue that is then removed.
    pub(crate) fn clear(
        &mut self,
        store: &dyn Store,
        successor: ContainerId,
        now: Moment,
    ) -> Result<Messages, StoreError> {
        store.write(&[
            Change::Queue(successor, &self.record),
            Change::RemoveQueue(self.id),
        ])?;
        self.id = successor;
        let naming = self.messages.naming();
        let empty = Messages::new(successor, naming, now.ticks());
        Ok(std::mem::replace(&mut self.messages, empty))
    }
}

impl Table {
    /// Writes the table's record after a change.
    pub(crate) fn save(
        &mut self,
        store: &dyn Store,
        record: TableRecord,
    ) -> Result<(), StoreError> {
        store.write(&[Change::Table(self.id, &record)])?;
        self.record = record;
        Ok(())
    }
}

/// Reason why a container was not created or found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DirectoryError {
    #[error("a container of that name exists")]
    AlreadyExists,
    #[error("no container of that name")]
    NotFound,
    #[error("write to the store")]
    Store(#[from] StoreError),
}

type Names<T> = RwLock<BTreeMap<String, Arc<T>>>;

/// All data of one account.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) store: Arc<dyn Store>,
    queues: Names<Mutex<Queue>>,
    /// Tables by name in lower case, because table names are case-insensitive.
    tables: Names<RwLock<Table>>,
    properties: RwLock<BTreeMap<String, String>>,
    next: AtomicU64,
}

impl Directory {
    /// Restores the contents of a store.
    pub(crate) fn restore(store: Arc<dyn Store>, contents: Contents, now: Moment) -> Self {
        let mut queues = BTreeMap::new();
        for (id, record, held) in contents.queues {
            let mut messages = Messages::new(id, Naming::new(record.secret), now.ticks());
            messages.restore(held);
            let name = record.name.clone();
            let queue = Queue {
                record,
                messages,
                id,
                removed: false,
            };
            queues.insert(name, Arc::new(Mutex::new(queue)));
        }
        let mut tables = BTreeMap::new();
        for (id, record, held) in contents.tables {
            let mut entities = Entities::new(id);
            entities.restore(held);
            let name = record.name.to_ascii_lowercase();
            let table = Table {
                record,
                entities,
                id,
                removed: false,
            };
            tables.insert(name, Arc::new(RwLock::new(table)));
        }
        Self {
            store,
            queues: RwLock::new(queues),
            tables: RwLock::new(tables),
            properties: RwLock::new(contents.properties.into_iter().collect()),
            next: AtomicU64::new(contents.next_container),
        }
    }

    /// A number that was never used for a container.
    pub(crate) fn next_container(&self) -> ContainerId {
        self.next.fetch_add(1, Ordering::SeqCst)
    }

    /// The properties of a service as XML, if they were ever set.
    pub(crate) fn properties(&self, service: &str) -> Option<String> {
        self.properties.read().get(service).cloned()
    }

    pub(crate) fn set_properties(&self, service: &str, xml: String) -> Result<(), StoreError> {
        let mut properties = self.properties.write();
        self.store.write(&[Change::Properties(service, &xml)])?;
        properties.insert(service.to_owned(), xml);
        Ok(())
    }

    /// Creates a queue. If one with this name exists, returns its record.
    pub(crate) fn create_queue(
        &self,
        name: &str,
        metadata: Vec<(String, String)>,
    ) -> Result<Option<QueueRecord>, StoreError> {
        let mut queues = self.queues.write();
        if let Some(queue) = queues.get(name) {
            return Ok(Some(queue.lock().record.clone()));
        }
        let (secret, _) = uuid::Uuid::new_v4().as_u64_pair();
        let record = QueueRecord {
            name: name.to_owned(),
            secret,
            metadata,
            policies: Vec::new(),
        };
        let id = self.next_container();
        self.store.write(&[Change::Queue(id, &record)])?;
        let queue = Queue {
            record,
            messages: Messages::new(id, Naming::new(secret), 0),
            id,
            removed: false,
        };
        queues.insert(name.to_owned(), Arc::new(Mutex::new(queue)));
        Ok(None)
    }

    /// Removes a queue, and returns it to be dropped: with many messages this takes a while.
    pub(crate) fn delete_queue(&self, name: &str) -> Result<Arc<Mutex<Queue>>, DirectoryError> {
        let mut queues = self.queues.write();
        let queue = queues.get(name).ok_or(DirectoryError::NotFound)?;
        let mut locked = queue.lock();
        self.store.write(&[Change::RemoveQueue(locked.id)])?;
        locked.removed = true;
        drop(locked);
        queues.remove(name).ok_or(DirectoryError::NotFound)
    }

    /// Runs `action` on a queue with exclusive access.
    pub(crate) fn with_queue<T>(
        &self,
        name: &str,
        action: impl FnOnce(&mut Queue) -> T,
    ) -> Result<T, DirectoryError> {
        let queue = self.queues.read().get(name).cloned();
        let queue = queue.ok_or(DirectoryError::NotFound)?;
        let mut queue = queue.lock();
        if queue.removed {
            return Err(DirectoryError::NotFound);
        }
        Ok(action(&mut queue))
    }

    /// Records of queues whose names begin with `prefix`, from `from` on, at most `most`.
    pub(crate) fn queues(&self, prefix: &str, from: &str, most: usize) -> Vec<QueueRecord> {
        let start = from.max(prefix).to_owned();
        let queues = self.queues.read();
        let listed = queues.range(start..);
        let listed = listed.take_while(|(name, _)| name.starts_with(prefix));
        let listed = listed.take(most);
        listed
            .map(|(_, queue)| queue.lock().record.clone())
            .collect()
    }

    /// All queues, for removing expired messages.
    pub(crate) fn all_queues(&self) -> Vec<Arc<Mutex<Queue>>> {
        self.queues.read().values().cloned().collect()
    }

    pub(crate) fn create_table(&self, name: &str) -> Result<(), DirectoryError> {
        let mut tables = self.tables.write();
        let lower = name.to_ascii_lowercase();
        if tables.contains_key(&lower) {
            return Err(DirectoryError::AlreadyExists);
        }
        let record = TableRecord {
            name: name.to_owned(),
            policies: Vec::new(),
        };
        let id = self.next_container();
        self.store.write(&[Change::Table(id, &record)])?;
        let table = Table {
            record,
            entities: Entities::new(id),
            id,
            removed: false,
        };
        tables.insert(lower, Arc::new(RwLock::new(table)));
        Ok(())
    }

    /// Removes a table, and returns it to be dropped.
    pub(crate) fn delete_table(&self, name: &str) -> Result<Arc<RwLock<Table>>, DirectoryError> {
        let mut tables = self.tables.write();
        let lower = name.to_ascii_lowercase();
        let table = tables.get(&lower).ok_or(DirectoryError::NotFound)?;
        let mut locked = table.write();
        self.store.write(&[Change::RemoveTable(locked.id)])?;
        locked.removed = true;
        drop(locked);
        tables.remove(&lower).ok_or(DirectoryError::NotFound)
    }

    /// Reads a table.
    pub(crate) fn read_table<T>(
        &self,
        name: &str,
        action: impl FnOnce(&Table) -> T,
    ) -> Result<T, DirectoryError> {
        let table = self.table(name)?;
        let table = table.read();
        if table.removed {
            return Err(DirectoryError::NotFound);
        }
        Ok(action(&table))
    }

    /// Runs an operation on a table with exclusive access.
    pub(crate) fn write_table<T>(
        &self,
        name: &str,
        action: impl FnOnce(&mut Table) -> T,
    ) -> Result<T, DirectoryError> {
        let table = self.table(name)?;
        let mut table = table.write();
        if table.removed {
            return Err(DirectoryError::NotFound);
        }
        Ok(action(&mut table))
    }

    fn table(&self, name: &str) -> Result<Arc<RwLock<Table>>, DirectoryError> {
        let tables = self.tables.read();
        let table = tables.get(&name.to_ascii_lowercase());
        table.cloned().ok_or(DirectoryError::NotFound)
    }

    /// Names of tables in their original case, from `from` on in the order of lower case.
    pub(crate) fn tables(&self, from: &str) -> Vec<String> {
        let tables = self.tables.read();
        let listed = tables.range(from.to_ascii_lowercase()..);
        listed
            .map(|(_, table)| table.read().record.name.clone())
            .collect()
    }
}
