//! The contract that producer and consumer keep, and the storage they keep it through.
//!
//! - [`contract`]: what a run is made of: ids, stamps, payloads, messages, rows, poison envelopes.
//! - [`ports`]: [`ports::WorkQueue`] and [`ports::ResultTable`], the only storage the workload knows.
//! - [`azure`]: the adapters to Azure Queue and Table Storage; the only place that names `azure_*`.
//! - [`memory`]: the same ports in process, with real visibility semantics, for simulation and tests.
//! - [`clock`]: the wall clock, or one that a simulation pauses.
//! - [`backoff`], [`shutdown`], [`telemetry`], [`exit`]: how a well-behaved process waits, ends and tells.
//! - [`task`]: tasks that end with their owner; [`panics`]: whether any part of the process has panicked.
//! - [`flags`]: a command line, read without repeating what may be secret; [`duration`], [`number`]: its values; [`histogram`]: latencies as text.
//!
//! Producer and consumer do not know each other: they meet here.

pub mod azure;
pub mod backoff;
pub mod clock;
pub mod exit;
pub mod flags;
pub mod memory;
pub mod panics;
pub mod ports;
pub mod shutdown;
pub mod task;
pub mod telemetry;
pub mod unanswered;

pub use ::contract;
pub use ::contract::{duration, histogram, number};
