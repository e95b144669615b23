//! Loads without faults.

use std::time::Duration;

use cucumber::when;
use producer::Shape;
use workflow::contract::Stamp;

use super::super::durations::Time;
use super::super::world::{Scenario, StepResult};
use super::inject::Defect;
use crate::run::Load;

/// How long a load of a scenario may take to send, beyond its own schedule.
const SENDING: Duration = Duration::from_secs(60);

/// How long a consumer may take to ask for its first message.
const START: Duration = Duration::from_secs(10);

/// Starts the consumers, sends `load`, and waits until it is sent.
async fn send(scenario: &mut Scenario, load: Load) -> StepResult {
    let run = scenario.run_with_consumers().await?;
    let sent = run.start_sending(&load).await?.finish(SENDING).await?;
    scenario.sent = Some((load, sent));
    Ok(())
}

pub(super) fn per_second(rate: u64) -> anyhow::Result<Shape> {
    Ok(format!("constant:{rate}/s").parse()?)
}

#[when(regex = r"^(\d+) messages? (?:are|is) sent at (\d+) per second$")]
async fn steady(scenario: &mut Scenario, messages: u64, rate: u64) -> StepResult {
    let load = scenario.load(messages, per_second(rate)?);
    send(scenario, load).await
}

#[when(regex = r"^(\d+) messages? (?:are|is) sent at once$")]
async fn burst(scenario: &mut Scenario, messages: u64) -> StepResult {
    let load = scenario.load(messages, Shape::Burst);
    send(scenario, load).await
}

#[when(regex = r"^(\d+) messages are sent, (\d+) at once every (\d+ m?s)$")]
async fn sawtooth(scenario: &mut Scenario, messages: u64, size: u64, every: Time) -> StepResult {
    let every = every.0.as_millis();
    let load = scenario.load(messages, format!("burst:{size}/{every}ms").parse()?);
    send(scenario, load).await
}

#[when(
    regex = r"^(\d+) messages are sent at a rate that falls from (\d+) to (\d+) per second in (\d+ m?s)$"
)]
async fn falling(
    scenario: &mut Scenario,
    messages: u64,
    from: u64,
    to: u64,
    time: Time,
) -> StepResult {
    let time = time.0.as_millis();
    let shape = format!("ramp:{from}/s..{to}/s:{time}ms").parse()?;
    let load = scenario.load(messages, shape);
    send(scenario, load).await
}

#[when(regex = r"^(\d+) messages are sent at random, (\d+) per second on average$")]
async fn poisson(scenario: &mut Scenario, messages: u64, rate: u64) -> StepResult {
    let load = scenario.load(messages, format!("poisson:{rate}/s").parse()?);
    send(scenario, load).await
}

#[when(regex = r"^(\d+) messages are sent at (\d+) per second, (\d+) % of them twice$")]
async fn twice(scenario: &mut Scenario, messages: u64, rate: u64, percent: u32) -> StepResult {
    let load = Load {
        duplicate_rate: f64::from(percent) / 100.0,
        ..scenario.load(messages, per_second(rate)?)
    };
    send(scenario, load).await
}

#[when(
    regex = r"^(\d+) messages are sent at (\d+) per second, and among them one that (is not JSON|lacks its payload|is too large for a table row|has a digest that is not its)$"
)]
async fn with_a_bad_one(
    scenario: &mut Scenario,
    messages: u64,
    rate: u64,
    defect: Defect,
) -> StepResult {
    let load = scenario.load(messages, per_second(rate)?);
    let run = scenario.run_with_consumers().await?;
    let mut sending = run.start_sending(&load).await?;
    sending.until_acknowledged(1, SENDING).await?;
    let injected = defect.inject(run, messages).await?;
    let sent = sending.finish(SENDING).await?;
    scenario.injected = Some(injected);
    scenario.sent = Some((load, sent));
    Ok(())
}

#[when(expr = "the queue stays empty for {time}")]
async fn nothing(scenario: &mut Scenario, time: Time) -> StepResult {
    let (consumers, since) = (scenario.consumers, Stamp::now());
    let run = scenario.run_with_consumers().await?;
    for number in 1..=consumers {
        let name = format!("consumer-{number}");
        run.until_asks(&name, since, START).await?;
    }
    // From here on, the passing of time is what this scenario is about.
    tokio::time::sleep(time.0).await;
    Ok(())
}

#[when(regex = r"^(\d+) messages are sent at once, (\d+ m?s) before the first consumer starts$")]
async fn before_consumers(scenario: &mut Scenario, messages: u64, time: Time) -> StepResult {
    let load = scenario.load(messages, Shape::Burst);
    let sent = scenario
        .run()
        .await?
        .start_sending(&load)
        .await?
        .finish(SENDING)
        .await?;
    tokio::time::sleep(time.0).await;
    scenario.run_with_consumers().await?;
    scenario.sent = Some((load, sent));
    Ok(())
}
