//! Nodes over time: those that are there, those that are being made, and those that go. What is done to the processes on them is
//! for the fleet.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use uuid::Builder;
use workflow::contract::Stamp;

use super::place::{Occupied, choose};
use super::pools::next;
use super::scheduled::Kind;
use super::{Capacity, Endpoint, Eviction, Needs, Node, NodeView, Notice, Pool, Times};

/// What a cluster has for nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Machines {
    /// What its consumers ask for.
    pub needs: Needs,
    /// What makes nodes.
    pub pools: Vec<Pool>,
    /// How long that takes.
    pub times: Times,
    /// Chance: names, and which node is hit.
    pub seed: u64,
}

impl Machines {
    /// With room for so many consumers on each node, and no more.
    #[must_use]
    pub fn of_size(mut self, consumers: u64) -> Self {
        for pool in &mut self.pools {
            pool.allocatable.pods = pool.allocatable.pods.min(consumers);
        }
        self
    }
}

/// Where a consumer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The node.
    pub node: String,
    /// Where its machine's scheduled events are.
    pub events_url: String,
}

/// How long a node was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spell {
    /// Which.
    pub node: String,
    /// How it is paid for.
    pub capacity: Capacity,
    /// From when.
    pub from: Instant,
    /// Until when; `None`: it is still there.
    pub until: Option<Instant>,
}

/// How long nodes were there together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Hours of Spot nodes.
    pub spot_hours: f64,
    /// Hours of nodes on demand.
    pub on_demand_hours: f64,
}

struct Live {
    node: Node,
    endpoint: Endpoint,
    consumers: BTreeSet<String>,
    /// Nothing new comes here: its machine has been told that it goes, or it is drained.
    cordoned: bool,
    notice: Option<Notice>,
}

struct Claim {
    node: Node,
    pool: String,
    due: Instant,
}

/// The nodes of a run.
pub struct Cluster {
    machines: Machines,
    chance: StdRng,
    has_spot: bool,
    /// Whether nodes are there as soon as they are needed: until the first eviction.
    is_standing: bool,
    live: Vec<Live>,
    claims: Vec<Claim>,
    made: u64,
    spells: Vec<Spell>,
}

impl Cluster {
    /// Without any node yet.
    pub fn new(machines: Machines) -> Self {
        Self {
            chance: StdRng::seed_from_u64(machines.seed),
            machines,
            has_spot: true,
            is_standing: false,
            live: Vec::new(),
            claims: Vec::new(),
            made: 0,
            spells: Vec::new(),
        }
    }

    /// The same with nodes that stand already: those that are needed before the first eviction take no time to come.
    #[must_use]
    pub fn standing(self) -> Self {
        Self {
            is_standing: true,
            ..self
        }
    }

    /// From now on Azure has Spot machines to give, or it has none.
    pub const fn set_spot(&mut self, available: bool) {
        self.has_spot = available;
    }

    /// How long things take here.
    pub const fn times(&self) -> Times {
        self.machines.times
    }

    /// Takes a seat for `consumer`, if a node has one.
    pub fn place(&mut self, consumer: &str) -> Option<Placed> {
        // Among equals, chance decides.
        self.live.shuffle(&mut self.chance);
        let open: Vec<&Live> = self.live.iter().filter(|live| !live.cordoned).collect();
        let seats: Vec<Occupied<'_>> = open
            .iter()
            .map(|live| Occupied {
                node: &live.node,
                consumers: live.consumers.len() as u64,
            })
            .collect();
        let name = open[choose(&self.machines.needs, &seats)?]
            .node
            .name
            .clone();
        let live = self.live.iter_mut().find(|live| live.node.name == name)?;
        live.consumers.insert(consumer.to_owned());
        Some(Placed {
            node: name,
            events_url: live.endpoint.url_of(consumer),
        })
    }

    /// Has nodes made for so many consumers that fit nowhere, as far as those that are being made have no room for them.
    /// Returns how many consumers no pool can make a node for.
    pub fn claim(&mut self, homeless: u64, now: Instant) -> u64 {
        let per_node = |node: &Node| room(&self.machines.needs, node);
        let coming: u64 = self.claims.iter().map(|claim| per_node(&claim.node)).sum();
        let mut left = homeless.saturating_sub(coming);
        let joins = if self.is_standing {
            Duration::ZERO
        } else {
            self.machines.times.joins
        };
        while left > 0 {
            let used = |pool: &Pool| self.used_cpu_millis(pool);
            let has_capacity = |capacity| capacity == Capacity::OnDemand || self.has_spot;
            let found = next(
                &self.machines.needs,
                &self.machines.pools,
                used,
                has_capacity,
            );
            let Some((pool, capacity)) = found else {
                return left;
            };
            let (pool, name) = (pool.clone(), self.chance.random::<u32>() & 0xf_ffff);
            // As node auto-provisioning names its machines: `aks-`, the pool, five letters.
            let name = format!("aks-{}-{name:05x}", pool.name);
            let node = pool.node(capacity, &name, self.made);
            self.made += 1;
            left = left.saturating_sub(room(&self.machines.needs, &node));
            self.claims.push(Claim {
                node,
                pool: pool.name,
                due: now + joins,
            });
        }
        0
    }

    fn used_cpu_millis(&self, pool: &Pool) -> u64 {
        let prefix = format!("aks-{}-", pool.name);
        let live = self
            .live
            .iter()
            .filter(|live| live.node.name.starts_with(&prefix));
        let claimed = self.claims.iter().filter(|claim| claim.pool == pool.name);
        (live.count() + claimed.count()) as u64 * pool.machine_cpu_millis
    }

    /// The nodes that are due by now come. Returns them.
    pub async fn join_due(&mut self, now: Instant) -> anyhow::Result<Vec<Node>> {
        let claims = std::mem::take(&mut self.claims);
        let (due, ahead) = claims.into_iter().partition(|claim| claim.due <= now);
        self.claims = ahead;
        let due: Vec<Claim> = due;
        let mut joined = Vec::new();
        for Claim { node, .. } in due {
            let endpoint = Endpoint::start(&node.name).await?;
            self.spells.push(Spell {
                node: node.name.clone(),
                capacity: node.capacity,
                from: now,
                until: None,
            });
            joined.push(node.clone());
            self.live.push(Live {
                node,
                endpoint,
                consumers: BTreeSet::new(),
                cordoned: false,
                notice: None,
            });
        }
        Ok(joined)
    }

    /// `consumer` has ended, and its seat is free.
    pub fn ended(&mut self, consumer: &str) {
        for live in &mut self.live {
            live.consumers.remove(consumer);
        }
    }

    /// Of the consumers with a seat, only those in `there` are left.
    pub fn keep_only(&mut self, there: &BTreeSet<String>) {
        for live in &mut self.live {
            live.consumers.retain(|consumer| there.contains(consumer));
        }
    }

    /// The nodes as others see them, by name.
    pub fn seen(&self) -> Vec<NodeView> {
        let seen = |live: &Live| NodeView {
            name: live.node.name.clone(),
            capacity: live.node.capacity,
            workers: live.consumers.clone(),
            is_evictable: live.node.capacity == Capacity::Spot
                && live.notice.is_none()
                && !live.cordoned,
        };
        let mut nodes: Vec<_> = self.live.iter().map(seen).collect();
        nodes.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        nodes
    }

    /// The consumers on `node`.
    pub fn consumers(&self, node: &str) -> BTreeSet<String> {
        let mut live = self.live.iter();
        let found = live.find(|live| live.node.name == node);
        found.map(|live| live.consumers.clone()).unwrap_or_default()
    }

    /// Nothing new comes to `node` any more.
    pub fn cordon(&mut self, node: &str) {
        self.is_standing = false;
        for live in self.live.iter_mut().filter(|it| it.node.name == node) {
            live.cordoned = true;
        }
    }

    /// Azure wants `node` back. With a notice its machine is told, and nothing new is placed there; without one, nothing is
    /// known of it before the machine ends, which is at once.
    pub fn evict(&mut self, node: &str, eviction: Eviction, now: Stamp) {
        self.is_standing = false;
        let id = Builder::from_random_bytes(self.chance.random())
            .into_uuid()
            .to_string();
        let mut live = self.live.iter_mut();
        let Some(live) = live.find(|live| live.node.name == node) else {
            return;
        };
        if let Some(notice) = eviction.notice {
            live.endpoint
                .schedule()
                .announce(&id, Kind::Preempt, now, notice);
            live.cordoned = true;
        }
        live.notice = Some(Notice { id, eviction });
    }

    /// The nodes whose machines end now, with what was to become of them. The event of each has begun.
    pub fn due(&self, now: Stamp) -> Vec<(String, Notice)> {
        let mut due = Vec::new();
        for live in &self.live {
            let Some(notice) = &live.notice else { continue };
            let mut schedule = live.endpoint.schedule();
            if notice.eviction.notice.is_none() || schedule.is_due(&notice.id, now) {
                schedule.start(&notice.id);
                due.push((live.node.name.clone(), notice.clone()));
            }
        }
        due
    }

    /// The machine of `node` has ended, and with it its endpoint. If it returns, it does as a new one does.
    pub fn gone(&mut self, node: &str, now: Instant) {
        let Some(at) = self.live.iter().position(|live| live.node.name == node) else {
            return;
        };
        let live = self.live.swap_remove(at);
        for spell in &mut self.spells {
            if spell.node == node {
                spell.until.get_or_insert(now);
            }
        }
        if live.notice.is_some_and(|notice| notice.eviction.returns) {
            self.claims.push(Claim {
                pool: String::new(),
                node: live.node,
                due: now + self.machines.times.joins,
            });
        }
    }

    /// The longest time between two questions for scheduled events, of each consumer of `node` that has asked twice or more.
    pub fn longest_pauses(&self, node: &str) -> BTreeMap<String, Duration> {
        let live = self.live.iter().find(|live| live.node.name == node);
        live.map(|live| live.endpoint.longest_pauses())
            .unwrap_or_default()
    }

    /// How long each node was there.
    pub fn spells(&self) -> &[Spell] {
        &self.spells
    }

    /// How long they were there together, until `now`.
    pub fn figures(&self, now: Instant) -> Figures {
        let hours = |capacity| {
            let spells = self
                .spells
                .iter()
                .filter(|spell| spell.capacity == capacity);
            let times = spells.map(|spell| {
                let until = spell.until.unwrap_or(now);
                until.saturating_duration_since(spell.from).as_secs_f64()
            });
            times.sum::<f64>() / 3_600.0
        };
        Figures {
            spot_hours: hours(Capacity::Spot),
            on_demand_hours: hours(Capacity::OnDemand),
        }
    }
}

/// How many consumers an empty node holds.
fn room(needs: &Needs, node: &Node) -> u64 {
    let has = node.allocatable;
    let of = |has: u64, each: u64| has.checked_div(each).unwrap_or(u64::MAX);
    of(has.cpu_millis, needs.requests.cpu_millis)
        .min(of(has.memory_bytes, needs.requests.memory_bytes))
        .min(has.pods)
        .max(1)
}

#[cfg(test)]
mod tests;
