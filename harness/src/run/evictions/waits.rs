//! Waits around an eviction. What it means if one of them ends late is judged by [`judge::evictions::staged`].

use std::time::Duration;

use anyhow::Context as _;
use judge::evictions::staged::{self, MachinesEnd};
use platform::NodesView;
use platform::until::{until, until_told};

use crate::run::Run;

/// Waits until this many consumers have asked for messages.
pub(super) async fn until_at_work(
    run: &Run,
    consumers: usize,
    patience: Duration,
) -> anyhow::Result<()> {
    let mut found = 0;
    let nodes = run.nodes()?.watch();
    let at_work = until(patience, async || {
        found = run.roster().at_work().count();
        let is_full = nodes.borrow().no_room.is_some();
        Ok((found >= consumers || is_full).then_some(()))
    });
    at_work.await?.ok();
    let shortage = shortage(run)?;
    Ok(staged::at_work(
        found,
        consumers,
        shortage.as_deref(),
        patience,
    )?)
}

/// Why consumers have no node, if that is known.
fn shortage(run: &Run) -> anyhow::Result<Option<String>> {
    Ok(run.nodes()?.watch().borrow().denied())
}

/// Waits until a node can be evicted. Real nodes must have existed for a while, and their consumers must have seen the events of
/// their machine.
pub(super) async fn until_evictable(run: &Run, patience: Duration) -> anyhow::Result<()> {
    let can_be = |nodes: &NodesView| (!nodes.evictable().is_empty()).then_some(());
    let found = until_told(run.nodes()?.watch(), patience, can_be).await;
    let wanted = run.nodes()?.watch().borrow().wanted.clone();
    let why = shortage(run)?.unwrap_or(wanted);
    Ok(staged::evictable(found.is_ok(), patience, why)?)
}

/// Waits until as many consumers are at work as before the last eviction.
pub(super) async fn until_made_good(run: &Run, patience: Duration) -> anyhow::Result<()> {
    let good = |nodes: &NodesView| {
        let last = nodes.evictions.last();
        last.and_then(|it| it.recovered).map(|_| ())
    };
    let good = until_told(run.nodes()?.watch(), patience, good).await;
    let shortage = shortage(run)?;
    Ok(staged::first_made_good(
        good.is_ok(),
        shortage.as_deref(),
        patience,
    )?)
}

/// Waits until a worker on `node` receives a message. Otherwise the node may have no work that a drain could cut off.
pub(super) async fn until_in_work(run: &Run, node: &str, patience: Duration) -> anyhow::Result<()> {
    let workers = nodes_workers(run, node)?;
    run.first_to_receive(&workers, 1, patience).await.map(drop)
}

/// Waits until each worker on `node` has a message in hand, if there is a wire that shows it: workers are told to end one after the
/// other, and the first may be one without a message. The load must be more than all workers can work on at once, else the other
/// nodes' workers may take everything.
pub(super) async fn until_in_hand(run: &Run, node: &str, patience: Duration) -> anyhow::Result<()> {
    let workers = nodes_workers(run, node)?;
    let Ok(wire) = run.wire() else {
        return Ok(());
    };
    let mut idle = Vec::new();
    let busy = until(patience, async || {
        let all = workers.iter();
        idle = all.filter(|it| wire.in_hand_of(it) == 0).cloned().collect();
        Ok(idle.is_empty().then_some(()))
    });
    busy.await?.ok();
    Ok(staged::all_busy(&idle, node, patience)?)
}

/// The workers on `node`.
fn nodes_workers(run: &Run, node: &str) -> anyhow::Result<Vec<String>> {
    let nodes = run.nodes()?.watch();
    let nodes = nodes.borrow();
    let found = nodes.nodes.iter().find(|it| it.name == node);
    let workers = found.map(|it| it.workers.iter().cloned().collect::<Vec<_>>());
    workers
        .filter(|it| !it.is_empty())
        .with_context(|| format!("find the workers on {node}"))
}

/// Waits until at least `count` nodes were hit and their machines have ended or are empty.
pub(super) async fn until_over(run: &Run, count: usize, patience: Duration) -> anyhow::Result<()> {
    let over = |nodes: &NodesView| {
        if let Some(why) = nodes.evictions.iter().find_map(|it| it.failed.clone()) {
            return Some(MachinesEnd::Failed(why));
        }
        let all = nodes.evictions.len() >= count && nodes.evictions.iter().all(|it| it.is_over);
        all.then_some(MachinesEnd::Over)
    };
    let end = until_told(run.nodes()?.watch(), patience, over).await;
    Ok(end.unwrap_or(MachinesEnd::Late(patience)).kept()?)
}
