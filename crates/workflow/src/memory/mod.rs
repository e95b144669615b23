//! The ports in memory, for simulation and for tests without Azurite.
//!
//! Not a mock: visibility timeouts, pop receipts and redelivery work as in the service, on tokio's clock (so that a test may
//! pause it). Left out: message expiry, throughput limits, and the delay of the service's approximate counts.

mod queue;
mod table;

pub use queue::MemoryQueue;
pub use table::MemoryTable;
