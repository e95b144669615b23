//! Nodes as a stage shows them.

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
    /// Whether it can be evicted: Azure may take it back, and has not said so yet.
    pub is_evictable: bool,
}

/// The nodes of `all` that have workers and can be evicted, by name.
pub fn evictable(all: &[NodeView]) -> Vec<String> {
    let can = |node: &&NodeView| node.is_evictable && !node.workers.is_empty();
    let nodes = all.iter().filter(can);
    nodes.map(|node| node.name.clone()).collect()
}
