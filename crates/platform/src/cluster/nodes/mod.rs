//! The nodes of a run: a watched list, and how nodes are taken back.
//!
//! - `seen` is the relevant part of a node, `heard` what consumers log about scheduled events; `stories` derives evictions from
//!   both, `story` is one eviction.
//! - `pools` takes Spot capacity away, where a scenario says so; `short` hears from node auto-provisioning that Azure has no machine to give.
//! - [`WatchedNodes`] runs the watches, and writes each eviction into the run's log.
//! - [`TakesBack`] takes a node back: Azure does so on a request to Azure Resource Manager; elsewhere the harness itself does
//!   ([`HandedOver`]), and only with nodes that their owner has named. [`Prices`] is what an hour of a machine costs.
//!
//! Left out: how long before its end a machine is notified, whether it is stopped or deleted, and whether a machine comes back
//! under its name. On Azure, Azure decides these; elsewhere machines get no notice.

mod handed;
mod heard;
mod pools;
mod prices;
mod seen;
mod short;
mod stories;
mod story;
mod taker;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use cluster::watching::{Change, WAITING, follow};
use k8s_openapi::api::core::v1::Node;
use kube::runtime::watcher;
use kube::{Api, ResourceExt as _};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use workflow::contract::Stamp;
use workflow::task;

use evidence::events::{Event, NodeChange, NodeEvent};
pub(super) use handed::{Handed, HandedOver};
pub(super) use heard::ANNOUNCED;
use heard::Logs;
use pools::Pools;
pub(super) use prices::Prices;
use seen::{Rules, SeenNode};
use stories::Stories;
use story::Moment;
pub(super) use taker::TakesBack;
use taker::Tell;

use super::watched::Seen;
use crate::lock::lock;
use crate::nodes::{Nodes, NodesView};
use crate::simulated::{Eviction, Figures};
use crate::workers::Roster;

/// Interval of reading the consumers' logs: consumers themselves ask for a notice once a second.
const LOOK: Duration = Duration::from_secs(1);

/// How long a consumer may be without a node before the cluster counts as full, where Azure makes no node for it: an autoscaler
/// of the cluster's own would have made a node by then.
const ROOM: Duration = Duration::from_secs(4 * 60);

/// How many new nodes may wait for their price. Further nodes get no price: no judgement depends on prices, and evictions must
/// not wait for them.
const UNPRICED: usize = 256;

/// The nodes of a run, watched until this is dropped.
pub(super) struct WatchedNodes {
    shared: Shared,
    taker: Arc<dyn TakesBack>,
    /// Where machines come from Azure.
    pools: Option<Pools>,
    _stop: DropGuard,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

/// State that the watches share; clones share it too.
#[derive(Clone)]
struct Shared {
    stories: Arc<Mutex<Stories>>,
    view: Arc<watch::Sender<NodesView>>,
    seen: Seen,
    rules: Rules,
}

fn now() -> Moment {
    Moment {
        stamp: Stamp::now(),
        at: Instant::now(),
    }
}

impl WatchedNodes {
    /// Starts to watch the nodes and the consumers of the cluster of `seen`. `prices`: if machines have Azure's prices.
    pub(super) fn watch(
        seen: &Seen,
        roster: watch::Receiver<Roster>,
        taker: Arc<dyn TakesBack>,
        prices: Option<Prices>,
    ) -> Self {
        let rules = taker.rules();
        let shared = Shared {
            stories: Arc::new(Mutex::new(Stories::of(rules.clone()))),
            view: Arc::new(watch::Sender::default()),
            seen: seen.clone(),
            rules: rules.clone(),
        };
        let stop = CancellationToken::new();
        let (told_node, hears_node) = mpsc::channel(WAITING);
        let (asks_price, hears_price) = mpsc::channel(UNPRICED);
        let nodes: Api<Node> = Api::all(seen.client.clone());
        let all = watcher::Config::default();
        let mut tasks = vec![
            task::spawn(follow(nodes, all, told_node, stop.clone())),
            task::spawn(see_nodes(shared.clone(), hears_node, asks_price)),
            task::spawn(see_workers(shared.clone(), roster, stop.clone())),
        ];
        if let Some(prices) = prices {
            tasks.push(task::spawn(price(shared.clone(), prices, hears_price)));
        }
        if rules == Rules::Azure {
            tasks.extend(short::watch(&shared, &stop));
        }
        let pools = (rules == Rules::Azure).then(|| Pools::of(&seen.client));
        Self {
            shared,
            taker,
            pools,
            _stop: stop.drop_guard(),
            _tasks: tasks,
        }
    }
}

impl Shared {
    /// Makes the callback that reports progress with `node`.
    fn tell_of(&self, node: &str) -> Tell {
        let (shared, node) = (self.clone(), node.to_owned());
        Arc::new(move |progress| shared.with(|stories, now| stories.goes_on(&node, progress, now)))
    }

    /// Applies `change` to the stories, logs the resulting events, and notifies all watchers.
    fn with<T>(&self, change: impl FnOnce(&mut Stories, Moment) -> T) -> T {
        let now = now();
        let (changed, events, evicted, view) = {
            let mut stories = lock(&self.stories);
            let changed = change(&mut stories, now);
            let events = stories.take_events();
            (changed, events, stories.machines_gone(), stories.view(now))
        };
        for event in events {
            let written = self.seen.log.append(now.stamp, Event::Node(event));
            self.seen.note(written.map_err(Into::into));
        }
        lock(&self.seen.crew).evicted(evicted);
        self.view.send_replace(view);
        changed
    }
}

impl Shared {
    /// Requests that the price of a new node's machine be logged, unless too many requests wait.
    fn ask_price(&self, asks: &mpsc::Sender<SeenNode>, node: SeenNode) {
        // Closed: there are no prices here, or the run is over.
        if let Err(TrySendError::Full(node)) = asks.try_send(node) {
            let text = format!(
                "the price of {} is not known: {UNPRICED} nodes wait for theirs",
                node.name
            );
            let noted = self.seen.log.append(Stamp::now(), Event::Note { text });
            self.seen.note(noted.map_err(Into::into));
        }
    }
}

async fn see_nodes(
    shared: Shared,
    mut told: mpsc::Receiver<Change<Node>>,
    asks_price: mpsc::Sender<SeenNode>,
) {
    while let Some(change) = told.recv().await {
        match change {
            Change::Now(node) => {
                let seen = SeenNode::of(&node, &shared.rules);
                let is_new = shared.with(|stories, now| stories.saw(&seen, now));
                if is_new {
                    shared.ask_price(&asks_price, seen);
                }
            }
            Change::Gone(node) => shared.with(|stories, now| stories.gone(&node.name_any(), now)),
            Change::Complete => {}
            Change::Broken(time, why) => shared.seen.broken("nodes", time, &why),
        }
    }
}

/// Logs the price of an hour of each new node's machine.
async fn price(shared: Shared, mut prices: Prices, mut asked: mpsc::Receiver<SeenNode>) {
    let mut is_told = false;
    while let Some(node) = asked.recv().await {
        let (Some(region), Some(size)) = (&node.region, &node.size) else {
            continue;
        };
        let event = match prices.of(region, size).await {
            Ok(hourly) => {
                let change = NodeChange::Priced {
                    on_demand_micro_usd: hourly.on_demand_micro_usd,
                    spot_micro_usd: hourly.spot_micro_usd,
                };
                let node = node.name;
                Event::Node(NodeEvent { node, change })
            }
            // No judgement depends on prices, so one note is enough.
            Err(error) if !std::mem::replace(&mut is_told, true) => Event::Note {
                text: format!("a price is not known: {error:#}"),
            },
            Err(_) => continue,
        };
        let written = shared.seen.log.append(Stamp::now(), event);
        shared.seen.note(written.map_err(Into::into));
    }
}

/// Follows the consumers and their logs.
async fn see_workers(shared: Shared, mut roster: watch::Receiver<Roster>, stop: CancellationToken) {
    let mut logs = Logs::of(shared.seen.directory.clone());
    let mut tick = interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = roster.changed() => if changed.is_err() { return },
            _ = tick.tick() => {}
        }
        let seen = roster.borrow_and_update().clone();
        let unplaced = lock(&shared.seen.crew).unplaced(Instant::now(), ROOM);
        shared.with(|stories, now| {
            stories.saw_workers(&seen, now);
            stories.has_no_room_for(unplaced);
            // Includes consumers that have just ended: the notice may be the last line of their log.
            let names = stories.workers().into_iter();
            let departed = seen.departed.iter().map(|it| it.name.clone());
            for name in names.chain(departed) {
                for heard in logs.news(&name, now.stamp) {
                    stories.heard(&name, &heard, now);
                }
            }
        });
    }
}

#[async_trait]
impl Nodes for WatchedNodes {
    fn watch(&self) -> watch::Receiver<NodesView> {
        self.shared.view.subscribe()
    }

    async fn evict(&self, node: &str, eviction: Eviction) -> anyhow::Result<()> {
        let asked = self
            .shared
            .with(|stories, now| stories.ask(node, eviction, now))?;
        let fault = Event::fault(self.shared.rules.fault(eviction), node);
        self.shared.seen.log.append(Stamp::now(), fault)?;
        let tell = self.shared.tell_of(node);
        if let Err(error) = self.taker.take_back(&asked, eviction, tell).await {
            self.shared.with(|stories, _| stories.refused(node));
            return Err(error).with_context(|| format!("evict {node}"));
        }
        Ok(())
    }

    async fn offer_spot(&self, available: bool) -> anyhow::Result<()> {
        match (&self.pools, available) {
            (Some(pools), false) => pools.withhold_spot().await,
            (None, false) => bail!("take Spot machines away: only Azure has any"),
            (_, true) => Ok(()),
        }
    }

    async fn figures(&self) -> Figures {
        lock(&self.shared.stories).figures(now())
    }
}

impl WatchedNodes {
    /// The name of a node that Azure has taken back without a request of the harness, if there is one.
    pub(super) fn evicted_unasked(&self) -> Option<String> {
        let nodes = self.shared.view.borrow();
        let unasked = nodes.evictions.iter().find(|it| !it.is_asked)?;
        Some(unasked.node.clone())
    }

    /// Gives back the nodes that this run has cordoned, and the Spot capacity that it, or a run that was killed, has taken away.
    pub(super) async fn give_back(&self) -> anyhow::Result<()> {
        if let Some(pools) = &self.pools {
            pools.release().await?;
        }
        self.taker.give_back().await
    }
}

#[cfg(test)]
mod played;
