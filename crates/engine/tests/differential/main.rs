//! Seeded random sequences of operations, each done to the engine and to Azurite, and both answers compared: status, error code,
//! headers and bodies as far as they matter to a client. Where the two differ and the engine follows the service's
//! documentation, the difference is in `known`, with the page that judges it; any other difference fails.
//!
//! `ENGINE_SEEDS=FIRST..LAST` runs other seeds than the usual ones.

#![expect(clippy::unwrap_used, reason = "an unwrap in a test is an assertion")]

mod answer;
mod both;
mod filters;
mod known;
mod queues;
mod random;
mod tables;
