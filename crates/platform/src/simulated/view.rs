//! The public view of a node.

use std::collections::BTreeSet;

use super::Capacity;

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Its name.
    pub name: String,
    /// How it is paid for.
    pub capacity: Capacity,
    /// The workers on it.
    pub workers: BTreeSet<String>,
    /// Whether it can be evicted: Azure may take it back, and has not begun to.
    pub is_evictable: bool,
}

/// The names of the nodes in `all` that have workers and can be evicted.
pub fn evictable(all: &[NodeView]) -> Vec<String> {
    let can = |node: &&NodeView| node.is_evictable && !node.workers.is_empty();
    let nodes = all.iter().filter(can);
    nodes.map(|node| node.name.clone()).collect()
}
