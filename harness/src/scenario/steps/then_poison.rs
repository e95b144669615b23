//! Judges the poison queue.

use cucumber::then;
use judge::deliveries::nothing_stored;
use judge::poison::Whole;
use workflow::contract::PoisonReason;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};

declare_needs!(BadMessages);
#[then(
    regex = r#"^the poison queue holds 1 message, for the reason "(.+)", with its body unchanged$"#
)]
fn holds_the_bad_one(scenario: &mut Scenario, reason: PoisonReason) -> StepResult {
    let whole = Whole::of(&scenario.collected()?.poison)?;
    let sent = &scenario.running()?.injected()?.body;
    Ok(whole.is_unchanged(sent, reason)?)
}

declare_needs!(Poison);
#[then(
    regex = r#"^within (\d+ (?:ms|s|min)) the poison queue holds that message, for the reason "(.+)"$"#
)]
async fn holds_the_good_one(
    scenario: &mut Scenario,
    deadline: Time,
    reason: PoisonReason,
) -> StepResult {
    let (load, sent) = scenario.running()?.sent()?.clone();
    let run = scenario.run().await?;
    let collected = run.given_up(&sent, load.messages, reason, deadline.0);
    let collected = collected.await?;
    scenario.judged(collected)?;
    Ok(())
}

#[then(expr = "the table holds no result")]
fn no_result(scenario: &mut Scenario) -> StepResult {
    Ok(nothing_stored(&scenario.collected()?.audit)?)
}
