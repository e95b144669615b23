//! Scenarios: the sentences of the feature files, executed in an environment and judged.
//!
//! Steps (`steps/`) only translate sentences into calls of [`crate::run`], with the macros and the matching of the `cucumber`
//! crate. `selection.rs` reads the feature files before anything starts; `lint.rs` finds their problems; `play.rs` plays one
//! scenario, `suite.rs` all of them. The crate's own runner is not used: it has no deadlines, no outcomes besides pass and fail,
//! and plays all scenarios on one thread.

mod args;
mod console;
mod durations;
mod lint;
mod needs;
mod play;
mod read;
mod room;
mod selection;
mod steps;
mod suite;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod trouble;
mod world;

pub use args::{Keep, SuiteArgs};
pub use lint::Problem;
pub use selection::{Lint, Listed, Selection, check_feature, check_features, list, select};
pub use suite::{SuiteReport, check, run};
