//! Judges the results.

use std::time::Duration;

use anyhow::anyhow;
use cucumber::then;
use platform::Cause;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepError, StepResult};
use crate::audit::Verdict as _;
use crate::outcome::Outcome;
use crate::run::{Patience, Settled};

#[then(expr = "within {time} every message has exactly one result")]
async fn exactly_one(scenario: &mut Scenario, deadline: Time) -> StepResult {
    let running = scenario.running()?;
    let (_, sent) = running.sent()?.clone();
    let expected = running
        .injected
        .as_ref()
        .map(|i| i.expected.clone())
        .unwrap_or_default();
    if sent.end.code() != Some(0) {
        // If the load was not sent as planned, the results say nothing about the consumers.
        let (end, unknown, failed) = (sent.end, sent.summary.unknown, sent.summary.failed);
        return Err(StepError::of(
            Outcome::Inconclusive,
            anyhow!("the producer ended with {end}: {unknown} unknown and {failed} failed sends"),
        ));
    }
    let run = scenario.run().await?;
    let settled = run.settle(deadline.0).await?;
    let roster = run.roster();
    if let Some(first) = roster.unexpected().next() {
        bail!(
            "{} consumers ended though nobody had asked them to, {} with {}\n{}",
            roster.unexpected().count(),
            first.name,
            first.end,
            first.tail
        );
    }
    // Judged after the last consumer has ended: a running consumer could still write a second row.
    let departures = run.drain(Patience::default().drain).await?;
    let collected = run.collect(&sent, expected).await?;
    let (outcome, reasons) = (collected.audit.outcome(), collected.audit.reasons());
    let storage = collected
        .audit
        .traffic
        .as_ref()
        .map(|traffic| traffic.storage);
    scenario.judged(collected)?;
    if outcome != Outcome::Pass {
        return Err(StepError::of(outcome, anyhow!(reasons.join("; "))));
    }
    if let Settled::TimedOut { left } = settled {
        let late = format!(
            "{left} messages are still in the queue after {:?}",
            deadline.0
        );
        return Err(StepError::late(late, storage.unwrap_or_default()));
    }
    for departure in departures {
        departure.ensure_orderly()?;
    }
    Ok(())
}

declare_needs!(Wire);
#[then(expr = "no message was delivered more than once")]
fn delivered_once(scenario: &mut Scenario) -> StepResult {
    redelivered(scenario, 0)
}

declare_needs!(Wire);
#[then(regex = r"^(\d+) messages were delivered more than once$")]
fn redelivered(scenario: &mut Scenario, messages: u64) -> StepResult {
    let traffic = scenario.traffic()?;
    ensure!(traffic.deliveries > 0, "nothing was delivered at all");
    let found = traffic.redelivered;
    ensure!(
        found == messages,
        "{found} messages were delivered more than once"
    );
    Ok(())
}

declare_needs!(Wire);
#[then(regex = r"^at least (\d+) consumers? had messages$")]
fn shared(scenario: &mut Scenario, consumers: usize) -> StepResult {
    let traffic = scenario.traffic()?;
    let with_messages = traffic
        .clients
        .values()
        .filter(|client| client.deliveries > 0);
    let found = with_messages.count();
    ensure!(found >= consumers, "{found} had messages");
    Ok(())
}

declare_needs!(Wire);
#[then(regex = r"^every consumer has asked the queue for messages, at most (\d+) times$")]
async fn polled(scenario: &mut Scenario, most: u64) -> StepResult {
    let run = scenario.run().await?;
    let (names, traffic) = (run.roster().names(), run.traffic()?);
    ensure!(!names.is_empty(), "there was never a consumer at all");
    for name in names {
        let receives = traffic
            .clients
            .get(&name)
            .map_or(0, |client| client.receives);
        ensure!(
            (1..=most).contains(&receives),
            "{name} has asked {receives} times"
        );
    }
    Ok(())
}

declare_needs!(Wire);
#[then(regex = r"^at least (\d+) requests? (?:was|were) hit$")]
fn hit(scenario: &mut Scenario, requests: u64) -> StepResult {
    let faults = &scenario.running()?.faults;
    let found: u64 = faults.iter().map(|rule| rule.struck()).sum();
    ensure!(found >= requests, "{found} were hit");
    Ok(())
}

declare_needs!(Wire);
#[then(regex = r"^(\d+) consumers died$")]
async fn died(scenario: &mut Scenario, consumers: usize) -> StepResult {
    let roster = scenario.run().await?.roster();
    let found = roster.ended_by(Cause::Fault).count();
    ensure!(found == consumers, "{found} died");
    Ok(())
}

#[then(regex = r"^at least (\d+) messages were sent twice$")]
fn sent_twice(scenario: &mut Scenario, messages: u64) -> StepResult {
    let (_, sent) = scenario.running()?.sent()?;
    let found = sent.summary.duplicates_sent;
    ensure!(found >= messages, "{found} messages were sent twice");
    Ok(())
}

declare_needs!(Drain);
#[then(expr = "that consumer ended by itself within {time}, with exit code {int}")]
fn drained(scenario: &mut Scenario, limit: Time, code: i32) -> StepResult {
    let departure = &scenario.running()?.told_to_stop()?.departure;
    ensure!(
        departure.end.code() == Some(code),
        "it ended with {}\n{}",
        departure.end,
        departure.tail
    );
    ensure!(
        departure.after <= limit.0,
        "it took {:?}\n{}",
        departure.after,
        departure.tail
    );
    Ok(())
}

declare_needs!(Drain, Wire);
#[then(expr = "that consumer took no message later than {time} after it was told to stop")]
async fn took_nothing_more(scenario: &mut Scenario, limit: Time) -> StepResult {
    let stopped = scenario.running()?.told_to_stop()?;
    let (name, told) = (stopped.departure.name.clone(), stopped.at);
    let late = scenario
        .run()
        .await?
        .received_after(&name, told.plus(limit.0))?;
    if let Some(late) = late {
        let after = Duration::from_micros(late.micros_since(told).unsigned_abs());
        bail!("{name} took a message {after:?} after it was told to stop");
    }
    Ok(())
}

declare_needs!(JsonLog);
#[then(expr = "every consumer is still at work and has logged no warning")]
async fn no_trouble(scenario: &mut Scenario) -> StepResult {
    let run = scenario.run().await?;
    let roster = run.roster();
    let dead: Vec<_> = roster.unasked().collect();
    ensure!(dead.is_empty(), "ended: {dead:?}");
    let mut troubles = Vec::new();
    for worker in roster.running() {
        troubles.extend(run.troubles(&worker.name)?);
    }
    ensure!(troubles.is_empty(), "logged:\n{}", troubles.join("\n"));
    Ok(())
}

declare_needs!(Drain);
#[then(expr = "every consumer stops within {time} when told to")]
async fn stops(scenario: &mut Scenario, limit: Time) -> StepResult {
    let run = scenario.run().await?;
    for departure in run.drain(limit.0).await? {
        departure.ensure_orderly()?;
        ensure!(
            departure.after <= limit.0,
            "{} took {:?}",
            departure.name,
            departure.after
        );
    }
    Ok(())
}
