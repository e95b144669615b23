//! Consumers whose number the autoscaler decides.

use cucumber::gherkin::Step;
use cucumber::given;
use platform::autoscale::Scaling;

use super::super::needs::declare_needs;
use super::super::tables::changes;
use super::super::world::{Scenario, StepResult};

declare_needs!(Scaling);
#[given("no consumer, and the workload's own scaling settings")]
fn own(scenario: &mut Scenario) -> StepResult {
    scaled(scenario, &[])
}

/// The sentence of [`changed`].
pub(super) const CHANGED: &str =
    "no consumer, and the workload's own scaling settings but for these:";

declare_needs!(Scaling);
#[given("no consumer, and the workload's own scaling settings but for these:")]
fn changed(scenario: &mut Scenario, step: &Step) -> StepResult {
    scaled(scenario, &changes(step)?)
}

fn scaled(scenario: &mut Scenario, changes: &[(String, String)]) -> StepResult {
    let manifests = scenario.manifests()?;
    scenario.given.scaling = Some(Scaling::read(manifests, changes, scenario.pace)?);
    // Messages of other runs in the same storage would slow it down, and without answers from storage the autoscaler does nothing.
    scenario.given.own_storage = true;
    Ok(())
}
