//! The Queue and Table services of Azure Storage over HTTP, embedded in a process: in memory, or in a directory.
//!
//! ```no_run
//! # async fn example() -> Result<(), engine::Error> {
//! let engine = engine::Engine::builder().start().await?;
//! let queues = format!("{}?{}", engine.queue_url(), engine.sas());
//! println!("{}", engine.connection_string());
//! engine.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # How it is made
//!
//! A request passes four layers, each of which uses only those below it:
//!
//! 1. `http` reads it from a socket, within limits, and writes the answer.
//! 2. `services` authenticates it (`auth`), and `queues` or `tables` selects the operation by its address and runs it.
//! 3. `state` holds queues and tables. It has no clock and no I/O: each operation gets the time from a [`Clock`].
//! 4. `store` writes changes before they are acknowledged: nowhere, or into a directory, from which [`Engine`] reads them at
//!    its start.
//!
//! # What it leaves out
//!
//! Blobs; more than one account; the response times of the real service. `docs/ENGINE.md` has the whole list, and the
//! differences from Azurite. It cannot inject faults.

mod auth;
mod builder;
mod call;
mod clock;
mod error;
mod filter;
mod http;
mod listener;
mod policies;
pub mod program;
mod properties;
mod queues;
mod running;
mod services;
mod state;
mod store;
mod tables;

pub use auth::Service;
pub use builder::Builder;
pub use clock::{Clock, Moment, PlayedClock, SystemClock};
pub use error::Error;
pub use http::{request::Request, response::Answer};
pub use running::Engine;
pub use services::Services;

/// The account of all emulators of Azure Storage.
pub const ACCOUNT: &str = "devstoreaccount1";

/// The public key of [`ACCOUNT`], which is valid for emulators only.
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The example of the README is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
