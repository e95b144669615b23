//! Nodes of a stage: a watched list, and evictions.

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
pub use evidence::evictions::Evicted;
use evidence::pace::Pace;
use tokio::sync::watch;

use crate::simulated::{Capacity, Eviction, Figures, NodeView, evictable};

/// What a run needs of its nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePlan {
    /// The directory of the manifests with the node pools.
    pub manifests: PathBuf,
    /// Most workers on one node, if its size allows more.
    pub workers_each: u64,
    /// How many times faster than in Azure nodes are made, and their loss is noticed.
    pub pace: Pace,
    /// Whether the nodes that are needed before the first eviction exist from the start.
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

/// The nodes of a run, as last seen.
#[derive(Debug, Clone, Default)]
pub struct NodesView {
    /// The nodes that exist, by name.
    pub nodes: Vec<NodeView>,
    /// The evictions so far, in order.
    pub evictions: Vec<Evicted>,
    /// Why Azure gives no machines, by its last report: no Spot capacity, a quota.
    pub shortage: Option<String>,
    /// Why a consumer has no node and will not get one: all nodes are full.
    pub no_room: Option<String>,
    /// A description of the nodes that can be evicted.
    pub wanted: String,
}

impl NodesView {
    /// The names of the nodes that have workers and can be evicted.
    pub fn evictable(&self) -> Vec<String> {
        evictable(&self.nodes)
    }

    /// Why consumers cannot start, if the reason lies outside of them.
    pub fn denied(&self) -> Option<String> {
        self.no_room.clone().or_else(|| self.shortage.clone())
    }

    /// How the node `name` is paid for.
    pub fn capacity(&self, name: &str) -> Option<Capacity> {
        let node = self.nodes.iter().find(|node| node.name == name);
        node.map(|node| node.capacity)
    }
}

/// The nodes of workers, and their evictions.
#[async_trait]
pub trait Nodes: Send + Sync {
    /// The nodes, updated as they come and go.
    fn watch(&self) -> watch::Receiver<NodesView>;

    /// Takes `node` back, as `eviction` says.
    async fn evict(&self, node: &str, eviction: Eviction) -> anyhow::Result<()>;

    /// Sets whether Azure has Spot machines to give, until the run ends.
    async fn offer_spot(&self, available: bool) -> anyhow::Result<()>;

    /// How long nodes existed so far, added up.
    async fn figures(&self) -> Figures;
}
