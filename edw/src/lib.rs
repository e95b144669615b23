//! Judges an event-driven workload from a test, as the command `edw load` does.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), edw::Error> {
//! let verdict = edw::Load::of(300)
//!     .shape("constant:100/s")
//!     .consumers(3)
//!     .workload("edw.yaml")
//!     .limit("end to end p99 5s")
//!     .judge()?;
//! assert!(verdict.is_pass(), "{verdict}");
//!
//! let p99 = verdict.latency(edw::Hop::EndToEnd, edw::Percentile::P99);
//! assert!(p99 < Some(Duration::from_secs(2)), "{verdict}");
//! # Ok(()) }
//! ```
//!
//! A [`Load`] starts storage, the producer and the workers, sends the messages, waits until they are done, and audits every row:
//! the [`Verdict`] says whether each acknowledged message has exactly one result, lists the violations with their [`Witness`]es,
//! and has the latency of every [`Hop`]. Only a directory with the evidence is left behind ([`Verdict::directory`]).
//!
//! # The program
//!
//! Producer and workers are processes of the program `edw`, which the test finds by [`Load::program`], by the variable `EDW_PROGRAM`,
//! beside itself in `target/`, or on the `PATH`. It must be of this library's version: `cargo install --locked edw`, or build the
//! workspace first.
//!
//! # Storage alone
//!
//! [`Storage`] is the embedded Queue and Table services without a load, for tests of your own.

mod error;
mod load;
mod storage;
mod verdict;

pub use error::Error;
pub use harness::audit::{Finding, Violation, Witness};
pub use harness::measure::{Hop, Percentile};
pub use harness::outcome::Outcome;
pub use load::Load;
pub use storage::Storage;
pub use verdict::Verdict;
