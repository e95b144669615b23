//! Nodes over time: those that exist, those that are being made, and those that go. The fleet acts on the processes on them.

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

/// Settings of a cluster's nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Machines {
    /// The requests of its consumers.
    pub needs: Needs,
    /// The pools from which nodes are made.
    pub pools: Vec<Pool>,
    /// How long changes of nodes take.
    pub times: Times,
    /// Seed of the random choices: node names, and the node that is hit.
    pub seed: u64,
}

impl Machines {
    /// Limits each node to this many consumers.
    #[must_use]
    pub fn of_size(mut self, consumers: u64) -> Self {
        for pool in &mut self.pools {
            pool.allocatable.pods = pool.allocatable.pods.min(consumers);
        }
        self
    }
}

/// The place of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The node's name.
    pub node: String,
    /// The address of the scheduled events of its machine.
    pub events_url: String,
}

/// The time for which one node existed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spell {
    /// The node's name.
    pub node: String,
    /// How it is paid for.
    pub capacity: Capacity,
    /// When it joined.
    pub from: Instant,
    /// When it went; `None`: it still exists.
    pub until: Option<Instant>,
}

/// How long nodes existed, added up.
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
    /// Gets no new consumers: its machine has a notice, or the node is drained.
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
    /// Whether nodes are available at once, which holds until the first eviction.
    is_standing: bool,
    live: Vec<Live>,
    claims: Vec<Claim>,
    made: u64,
    spells: Vec<Spell>,
}

impl Cluster {
    /// Makes a cluster without nodes.
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

    /// Makes nodes available at once until the first eviction.
    #[must_use]
    pub fn standing(self) -> Self {
        Self {
            is_standing: true,
            ..self
        }
    }

    /// Sets whether Azure has Spot machines to give.
    pub const fn set_spot(&mut self, available: bool) {
        self.has_spot = available;
    }

    /// How long changes of nodes take here.
    pub const fn times(&self) -> Times {
        self.machines.times
    }

    /// Takes a seat for `consumer`, if a node has room.
    pub fn place(&mut self, consumer: &str) -> Option<Placed> {
        // The order decides among nodes of equal score.
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

    /// Starts to make nodes for `homeless` consumers, as far as the nodes that are being made have no room for them. Returns
    /// how many consumers no pool can make a node for.
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
            // Named like the machines of node auto-provisioning: `aks-`, the pool, five letters.
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

    /// Adds the nodes that are due at `now`, and returns them.
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

    /// Frees the seat of `consumer`, which has ended.
    pub fn ended(&mut self, consumer: &str) {
        for live in &mut self.live {
            live.consumers.remove(consumer);
        }
    }

    /// Frees the seats of all consumers that are not in `there`.
    pub fn keep_only(&mut self, there: &BTreeSet<String>) {
        for live in &mut self.live {
            live.consumers.retain(|consumer| there.contains(consumer));
        }
    }

    /// The public view of the nodes, by name.
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

    /// Cordons `node`: it gets no new consumers.
    pub fn cordon(&mut self, node: &str) {
        self.is_standing = false;
        for live in self.live.iter_mut().filter(|it| it.node.name == node) {
            live.cordoned = true;
        }
    }

    /// Begins the eviction of `node`. With a notice, its machine is notified and the node is cordoned; without one, the machine
    /// ends at once.
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

    /// The nodes whose machines end by `now`, with their evictions. Starts the scheduled event of each.
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

    /// Removes `node`, whose machine has ended, and its endpoint. A machine that returns does so as a new node of the same
    /// name.
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

    /// The longest time between two requests for scheduled events, of each consumer of `node` that has sent at least two.
    pub fn longest_pauses(&self, node: &str) -> BTreeMap<String, Duration> {
        let live = self.live.iter().find(|live| live.node.name == node);
        live.map(|live| live.endpoint.longest_pauses())
            .unwrap_or_default()
    }

    /// The time since the last request of each consumer of `node` that has sent none since `told`.
    pub fn silences(&self, node: &str, told: Instant, now: Instant) -> BTreeMap<String, Duration> {
        let live = self.live.iter().find(|live| live.node.name == node);
        live.map(|live| live.endpoint.silences(told, now))
            .unwrap_or_default()
    }

    /// How long each node existed.
    pub fn spells(&self) -> &[Spell] {
        &self.spells
    }

    /// How long nodes existed until `now`, added up.
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

/// How many consumers an empty node has room for.
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
