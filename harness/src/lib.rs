//! Proves that the event-driven workload keeps its promises: scenarios, load, audit, measurement, reports.
//!
//! - [`run`]: one run on a [`platform`]: it starts storage, consumers and a load, and collects the evidence.
//! - [`scenario`]: the suite: plays the scenarios of the feature files. [`load`]: one run without Gherkin.
//! - [`audit`] and [`measure`] judge; they see the contract and the evidence only. [`outcome`]: the four outcomes. `conclusion`:
//!   how loads, audits, scenarios and suites come to an outcome. `panics`: notes each panic of the harness, so that none is lost.
//! - [`events`]: the log of a run. [`report`]: everything people read, derived from it.
//! - [`verify`]: audits a table after the fact. [`sweep`]: removes what a killed harness has left in storage and in a cluster.
//! - [`pace`]: how many times as fast as in production a scenario runs.
//! - [`init`]: writes a first description of another team's workload. [`leak`]: finds secrets in what was written down.
//! - [`compare`]: runs held against other runs. [`nights`]: a page over many.
//! - [`advise`]: what scaling settings would do. [`manifest`]: what `k8s/` says, and what is wrong with it.
//! - [`cli`]: the command line. [`exit`]: its exit codes.

pub mod cli;
pub mod compare;
mod conclusion;
pub mod exit;
pub mod init;
mod interrupts;
pub mod leak;
pub mod load;
pub mod nights;
mod panics;
pub mod report;
#[cfg(test)]
mod rooms;
pub mod run;
mod say;
pub mod scenario;
pub mod sweep;
pub mod verify;

pub use ::{advise, manifest, platform};
pub use ::wire;
pub use evidence::{events, outcome, pace};
pub use judge::{audit, measure};
