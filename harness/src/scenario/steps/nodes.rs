//! Consumers on nodes, and evictions of nodes by Azure.

use std::fmt;
use std::time::Duration;

use anyhow::Context as _;
use cucumber::{given, when};
use platform::autoscale::Pod;
use platform::simulated::{Eviction, MachineEnd};
use producer::Shape;

use super::super::durations::{Rate, Time};
use super::super::needs::{PATIENCE, declare_needs};
use super::super::world::{Scenario, StepResult};
use crate::run::{EvictionPlan, EvictionWait, Timing};

/// While consumers are still starting, a node is evicted at most this long after the last start: a sync period of the HPA.
const MOMENT: Duration = Duration::from_secs(15);

/// The placement of consumers on nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scenario) struct OnNodes {
    /// The most consumers on one node.
    pub(in crate::scenario) each: u64,
    /// Whether Azure has a Spot machine to replace an evicted one.
    pub(in crate::scenario) is_replaced_by_spot: bool,
}

impl fmt::Display for OnNodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {} consumers on each", self.each)
    }
}

declare_needs!(Nodes);
#[given(regex = r"^(\d+) consumers? on Spot nodes, at most (\d+) on each$")]
fn consumers(scenario: &mut Scenario, count: u32, each: u64) -> StepResult {
    scenario.given.consumers = count;
    on_nodes(scenario, each)
}

declare_needs!(Nodes);
#[given(regex = r"^consumers run on Spot nodes, at most (\d+) on each$")]
fn on_nodes(scenario: &mut Scenario, each: u64) -> StepResult {
    scenario.given.pod = Some(Pod::read(scenario.manifests()?)?);
    scenario.given.nodes = Some(OnNodes {
        each,
        is_replaced_by_spot: true,
    });
    Ok(())
}

declare_needs!(Nodes, NoSpotCapacity);
#[given("Azure has no other Spot machine to give")]
fn no_spot(scenario: &mut Scenario) -> StepResult {
    let nodes = scenario
        .given
        .nodes
        .as_mut()
        .context("there are no nodes")?;
    nodes.is_replaced_by_spot = false;
    Ok(())
}

/// The eviction of one of the nodes, or of half of them.
fn plan(
    scenario: &Scenario,
    which: &str,
    ends: MachineEnd,
    notice: Option<Duration>,
) -> EvictionPlan {
    EvictionPlan {
        half: which == "half",
        eviction: Eviction {
            notice,
            drained_after: None,
            ends,
            returns: false,
        },
        wait: EvictionWait::InHand,
        another: false,
        timing: Timing::Ours,
        has_spot: scenario
            .given
            .nodes
            .is_some_and(|nodes| nodes.is_replaced_by_spot),
        consumers: scenario.given.consumers as usize,
        patience: scenario.pace.time(PATIENCE),
    }
}

declare_needs!(Nodes, SuddenEnd);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and (one|half) of the Spot nodes (?:is|are) evicted without notice$"
)]
async fn evicted(scenario: &mut Scenario, messages: u64, rate: Rate, which: String) -> StepResult {
    let step = plan(scenario, &which, MachineEnd::Deleted, None);
    evict_under_load(scenario, messages, rate, step).await
}

declare_needs!(Nodes, Notice, Events);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and (one|half) of the Spot nodes (?:is|are) evicted with (\d+ (?:ms|s|min)) of notice$"
)]
async fn evicted_with_notice(
    scenario: &mut Scenario,
    messages: u64,
    rate: Rate,
    which: String,
    notice: Time,
) -> StepResult {
    let step = plan(scenario, &which, MachineEnd::Deleted, Some(notice.0));
    evict_under_load(scenario, messages, rate, step).await
}

declare_needs!(Nodes, Notice, Events, EarlyDrain, Wire);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and one of the Spot nodes is evicted with (\d+ (?:ms|s|min)) of notice, and drained by force (\d+ (?:ms|s|min)) after it$"
)]
async fn drained_early(
    scenario: &mut Scenario,
    messages: u64,
    rate: Rate,
    notice: Time,
    drained_after: Time,
) -> StepResult {
    // The second that a forced drain leaves is not shortened by a pace: other scenarios must not make storage slow in it.
    scenario.given.own_storage = true;
    let mut step = plan(scenario, "one", MachineEnd::Deleted, Some(notice.0));
    step.eviction.drained_after = Some(drained_after.0);
    step.wait = EvictionWait::InWork;
    evict_under_load(scenario, messages, rate, step).await
}

declare_needs!(Nodes, StoppedMachine, SuddenEnd);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and (one|half) of the Spot nodes (?:is|are) stopped and not deleted without notice$"
)]
async fn stopped(scenario: &mut Scenario, messages: u64, rate: Rate, which: String) -> StepResult {
    let step = plan(scenario, &which, MachineEnd::Stopped, None);
    evict_under_load(scenario, messages, rate, step).await
}

declare_needs!(Nodes, StoppedMachine, Notice, Events);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and (one|half) of the Spot nodes (?:is|are) stopped and not deleted with (\d+ (?:ms|s|min)) of notice$"
)]
async fn stopped_with_notice(
    scenario: &mut Scenario,
    messages: u64,
    rate: Rate,
    which: String,
    notice: Time,
) -> StepResult {
    let step = plan(scenario, &which, MachineEnd::Stopped, Some(notice.0));
    evict_under_load(scenario, messages, rate, step).await
}

declare_needs!(Nodes, ReturningNode, SuddenEnd);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and one of the Spot nodes is evicted without notice, and again when it is back$"
)]
async fn evicted_twice(scenario: &mut Scenario, messages: u64, rate: Rate) -> StepResult {
    let mut step = plan(scenario, "one", MachineEnd::Deleted, None);
    step.eviction.returns = true;
    evict_under_load(scenario, messages, rate, step).await
}

declare_needs!(Nodes, SuddenEnd);
#[when(
    regex = r"^(\d+) messages are sent at once, and one of the Spot nodes is evicted without notice while consumers are still coming$"
)]
async fn evicted_in_scale_out(scenario: &mut Scenario, messages: u64) -> StepResult {
    let step = plan(scenario, "one", MachineEnd::Deleted, None);
    let load = scenario.load(messages, Shape::Burst);
    let (sent_within, moment) = (load.sending()?, scenario.pace.time(MOMENT));
    let run = scenario.run_with_consumers().await?;
    let sent = run.evict_in_scale_out(&load, step, moment, sent_within);
    let sent = sent.await?;
    scenario.has_sent(load, sent)?;
    Ok(())
}

declare_needs!(Nodes, NodeDrain);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and (one|half) of the nodes (?:is|are) drained$"
)]
async fn drained(scenario: &mut Scenario, messages: u64, rate: Rate, which: String) -> StepResult {
    let step = plan(scenario, &which, MachineEnd::Kept, None);
    evict_under_load(scenario, messages, rate, step).await
}

/// The shortest notice of an eviction that Azure documents for Spot machines, where all goes well (Azure, "Spot Virtual Machines").
const NOTICE: Duration = Duration::from_secs(30);

declare_needs!(Nodes);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and Azure takes one of the Spot nodes back( and, once that is made good, another one)?$"
)]
async fn taken_back(
    scenario: &mut Scenario,
    messages: u64,
    rate: Rate,
    another: String,
) -> StepResult {
    let notice = scenario.pace.time(NOTICE);
    let mut step = plan(scenario, "one", MachineEnd::Deleted, Some(notice));
    step.another = !another.is_empty();
    step.timing = Timing::Azure;
    evict_under_load(scenario, messages, rate, step).await
}

/// Sends messages to consumers that are at work, and evicts nodes during the load.
async fn evict_under_load(
    scenario: &mut Scenario,
    messages: u64,
    rate: Rate,
    step: EvictionPlan,
) -> StepResult {
    let load = scenario.load(messages, rate.steady()?);
    let sent_within = load.sending()?;
    let run = scenario.run_with_consumers().await?;
    let sent = run.evict_under_load(&load, step, sent_within).await?;
    scenario.has_sent(load, sent)?;
    Ok(())
}
