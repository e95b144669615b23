//! Seeded random sequences of operations, each run on the engine and on Azurite. Both answers are compared: status, error code,
//! headers and bodies as far as they matter to a client. If the two differ and the engine follows the service's documentation,
//! the difference is listed in `known`, with the page that decides it; any other difference fails.
//!
//! `ENGINE_SEEDS=FIRST..LAST` replaces the usual seeds.

#![expect(clippy::unwrap_used, reason = "an unwrap in a test is an assertion")]

mod answer;
mod both;
mod filters;
mod known;
mod queues;
mod random;
mod tables;
