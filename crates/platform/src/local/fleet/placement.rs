//! Consumers on nodes, and their end when Azure evicts a node. For an eviction the fleet sends no SIGTERM: consumers get their
//! machine's notice, or none. For a drain it does.

mod drain;
mod ends;

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Context as _;
use evidence::events::{Event, NodeChange, NodeEvent};
use workflow::contract::Stamp;

use super::{Fleet, Member};
use crate::nodes::{Evicted, NodesView};
use crate::simulated::{Cluster, Eviction, Figures, MachineEnd, Node, Placed};

/// The nodes of a fleet, and their events.
pub(super) struct NodePlacement {
    cluster: Cluster,
    /// Consumers that fitted on no node at the last look.
    homeless: u64,
    lost: Vec<Lost>,
    evicted: Vec<Tracked>,
}

/// A consumer whose machine has ended, before its end is noticed.
struct Lost {
    group: &'static str,
    queue: usize,
    /// A consumer that is frozen because its machine was stopped.
    still: Option<Member>,
    missed: Instant,
}

/// One eviction, and the data that tell when the fleet has recovered from it.
struct Tracked {
    seen: Evicted,
    began: Instant,
    /// Since when consumers were missing.
    short: Option<Instant>,
    /// When the forced drain of the node began.
    forced: Option<Instant>,
}

impl Tracked {
    /// Sets the time since when consumers are missing, unless some were missing before.
    fn falls_short(&mut self) {
        self.short.get_or_insert_with(Instant::now);
        self.seen.short.get_or_insert_with(Stamp::now);
    }
}

impl NodePlacement {
    /// The eviction of `node` that is not over.
    fn on(&mut self, node: &str) -> Option<&mut Tracked> {
        let mut evicted = self.evicted.iter_mut();
        evicted.find(|it| it.seen.node == node && !it.seen.is_over)
    }
}

impl Fleet {
    /// Makes consumers start on nodes of `cluster` from now on; nodes are made when consumers need them.
    pub(in crate::local) fn settle_on(&mut self, cluster: Cluster) {
        self.placement = Some(NodePlacement {
            cluster,
            homeless: 0,
            lost: Vec::new(),
            evicted: Vec::new(),
        });
    }

    /// The public view of the nodes, if there are any.
    pub(super) fn view(&self) -> Option<NodesView> {
        let placement = self.placement.as_ref()?;
        Some(NodesView {
            nodes: placement.cluster.seen(),
            evictions: placement.evicted.iter().map(|it| it.seen.clone()).collect(),
            shortage: None,
            no_room: None,
            wanted: "a Spot node must have a consumer, and not be evicted already".to_owned(),
        })
    }

    fn cluster(&mut self) -> anyhow::Result<&mut Cluster> {
        let placement = self.placement.as_mut();
        Ok(&mut placement.context("there are no nodes")?.cluster)
    }

    /// Sets whether Azure has Spot machines to give.
    pub(in crate::local) fn set_spot(&mut self, available: bool) {
        if let Some(placement) = &mut self.placement {
            placement.cluster.set_spot(available);
        }
    }

    /// How long nodes existed, added up.
    pub(in crate::local) fn figures(&self) -> Figures {
        let placement = self.placement.as_ref();
        placement.map_or_else(Figures::default, |it| it.cluster.figures(Instant::now()))
    }

    /// Takes `node` back, as `eviction` says.
    pub(in crate::local) fn evict(&mut self, node: &str, eviction: Eviction) -> anyhow::Result<()> {
        let now = Stamp::now();
        let wanted = usize::try_from(self.wanted())?;
        let placement = self.placement.as_mut().context("there are no nodes")?;
        let is_drained = eviction.ends == MachineEnd::Kept;
        if is_drained {
            placement.cluster.cordon(node);
        } else {
            placement.cluster.evict(node, eviction, now);
        }
        placement.evicted.push(Tracked {
            seen: Evicted {
                node: node.to_owned(),
                eviction,
                is_asked: true,
                since: now,
                is_over: false,
                workers: placement.cluster.consumers(node),
                wanted,
                short: None,
                longest_pauses: placement.cluster.longest_pauses(node),
                ended: Vec::new(),
                killed: Vec::new(),
                denied: None,
                failed: None,
                drained: None,
                recovered: None,
                back: 0,
            },
            began: Instant::now(),
            short: None,
            forced: None,
        });
        if is_drained {
            self.record_node(node, NodeChange::Cordoned { is_drained })?;
            self.mark("cordoned and drained", node)?;
        }
        if let Some(notice) = eviction.notice {
            let notice_ms = u64::try_from(notice.as_millis())?;
            self.record_node(node, NodeChange::Announced { notice_ms })?;
            self.mark("told of its eviction", node)?;
        }
        self.publish();
        Ok(())
    }

    /// Records the eviction in the timeline, like the other injected faults.
    fn mark(&self, name: &str, node: &str) -> anyhow::Result<()> {
        self.record(Event::fault(name, node))
    }

    fn record_node(&self, node: &str, change: NodeChange) -> anyhow::Result<()> {
        self.record(Event::Node(NodeEvent {
            node: node.to_owned(),
            change,
        }))
    }

    /// How many consumers of `group` and `queue` still count as running because the end of their machine is not noticed yet.
    pub(super) fn unmissed(&self, group: &str, queue: usize) -> usize {
        let lost = self.placement.iter().flat_map(|placement| &placement.lost);
        lost.filter(|lost| (lost.group, lost.queue) == (group, queue))
            .count()
    }

    /// Updates the nodes: adds nodes that are due, removes nodes that go, and ends the consumers on them.
    pub(super) async fn see_to_nodes(&mut self) -> anyhow::Result<()> {
        if self.placement.is_none() {
            return Ok(());
        }
        let now = Instant::now();
        self.free_seats()?;
        for node in self.joined(now).await? {
            let joined = NodeChange::Joined {
                capacity: node.capacity,
                zone: node.zone().to_owned(),
                size: None,
            };
            self.record_node(&node.name, joined)?;
        }
        self.drain_by_force()?;
        self.drain_in_order()?;
        self.take_drained()?;
        for (node, notice) in self.cluster()?.due(Stamp::now()) {
            self.end_machine(&node, &notice).await?;
        }
        self.miss(now).await?;
        self.look_for_recovery()
    }

    async fn joined(&mut self, now: Instant) -> anyhow::Result<Vec<Node>> {
        let placement = self.placement.as_mut().context("there are no nodes")?;
        let homeless = std::mem::take(&mut placement.homeless);
        if placement.cluster.claim(homeless, now) > 0 {
            tracing::debug!(homeless, "no pool can make a node for all");
        }
        placement.cluster.join_due(now).await
    }

    /// Frees the seats of consumers that are no longer running.
    fn free_seats(&mut self) -> anyhow::Result<()> {
        let leaving = self.leaving.iter().map(super::Leaving::name);
        let running = self.running.iter().map(Member::name);
        let there: BTreeSet<String> = running.chain(leaving).map(str::to_owned).collect();
        self.cluster()?.keep_only(&there);
        Ok(())
    }

    /// Takes a seat for the consumer `name`; `None`: no node has one yet.
    pub(super) fn seat(&mut self, name: &str) -> Option<Placed> {
        let placement = self.placement.as_mut()?;
        let placed = placement.cluster.place(name);
        if placed.is_none() {
            placement.homeless += 1;
        }
        placed
    }

    /// Whether the member's machine has been notified of its end, and has not ended yet.
    pub(super) fn was_told(&self, member: &Member) -> bool {
        let told = |it: &Evicted| it.eviction.notice.is_some() && !it.is_over;
        let mut evicted = self
            .placement
            .iter()
            .flat_map(|placement| &placement.evicted);
        evicted.any(|it| told(&it.seen) && member.node.as_deref() == Some(&it.seen.node))
    }

    /// Records which evictions the fleet has recovered from: as many consumers as before, or as many as are wanted by now, are
    /// at work. A consumer is at work if it runs and has had an answer to a receive since consumers were missing.
    fn look_for_recovery(&mut self) -> anyhow::Result<()> {
        let wanted = usize::try_from(self.wanted())?;
        let mut at_work = |since: Instant| {
            let mut count = 0;
            for member in &mut self.running {
                if member.lane.has_received_since(since) && member.process.try_end()?.is_none() {
                    count += 1;
                }
            }
            anyhow::Ok(count)
        };
        let mut recovered = Vec::new();
        let evicted = self
            .placement
            .iter_mut()
            .flat_map(|placement| &mut placement.evicted);
        for it in evicted {
            let seen = &mut it.seen;
            let all_gone = seen.ended.len() + seen.killed.len() >= seen.workers.len();
            let missing = seen.wanted.min(wanted);
            // If no consumers are wanted any more, none can be missing and none can return.
            if let (Some(short), None, true) = (it.short, seen.recovered, all_gone && missing > 0)
                && let at_work = at_work(short)?
                && at_work >= missing
            {
                let after = short.elapsed();
                seen.recovered = Some(after);
                seen.back = at_work;
                recovered.push((seen.node.clone(), after));
            }
        }
        for (node, after) in recovered {
            let after_ms = u64::try_from(after.as_millis())?;
            self.record_node(&node, NodeChange::Recovered { after_ms })?;
        }
        Ok(())
    }
}
