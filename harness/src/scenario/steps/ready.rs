//! When consumers report that they are ready.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use cucumber::{given, then, when};
use platform::until::until;
use platform::{Readiness, Roster};

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepError, StepResult};
use crate::outcome::Outcome;
use crate::run::Run;
use crate::wire::{FaultKind, Operation, Refusal, Rule};

/// How long consumers may take until the first of them sends a request to storage: a pod has to be started.
const START: Duration = Duration::from_secs(30);

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
    let mut early = Vec::new();
    let met = until(START, async || {
        note_ready(&run.roster(), &mut early);
        Ok((busy.struck() > 0 || !early.is_empty()).then_some(()))
    });
    if met.await?.is_err() {
        let untold =
            anyhow!("no consumer has asked what is busy within {START:?}: nothing can be told");
        return Err(StepError::of(Outcome::Inconclusive, untold));
    }
    // From here on, this scenario is about the time that passes.
    watch_ready(run, time.0, &mut early).await?;
    drop(busy);
    scenario.running()?.early = early;
    Ok(())
}

/// Adds to `early` the workers that report that they are ready.
fn note_ready(roster: &Roster, early: &mut Vec<String>) {
    for worker in roster
        .running()
        .filter(|it| it.readiness == Readiness::Ready)
    {
        if !early.contains(&worker.name) {
            early.push(worker.name.clone());
        }
    }
}

/// Waits for the whole `time`, and adds to `early` the workers that report meanwhile that they are ready.
pub(super) async fn watch_ready(
    run: &Run,
    time: Duration,
    early: &mut Vec<String>,
) -> anyhow::Result<()> {
    let watched = until(time, async || {
        note_ready(&run.roster(), early);
        Ok(None::<()>)
    });
    watched.await?.ok();
    Ok(())
}

#[then(expr = "no consumer says that it is ready before")]
fn none_too_early(scenario: &mut Scenario) -> StepResult {
    let early = &scenario.running()?.early;
    ensure!(
        early.is_empty(),
        "{} said that it was ready while storage did not let it work",
        early.join(", ")
    );
    Ok(())
}

#[then(expr = "within {time} every consumer says that it is ready")]
async fn all_ready(scenario: &mut Scenario, deadline: Time) -> StepResult {
    let consumers = usize::try_from(scenario.given.consumers)?;
    let run = scenario.run().await?;
    let all_ready = run.until_workers(deadline.0, |roster| {
        let ready = roster
            .running()
            .filter(|it| it.readiness == Readiness::Ready);
        (ready.count() >= consumers).then_some(())
    });
    if all_ready.await.is_err() {
        let roster = run.roster();
        let unready = roster.running().find(|it| it.readiness != Readiness::Ready);
        match unready {
            Some(it) => bail!(
                "{} does not say that it is ready after {:?}: {}",
                it.name,
                deadline.0,
                it.readiness
            ),
            None => bail!(
                "not all of {consumers} consumers run after {:?}",
                deadline.0
            ),
        }
    }
    Ok(())
}
