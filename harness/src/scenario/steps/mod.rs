//! Steps: each translates one sentence into calls of [`crate::run`] or a question to [`judge`], and hands the answer back. It compares
//! nothing: `rooms.rs` holds that.

use cucumber::gherkin::Step;

use super::tables;
use crate::pace::Pace;

mod given;
mod identity;
mod inject;
mod nodes;
mod ready;
mod scaling;
mod then_identity;
mod then_latency;
mod then_nodes;
mod then_poison;
mod then_results;
mod then_scaling;
mod trouble;
mod when;
mod when_faults;

pub(super) use nodes::OnNodes;

/// The problem of a step's table, found before anything runs; `None` if there is none, or if the step reads no table.
pub(super) fn table_problem(step: &Step) -> Option<anyhow::Error> {
    match step.value.as_str() {
        scaling::CHANGED => tables::changes(step).err(),
        "requests meet this trouble:" => trouble::trouble_rules(step).err(),
        "consumers die:" => trouble::death_rules(step).err(),
        "latency stays within these limits:" => tables::limits(step, Pace::PRODUCTION).err(),
        _ => None,
    }
}
