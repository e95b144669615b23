//! Judges latency.

use cucumber::gherkin::Step;
use cucumber::then;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::tables::limits;
use super::super::world::{Scenario, StepResult};
use crate::measure::{Hop, judge, kept, median_at_least};

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
