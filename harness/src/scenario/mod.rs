//! Scenarios: the feature files, run by Cucumber against an environment.
//!
//! Steps (`steps/`) only translate sentences into calls of [`crate::run`]; the suite (`suite.rs`) selects, runs and
//! counts. Zero selected scenarios, a step without a definition and an ambiguous step all fail the suite.

mod args;
mod durations;
mod needs;
mod steps;
mod suite;
mod world;

pub use args::SuiteArgs;
pub use suite::{SuiteReport, list, run};
