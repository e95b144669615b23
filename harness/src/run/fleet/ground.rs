//! Consumers on nodes, and what becomes of them when Azure takes a node back. Nobody here sends them a SIGTERM for that: they are
//! told by their machine, or not at all.

mod ends;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use workflow::contract::Stamp;

use super::{Departure, Fleet, Member};
use crate::events::{Event, NodeChange, NodeEvent};
use crate::nodes::{Capacity, Cluster, Eviction, Node};

/// The nodes of a fleet, and what happened on them.
pub(super) struct Ground {
    cluster: Cluster,
    /// Consumers that fit nowhere, at the last look.
    homeless: u64,
    lost: Vec<Lost>,
    evicted: Vec<Evicted>,
}

/// A consumer whose machine has ended, before anybody has missed it.
struct Lost {
    /// One that stands still, as everything does on a machine that is stopped.
    still: Option<Member>,
    missed: Instant,
}

/// One eviction, from its announcement or its beginning on.
#[derive(Debug, Clone)]
pub struct Evicted {
    /// The node.
    pub node: String,
    /// What was to happen to it.
    pub eviction: Eviction,
    /// When its machine was told; where it was not, when it ended.
    pub since: Stamp,
    /// Whether its machine has ended.
    pub is_over: bool,
    /// The consumers that were on it.
    pub consumers: BTreeSet<String>,
    /// Those that ended by themselves before it did, and how.
    pub ended: Vec<Departure>,
    /// Those that ended with it, each with the messages that it had in its hands.
    pub killed: Vec<(String, u64)>,
    /// How many consumers were wanted and at work before.
    wanted: usize,
    began: Instant,
    /// From when on consumers were missing.
    short: Option<Instant>,
    /// From the notice until no consumer was left on it, if all ended by themselves.
    pub drained: Option<Duration>,
    /// From the first consumer that was missing until as many as before had work.
    pub recovered: Option<Duration>,
}

impl Ground {
    fn on(&mut self, node: &str) -> Option<&mut Evicted> {
        let mut evicted = self.evicted.iter_mut();
        evicted.find(|it| it.node == node && !it.is_over)
    }
}

impl Fleet {
    /// From now on consumers start on nodes of `cluster`, which come when consumers need them.
    pub fn settle_on(&mut self, cluster: Cluster) {
        self.ground = Some(Ground {
            cluster,
            homeless: 0,
            lost: Vec::new(),
            evicted: Vec::new(),
        });
    }

    /// Its nodes, if it has any.
    pub fn cluster(&mut self) -> Option<&mut Cluster> {
        self.ground.as_mut().map(|ground| &mut ground.cluster)
    }

    /// The evictions so far, in order.
    pub fn evictions(&self) -> &[Evicted] {
        self.ground.as_ref().map_or(&[], |ground| &ground.evicted)
    }

    /// Has Azure take `node` back, as `eviction` says.
    pub fn evict(&mut self, node: &str, eviction: Eviction) -> anyhow::Result<()> {
        let now = Stamp::now();
        let wanted = self
            .wanted()
            .context("nobody has said how many are wanted")?;
        let ground = self.ground.as_mut().context("there are no nodes")?;
        ground.cluster.evict(node, eviction, now);
        ground.evicted.push(Evicted {
            node: node.to_owned(),
            eviction,
            since: now,
            is_over: false,
            consumers: ground.cluster.consumers(node),
            ended: Vec::new(),
            killed: Vec::new(),
            wanted: usize::try_from(wanted)?,
            began: Instant::now(),
            short: None,
            drained: None,
            recovered: None,
        });
        if let Some(notice) = eviction.notice {
            let notice_ms = u64::try_from(notice.as_millis())?;
            self.record_node(node, NodeChange::Announced { notice_ms })?;
            self.mark("told of its eviction", node)?;
        }
        Ok(())
    }

    /// On the timeline, beside the other things that are broken on purpose.
    fn mark(&self, name: &str, node: &str) -> anyhow::Result<()> {
        self.record(Event::Fault {
            name: name.to_owned(),
            target: node.to_owned(),
            lasts_ms: None,
        })
    }

    fn record_node(&self, node: &str, change: NodeChange) -> anyhow::Result<()> {
        self.record(Event::Node(NodeEvent {
            node: node.to_owned(),
            change,
        }))
    }

    /// How many consumers still count though their machine has ended, since nobody knows.
    pub(super) fn unmissed(&self) -> usize {
        self.ground.as_ref().map_or(0, |ground| ground.lost.len())
    }

    /// One look at the nodes: those that come, those that go, and who ended on them.
    pub(super) async fn see_to_nodes(&mut self) -> anyhow::Result<()> {
        if self.ground.is_none() {
            return Ok(());
        }
        let now = Instant::now();
        self.free_seats();
        for node in self.joined(now).await? {
            let joined = NodeChange::Joined {
                capacity: node.capacity,
                zone: node.zone().to_owned(),
            };
            self.record_node(&node.name, joined)?;
        }
        self.take_drained()?;
        let due = self.cluster().map(|cluster| cluster.due(Stamp::now()));
        for (node, notice) in due.unwrap_or_default() {
            self.end_machine(&node, &notice).await?;
        }
        self.miss(now).await?;
        self.look_for_recovery()
    }

    async fn joined(&mut self, now: Instant) -> anyhow::Result<Vec<Node>> {
        let ground = self.ground.as_mut().context("there are no nodes")?;
        let homeless = std::mem::take(&mut ground.homeless);
        if ground.cluster.claim(homeless, now) > 0 {
            tracing::debug!(homeless, "no pool can make a node for all");
        }
        ground.cluster.join_due(now).await
    }

    /// Whoever has ended elsewise sits nowhere any more.
    fn free_seats(&mut self) {
        let leaving = self.leaving.iter().map(super::Leaving::name);
        let there: BTreeSet<String> = self
            .running
            .iter()
            .map(|member| member.process.name())
            .chain(leaving)
            .map(str::to_owned)
            .collect();
        if let Some(cluster) = self.cluster() {
            cluster.keep_only(&there);
        }
    }

    /// Takes a seat for the consumer of this name; `None`: there is none yet.
    pub(super) fn seat(&mut self, name: &str) -> Option<crate::nodes::Placed> {
        let ground = self.ground.as_mut()?;
        let placed = ground.cluster.place(name);
        if placed.is_none() {
            ground.homeless += 1;
        }
        placed
    }

    pub(super) const fn has_ground(&self) -> bool {
        self.ground.is_some()
    }

    /// Whether its machine has been told of its end, and has not ended yet.
    pub(super) fn was_told(&self, member: &Member) -> bool {
        let told = |it: &Evicted| it.eviction.notice.is_some() && !it.is_over;
        let mut evictions = self.evictions().iter();
        evictions.any(|it| told(it) && member.node.as_deref() == Some(&it.node))
    }

    /// Notes the evictions after which as many consumers are at work again as before, or as many as are wanted by now.
    fn look_for_recovery(&mut self) -> anyhow::Result<()> {
        let at_work = self.at_work()?;
        let wanted = usize::try_from(self.wanted().unwrap_or(0))?;
        let mut recovered = Vec::new();
        for it in self
            .ground
            .iter_mut()
            .flat_map(|ground| &mut ground.evicted)
        {
            let all_gone = it.ended.len() + it.killed.len() >= it.consumers.len();
            if let (Some(short), None, true) = (it.short, it.recovered, all_gone)
                && at_work >= it.wanted.min(wanted)
            {
                let after = short.elapsed();
                it.recovered = Some(after);
                recovered.push((it.node.clone(), after));
            }
        }
        for (node, after) in recovered {
            let after_ms = u64::try_from(after.as_millis())?;
            self.record_node(&node, NodeChange::Recovered { after_ms })?;
        }
        Ok(())
    }

    /// How many run and have asked for messages.
    pub fn at_work(&mut self) -> anyhow::Result<usize> {
        let mut at_work = 0;
        for member in &mut self.running {
            if member.lane.has_carried() && member.process.try_status()?.is_none() {
                at_work += 1;
            }
        }
        Ok(at_work)
    }

    /// Whether one of them is on `node`.
    pub fn is_at_work_on(&self, node: &str) -> bool {
        let mut running = self.running.iter();
        running.any(|it| it.node.as_deref() == Some(node) && it.lane.has_carried())
    }

    /// How the consumers are paid for that run now.
    pub fn capacities(&mut self) -> Vec<Option<Capacity>> {
        let nodes: Vec<_> = self
            .running
            .iter()
            .map(|member| member.node.clone())
            .collect();
        let cluster = self.cluster();
        let capacity = |node: Option<String>| cluster.as_ref()?.capacity(&node?);
        nodes.into_iter().map(capacity).collect()
    }
}
