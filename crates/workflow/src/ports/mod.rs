//! The ports: the only interface of producer, consumer and harness to storage.
//!
//! There are two adapters, [`crate::azure`] and [`crate::memory`], both tested by one contract test suite
//! (`workflow/tests/contract.rs`). No method retries: an adapter makes one try and reports how it ended; the caller decides
//! when to retry ([`crate::backoff`]).

mod error;
mod queue;
mod table;

pub use error::{Effect, ErrorKind, StorageError};
pub use queue::{Delivery, Lease, MAX_RECEIVE, Peeked, WorkQueue};
pub use table::{EntityStream, InsertOutcome, MAX_BATCH, ResultTable};
