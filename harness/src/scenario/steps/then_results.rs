//! Judges the results.

use cucumber::then;
use judge::{deliveries, departures};
use platform::Cause;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};

#[then(expr = "within {time} every message has exactly one result")]
async fn exactly_one(scenario: &mut Scenario, deadline: Time) -> StepResult {
    let running = scenario.running()?;
    let (_, sent) = running.sent()?.clone();
    let (expected, waited) = (running.expected_poison(), running.waited);
    let run = scenario.run().await?;
    let results = run.results(&sent, expected, deadline.0).await?;
    let kept = results.kept(scenario.lease());
    scenario.judged(results.collected)?;
    kept?;
    Ok(scenario.run().await?.judge_done(waited, deadline.0)?)
}

declare_needs!(Wire);
#[then(expr = "no message was delivered more than once")]
fn delivered_once(scenario: &mut Scenario) -> StepResult {
    let (traffic, excuses) = (scenario.traffic()?, scenario.excuses());
    Ok(deliveries::redelivered_at_most(traffic, 0, &excuses)?)
}

declare_needs!(Wire);
#[then(regex = r"^(\d+) messages were delivered more than once$")]
fn redelivered(scenario: &mut Scenario, messages: u64) -> StepResult {
    let traffic = scenario.traffic()?;
    Ok(deliveries::redelivered_exactly(traffic, messages)?)
}

declare_needs!(Wire);
#[then(regex = r"^at least (\d+) consumers? had messages$")]
fn shared(scenario: &mut Scenario, consumers: usize) -> StepResult {
    Ok(deliveries::shared(scenario.traffic()?, consumers)?)
}

declare_needs!(Wire);
#[then(regex = r"^every consumer has asked the queue for messages, at most (\d+) times$")]
async fn polled(scenario: &mut Scenario, most: u64) -> StepResult {
    let run = scenario.run().await?;
    let names = run.roster().names();
    Ok(deliveries::asked(&run.traffic()?, &names, 1..=most)?)
}

declare_needs!(Wire);
#[then(regex = r"^at least (\d+) requests? (?:was|were) hit$")]
fn hit(scenario: &mut Scenario, requests: u64) -> StepResult {
    let faults = &scenario.running()?.faults;
    let met = faults.iter().map(|rule| rule.struck());
    Ok(deliveries::hit_at_least(met, requests)?)
}

declare_needs!(Wire);
#[then(regex = r"^(\d+) consumers died$")]
async fn died(scenario: &mut Scenario, consumers: usize) -> StepResult {
    let roster = scenario.run().await?.roster();
    let died = roster.ended_by(Cause::Fault).count();
    Ok(departures::died(died, consumers)?)
}

#[then(regex = r"^at least (\d+) messages were sent twice$")]
fn sent_twice(scenario: &mut Scenario, messages: u64) -> StepResult {
    let (_, sent) = scenario.running()?.sent()?;
    let twice = sent.summary.duplicates_sent;
    Ok(deliveries::sent_twice(twice, messages)?)
}

declare_needs!(Drain);
#[then(expr = "that consumer ended by itself within {time}, with exit code {int}")]
fn drained(scenario: &mut Scenario, limit: Time, code: i32) -> StepResult {
    let stopped = scenario.running()?.told_to_stop()?;
    Ok(departures::ended_by_itself(
        &stopped.departure,
        code,
        limit.0,
    )?)
}

declare_needs!(Drain, Wire);
#[then(expr = "that consumer took no message later than {time} after it was told to stop")]
fn took_nothing_more(scenario: &mut Scenario, limit: Time) -> StepResult {
    let running = scenario.running()?;
    let stopped = running.told_to_stop()?;
    Ok(running.run.judge_receives_after_stop(stopped, limit.0)?)
}

declare_needs!(JsonLog);
#[then(expr = "every consumer is still at work and has logged no warning")]
async fn no_trouble(scenario: &mut Scenario) -> StepResult {
    Ok(scenario.run().await?.judge_troubles()?)
}

declare_needs!(Drain);
#[then(expr = "every consumer stops within {time} when told to")]
async fn stops(scenario: &mut Scenario, limit: Time) -> StepResult {
    let ended = scenario.run().await?.drain(limit.0).await?;
    Ok(departures::stopped_in_time(&ended, limit.0)?)
}
