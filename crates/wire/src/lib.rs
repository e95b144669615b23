//! The wire between clients and storage: records requests, and injects faults.
//!
//! A [`Proxy`] sits between the workload and storage. It knows the operations of the queue and the table service, so it can
//! write a [`History`] of every client's requests on messages and rows, and can inject faults into an unmodified client at each
//! step of the protocol: a [`Rule`] selects requests, and defines the effect on them. It kills a client through the [`Killer`]
//! that the platform supplies, and knows no processes.
//!
//! The proxy runs inside the harness if the workload is on the same machine, otherwise as a program beside the workload
//! (`main`). Then clients connect through a gate, the harness uses the program's [`control`] interface, and [`Remote`] is the
//! harness's client of it. [`Wire`] is the common trait of both.

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
pub use evidence::{Operation, PRODUCER, Service};
pub use fault::{FaultKind, Faults, Moment, Refusal, Rule, Whom};
pub use history::History;
pub use lane::{Killer, Lane};
pub use proxy::{Endpoints, Proxy};
pub use remote::{Kills, Remote};
pub use tls::Tls;
pub use wire::{InForce, Wire, Written};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`, also after a panic of a holder: each change of the data is complete, so they are still valid.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
