//! Judges the effect of evictions.

use std::time::Duration;

use anyhow::anyhow;
use cucumber::then;
use platform::Evicted;
use platform::simulated::Capacity;
use platform::until::until_told;
use workflow::duration;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepError, StepResult};
use crate::audit::Starved as _;
use crate::outcome::{Outcome, Unmet};

/// The longest time between two looks for a notice: a consumer looks every second, whatever the pace, and an answer may take
/// some time.
const LOOKS: Duration = Duration::from_secs(2);

async fn evictions(scenario: &mut Scenario) -> anyhow::Result<Vec<Evicted>> {
    let evictions = scenario
        .run()
        .await?
        .nodes()?
        .watch()
        .borrow()
        .evictions
        .clone();
    anyhow::ensure!(!evictions.is_empty(), "no node was evicted");
    Ok(evictions)
}

declare_needs!(Nodes);
#[then(expr = "within {time} as many consumers are at work again as before")]
async fn recovered(scenario: &mut Scenario, limit: Time) -> StepResult {
    evictions(scenario).await?;
    let nodes = scenario.run().await?.nodes()?.watch();
    let recovered = until_told(nodes, limit.0, |nodes| {
        let all = nodes.evictions.iter().all(|it| it.recovered.is_some());
        (all || nodes.no_room.is_some()).then_some(())
    });
    recovered.await.ok();
    for it in evictions(scenario).await? {
        let node = &it.node;
        let Some(after) = it.recovered else {
            let wanted = scenario.run().await?.roster().wanted;
            if wanted == 0 {
                let untold =
                    anyhow!("none is wanted any more: whether they come back cannot be told");
                return Err(StepError::of(Outcome::Inconclusive, untold));
            }
            let shortage = scenario.run().await?.nodes()?.watch();
            if let Some(why) = shortage.borrow().denied() {
                let denied = anyhow!("no machine came in place of {node}: {why}");
                return Err(StepError::of(Outcome::Inconclusive, denied));
            }
            bail!("not within {:?} of the eviction of {node}", limit.0);
        };
        ensure!(
            after <= limit.0,
            "after the eviction of {node} it took {after:?}"
        );
    }
    Ok(())
}

declare_needs!(Nodes);
#[then(
    "every consumer of a node that was evicted ended by itself before the node did, with exit code 0"
)]
async fn drained(scenario: &mut Scenario) -> StepResult {
    for it in evictions(scenario).await? {
        if let [(name, held), ..] = &it.killed[..] {
            let late = format!(
                "{name} had not ended when its node {} did, {:?} after the notice, and had {held} messages in hand",
                it.node,
                it.eviction.notice.unwrap_or_default()
            );
            // Without storage it could not finish its messages.
            return Err(StepError::late(late, scenario.traffic()?.storage));
        }
        for departure in &it.ended {
            ensure!(
                departure.end.code() == Some(0),
                "{}\n{}",
                departure.sentence,
                departure.tail
            );
        }
        let (ended, were) = (it.ended.len(), it.workers.len());
        ensure!(were > 0, "no consumer was on {}", it.node);
        ensure!(
            ended >= were,
            "{ended} of {were} consumers of {} are known to have ended",
            it.node
        );
    }
    Ok(())
}

declare_needs!(Nodes, Wire);
#[then(expr = "no consumer took a message later than {time} after the notice")]
async fn took_nothing_more(scenario: &mut Scenario, limit: Time) -> StepResult {
    let mut told = 0;
    for it in evictions(scenario).await? {
        let last = it.since.plus(limit.0);
        for consumer in it.workers.iter().filter(|_| it.eviction.notice.is_some()) {
            told += 1;
            let run = scenario.run().await?;
            if let Some(late) = run.received_after(consumer, last)? {
                let after = Duration::from_micros(late.micros_since(it.since).unsigned_abs());
                bail!(
                    "{consumer} took a message {after:?} after the notice of {}",
                    it.node
                );
            }
        }
    }
    ensure!(told > 0, "no consumer was told of an eviction");
    Ok(())
}

declare_needs!(Wire);
#[then("no message came back because a lease ran out")]
async fn nothing_ran_out(scenario: &mut Scenario) -> StepResult {
    ensure!(
        scenario.traffic()?.deliveries > 0,
        "nothing was delivered at all"
    );
    let lapsed = scenario.run().await?.lapsed()?;
    if lapsed > 0 {
        let found = format!("{lapsed} leases ran out, and their messages came back");
        return Err(of_leases(scenario, found));
    }
    Ok(())
}

/// A node that Azure evicted without being asked, if there is one.
fn unasked(scenario: &Scenario) -> Option<String> {
    let nodes = scenario.begun()?.nodes().ok()?.watch();
    let nodes = nodes.borrow();
    let unasked = nodes.evictions.iter().find(|it| !it.is_asked)?;
    Some(unasked.node.clone())
}

/// A finding about leases is a broken promise, unless storage was so slow that even the leases of a good consumer could run out.
fn of_leases(scenario: &Scenario, found: String) -> StepError {
    let storage = scenario.traffic().map(|traffic| traffic.storage);
    match (storage, scenario.lease()) {
        (Ok(storage), Some(lease)) if storage.outlasts(lease) => {
            let lease = duration::text(lease);
            let why = anyhow!("{found}, but {storage}, and a lease lasts {lease}");
            StepError::of(Outcome::Inconclusive, why)
        }
        _ => Unmet(found).into(),
    }
}

declare_needs!(Wire);
#[then(regex = r"^at most (\d+) messages were delivered more than once$")]
fn bounded(scenario: &mut Scenario, most: u64) -> StepResult {
    let traffic = scenario.traffic()?;
    ensure!(traffic.deliveries > 0, "nothing was delivered at all");
    let found = traffic.redelivered;
    if found > most {
        let found = format!("{found} messages were delivered more than once");
        if let Some(node) = unasked(scenario) {
            let why = anyhow!("{found}, but Azure took {node} back, and nobody had asked for that");
            return Err(StepError::of(Outcome::Inconclusive, why));
        }
        return Err(of_leases(scenario, found));
    }
    Ok(())
}

declare_needs!(Nodes);
#[then("those that came in place of others run on demand")]
async fn on_demand(scenario: &mut Scenario) -> StepResult {
    evictions(scenario).await?;
    let run = scenario.run().await?;
    let (roster, nodes) = (run.roster(), run.nodes()?.watch().borrow().clone());
    let of = |capacity| {
        let nodes_of = roster.running().filter_map(|it| it.node.as_ref());
        nodes_of
            .filter(|node| nodes.capacity(node) == Some(capacity))
            .count()
    };
    let (spot, on_demand) = (of(Capacity::Spot), of(Capacity::OnDemand));
    ensure!(
        on_demand > 0,
        "{on_demand} run on demand, {spot} on Spot nodes"
    );
    Ok(())
}

declare_needs!(Nodes, Notice, Events);
#[then("every consumer of a node that was evicted had looked for a notice every second")]
async fn looked(scenario: &mut Scenario) -> StepResult {
    for it in evictions(scenario).await? {
        for worker in &it.workers {
            let Some(pause) = it.longest_pauses.get(worker) else {
                bail!("{worker} on {} looked for a notice once at most", it.node);
            };
            ensure!(
                *pause <= LOOKS,
                "{worker} on {} once did not look for a notice for {pause:.1?}",
                it.node
            );
        }
    }
    Ok(())
}
