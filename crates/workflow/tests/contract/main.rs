//! One test suite for all adapters of the ports, run once per backend.
//!
//! Memory, Azurite and the embedded engine must answer alike, otherwise simulations and local tests would prove nothing about
//! storage.

#![expect(clippy::unwrap_used, reason = "an unwrap in a test is an assertion")]

mod backend;
mod queue;
mod table;
