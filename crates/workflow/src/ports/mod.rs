//! The ports: all that producer, consumer and harness know of storage.
//!
//! Two adapters keep them, [`crate::azure`] and [`crate::memory`], both held to one contract test suite
//! (`workflow/tests/contract.rs`). No method retries: an adapter makes one try and tells truthfully how it ended; waiting
//! is the caller's business ([`crate::backoff`]).

mod error;
mod queue;
mod table;

pub use error::{Effect, ErrorKind, StorageError};
pub use queue::{Delivery, Lease, MAX_RECEIVE, Peeked, WorkQueue};
pub use table::{EntityStream, InsertOutcome, MAX_BATCH, ResultTable, RowStream};
