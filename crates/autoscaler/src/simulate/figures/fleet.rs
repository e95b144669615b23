//! Nodes over time.

use std::time::Duration;

use super::Nodes;

/// Nodes over time: as many as the replicas need, each kept for a while afterwards.
pub(crate) struct Fleet {
    nodes: Nodes,
    /// For each node, in order: since when it has been needed, or since when it has not.
    each: Vec<Need>,
    needed: u32,
    time: Duration,
}

#[derive(Clone, Copy)]
enum Need {
    Since(Duration),
    NotSince(Duration),
}

impl Fleet {
    pub(crate) fn new(nodes: Nodes) -> Self {
        Self {
            nodes,
            each: Vec::new(),
            needed: 0,
            time: Duration::ZERO,
        }
    }

    pub(crate) fn set(&mut self, now: Duration, replicas: u32) {
        let needed = replicas.div_ceil(self.nodes.replicas_per_node.max(1));
        for n in self.needed..needed {
            match usize::try_from(n).ok().and_then(|n| self.each.get_mut(n)) {
                Some(need) => {
                    if let Need::NotSince(at) = *need {
                        self.time += now.saturating_sub(at).min(self.nodes.linger);
                    }
                    *need = Need::Since(now);
                }
                None => self.each.push(Need::Since(now)),
            }
        }
        for n in needed..self.needed {
            if let Some(need) = usize::try_from(n).ok().and_then(|n| self.each.get_mut(n)) {
                if let Need::Since(at) = *need {
                    self.time += now.saturating_sub(at);
                }
                *need = Need::NotSince(now);
            }
        }
        self.needed = needed;
    }

    /// The highest number of nodes, and their total time.
    pub(crate) fn end(self, horizon: Duration) -> (u32, Duration) {
        let left = self.each.iter().map(|need| match *need {
            Need::Since(at) => horizon.saturating_sub(at),
            Need::NotSince(at) => horizon.saturating_sub(at).min(self.nodes.linger),
        });
        let time = self.time + left.sum::<Duration>();
        (u32::try_from(self.each.len()).unwrap_or(u32::MAX), time)
    }
}
