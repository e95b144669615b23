//! Names of what a run has in storage.

use contract::POISON_SUFFIX;

/// What the queues and the table of a run are called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageNames {
    /// Its queues; each poison queue is named after one of them, as the description of the workload says. Empty: every queue that
    /// is no poison queue.
    pub queues: Vec<String>,
    /// Its table.
    pub table: Option<String>,
}

impl StorageNames {
    /// Whether one of its queues is called `name`.
    pub fn is_queue(&self, name: &str) -> bool {
        if self.queues.is_empty() {
            !name.ends_with(POISON_SUFFIX)
        } else {
            self.number_of(name).is_some()
        }
    }

    /// Which of its queues is called `name`, counted from 0.
    pub fn number_of(&self, name: &str) -> Option<usize> {
        self.queues.iter().position(|queue| queue == name)
    }

    /// Whether it has more than one queue.
    pub const fn has_several_queues(&self) -> bool {
        self.queues.len() > 1
    }

    /// Names of tables are the same in small and in large letters ("Understanding the Table service data model").
    pub fn is_table(&self, name: &str) -> bool {
        let table = self.table.as_deref();
        table.is_none_or(|table| table.eq_ignore_ascii_case(name))
    }
}
