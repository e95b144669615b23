//! Scenarios: the feature files, run by Cucumber against an environment.
//!
//! Steps (`steps/`) only translate sentences into calls of [`crate::run`]; `selection.rs` reads the feature files before
//! anything starts, and refuses zero scenarios and a step without exactly one definition; the suite (`suite.rs`) runs
//! and counts.

mod args;
mod durations;
mod needs;
mod selection;
mod steps;
mod suite;
mod world;

pub use args::SuiteArgs;
pub use selection::{Selection, list, select};
pub use suite::{SuiteReport, check, run};
