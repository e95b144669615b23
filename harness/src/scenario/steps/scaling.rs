//! Consumers whose number the autoscaler decides.

use std::num::NonZeroU32;

use anyhow::Context as _;
use cucumber::gherkin::Step;
use cucumber::given;

use super::super::world::{Scenario, StepResult};
use crate::autoscale::Scaling;

#[given("no consumer, and the workload's own scaling settings")]
fn own(scenario: &mut Scenario) -> StepResult {
    scaled(scenario, &[])
}

#[given("no consumer, and the workload's own scaling settings but for these:")]
fn changed(scenario: &mut Scenario, step: &Step) -> StepResult {
    let table = step.table.as_ref().context("the step needs a table")?;
    let (header, rows) = table.rows.split_first().context("the table is empty")?;
    let well_formed = header == &["setting", "value"] && !rows.is_empty();
    let columns =
        "the table of settings has the columns \"setting\" and \"value\", and at least one row";
    well_formed.then_some(()).context(columns)?;
    let changes = rows.iter().map(|row| (row[0].clone(), row[1].clone()));
    scaled(scenario, &changes.collect::<Vec<_>>())
}

fn scaled(scenario: &mut Scenario, changes: &[(String, String)]) -> StepResult {
    let setting = scenario.setting.as_ref();
    let manifests = &setting.context("the setting must be there")?.manifests;
    scenario.scaling = Some(Scaling::read(manifests, changes)?);
    // What others leave in a storage slows it down, and one that does not answer scales nobody.
    scenario.own_storage = true;
    Ok(())
}

#[given(regex = r"^all times of scaling are (\d+) times as short$")]
fn faster(scenario: &mut Scenario, factor: NonZeroU32) -> StepResult {
    let scaling = scenario.scaling.as_mut().context("nothing is scaled")?;
    scaling.speed = factor.get();
    Ok(())
}
