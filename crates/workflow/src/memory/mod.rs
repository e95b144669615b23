//! The ports in process: for simulation and for tests that need no Azurite.
//!
//! Not a mock: visibility timeouts, pop receipts and redelivery behave as the service's do, on tokio's clock (so that a
//! test may pause it). Left out: message expiry, limits on throughput, and the service's approximate counts being late.

mod queue;
mod table;

pub use queue::MemoryQueue;
pub use table::MemoryTable;
