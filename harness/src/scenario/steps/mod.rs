//! Steps: each translates one sentence into calls of [`crate::run`], and does nothing else.

use anyhow::Context as _;
use cucumber::gherkin::Step;

use crate::pace::Pace;

/// Like `anyhow::bail`, for steps: a promise is broken.
macro_rules! bail {
    ($($message:tt)*) => {
        return Err($crate::outcome::NotPassed::fail(format!($($message)*)).into())
    };
}

/// Like `anyhow::ensure`, for steps: if the condition is false, a promise is broken.
macro_rules! ensure {
    ($condition:expr, $($message:tt)*) => { if !$condition { bail!($($message)*) } };
}

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
#[cfg(test)]
pub(super) use scaling::changes;

/// The rows of a step's table, which must have these columns and at least one row.
fn rows<'a, const N: usize>(
    step: &'a Step,
    columns: [&str; N],
) -> anyhow::Result<Vec<[&'a str; N]>> {
    let table = step.table.as_ref().context("the step needs a table")?;
    let (header, rows) = table.rows.split_first().context("the table is empty")?;
    anyhow::ensure!(
        header == &columns && !rows.is_empty(),
        "the table has the columns {columns:?}, in this order, and at least one row"
    );
    let cells =
        |row: &'a Vec<String>| std::array::from_fn(|at| row.get(at).map_or("", String::as_str));
    Ok(rows.iter().map(cells).collect())
}

/// The problem of a step's table, found before anything runs; `None` if there is none, or if the step reads no table.
pub(super) fn table_problem(step: &Step) -> Option<anyhow::Error> {
    match step.value.as_str() {
        scaling::CHANGED => scaling::changes(step).err(),
        "requests meet this trouble:" => trouble::trouble_rules(step).err(),
        "consumers die:" => trouble::death_rules(step).err(),
        "latency stays within these limits:" => then_latency::limits(step, Pace::PRODUCTION).err(),
        _ => None,
    }
}
