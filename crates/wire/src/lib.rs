//! What crosses the wire between clients and storage: seen, written down, and broken on purpose.
//!
//! A [`Proxy`] sits between the workload and storage. It knows the operations of the queue and the table service, so that it
//! can write a [`History`] of who did what to which message and row, and can break an unmodified client at each boundary of
//! the protocol: a [`Rule`] says which requests, and what happens to them. It kills a client through the [`Killer`] that its
//! platform hands in, and knows no process.
//!
//! It runs in the harness, where the workload is on the same machine, or as a program of its own beside the workload (`main`): then
//! clients come through a gate, [`control`] is how the harness speaks to it, and [`Remote`] is what the harness has of it. [`Wire`] is
//! what both are to a run.

pub mod asked;
mod bodies;
mod connection;
pub mod control;
mod fault;
mod gate;
mod headers;
mod heartbeat;
mod history;
mod lane;
mod multipart;
pub mod panics;
mod proxy;
mod remote;
mod request;
mod tls;
mod upstream;
mod way;
mod wire;

#[cfg(test)]
mod tests;

use evidence::{Answer, Claimed, Crossing, Handled, Happened, Keys, Pause, RowChange, fingerprint};
pub use evidence::{Operation, Service};
pub use fault::{FaultKind, Faults, Moment, PRODUCER, Refusal, Rule, Whom};
pub use history::History;
pub use lane::{Killer, Lane};
pub use proxy::{Endpoints, Proxy};
pub use remote::{Kills, Remote};
pub use tls::Tls;
pub use wire::{AtWork, Wire, Written};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a panic of another thread leaves behind a lock is as good as before: each change is a whole one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
