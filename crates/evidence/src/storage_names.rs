//! Names of a run's resources in storage.

use contract::POISON_SUFFIX;

/// The names of a run's queues and table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageNames {
    /// Its queues; the description derives the name of each poison queue from one of them. Empty: every queue that is not a
    /// poison queue.
    pub queues: Vec<String>,
    /// Its table.
    pub table: Option<String>,
}

impl StorageNames {
    /// Whether `name` is one of its queues.
    pub fn is_queue(&self, name: &str) -> bool {
        if self.queues.is_empty() {
            !name.ends_with(POISON_SUFFIX)
        } else {
            self.number_of(name).is_some()
        }
    }

    /// The index of the queue `name`, from 0.
    pub fn number_of(&self, name: &str) -> Option<usize> {
        self.queues.iter().position(|queue| queue == name)
    }

    /// Whether it has more than one queue.
    pub const fn has_several_queues(&self) -> bool {
        self.queues.len() > 1
    }

    /// Whether `name` is its table. Table names are case-insensitive ("Understanding the Table service data model").
    pub fn is_table(&self, name: &str) -> bool {
        let table = self.table.as_deref();
        table.is_none_or(|table| table.eq_ignore_ascii_case(name))
    }
}
