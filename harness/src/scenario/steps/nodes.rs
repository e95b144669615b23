//! Consumers on nodes, and evictions of nodes by Azure.

mod waits;

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use cucumber::{given, when};
use platform::autoscale::Pod;
use platform::simulated::{Ended, Eviction};
use platform::until::{until, until_told};
use producer::Shape;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::super::durations::{Rate, Time};
use super::super::needs::{PATIENCE, declare_needs};
use super::super::world::{Scenario, StepResult};
use super::when::sending;
use crate::run::Run;
use waits::{
    until_at_work, until_evictable, until_in_hand, until_in_work, until_made_good, until_over,
};

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

/// How many of the nodes are evicted, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct EvictionStep {
    half: bool,
    /// Whether, and how long, the eviction waits until a worker of the node has a message whose work has yet to begin.
    in_work: Option<Duration>,
    /// Whether, and how long, the eviction waits until each worker of the node has a message in hand: the eviction of a node
    /// without work proves nothing.
    in_hand: Option<Duration>,
    /// Whether another node is evicted once the consumers of the first one are replaced.
    another: bool,
    eviction: Eviction,
}

impl EvictionStep {
    fn new(which: &str, ends: Ended, notice: Option<Time>) -> Self {
        Self {
            half: which == "half",
            in_work: None,
            in_hand: None,
            another: false,
            eviction: Eviction {
                notice: notice.map(|time| time.0),
                drained_after: None,
                ends,
                returns: false,
            },
        }
    }
}

declare_needs!(Nodes, SuddenEnd);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and (one|half) of the Spot nodes (?:is|are) evicted without notice$"
)]
async fn evicted(scenario: &mut Scenario, messages: u64, rate: Rate, which: String) -> StepResult {
    let step = EvictionStep::new(&which, Ended::Deleted, None);
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
    let step = EvictionStep::new(&which, Ended::Deleted, Some(notice));
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
    let mut step = EvictionStep::new("one", Ended::Deleted, Some(notice));
    step.eviction.drained_after = Some(drained_after.0);
    step.in_work = Some(scenario.pace.time(PATIENCE));
    evict_under_load(scenario, messages, rate, step).await
}

declare_needs!(Nodes, StoppedMachine, SuddenEnd);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and (one|half) of the Spot nodes (?:is|are) stopped and not deleted without notice$"
)]
async fn stopped(scenario: &mut Scenario, messages: u64, rate: Rate, which: String) -> StepResult {
    let step = EvictionStep::new(&which, Ended::Stopped, None);
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
    let step = EvictionStep::new(&which, Ended::Stopped, Some(notice));
    evict_under_load(scenario, messages, rate, step).await
}

declare_needs!(Nodes, ReturningNode, SuddenEnd);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and one of the Spot nodes is evicted without notice, and again when it is back$"
)]
async fn evicted_twice(scenario: &mut Scenario, messages: u64, rate: Rate) -> StepResult {
    let mut step = EvictionStep::new("one", Ended::Deleted, None);
    step.eviction.returns = true;
    evict_under_load(scenario, messages, rate, step).await
}

declare_needs!(Nodes, SuddenEnd);
#[when(
    regex = r"^(\d+) messages are sent at once, and one of the Spot nodes is evicted without notice while consumers are still coming$"
)]
async fn evicted_in_scale_out(scenario: &mut Scenario, messages: u64) -> StepResult {
    let load = scenario.load(messages, Shape::Burst);
    let sent_within = sending(&load)?;
    let (spot, patience) = (has_spot(scenario), scenario.pace.time(PATIENCE));
    let moment = scenario.pace.time(MOMENT);
    let run = scenario.run_with_consumers().await?;
    let sending = run.start_sending(&load).await?;
    // The seed decides after how many consumers, and how long after the last of them, the eviction happens.
    let mut chance = StdRng::seed_from_u64(run.identity().seed);
    let (first, later) = (
        chance.random_range(1..=5_usize),
        chance.random_range(0.0..1.0),
    );
    let came = until_told(run.nodes()?.watch(), patience, |nodes| {
        let placed: usize = nodes.nodes.iter().map(|node| node.workers.len()).sum();
        (placed >= first && !nodes.evictable().is_empty()).then_some(())
    });
    ensure!(
        came.await.is_ok(),
        "{first} consumers did not come within {patience:?}"
    );
    tokio::time::sleep(moment.mul_f64(later)).await;
    let step = EvictionStep::new("one", Ended::Deleted, None);
    evict(run, step, spot).await?;
    until_over(run, 1, patience).await?;
    let sent = sending.finish(sent_within).await?;
    scenario.has_sent(load, sent)?;
    Ok(())
}

declare_needs!(Nodes, NodeDrain);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and (one|half) of the nodes (?:is|are) drained$"
)]
async fn drained(scenario: &mut Scenario, messages: u64, rate: Rate, which: String) -> StepResult {
    let step = EvictionStep::new(&which, Ended::Kept, None);
    evict_under_load(scenario, messages, rate, step).await
}

/// The shortest notice of an eviction that Azure documents for Spot machines, where all goes well (Azure, "Spot Virtual Machines").
const NOTICE: Time = Time(Duration::from_secs(30));

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
    let notice = Time(scenario.pace.time(NOTICE.0));
    let mut step = EvictionStep::new("one", Ended::Deleted, Some(notice));
    step.another = !another.is_empty();
    evict_under_load(scenario, messages, rate, step).await
}

/// Sends messages to consumers that are at work, and evicts nodes during the load.
async fn evict_under_load(
    scenario: &mut Scenario,
    messages: u64,
    rate: Rate,
    step: EvictionStep,
) -> StepResult {
    let load = scenario.load(messages, rate.steady()?);
    let sent_within = sending(&load)?;
    let (consumers, spot) = (scenario.given.consumers as usize, has_spot(scenario));
    let patience = scenario.pace.time(PATIENCE);
    let run = scenario.run_with_consumers().await?;
    until_at_work(run, consumers, patience).await?;
    until_evictable(run, patience).await?;
    let mut sending = run.start_sending(&load).await?;
    // The seed decides the exact time.
    let mut chance = StdRng::seed_from_u64(run.identity().seed);
    let first = messages * chance.random_range(15..35) / 100;
    sending.until_acknowledged(first, sent_within).await?;
    let first = EvictionStep {
        in_hand: Some(patience),
        ..step
    };
    evict(run, first, spot).await?;
    until_over(run, 1, patience).await?;
    if step.eviction.returns {
        again(run, step, patience).await?;
    }
    if step.another {
        until_made_good(run, patience).await?;
        until_evictable(run, patience).await?;
        evict(run, step, spot).await?;
        until_over(run, 2, patience).await?;
    }
    let sent = sending.finish(sent_within).await?;
    scenario.has_sent(load, sent)?;
    Ok(())
}

fn has_spot(scenario: &Scenario) -> bool {
    scenario
        .given
        .nodes
        .is_some_and(|nodes| nodes.is_replaced_by_spot)
}

/// Evicts nodes that the seed of the run chooses. `spot`: whether Azure has Spot machines from then on.
async fn evict(run: &Run, step: EvictionStep, spot: bool) -> StepResult {
    let nodes = run.nodes()?;
    nodes.offer_spot(spot).await;
    let mut victims = nodes.watch().borrow().evictable();
    victims.shuffle(&mut StdRng::seed_from_u64(run.identity().seed));
    let count = if step.half {
        victims.len().div_ceil(2)
    } else {
        1
    };
    if victims.is_empty() {
        return Err(anyhow!("there is no Spot node with a consumer to evict").into());
    }
    victims.truncate(count);
    for victim in victims {
        if let Some(patience) = step.in_work {
            until_in_work(run, &victim, patience).await?;
        } else if let Some(patience) = step.in_hand {
            until_in_hand(run, &victim, patience).await?;
        }
        nodes.evict(&victim, step.eviction).await?;
    }
    Ok(())
}

/// Evicts the same node once more, as soon as it is back and its consumers are at work.
async fn again(run: &Run, step: EvictionStep, patience: Duration) -> StepResult {
    let nodes = run.nodes()?;
    let node = nodes.watch().borrow().evictions[0].node.clone();
    let back = until(patience, async || {
        let roster = run.roster();
        let mut on_it = roster
            .running()
            .filter(|it| it.node.as_ref() == Some(&node));
        let is_at_work = on_it.any(|it| it.has_received == Some(true));
        let can_be_hit = nodes.watch().borrow().evictable().contains(&node);
        Ok((is_at_work && can_be_hit).then_some(()))
    });
    let is_back = back.await?.is_ok();
    ensure!(
        is_back,
        "{node} was not back with consumers after {patience:?}"
    );
    let eviction = Eviction {
        returns: false,
        ..step.eviction
    };
    nodes.evict(&node, eviction).await?;
    until_over(run, 2, patience).await
}
