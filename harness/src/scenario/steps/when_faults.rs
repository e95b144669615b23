//! Loads during which consumers are killed or told to stop.

use std::num::TryFromIntError;
use std::time::Duration;

use cucumber::when;
use platform::{ConsumerOptions, Replicas, WorkerSpec};
use producer::Shape;

use super::super::durations::{Rate, Time};
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};
use crate::run::Load;

/// How long any wait in this file may take, other than for a load to be sent; far above what it does take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a consumer may take to drain before it is killed; the feature file states how long it should take.
const DRAIN: Duration = Duration::from_secs(15);

/// The group of consumers that replace others.
const SUCCESSORS: &str = "successors";

/// A load of `messages` at once, all of which one consumer takes, whatever concurrency an overlay sets.
fn all_for_one(scenario: &mut Scenario, messages: u64) -> Result<Load, TryFromIntError> {
    let at_once = u32::try_from(messages)?;
    let concurrency = &mut scenario.given.options.concurrency;
    *concurrency = Some(concurrency.unwrap_or_default().max(at_once));
    Ok(scenario.load(messages, Shape::Burst))
}

/// A consumer with the scenario's settings, but without work.
fn fast_one(scenario: &Scenario) -> WorkerSpec {
    let own = scenario.workers();
    WorkerSpec {
        group: SUCCESSORS,
        replicas: Replicas::Fixed(1),
        options: ConsumerOptions {
            work: None,
            ..own.options
        },
        ..own
    }
}

declare_needs!(Concurrency);
#[when(
    regex = r"^(\d+) messages are sent and the consumer that leased them all is killed and replaced by a fast one$"
)]
async fn killed_with_leases(scenario: &mut Scenario, messages: u64) -> StepResult {
    let load = all_for_one(scenario, messages)?;
    let patience = load.sending()?;
    let fast = fast_one(scenario);
    let run = scenario.run_with_consumers().await?;
    let sent = run.start_sending(&load).await?.finish(patience).await?;
    run.until_all_leased(messages, PATIENCE).await?;
    scenario.has_sent(load, sent)?;
    Ok(scenario.run().await?.replace_killed(fast).await?)
}

#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and consumers that die are replaced$"
)]
async fn replaced(scenario: &mut Scenario, messages: u64, rate: Rate) -> StepResult {
    let load = scenario.load(messages, rate.steady()?);
    let patience = load.sending()?;
    let run = scenario.run_with_consumers().await?;
    let mut sending = run.start_sending(&load).await?;
    let waited = run.until_done(&mut sending, patience).await?;
    let sent = sending.finish(patience).await?;
    scenario.has_sent(load, sent)?;
    scenario.running()?.waited = waited;
    Ok(())
}

declare_needs!(Freeze, Wire, Concurrency);
#[when(
    regex = r"^(\d+) messages are sent and the consumer that leased them all is frozen, replaced by a fast one, and wakes up when all is done$"
)]
async fn frozen(scenario: &mut Scenario, messages: u64) -> StepResult {
    let load = all_for_one(scenario, messages)?;
    let patience = load.sending()?;
    let fast = fast_one(scenario);
    let run = scenario.run_with_consumers().await?;
    let sending = run.start_sending(&load).await?;
    // Frozen as soon as it has all messages, not when sending has ended: the work on the first of them is not over yet.
    let (zombie, sent) = tokio::try_join!(
        run.freeze_holder(messages, patience + PATIENCE),
        sending.finish(patience)
    )?;
    scenario.has_sent(load, sent)?;
    let run = scenario.run().await?;
    Ok(run
        .replace_frozen(&zombie, messages, fast, PATIENCE)
        .await?)
}

declare_needs!(Outage);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and storage goes away for (\d+ (?:ms|s|min)) when (\d+) are sent$"
)]
async fn outage(
    scenario: &mut Scenario,
    messages: u64,
    rate: Rate,
    time: Time,
    sent_before: u64,
) -> StepResult {
    let load = scenario.load(messages, rate.steady()?);
    let patience = load.sending()?;
    let run = scenario.run_with_consumers().await?;
    let mut sending = run.start_sending(&load).await?;
    sending.until_acknowledged(sent_before, patience).await?;
    run.outage(time.0).await?;
    let sent = sending.finish(patience).await?;
    scenario.has_sent(load, sent)?;
    Ok(())
}

declare_needs!(Wire);
#[when(expr = "1 message is sent and every consumer that leases it is killed")]
async fn always_killed(scenario: &mut Scenario) -> StepResult {
    let load = scenario.load(1, Shape::Burst);
    let attempts = scenario.given.options.max_attempts.unwrap_or(1);
    let patience = load.sending()?;
    let run = scenario.run().await?;
    let sent = run.start_sending(&load).await?.finish(patience).await?;
    let run = scenario.run_with_consumers().await?;
    run.kill_holders(attempts, PATIENCE).await?;
    scenario.has_sent(load, sent)?;
    Ok(())
}

declare_needs!(Wire, Drain, Concurrency);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and one consumer is told to stop when it has (\d+) or more of them in hand$"
)]
async fn drained_at_work(
    scenario: &mut Scenario,
    messages: u64,
    rate: Rate,
    in_hand: usize,
) -> StepResult {
    let load = scenario.load(messages, rate.steady()?);
    let patience = load.sending()?;
    let run = scenario.run_with_consumers().await?;
    let sending = run.start_sending(&load).await?;
    let (stopped, sent) = tokio::try_join!(
        run.stop_at_work(in_hand, patience, DRAIN),
        sending.finish(patience)
    )?;
    scenario.running()?.told_to_stop = Some(stopped);
    scenario.has_sent(load, sent)?;
    Ok(())
}
