//! When consumers say that they are ready.

use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use cucumber::{given, then, when};

use super::super::durations::Time;
use super::super::world::{Scenario, StepError, StepResult};
use crate::outcome::Outcome;
use crate::run::{Probe, Readiness};
use crate::wire::{Effect, Operation, Refusal, Rule};

/// How long a consumer may take until its probe answers anything.
const START: Duration = Duration::from_secs(10);

/// How often it is asked.
const EVERY: Duration = Duration::from_millis(50);

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
    scenario.busy = Some(Rule {
        operations,
        ..Rule::on(Operation::Other, Effect::Refuse(Refusal::ServerBusy))
    });
}

#[when(regex = r"^consumers start, and (?:storage|the table) answers after (\d+ m?s)$")]
async fn start(scenario: &mut Scenario, time: Time) -> StepResult {
    let (consumers, options) = (scenario.consumers, scenario.options.clone());
    let rule = scenario.busy.take().context("nothing is busy")?;
    let run = scenario.run().await?;
    let busy = run.faults().install(rule);
    let probes = run.start_probed(consumers, &options).await?;
    let mut early = Vec::new();
    let begun = Instant::now();
    loop {
        let silent = look(&probes, &mut early).await;
        let Some(silent) = silent else { break };
        ensure!(
            begun.elapsed() < START,
            "{} says nothing at {} within {START:?}: a consumer answers there, at EDW_LISTEN, whether it is ready \
             (docs/CONSUMER.md)",
            silent.name(),
            silent.url()
        );
        tokio::time::sleep(EVERY).await;
    }
    // From here on, the passing of time is what this scenario is about.
    let begun = Instant::now();
    while begun.elapsed() < time.0 {
        tokio::time::sleep(EVERY).await;
        look(&probes, &mut early).await;
    }
    if early.is_empty() && busy.struck() == 0 {
        let untold = anyhow!("no consumer has asked what is busy: nothing can be told");
        return Err(StepError::of(Outcome::Inconclusive, untold));
    }
    drop(busy);
    (scenario.probes, scenario.early) = (probes, early);
    Ok(())
}

/// Asks all; notes who says that it is ready, and gives one of those that say nothing.
pub(super) async fn look<'a>(probes: &'a [Probe], early: &mut Vec<String>) -> Option<&'a Probe> {
    let mut silent = None;
    for probe in probes {
        match probe.ask().await {
            Readiness::Ready if !early.iter().any(|name| name == probe.name()) => {
                early.push(probe.name().to_owned());
            }
            Readiness::Silent => silent = Some(probe),
            _ => {}
        }
    }
    silent
}

#[then(expr = "no consumer says that it is ready before")]
fn none_too_early(scenario: &mut Scenario) -> StepResult {
    let early = &scenario.early;
    ensure!(
        early.is_empty(),
        "{} said that it was ready while storage did not let it work",
        early.join(", ")
    );
    Ok(())
}

#[then(expr = "within {time} every consumer says that it is ready")]
async fn all_ready(scenario: &mut Scenario, deadline: Time) -> StepResult {
    let begun = Instant::now();
    for probe in &scenario.probes {
        loop {
            let says = probe.ask().await;
            if says == Readiness::Ready {
                break;
            }
            ensure!(
                begun.elapsed() < deadline.0,
                "{} does not say that it is ready: {says} at {} after {:?}",
                probe.name(),
                probe.url(),
                deadline.0
            );
            tokio::time::sleep(EVERY).await;
        }
    }
    Ok(())
}
