//! Loads without faults.

use std::time::Duration;

use cucumber::when;
use producer::Shape;

use super::super::durations::{Rate, Time};
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};
use crate::run::{Defect, Load};

/// How long a consumer may take to ask for its first message.
const START: Duration = Duration::from_secs(10);

/// Starts the consumers, sends `load`, and waits until it is sent.
async fn send(scenario: &mut Scenario, load: Load) -> StepResult {
    let run = scenario.run_with_consumers().await?;
    let patience = load.sending()?;
    let sent = run.start_sending(&load).await?.finish(patience).await?;
    scenario.has_sent(load, sent)?;
    Ok(())
}

#[when(regex = r"^(\d+) messages? (?:are|is) sent at (\d+ per (?:second|minute))$")]
async fn steady(scenario: &mut Scenario, messages: u64, rate: Rate) -> StepResult {
    let load = scenario.load(messages, rate.steady()?);
    send(scenario, load).await
}

#[when(regex = r"^messages are sent at (\d+ per (?:second|minute)) for (\d+ (?:ms|s|min))$")]
async fn for_a_time(scenario: &mut Scenario, rate: Rate, time: Time) -> StepResult {
    let shape = rate.steady()?;
    let load = scenario.load(rate.in_all(time.0), shape);
    send(scenario, load).await
}

#[when(regex = r"^(\d+) messages? (?:are|is) sent at once$")]
async fn burst(scenario: &mut Scenario, messages: u64) -> StepResult {
    let load = scenario.load(messages, Shape::Burst);
    send(scenario, load).await
}

#[when(regex = r"^(\d+) messages are sent, (\d+) at once every (\d+ (?:ms|s|min))$")]
async fn sawtooth(scenario: &mut Scenario, messages: u64, size: u64, every: Time) -> StepResult {
    let every = every.0.as_millis();
    let load = scenario.load(messages, format!("burst:{size}/{every}ms").parse()?);
    send(scenario, load).await
}

#[when(
    regex = r"^(\d+) messages are sent at a rate that falls from (\d+ per (?:second|minute)) to (\d+ per (?:second|minute)) in (\d+ (?:ms|s|min))$"
)]
async fn falling(
    scenario: &mut Scenario,
    messages: u64,
    from: Rate,
    to: Rate,
    time: Time,
) -> StepResult {
    let (from, to, time) = (from.text(), to.text(), time.0.as_millis());
    let shape = format!("ramp:{from}..{to}:{time}ms").parse()?;
    let load = scenario.load(messages, shape);
    send(scenario, load).await
}

#[when(regex = r"^(\d+) messages are sent at random, (\d+ per (?:second|minute)) on average$")]
async fn poisson(scenario: &mut Scenario, messages: u64, rate: Rate) -> StepResult {
    let load = scenario.load(messages, format!("poisson:{}", rate.text()).parse()?);
    send(scenario, load).await
}

#[when(regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), (\d+) % of them twice$")]
async fn twice(scenario: &mut Scenario, messages: u64, rate: Rate, percent: u32) -> StepResult {
    let load = Load {
        duplicate_rate: f64::from(percent) / 100.0,
        ..scenario.load(messages, rate.steady()?)
    };
    send(scenario, load).await
}

declare_needs!(BadMessages);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and among them one that (is not JSON|lacks its payload|is too large for a table row|has another payload's digest)$"
)]
async fn with_a_bad_one(
    scenario: &mut Scenario,
    messages: u64,
    rate: Rate,
    defect: Defect,
) -> StepResult {
    let load = scenario.load(messages, rate.steady()?);
    let patience = load.sending()?;
    let run = scenario.run_with_consumers().await?;
    let mut sending = run.start_sending(&load).await?;
    sending.until_acknowledged(1, patience).await?;
    let injected = run.inject(defect, messages).await?;
    let sent = sending.finish(patience).await?;
    scenario.running()?.injected = Some(injected);
    scenario.has_sent(load, sent)?;
    Ok(())
}

declare_needs!(Wire, IdlePoll);
#[when(expr = "the queue stays empty for {time}")]
async fn nothing(scenario: &mut Scenario, time: Time) -> StepResult {
    let run = scenario.run_with_consumers().await?;
    Ok(run.stay_idle(time.0, START).await?)
}

#[when(
    regex = r"^(\d+) messages are sent at once, (\d+ (?:ms|s|min)) before the first consumer starts$"
)]
async fn before_consumers(scenario: &mut Scenario, messages: u64, time: Time) -> StepResult {
    let load = scenario.load(messages, Shape::Burst);
    let patience = load.sending()?;
    let run = scenario.run().await?;
    let sent = run.start_sending(&load).await?.finish(patience).await?;
    run.let_pass(time.0).await;
    scenario.run_with_consumers().await?;
    scenario.has_sent(load, sent)?;
    Ok(())
}
