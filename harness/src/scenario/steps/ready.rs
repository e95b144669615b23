//! When consumers report that they are ready.

use std::str::FromStr;

use anyhow::Context as _;
use cucumber::{given, then, when};
use judge::readiness::none_early;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};
use crate::wire::{FaultKind, Operation, Refusal, Rule};

/// What is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Busy {
    Storage,
    Table,
}

impl FromStr for Busy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "storage" => Ok(Self::Storage),
            "the table" => Ok(Self::Table),
            _ => Err(format!("{text:?} is neither storage nor the table")),
        }
    }
}

declare_needs!(Wire, Probe);
#[given(regex = r"^(storage|the table) is busy when consumers start$")]
fn busy(scenario: &mut Scenario, what: Busy) {
    let operations = match what {
        Busy::Storage => vec![],
        Busy::Table => vec![
            Operation::GetEntity,
            Operation::QueryEntities,
            Operation::InsertEntity,
            Operation::Transaction,
        ],
    };
    scenario.given.busy = Some(Rule {
        operations,
        ..Rule::on(Operation::Other, FaultKind::Refuse(Refusal::ServerBusy))
    });
}

declare_needs!(Wire, Probe);
#[when(regex = r"^consumers start, and (?:storage|the table) answers after (\d+ (?:ms|s|min))$")]
async fn start(scenario: &mut Scenario, time: Time) -> StepResult {
    let rule = scenario.given.busy.take().context("nothing is busy")?;
    let busy = scenario.run().await?.install(rule).await?;
    scenario.given.options.is_probed = true;
    let run = scenario.run_with_consumers().await?;
    let early = run.ready_under(&*busy, time.0).await?;
    drop(busy);
    scenario.running()?.early = early;
    Ok(())
}

#[then(expr = "no consumer says that it is ready before")]
fn none_too_early(scenario: &mut Scenario) -> StepResult {
    Ok(none_early(&scenario.running()?.early)?)
}

#[then(expr = "within {time} every consumer says that it is ready")]
async fn all_ready(scenario: &mut Scenario, deadline: Time) -> StepResult {
    let consumers = usize::try_from(scenario.given.consumers)?;
    let run = scenario.run().await?;
    Ok(run.until_ready(consumers, deadline.0).await?)
}
