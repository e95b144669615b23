//! Nodes as the event log tells of them.

use workflow::contract::Stamp;

use super::RunRecord;
use crate::events::{NodeChange, NodeEvent};
use crate::measure::Micros;
use crate::nodes::Capacity;

/// The nodes of a run, in the order in which they came; one whose machine came back is there twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nodes(Vec<NodeRecord>);

/// One node, from when it came until it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// Its name.
    pub name: String,
    /// How it is paid for.
    pub capacity: Capacity,
    /// Where it is.
    pub zone: String,
    /// When it came.
    pub joined: Stamp,
    /// The consumers that were started on it, in order.
    pub consumers: Vec<String>,
    /// When its machine was told of its eviction, and how many milliseconds before that; `None`: it was not.
    pub notice: Option<(Stamp, u64)>,
    /// How long after that all consumers on it had ended by themselves, in milliseconds.
    pub drained_ms: Option<u64>,
    /// When its machine ended; `None`: it outlived the run.
    pub gone: Option<Stamp>,
    /// Whether its machine was stopped then, and not deleted.
    pub stopped: bool,
    /// The consumers that ended with it.
    pub killed: Vec<String>,
    /// How long after the first consumer was missing as many as before were at work, in milliseconds.
    pub recovered_ms: Option<u64>,
}

impl Nodes {
    pub(super) fn take(&mut self, at: Stamp, event: NodeEvent) {
        let NodeEvent { node, change } = event;
        if let NodeChange::Joined { capacity, zone } = change {
            self.0.push(NodeRecord {
                name: node,
                capacity,
                zone,
                joined: at,
                consumers: Vec::new(),
                notice: None,
                drained_ms: None,
                gone: None,
                stopped: false,
                killed: Vec::new(),
                recovered_ms: None,
            });
            return;
        }
        let about = |it: &&mut NodeRecord| {
            let waits = matches!(change, NodeChange::Recovered { .. }) && it.recovered_ms.is_none();
            it.name == node && (it.gone.is_none() || waits)
        };
        // Of one whose machine came back, what is said of its recovery is said of the first that lacks it.
        let Some(record) = self.0.iter_mut().find(about) else {
            return;
        };
        match change {
            NodeChange::Joined { .. } => {}
            NodeChange::Placed { consumer } => record.consumers.push(consumer),
            NodeChange::Announced { notice_ms } => record.notice = Some((at, notice_ms)),
            NodeChange::Drained { after_ms } => record.drained_ms = Some(after_ms),
            NodeChange::Gone { stopped, killed } => {
                (record.gone, record.stopped, record.killed) = (Some(at), stopped, killed);
            }
            NodeChange::Recovered { after_ms } => record.recovered_ms = Some(after_ms),
        }
    }

    /// Whether there was none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order in which they came.
    pub fn all(&self) -> &[NodeRecord] {
        &self.0
    }

    /// Those that Azure took back.
    pub fn evicted(&self) -> impl Iterator<Item = &NodeRecord> {
        self.0
            .iter()
            .filter(|node| node.gone.is_some() || node.notice.is_some())
    }
}

impl NodeRecord {
    /// What became of it, in a line.
    pub fn told(&self) -> String {
        let millis = |ms: u64| Micros(i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000));
        let notice = match self.notice {
            None => "without notice".to_owned(),
            Some((_, notice_ms)) => format!("with {} of notice", millis(notice_ms)),
        };
        let how = match (self.gone, self.stopped) {
            (None, _) => "told of its eviction",
            (_, true) => "stopped",
            (_, false) => "evicted",
        };
        let mut parts = vec![format!("{how} {notice}")];
        if let Some(drained) = self.drained_ms {
            parts.push(format!("drained after {}", millis(drained)));
        }
        if !self.killed.is_empty() {
            parts.push(format!("{} ended with it", self.killed.join(", ")));
        }
        if let Some(recovered) = self.recovered_ms {
            let after = millis(recovered);
            parts.push(format!("as many consumers at work as before {after} later"));
        }
        parts.join("; ")
    }
}

impl RunRecord {
    /// How long nodes of this capacity were there, in seconds, all of them together; `None` where there was none.
    pub(crate) fn node_seconds(&self, capacity: Capacity) -> Option<f64> {
        let of = self
            .nodes
            .all()
            .iter()
            .filter(|node| node.capacity == capacity);
        let times = of.map(|node| {
            let until = node.gone.unwrap_or(self.ended);
            until.micros_since(node.joined).max(0) as f64 / 1e6
        });
        times.reduce(std::ops::Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(events: impl IntoIterator<Item = (i64, NodeChange)>) -> Nodes {
        let mut nodes = Nodes::default();
        for (second, change) in events {
            let node = "aks-edw-spot-00001".to_owned();
            nodes.take(
                Stamp::from_micros(second * 1_000_000),
                NodeEvent { node, change },
            );
        }
        nodes
    }

    fn joined() -> NodeChange {
        NodeChange::Joined {
            capacity: Capacity::Spot,
            zone: "local-1".to_owned(),
        }
    }

    fn gone(killed: &[&str]) -> NodeChange {
        NodeChange::Gone {
            stopped: false,
            killed: killed.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn an_eviction_is_told_with_its_drain_and_its_recovery() {
        let nodes = nodes([
            (1, joined()),
            (5, NodeChange::Announced { notice_ms: 4_000 }),
            (6, NodeChange::Drained { after_ms: 1_250 }),
            (9, gone(&[])),
            (10, NodeChange::Recovered { after_ms: 900 }),
        ]);
        let told: Vec<_> = nodes.evicted().map(NodeRecord::told).collect();
        let expected = "evicted with 4.00 s of notice; drained after 1.25 s; as many consumers at work as before \
                        900 ms later";
        assert_eq!(told, [expected]);
    }

    #[test]
    fn a_machine_that_comes_back_is_another_node_and_its_recoveries_are_told_apart() {
        let nodes = nodes([
            (1, joined()),
            (2, gone(&["consumer-1"])),
            (3, joined()),
            (4, NodeChange::Recovered { after_ms: 2_000 }),
            (5, gone(&["consumer-2"])),
            (6, NodeChange::Recovered { after_ms: 1_000 }),
        ]);
        let told: Vec<_> = nodes
            .all()
            .iter()
            .map(|node| (&node.killed[..], node.recovered_ms))
            .collect();
        let expected = [
            (&["consumer-1".to_owned()][..], Some(2_000)),
            (&["consumer-2".to_owned()][..], Some(1_000)),
        ];
        assert_eq!(told, expected);
    }
}
