//! Judges the number of consumers.

use anyhow::Context as _;
use autoscaler::Settings;
use cucumber::then;
use judge::departures;
use judge::scaling::Consumers;
use platform::Cause;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};

declare_needs!(Scaling);
#[then(regex = r"^within (\d+ (?:ms|s|min)) there (?:are|is) (\d+) consumers?$")]
async fn there_are(scenario: &mut Scenario, deadline: Time, count: u32) -> StepResult {
    let settings = settings(scenario)?;
    let run = scenario.run().await?;
    let come = run.until_consumers(&settings, deadline.0, |now| now.are(count));
    Ok(come.await?)
}

declare_needs!(Scaling);
#[then(expr = "within {time} the last consumer has gone")]
async fn all_gone(scenario: &mut Scenario, deadline: Time) -> StepResult {
    let settings = settings(scenario)?;
    let run = scenario.run().await?;
    let gone = run.until_consumers(&settings, deadline.0, Consumers::have_gone);
    Ok(gone.await?)
}

declare_needs!(Scaling);
#[then(regex = r"^there (?:were|was) never more than (\d+) consumers?$")]
async fn ceiling(scenario: &mut Scenario, count: usize) -> StepResult {
    Ok(scenario.run().await?.census().never_more_than(count)?)
}

declare_needs!(Scaling);
#[then(
    regex = r"^the number of consumers turned at most (\d+) times?, between rising and falling$"
)]
async fn no_thrash(scenario: &mut Scenario, most: usize) -> StepResult {
    Ok(scenario.run().await?.census().turned_at_most(most)?)
}

declare_needs!(Scaling);
#[then(regex = r"^at once (\d+) consumers were taken away$")]
async fn at_once(scenario: &mut Scenario, count: usize) -> StepResult {
    let pace = scenario.pace;
    let census = scenario.run().await?.census();
    Ok(census.took_away_at_once(count, pace)?)
}

declare_needs!(Scaling, Wire);
#[then(
    regex = r"^at least (\d+) consumers? (?:was|were) taken away while (?:it|they) had work, and (?:it|each) ended by itself, with exit code 0$"
)]
async fn drained(scenario: &mut Scenario, at_least: usize) -> StepResult {
    let roster = scenario.run().await?.roster();
    let told = roster.ended_by(Cause::Told);
    Ok(departures::taken_from_work(told, at_least)?)
}

declare_needs!(Scaling);
#[then(
    regex = r"^within (\d+ (?:ms|s|min)) no consumer comes, and the queue keeps its (\d+) messages$"
)]
async fn stranded(scenario: &mut Scenario, time: Time, messages: u64) -> StepResult {
    let run = scenario.run().await?;
    Ok(run.judge_standstill(time.0, messages).await?)
}

declare_needs!(Scaling);
#[then("the number of consumers was always one that the model of KEDA and the HPA allows")]
async fn allowed(scenario: &mut Scenario) -> StepResult {
    let (settings, pace) = (settings(scenario)?, scenario.pace);
    Ok(scenario.run().await?.judge_scaling(&settings, pace)?)
}

declare_needs!(Scaling, Wire);
#[then(
    regex = r"^all (\d+) consumers had work within (\d+ (?:ms|s|min)) of the moment at which the model has them$"
)]
async fn as_fast_as_possible(scenario: &mut Scenario, count: u32, later: Time) -> StepResult {
    let settings = settings(scenario)?;
    let run = scenario.run().await?;
    Ok(run.judge_scale_out(&settings, count, later.0)?)
}

/// The scaling settings of the scenario, at its pace.
fn settings(scenario: &Scenario) -> anyhow::Result<Settings> {
    let scaling = scenario.given.scaling.as_ref();
    Ok(scaling.context("nothing is scaled")?.effective())
}
