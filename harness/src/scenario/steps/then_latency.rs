//! Judges latency.

use std::collections::HashMap;

use anyhow::Context as _;
use cucumber::gherkin::Step;
use cucumber::then;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};
use crate::measure::{Hop, LatencyLimit, judge, kept, median_at_least};
use crate::pace::Pace;

declare_needs!(Intended);
#[then(expr = "latency stays within these limits:")]
fn within_limits(scenario: &mut Scenario, step: &Step) -> StepResult {
    let limits = limits(step, scenario.pace)?;
    let verdicts = judge(&scenario.collected()?.hops, &limits);
    scenario.measured(verdicts.clone())?;
    Ok(kept(&verdicts)?)
}

#[then(
    regex = r#"^at least half of the messages took (\d+ (?:ms|s|min)) or more in the hop "(.+)"$"#
)]
fn at_least(scenario: &mut Scenario, time: Time, hop: Hop) -> StepResult {
    let hops = &scenario.collected()?.hops;
    Ok(median_at_least(hops, hop, time.0)?)
}

/// The limits in a table with the columns `hop`, `percentile` and `limit`, in any order, converted to `pace`.
pub(super) fn limits(step: &Step, pace: Pace) -> anyhow::Result<Vec<LatencyLimit>> {
    let table = step
        .table
        .as_ref()
        .context("the step needs a table of limits")?;
    let (header, rows) = table
        .rows
        .split_first()
        .context("the table of limits is empty")?;
    anyhow::ensure!(!rows.is_empty(), "the table of limits has no limit");
    rows.iter()
        .map(|row| {
            let cells: HashMap<_, _> = header.iter().map(String::as_str).zip(row).collect();
            let cell = |name: &str| {
                let missing = || {
                    let header = header.join(", ");
                    format!("the table of limits has no column {name}; it has {header}")
                };
                cells
                    .get(name)
                    .map(|text| text.as_str())
                    .with_context(missing)
            };
            let time: Time = cell("limit")?.parse().map_err(anyhow::Error::msg)?;
            anyhow::ensure!(
                !time.0.is_zero(),
                "no message takes {}; write a limit above 0",
                cell("limit")?
            );
            Ok(LatencyLimit::new(
                cell("hop")?.parse()?,
                cell("percentile")?.parse()?,
                pace.time(time.0),
            ))
        })
        .collect()
}
