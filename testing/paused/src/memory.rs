//! Storage in memory.

use workflow::memory::{MemoryQueue, MemoryTable};

/// The storage of one run.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    pub(crate) queue: MemoryQueue,
    pub(crate) poison: MemoryQueue,
    pub(crate) table: MemoryTable,
}
