//! Proves that the event-driven workload keeps its promises: scenarios, load, audit, measurement, reports.
//!
//! - [`environment`]: where the workload runs. [`run`]: storage, consumers and a load, and what is found afterwards.
//! - [`scenario`]: the feature files, run by Cucumber. [`load`]: one run without Gherkin.
//! - [`audit`] and [`measure`] judge; they see the contract and the evidence only. [`outcome`]: the four outcomes.
//!   `conclusion`: how a run comes to one, whoever conducted it. `panics`: none of the harness's own is lost.
//! - [`events`]: the log of a run. [`report`]: everything people read, derived from it.
//! - [`verify`]: audits a table after the fact. [`sweep`]: removes what a harness that was killed has left in storage.
//! - [`pace`]: how many times as fast as in production a scenario runs.
//! - [`autoscale`]: the model of KEDA and the HPA decides how many consumers a run has.
//! - [`nodes`]: where consumers run, and how Azure takes that back.
//! - [`init`]: a first description of a workload that is not the project's own.
//! - [`manifest`]: what `k8s/` says, and what is wrong with it. [`simulate`]: what its scaling settings would do. [`recording`]:
//!   what a real cluster did, held against the model.
//! - [`authority`]: what stands for Microsoft Entra on a laptop. [`leak`]: finds secrets in what was written down.
//! - [`compare`]: runs held against other runs. [`nights`]: a page over many.
//! - [`project`]: the directory that a command works for.
//! - [`process`]: child processes. [`guard`]: ends them when the harness cannot. [`cli`]: the command line. [`exit`]: its
//!   exit codes.

pub mod authority;
pub mod autoscale;
pub mod cli;
pub mod compare;
mod conclusion;
pub mod exit;
pub mod init;
mod interrupts;
pub mod leak;
mod letters;
pub mod load;
mod lock;
pub mod manifest;
pub mod nights;
pub mod nodes;
mod panics;
pub mod platform;
pub mod project;
pub mod recording;
pub mod report;
pub mod run;
pub mod scenario;
mod shell;
pub mod simulate;
pub mod sweep;
pub mod verify;

pub use ::wire;
pub use evidence::{events, outcome, pace};
pub use judge::{audit, measure};
