//! The contract that producer and consumer share, and their access to storage.
//!
//! - [`contract`]: the data of a run: ids, stamps, payloads, messages, rows, poison envelopes.
//! - [`ports`]: [`ports::WorkQueue`] and [`ports::ResultTable`], the workload's only interface to storage.
//! - [`azure`]: the adapters to Azure Queue and Table Storage; the only place that names `azure_*`.
//! - [`memory`]: the same ports in memory, with the service's visibility semantics, for simulation and tests.
//! - [`clock`]: the wall clock, or one that a simulation pauses.
//! - [`backoff`], [`shutdown`], [`telemetry`], [`exit`]: retries, shutdown, logs and exit codes of a process.
//! - [`task`]: tasks that end with their owner; [`panics`]: whether any part of the process has panicked.
//! - [`flags`]: parses a command line without repeating secrets; [`duration`], [`number`]: its values; [`histogram`]: latencies
//!   as text.
//!
//! Producer and consumer do not depend on each other: this crate is all that they share.

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
