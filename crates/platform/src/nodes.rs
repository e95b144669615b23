//! The nodes of a stage: a watched list, and evictions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use evidence::pace::Pace;
use tokio::sync::watch;
use workflow::contract::Stamp;

use super::Departure;
use crate::simulated::{Capacity, Eviction, Figures, NodeView, evictable};

/// What a run needs of its nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePlan {
    /// The directory of the manifests that say which nodes there can be.
    pub manifests: PathBuf,
    /// Most workers on one, where its size allows more.
    pub workers_each: u64,
    /// How many times as fast as in Azure nodes come and are missed.
    pub pace: Pace,
    /// Whether those that are needed before the first eviction stand already, and take no time to come.
    pub is_standing: bool,
}

impl fmt::Display for NodePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("simulated")?;
        if self.workers_each < u64::MAX {
            write!(f, ", at most {} consumers on each", self.workers_each)?;
        }
        Ok(())
    }
}

/// The nodes, as last seen.
#[derive(Debug, Clone, Default)]
pub struct NodesView {
    /// Those that are there, by name.
    pub nodes: Vec<NodeView>,
    /// The evictions so far, in order.
    pub evictions: Vec<Evicted>,
    /// What keeps Azure from giving machines, if it last said so: no Spot capacity, a quota.
    pub shortage: Option<String>,
    /// Why a consumer has no node, where it will have none: all nodes that there are are full.
    pub no_room: Option<String>,
    /// What a node must be so that it can be evicted, in words.
    pub wanted: String,
}

/// One eviction, from its announcement or its beginning on.
#[derive(Debug, Clone)]
pub struct Evicted {
    /// The node.
    pub node: String,
    /// What was to happen to it.
    pub eviction: Eviction,
    /// Whether the harness had it done; else Azure did it by itself.
    pub is_asked: bool,
    /// When its machine was told; where it was not, when it ended.
    pub since: Stamp,
    /// Whether its machine has ended.
    pub is_over: bool,
    /// The workers that were on it.
    pub workers: BTreeSet<String>,
    /// The longest time between two of its looks for a notice, of each worker that has looked twice or more.
    pub longest_pauses: BTreeMap<String, Duration>,
    /// Those that ended by themselves before it did, and how.
    pub ended: Vec<Departure>,
    /// Those that ended with it, each with the messages that it had in its hands.
    pub killed: Vec<(String, u64)>,
    /// What keeps it from being taken back after all, where the harness was to do it.
    pub failed: Option<String>,
    /// From the notice, or from when they were first told to end, until no worker was left on it, if all ended by themselves.
    pub drained: Option<Duration>,
    /// From the first worker that was missing until as many as before were at work.
    pub recovered: Option<Duration>,
}

impl NodesView {
    /// The nodes that have workers and can be evicted, by name.
    pub fn evictable(&self) -> Vec<String> {
        evictable(&self.nodes)
    }

    /// What keeps consumers from coming, if something does that is not their own.
    pub fn denied(&self) -> Option<String> {
        self.no_room.clone().or_else(|| self.shortage.clone())
    }

    /// How the node of this name is paid for.
    pub fn capacity(&self, name: &str) -> Option<Capacity> {
        let node = self.nodes.iter().find(|node| node.name == name);
        node.map(|node| node.capacity)
    }
}

/// Where workers run, and how Azure takes that back.
#[async_trait]
pub trait Nodes: Send + Sync {
    /// The nodes, as they come and go.
    fn watch(&self) -> watch::Receiver<NodesView>;

    /// Has `node` taken back, as `eviction` says.
    async fn evict(&self, node: &str, eviction: Eviction) -> anyhow::Result<()>;

    /// From now on Azure has Spot machines to give, or it has none.
    async fn offer_spot(&self, available: bool);

    /// How long nodes were there together, so far.
    async fn figures(&self) -> Figures;
}
