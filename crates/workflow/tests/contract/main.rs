//! One suite of facts that every adapter of a port must keep, run once per backend.
//!
//! Memory, Azurite and the embedded engine answer alike, or simulation and tests on a laptop would prove nothing about storage.

#![expect(clippy::unwrap_used, reason = "an unwrap in a test is an assertion")]

mod backend;
mod queue;
mod table;
