//! What crosses the wire between clients and storage: seen, written down, and broken on purpose.
//!
//! A [`Proxy`] sits between the workload and storage. It knows the operations of the queue and the table service, so that it
//! can write a [`History`] of who did what to which message and row, and can break an unmodified client at each boundary of
//! the protocol: a [`Rule`] says which requests, and what happens to them. It kills a client through the [`Killer`] that its
//! platform hands in, and knows no process.

pub mod asked;
mod bodies;
mod fault;
mod headers;
mod heartbeat;
mod history;
mod lane;
mod multipart;
mod proxy;
mod request;
mod tls;
mod upstream;

#[cfg(test)]
mod tests;

use evidence::{Answer, Claimed, Crossing, Handled, Happened, Keys, Pause, RowChange, fingerprint};
pub use evidence::{Operation, Service};
pub use fault::{Effect, Faults, Guard, Moment, PRODUCER, Refusal, Rule, Whom};
pub use history::History;
pub use lane::{Killer, Lane};
pub use proxy::{Endpoints, Proxy};
pub use tls::Tls;
