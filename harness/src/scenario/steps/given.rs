//! The preconditions of a scenario. Nothing runs yet: consumers start with the `When`.

use cucumber::given;
use workflow::contract::PayloadSize;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};

#[given(regex = r"^(\d+) consumers?$")]
fn consumers(scenario: &mut Scenario, count: u32) {
    scenario.given.consumers = count;
}

declare_needs!(Work);
#[given(expr = "each message takes {time} of work")]
fn work(scenario: &mut Scenario, time: Time) {
    scenario.given.options.work = Some(format!("fixed:{}ms", time.0.as_millis()));
}

declare_needs!(Lease);
#[given(expr = "a lease lasts {time}")]
fn lease(scenario: &mut Scenario, time: Time) {
    scenario.given.options.visibility = Some(time.0);
}

declare_needs!(Attempts);
#[given(regex = r"^a message is given up after (\d+) attempts?$")]
fn max_attempts(scenario: &mut Scenario, attempts: u32) {
    scenario.given.options.max_attempts = Some(attempts);
}

declare_needs!(Outage);
#[given("storage keeps its data when it restarts")]
fn own_storage(scenario: &mut Scenario) {
    scenario.given.own_storage = true;
}

#[given(regex = r"^messages of (\d+) to (\d+) bytes$")]
fn sizes(scenario: &mut Scenario, min: usize, max: usize) -> StepResult {
    scenario.given.payload = Some(format!("uniform:{min}..{max}").parse::<PayloadSize>()?);
    Ok(())
}
