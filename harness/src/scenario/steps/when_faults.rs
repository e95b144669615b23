//! Loads during which consumers are killed or told to stop.

use std::time::Duration;

use cucumber::when;
use platform::until::until;
use platform::{Act, ConsumerOptions, Replicas, WorkerSpec};
use producer::Shape;
use workflow::contract::Stamp;

use super::super::durations::{Rate, Time};
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult, ToldToStop};
use crate::outcome::Unmet;
use crate::run::Settled;

/// How long any wait in this file may take; far above what it does take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a consumer may take to drain before it is killed; the feature file states how long it should take.
const DRAIN: Duration = Duration::from_secs(15);

/// The group of consumers that replace others.
const SUCCESSORS: &str = "successors";

/// Sends `messages` and waits until the consumers have leased all of them.
async fn sent_and_leased(scenario: &mut Scenario, messages: u64) -> StepResult {
    let load = scenario.load(messages, Shape::Burst);
    // One consumer takes all messages, whatever concurrency an overlay sets.
    let at_once = u32::try_from(messages)?;
    let concurrency = &mut scenario.given.options.concurrency;
    *concurrency = Some(concurrency.unwrap_or_default().max(at_once));
    let run = scenario.run_with_consumers().await?;
    let sent = run.start_sending(&load).await?.finish(PATIENCE).await?;
    run.until_all_leased(messages, PATIENCE).await?;
    scenario.has_sent(load, sent)?;
    Ok(())
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
    sent_and_leased(scenario, messages).await?;
    let fast = fast_one(scenario);
    let run = scenario.run().await?;
    let victim = run.first_worker().await?;
    run.act(&victim, Act::KillForGood).await?;
    run.apply(fast).await?;
    Ok(())
}

#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and consumers that die are replaced$"
)]
async fn replaced(scenario: &mut Scenario, messages: u64, rate: Rate) -> StepResult {
    let load = scenario.load(messages, rate.steady()?);
    let run = scenario.run_with_consumers().await?;
    let mut sending = run.start_sending(&load).await?;
    // Waits until nothing is left to do, so that no further consumer dies. A later step judges how long that takes: a worker
    // without a setting for its lease blocks its messages for as long as its own lease lasts.
    let done = until(PATIENCE, async || {
        let done = sending.has_ended()? && run.depth().await? == 0;
        Ok(done.then_some(()))
    });
    let _ = done.await?;
    let sent = sending.finish(PATIENCE).await?;
    scenario.has_sent(load, sent)?;
    Ok(())
}

declare_needs!(Freeze, Wire, Concurrency);
#[when(
    regex = r"^(\d+) messages are sent and the consumer that leased them all is frozen, replaced by a fast one, and wakes up when all is done$"
)]
async fn frozen(scenario: &mut Scenario, messages: u64) -> StepResult {
    sent_and_leased(scenario, messages).await?;
    let fast = fast_one(scenario);
    let run = scenario.run().await?;
    let zombie = run.first_worker().await?;
    run.act(&zombie, Act::Freeze).await?;
    run.apply(fast).await?;
    if let Settled::TimedOut { left } = run.settle(PATIENCE).await? {
        bail!("the fast consumer left {left} messages");
    }
    let since = Stamp::now();
    run.act(&zombie, Act::Thaw).await?;
    run.until_asks(&zombie, since, PATIENCE).await?;
    Ok(())
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
    let run = scenario.run_with_consumers().await?;
    let mut sending = run.start_sending(&load).await?;
    sending.until_acknowledged(sent_before, PATIENCE).await?;
    run.outage(time.0).await?;
    let sent = sending.finish(PATIENCE).await?;
    scenario.has_sent(load, sent)?;
    Ok(())
}

declare_needs!(Wire);
#[when(expr = "1 message is sent and every consumer that leases it is killed")]
async fn always_killed(scenario: &mut Scenario) -> StepResult {
    let load = scenario.load(1, Shape::Burst);
    let attempts = scenario.given.options.max_attempts.unwrap_or(1);
    let run = scenario.run().await?;
    let sent = run.start_sending(&load).await?.finish(PATIENCE).await?;
    let run = scenario.run_with_consumers().await?;
    for _ in 0..attempts {
        let victim = run.first_worker().await?;
        run.wire()?.until_in_hand(&victim, 1, PATIENCE).await?;
        run.act(&victim, Act::Kill).await?;
        let replaced = run.until_workers(PATIENCE, |roster| roster.first().ok().map(drop));
        let unmet = |late| Unmet(format!("wait for a consumer in place of {victim}: {late}"));
        replaced.await.map_err(unmet)?;
    }
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
    let run = scenario.run_with_consumers().await?;
    let sending = run.start_sending(&load).await?;
    let chosen = run.first_worker().await?;
    run.wire()?.until_received(&chosen, in_hand, DRAIN).await?;
    let told = Stamp::now();
    run.act(&chosen, Act::Drain).await?;
    let ended = run.until_workers(DRAIN, |roster| roster.departure(&chosen).cloned());
    let unmet = |late| Unmet(format!("wait until {chosen} has ended: {late}"));
    let departure = ended.await.map_err(unmet)?;
    let sent = sending.finish(PATIENCE).await?;
    let at = told;
    scenario.running()?.told_to_stop = Some(ToldToStop { at, departure });
    scenario.has_sent(load, sent)?;
    Ok(())
}
