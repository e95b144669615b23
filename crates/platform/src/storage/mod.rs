//! The storage of a run, behind trait objects, on any platform.

mod queues;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use workflow::azure::{QueueArgs, Storage, TableArgs};
use workflow::contract::RunId;
use workflow::contract::workload::Lens;
use workflow::ports::{
    Delivery, EntityStream, Lease, Peeked, ResultTable, StorageError, WorkQueue,
};

pub use self::queues::Queues;
use evidence::audit::StorageNames;

/// A queue as the harness uses it. Every [`WorkQueue`] is one.
#[async_trait]
pub trait Queue: Send + Sync {
    /// As [`WorkQueue::create`].
    async fn create(&self) -> Result<(), StorageError>;
    /// As [`WorkQueue::send`].
    async fn send(&self, body: &str) -> Result<(), StorageError>;
    /// As [`WorkQueue::receive`].
    async fn receive(&self, max: u8, hidden: Duration) -> Result<Vec<Delivery>, StorageError>;
    /// As [`WorkQueue::renew`].
    async fn renew(&self, lease: &Lease, hidden: Duration) -> Result<Lease, StorageError>;
    /// As [`WorkQueue::peek`].
    async fn peek(&self, max: u8) -> Result<Vec<Peeked>, StorageError>;
    /// As [`WorkQueue::approximate_count`].
    async fn approximate_count(&self) -> Result<u64, StorageError>;
    /// As [`WorkQueue::delete_queue`].
    async fn delete_queue(&self) -> Result<(), StorageError>;
}

#[async_trait]
impl<Q: WorkQueue> Queue for Q {
    async fn create(&self) -> Result<(), StorageError> {
        WorkQueue::create(self).await
    }

    async fn send(&self, body: &str) -> Result<(), StorageError> {
        WorkQueue::send(self, body).await
    }

    async fn receive(&self, max: u8, hidden: Duration) -> Result<Vec<Delivery>, StorageError> {
        WorkQueue::receive(self, max, hidden).await
    }

    async fn renew(&self, lease: &Lease, hidden: Duration) -> Result<Lease, StorageError> {
        WorkQueue::renew(self, lease, hidden).await
    }

    async fn peek(&self, max: u8) -> Result<Vec<Peeked>, StorageError> {
        WorkQueue::peek(self, max).await
    }

    async fn approximate_count(&self) -> Result<u64, StorageError> {
        WorkQueue::approximate_count(self).await
    }

    async fn delete_queue(&self) -> Result<(), StorageError> {
        WorkQueue::delete_queue(self).await
    }
}

/// A table as the harness uses it. Every [`ResultTable`] is one.
#[async_trait]
pub trait Table: Send + Sync {
    /// As [`ResultTable::create`].
    async fn create(&self) -> Result<(), StorageError>;
    /// As [`ResultTable::all_entities`].
    fn all_entities(&self) -> EntityStream;
    /// As [`ResultTable::delete_table`].
    async fn delete_table(&self) -> Result<(), StorageError>;
}

#[async_trait]
impl<T: ResultTable> Table for T {
    async fn create(&self) -> Result<(), StorageError> {
        ResultTable::create(self).await
    }

    fn all_entities(&self) -> EntityStream {
        ResultTable::all_entities(self)
    }

    async fn delete_table(&self) -> Result<(), StorageError> {
        ResultTable::delete_table(self).await
    }
}

/// Additional queues and tables, which are not judged.
#[derive(Clone, Default)]
pub struct Beside {
    /// The queues.
    pub queues: Vec<Arc<dyn Queue>>,
    /// The tables.
    pub tables: Vec<Arc<dyn Table>>,
}

/// The storage of one run.
#[derive(Clone)]
pub struct Store {
    /// The run.
    pub run: RunId,
    /// Its queue, or all of its queues joined to one.
    pub queue: Arc<dyn Queue>,
    /// Its queues, in the order of their names.
    pub queues: Vec<Arc<dyn Queue>>,
    /// Its poison queue; `None`: the workload has none.
    pub poison: Option<Arc<dyn Queue>>,
    /// Its table.
    pub table: Arc<dyn Table>,
    /// The additional queues and tables that the worker uses.
    pub beside: Beside,
    /// The names of queue and table, by which requests are recognised.
    pub names: StorageNames,
    /// The lens through which its messages and rows are read.
    pub lens: Lens,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the storage of {}", self.run)
    }
}

/// The names of all queues of the run of `lens`, whose own is `queue`: its own comes first.
pub fn queue_names(lens: &Lens, queue: &str) -> impl Iterator<Item = String> {
    let own = [queue.to_owned()]
        .into_iter()
        .chain(lens.poison_queue(queue));
    own.chain(lens.queues_beside(queue))
}

/// The names of all tables of the run of `lens`, whose own is `table`: its own comes first.
pub fn table_names(lens: &Lens, table: &str) -> impl Iterator<Item = String> {
    let own = [table.to_owned()].into_iter();
    own.chain(lens.tables_beside(table))
}

impl Store {
    /// Makes the store of the run of `lens` in `storage`, with `queues` and `table` as its own. Creates nothing in storage.
    pub fn of(
        storage: &Storage,
        lens: Lens,
        queues: &[QueueArgs],
        table: &TableArgs,
    ) -> anyhow::Result<Self> {
        let table_name = table.table.as_str();
        let (mut own, mut poisons) = (Vec::new(), Vec::new());
        let mut beside = Beside::default();
        for queue in queues {
            let named = |name: String| -> anyhow::Result<Arc<dyn Queue>> {
                Ok(Arc::new(storage.queue_named(&name.parse()?, queue)?))
            };
            let name = queue.queue.as_str();
            own.push(Arc::new(storage.queue(queue)?) as Arc<dyn Queue>);
            poisons.extend(lens.poison_queue(name).map(named).transpose()?);
            for name in lens.queues_beside(name) {
                beside.queues.push(named(name)?);
            }
        }
        for name in lens.tables_beside(table_name) {
            let args = TableArgs {
                table: name.parse()?,
                ..table.clone()
            };
            beside.tables.push(Arc::new(storage.table(&args)?));
        }
        Ok(Self {
            run: lens.run().clone(),
            queue: Queues::joined(own.clone()).context("a run must have a queue")?,
            queues: own,
            poison: Queues::joined(poisons),
            table: Arc::new(storage.table(table)?),
            beside,
            names: StorageNames {
                queues: queues.iter().map(|it| it.queue.to_string()).collect(),
                table: Some(table_name.to_owned()),
            },
            lens,
        })
    }

    /// Creates the queues and the table.
    pub async fn create(&self) -> Result<(), StorageError> {
        self.queue.create().await?;
        if let Some(poison) = &self.poison {
            poison.create().await?;
        }
        for queue in &self.beside.queues {
            queue.create().await?;
        }
        for table in &self.beside.tables {
            table.create().await?;
        }
        self.table.create().await
    }

    /// Removes the queues and the table. All are tried; the first failure is returned.
    pub async fn remove(&self) -> Result<(), StorageError> {
        let poison = match &self.poison {
            Some(poison) => poison.delete_queue().await,
            None => Ok(()),
        };
        let mut removed = vec![
            self.queue.delete_queue().await,
            poison,
            self.table.delete_table().await,
        ];
        for queue in &self.beside.queues {
            removed.push(queue.delete_queue().await);
        }
        for table in &self.beside.tables {
            removed.push(table.delete_table().await);
        }
        removed.into_iter().collect()
    }
}
