//! Scenarios: the sentences of the feature files, made to happen in an environment and judged.
//!
//! Steps (`steps/`) only translate sentences into calls of [`crate::run`], through the macros and the matching of the
//! `cucumber` crate. `selection.rs` reads the feature files before anything starts; `lint.rs` knows what is wrong with them;
//! `play.rs` plays one scenario, `suite.rs` all of them. That part is not the crate's: it knows no deadline, no outcome
//! between pass and fail, and plays all scenarios on one thread.

mod args;
mod console;
mod durations;
mod lint;
mod needs;
mod play;
mod read;
mod selection;
mod steps;
mod suite;
#[cfg(test)]
mod tests;
mod text;
mod trouble;
mod world;

pub use args::{Keep, SuiteArgs};
pub use lint::Problem;
pub use selection::{Lint, Listed, Selection, check_feature, check_features, list, select};
pub use suite::{SuiteReport, check, run};
