//! Loads during which consumers are killed or told to stop.

use std::time::{Duration, Instant};

use cucumber::when;
use producer::Shape;
use workflow::contract::Stamp;

use super::super::durations::Time;
use super::super::world::{Scenario, StepResult};
use super::when::per_second;
use crate::environment::ConsumerOptions;
use crate::run::Settled;

/// How long anything here may take; far above what it does take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a consumer may take to drain before it is given up; what it may take, the feature file says.
const DRAIN: Duration = Duration::from_secs(15);

/// How often it is looked who died.
const EVERY: Duration = Duration::from_millis(50);

/// Sends `messages` and waits until the consumers have leased all of them.
async fn sent_and_leased(scenario: &mut Scenario, messages: u64) -> StepResult {
    let load = scenario.load(messages, Shape::Burst);
    let run = scenario.run_with_consumers().await?;
    let sent = run.start_sending(&load).await?.finish(PATIENCE).await?;
    run.until_all_leased(messages, PATIENCE).await?;
    scenario.sent = Some((load, sent));
    Ok(())
}

/// The same consumer, but fast.
fn without_work(options: &ConsumerOptions) -> ConsumerOptions {
    ConsumerOptions {
        work: None,
        ..options.clone()
    }
}

#[when(
    regex = r"^(\d+) messages are sent and the consumer that leased them all is killed and replaced by a fast one$"
)]
async fn killed_with_leases(scenario: &mut Scenario, messages: u64) -> StepResult {
    sent_and_leased(scenario, messages).await?;
    let fast = without_work(&scenario.options);
    let run = scenario.run().await?;
    run.fleet().await.kill_first().await?;
    run.fleet().await.start(1, &fast).await?;
    Ok(())
}

#[when(
    regex = r"^(\d+) messages are sent at (\d+) per second, and consumers that die are replaced$"
)]
async fn replaced(scenario: &mut Scenario, messages: u64, rate: u64) -> StepResult {
    let load = scenario.load(messages, per_second(rate)?);
    let options = scenario.options.clone();
    let run = scenario.run_with_consumers().await?;
    let mut sending = run.start_sending(&load).await?;
    let start = Instant::now();
    // Until nothing is left to do, and so nobody left to die.
    while !sending.has_ended()? || run.depth().await? > 0 {
        run.fleet().await.replace_fallen(&options).await?;
        ensure!(
            start.elapsed() < PATIENCE,
            "messages are still in the queue after {PATIENCE:?}"
        );
        tokio::time::sleep(EVERY).await;
    }
    let sent = sending.finish(PATIENCE).await?;
    run.fleet().await.replace_fallen(&options).await?;
    scenario.sent = Some((load, sent));
    Ok(())
}

#[when(
    regex = r"^(\d+) messages are sent and the consumer that leased them all is frozen, replaced by a fast one, and wakes up when all is done$"
)]
async fn frozen(scenario: &mut Scenario, messages: u64) -> StepResult {
    sent_and_leased(scenario, messages).await?;
    let fast = without_work(&scenario.options);
    let run = scenario.run().await?;
    run.fleet().await.freeze_first()?;
    run.fleet().await.start(1, &fast).await?;
    if let Settled::TimedOut { left } = run.settle(PATIENCE).await? {
        bail!("the fast consumer left {left} messages");
    }
    let since = Stamp::now();
    run.fleet().await.thaw_first()?;
    run.until_asks("consumer-1", since, PATIENCE).await?;
    Ok(())
}

#[when(
    regex = r"^(\d+) messages are sent at (\d+) per second, and storage goes away for (\d+ m?s) when (\d+) are sent$"
)]
async fn outage(
    scenario: &mut Scenario,
    messages: u64,
    rate: u64,
    time: Time,
    sent_before: u64,
) -> StepResult {
    let load = scenario.load(messages, per_second(rate)?);
    let run = scenario.run_with_consumers().await?;
    let mut sending = run.start_sending(&load).await?;
    sending.until_acknowledged(sent_before, PATIENCE).await?;
    run.outage(time.0).await?;
    let sent = sending.finish(PATIENCE).await?;
    scenario.sent = Some((load, sent));
    Ok(())
}

#[when(expr = "1 message is sent and every consumer that leases it is killed")]
async fn always_killed(scenario: &mut Scenario) -> StepResult {
    let load = scenario.load(1, Shape::Burst);
    let options = scenario.options.clone();
    let attempts = options.max_attempts.unwrap_or(1);
    let run = scenario.run().await?;
    let sent = run.start_sending(&load).await?.finish(PATIENCE).await?;
    for _ in 0..attempts {
        run.until_visible(1, PATIENCE).await?;
        run.fleet().await.start(1, &options).await?;
        run.until_all_leased(1, PATIENCE).await?;
        run.fleet().await.kill_first().await?;
    }
    run.fleet().await.start(1, &options).await?;
    scenario.sent = Some((load, sent));
    Ok(())
}

#[when(
    regex = r"^(\d+) messages are sent at (\d+) per second, and one consumer is told to stop when it has (\d+) or more of them in hand$"
)]
async fn drained_at_work(
    scenario: &mut Scenario,
    messages: u64,
    rate: u64,
    in_hand: usize,
) -> StepResult {
    let load = scenario.load(messages, per_second(rate)?);
    let run = scenario.run_with_consumers().await?;
    let sending = run.start_sending(&load).await?;
    let departure = run
        .fleet()
        .await
        .drain_first_at_work(in_hand, DRAIN)
        .await?;
    let sent = sending.finish(PATIENCE).await?;
    scenario.departure = Some(departure);
    scenario.sent = Some((load, sent));
    Ok(())
}
