//! Proves that the event-driven workload keeps its promises: scenarios, load, audit, measurement, reports.
//!
//! - [`run`]: one run on a [`platform`]: starts storage, consumers and a load, and collects the evidence.
//! - [`scenario`]: the suite: plays the scenarios of the feature files. [`load`]: one run without Gherkin.
//! - [`audit`] and [`measure`] judge; they depend on the contract and the evidence only. [`outcome`]: the four outcomes.
//!   `conclusion`: derives the outcome of loads, audits, scenarios and suites. `panics`: records each panic of the harness.
//! - [`events`]: the log of a run. [`report`]: all reports, derived from the log.
//! - [`verify`]: audits a table after the run. [`sweep`]: removes what a killed harness has left in storage and in a cluster.
//! - [`pace`]: how many times faster than in production a scenario runs.
//! - [`init`]: writes a first description of another team's workload. [`leak`]: searches output for secrets.
//! - [`compare`]: compares runs with other runs. [`nights`]: a page about many nights.
//! - [`advise`]: predicts the effect of scaling settings. [`manifest`]: reads `k8s/`, and finds its problems.
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
