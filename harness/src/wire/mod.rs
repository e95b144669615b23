//! What crosses the wire between clients and storage: seen, written down, and broken on purpose.
//!
//! A [`Proxy`] sits between the workload and storage. It knows the operations of the queue and the table service, so that it
//! can write a [`History`] of who did what to which message and row, and can break an unmodified client at each boundary of
//! the protocol: a [`Rule`] says which requests, and what happens to them.

mod bodies;
mod crossing;
pub mod evidence;
mod fault;
mod headers;
mod heartbeat;
mod history;
mod lane;
mod multipart;
mod operation;
mod proxy;
mod request;
mod tls;
mod upstream;

#[cfg(test)]
mod tests;

pub use crossing::{Answer, Claimed, Crossing, Handled, Happened, Pause, RowChange, fingerprint};
pub use fault::{Effect, Faults, Guard, Moment, PRODUCER, Refusal, Rule, Whom};
pub use history::{FILE, History, HistoryError, Index, Reader};
pub use lane::{Killer, Lane};
pub use operation::{Keys, Operation, Service};
pub use proxy::{Endpoints, Proxy};
pub use tls::Tls;
