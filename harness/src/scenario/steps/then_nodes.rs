//! Judges the effect of evictions.

use cucumber::then;
use judge::deliveries;
use judge::evictions;
use platform::simulated::Capacity;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};

declare_needs!(Nodes);
#[then(expr = "within {time} as many consumers are at work again as before")]
async fn recovered(scenario: &mut Scenario, limit: Time) -> StepResult {
    Ok(scenario.run().await?.judge_recovery(limit.0).await?)
}

declare_needs!(Nodes);
#[then(
    "every consumer of a node that was evicted ended by itself before the node did, with exit code 0"
)]
async fn drained(scenario: &mut Scenario) -> StepResult {
    let all = scenario.run().await?.evictions()?;
    let storage = || Ok(scenario.traffic()?.storage);
    Ok(evictions::drained(&all, storage)?)
}

declare_needs!(Nodes, Wire);
#[then(expr = "no consumer took a message later than {time} after the notice")]
async fn took_nothing_more(scenario: &mut Scenario, limit: Time) -> StepResult {
    let run = scenario.run().await?;
    Ok(run.judge_receives_after_notice(limit.0)?)
}

declare_needs!(Wire);
#[then("no message came back because a lease ran out")]
async fn nothing_ran_out(scenario: &mut Scenario) -> StepResult {
    let lapsed = scenario.run().await?.lapsed()?;
    let (traffic, excuses) = (scenario.traffic()?, scenario.excuses());
    Ok(deliveries::no_lease_ran_out(traffic, lapsed, &excuses)?)
}

declare_needs!(Wire);
#[then(regex = r"^at most (\d+) messages were delivered more than once$")]
fn bounded(scenario: &mut Scenario, most: u64) -> StepResult {
    let (traffic, excuses) = (scenario.traffic()?, scenario.excuses());
    Ok(deliveries::redelivered_at_most(traffic, most, &excuses)?)
}

declare_needs!(Nodes);
#[then("those that came in place of others run on demand")]
async fn on_demand(scenario: &mut Scenario) -> StepResult {
    let run = scenario.run().await?;
    let evicted = run.evictions()?;
    let spot = run.running_on(Capacity::Spot)?;
    let on_demand = run.running_on(Capacity::OnDemand)?;
    Ok(evictions::replaced_on_demand(&evicted, on_demand, spot)?)
}

declare_needs!(Nodes, Notice, Events);
#[then("every consumer of a node that was evicted had looked for a notice every second")]
async fn looked(scenario: &mut Scenario) -> StepResult {
    let all = scenario.run().await?.evictions()?;
    Ok(evictions::looked_every_second(&all)?)
}
