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
//! A request goes through four layers, each of which knows only those below it:
//!
//! 1. `http` reads it from a socket, within limits, and writes the answer back.
//! 2. `services` authenticates it (`auth`), and `queues` or `tables` finds the operation in its address and does it.
//! 3. `state` holds queues and tables. It has no clock and no I/O: the time is handed to each operation, by a [`Clock`].
//! 4. `store` writes changes before they are acknowledged: nowhere, or in a directory, from where [`Engine`] reads them back.
//!
//! # What it leaves out
//!
//! Blobs; accounts other than one; the times that the real service takes. `docs/ENGINE.md` has the whole list, and how it
//! differs from Azurite. It has no faults to be switched on.

mod auth;
mod builder;
mod clock;
mod error;
mod filter;
mod http;
mod policies;
pub mod program;
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

/// The account that emulators of Azure Storage have.
pub const ACCOUNT: &str = "devstoreaccount1";

/// The published key of [`ACCOUNT`]: it opens nothing but emulators.
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The example of the README is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
