//! Consumers on nodes, and Azure taking nodes back.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use cucumber::{given, when};
use producer::Shape;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::super::durations::Time;
use super::super::world::{Scenario, StepResult};
use super::when::per_second;
use crate::nodes::{Ended, Eviction};
use crate::platform::NodesView;
use crate::platform::until::{until, until_told};
use crate::run::{Load, Run};

/// How long anything here may take; far above what it does take.
const PATIENCE: Duration = Duration::from_secs(40);

/// Where consumers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scenario) struct OnNodes {
    /// Most consumers on one, where its size allows more.
    pub(in crate::scenario) each: u64,
    /// How many times as fast as in Azure nodes come and are missed.
    pub(in crate::scenario) speed: u32,
    /// Whether Azure has a Spot machine in place of one that it takes back.
    pub(in crate::scenario) is_replaced_by_spot: bool,
}

impl fmt::Display for OnNodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("simulated")?;
        if self.each < u64::MAX {
            write!(f, ", at most {} consumers on each", self.each)?;
        }
        if self.speed > 1 {
            write!(f, ", all their times {} times as short", self.speed)?;
        }
        Ok(())
    }
}

#[given("consumers run on Spot nodes")]
fn on_nodes(scenario: &mut Scenario) {
    scenario.nodes = Some(OnNodes {
        each: u64::MAX,
        speed: 1,
        is_replaced_by_spot: true,
    });
}

#[given(regex = r"^(\d+) consumers?, at most (\d+) on each node$")]
fn consumers(scenario: &mut Scenario, count: u32, each: u64) -> StepResult {
    scenario.consumers = count;
    at_most(scenario, each)
}

#[given(regex = r"^at most (\d+) consumers? (?:is|are) on each node$")]
fn at_most(scenario: &mut Scenario, each: u64) -> StepResult {
    let nodes = scenario.nodes.as_mut().context("there are no nodes")?;
    nodes.each = each;
    Ok(())
}

#[given(regex = r"^all times of nodes are (\d+) times as short$")]
fn faster(scenario: &mut Scenario, factor: NonZeroU32) -> StepResult {
    let nodes = scenario.nodes.as_mut().context("there are no nodes")?;
    nodes.speed = factor.get();
    Ok(())
}

#[given("Azure has no other Spot machine to give")]
fn no_spot(scenario: &mut Scenario) -> StepResult {
    let nodes = scenario.nodes.as_mut().context("there are no nodes")?;
    nodes.is_replaced_by_spot = false;
    Ok(())
}

#[given(regex = r"^each consumer works on (\d+) messages? at a time$")]
fn concurrency(scenario: &mut Scenario, messages: u32) {
    scenario.options.concurrency = Some(messages);
}

/// What Azure does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Blow {
    half: bool,
    eviction: Eviction,
}

impl FromStr for Blow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "{text:?} is none of: one (half) of the Spot nodes is (are) evicted (stopped and not deleted) without \
                 notice (with 4 s of notice)(, and again when it is back)"
            )
        };
        let (text, returns) = match text.strip_suffix(", and again when it is back") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (which, rest) = text.split_once(" of the Spot nodes ").ok_or_else(refused)?;
        let rest = rest.trim_start_matches("is ").trim_start_matches("are ");
        let (ends, rest) = match rest.strip_prefix("evicted ") {
            Some(rest) => (Ended::Deleted, rest),
            None => (
                Ended::Stopped,
                rest.strip_prefix("stopped and not deleted ")
                    .ok_or_else(refused)?,
            ),
        };
        let notice = match rest {
            "without notice" => None,
            told => {
                let told = told.strip_prefix("with ").ok_or_else(refused)?;
                let told = told.strip_suffix(" of notice").ok_or_else(refused)?;
                Some(told.parse::<Time>()?.0)
            }
        };
        Ok(Self {
            half: which == "half",
            eviction: Eviction {
                notice,
                ends,
                returns,
            },
        })
    }
}

#[when(
    regex = r"^(\d+) messages are sent at (\d+) per second, and ((?:one|half) of the Spot nodes (?:is|are) (?:evicted|stopped and not deleted) (?:without notice|with \d+ m?s of notice)(?:, and again when it is back)?)$"
)]
async fn evicted(scenario: &mut Scenario, messages: u64, rate: u64, blow: Blow) -> StepResult {
    let load = scenario.load(messages, per_second(rate)?);
    let (consumers, spot) = (scenario.consumers as usize, has_spot(scenario));
    let run = scenario.run_with_consumers().await?;
    until_at_work(run, consumers).await?;
    let mut sending = run.start_sending(&load).await?;
    // When exactly, the seed says.
    let mut chance = StdRng::seed_from_u64(run.identity().seed);
    let first = messages * chance.random_range(15..35) / 100;
    sending.until_acknowledged(first, PATIENCE).await?;
    strike(run, blow, spot).await?;
    until_over(run, 1).await?;
    if blow.eviction.returns {
        again(run, blow).await?;
    }
    let sent = sending.finish(PATIENCE).await?;
    scenario.sent = Some((load, sent));
    Ok(())
}

#[when(
    regex = r"^(\d+) messages are sent at once, and ((?:one|half) of the Spot nodes (?:is|are) evicted (?:without notice|with \d+ m?s of notice)) while consumers are still coming$"
)]
async fn evicted_in_scale_out(scenario: &mut Scenario, messages: u64, blow: Blow) -> StepResult {
    let load: Load = scenario.load(messages, Shape::Burst);
    let spot = has_spot(scenario);
    let run = scenario.run_with_consumers().await?;
    let sending = run.start_sending(&load).await?;
    let came = until_told(run.nodes()?.watch(), PATIENCE, |nodes| {
        (!nodes.evictable().is_empty()).then_some(())
    });
    ensure!(came.await.is_ok(), "no consumer came within {PATIENCE:?}");
    strike(run, blow, spot).await?;
    until_over(run, 1).await?;
    let sent = sending.finish(PATIENCE).await?;
    scenario.sent = Some((load, sent));
    Ok(())
}

fn has_spot(scenario: &Scenario) -> bool {
    scenario
        .nodes
        .is_some_and(|nodes| nodes.is_replaced_by_spot)
}

/// Waits until so many consumers have asked for messages.
async fn until_at_work(run: &Run, consumers: usize) -> StepResult {
    let mut found = 0;
    let at_work = until(PATIENCE, async || {
        found = run.roster().at_work().count();
        Ok((found >= consumers).then_some(()))
    });
    let in_time = at_work.await?.is_ok();
    ensure!(
        in_time,
        "{found} consumers had asked for messages after {PATIENCE:?}"
    );
    Ok(())
}

/// Azure strikes. What it has for nodes from then on, `spot` says.
async fn strike(run: &Run, blow: Blow, spot: bool) -> anyhow::Result<()> {
    let nodes = run.nodes()?;
    nodes.offer_spot(spot).await;
    let mut victims = nodes.watch().borrow().evictable();
    victims.shuffle(&mut StdRng::seed_from_u64(run.identity().seed));
    let count = if blow.half {
        victims.len().div_ceil(2)
    } else {
        1
    };
    anyhow::ensure!(
        !victims.is_empty(),
        "there is no Spot node with a consumer to evict"
    );
    victims.truncate(count);
    for victim in victims {
        nodes.evict(&victim, blow.eviction).await?;
    }
    Ok(())
}

/// Waits until the machines of all nodes that were hit so far have ended; at least `count` were.
async fn until_over(run: &Run, count: usize) -> StepResult {
    let over = |nodes: &NodesView| {
        let all = nodes.evictions.len() >= count && nodes.evictions.iter().all(|it| it.is_over);
        all.then_some(())
    };
    let over = until_told(run.nodes()?.watch(), PATIENCE, over).await;
    ensure!(over.is_ok(), "no node has ended after {PATIENCE:?}");
    Ok(())
}

/// The same node once more, as soon as it is back and has consumers at work.
async fn again(run: &Run, blow: Blow) -> StepResult {
    let nodes = run.nodes()?;
    let node = nodes.watch().borrow().evictions[0].node.clone();
    let back = until(PATIENCE, async || {
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
        "{node} was not back with consumers after {PATIENCE:?}"
    );
    let eviction = Eviction {
        returns: false,
        ..blow.eviction
    };
    nodes.evict(&node, eviction).await?;
    until_over(run, 2).await
}
