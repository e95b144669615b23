//! The nodes of a run, as recorded in its log.

use contract::Stamp;

use crate::events::{Capacity, NodeChange, NodeEvent};

/// The nodes of a run, in the order in which they joined; a node whose machine came back is listed twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeRecords(Vec<NodeRecord>);

/// One node, from joining the cluster until its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// Its name.
    pub name: String,
    /// Spot or on demand.
    pub capacity: Capacity,
    /// Its zone.
    pub zone: String,
    /// When it joined.
    pub joined: Stamp,
    /// The consumers that were started on it, in order.
    pub consumers: Vec<String>,
    /// The size of its machine, if it is a real one.
    pub size: Option<String>,
    /// The on-demand price of an hour of its machine, in millionths of a USD, if known.
    pub on_demand_micro_usd: Option<u64>,
    /// The Spot price of an hour, in the same unit.
    pub spot_micro_usd: Option<u64>,
    /// When Azure was asked to evict it.
    pub requested: Option<Stamp>,
    /// When the harness cordoned it, and whether its consumers were told to end in order.
    pub cordoned: Option<(Stamp, bool)>,
    /// Consumers that could not be told to end at first, each with the reason.
    pub held_back: Vec<(String, String)>,
    /// When it was in use again.
    pub given_back: Option<Stamp>,
    /// Whether Azure evicted it without being asked.
    pub is_unasked: bool,
    /// When each consumer read that the machine would end, in order.
    pub noticed: Vec<(Stamp, String)>,
    /// What Kubernetes reported about it, and when.
    pub conditions: Vec<(Stamp, String)>,
    /// The node that replaced it, and when.
    pub replaced: Option<(Stamp, String)>,
    /// When its machine was told of its eviction, and how many milliseconds before the eviction; `None`: it was not told.
    pub notice: Option<(Stamp, u64)>,
    /// How long after the notice all of its consumers had ended by themselves, in milliseconds.
    pub drained_ms: Option<u64>,
    /// When its machine ended; `None` if it outlived the run.
    pub gone: Option<Stamp>,
    /// Whether its machine was stopped rather than deleted.
    pub stopped: bool,
    /// The consumers that ended together with the machine.
    pub killed: Vec<String>,
    /// How long after the first consumer was missing as many consumers as before were at work, in milliseconds.
    pub recovered_ms: Option<u64>,
}

impl NodeRecords {
    /// Adds a change that happened `at` that time.
    pub fn take(&mut self, at: Stamp, event: NodeEvent) {
        let NodeEvent { node, change } = event;
        if let NodeChange::Joined {
            capacity,
            zone,
            size,
        } = change
        {
            self.0.push(NodeRecord {
                name: node,
                capacity,
                zone,
                joined: at,
                consumers: Vec::new(),
                size,
                on_demand_micro_usd: None,
                spot_micro_usd: None,
                requested: None,
                cordoned: None,
                held_back: Vec::new(),
                given_back: None,
                is_unasked: false,
                noticed: Vec::new(),
                conditions: Vec::new(),
                replaced: None,
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
            let waits = match change {
                NodeChange::Recovered { .. } => it.recovered_ms.is_none(),
                NodeChange::GivenBack => it.given_back.is_none(),
                NodeChange::Replaced { .. } => it.replaced.is_none(),
                _ => false,
            };
            it.name == node && (it.gone.is_none() || waits)
        };
        // If a machine came back, its node is listed twice: the change belongs to the first entry that lacks it.
        let Some(record) = self.0.iter_mut().find(about) else {
            return;
        };
        match change {
            NodeChange::Joined { .. } => {}
            NodeChange::Placed { consumer } => record.consumers.push(consumer),
            NodeChange::Priced {
                on_demand_micro_usd,
                spot_micro_usd,
            } => {
                record.on_demand_micro_usd = Some(on_demand_micro_usd);
                record.spot_micro_usd = spot_micro_usd;
            }
            NodeChange::Requested => record.requested = Some(at),
            NodeChange::Cordoned { is_drained } => record.cordoned = Some((at, is_drained)),
            NodeChange::HeldBack { consumer, why } => record.held_back.push((consumer, why)),
            NodeChange::GivenBack => record.given_back = Some(at),
            NodeChange::Unasked => record.is_unasked = true,
            NodeChange::Noticed { consumer } => record.noticed.push((at, consumer)),
            NodeChange::Condition { condition } => record.conditions.push((at, condition)),
            NodeChange::Replaced { by } => record.replaced = Some((at, by)),
            NodeChange::Announced { notice_ms } => record.notice = Some((at, notice_ms)),
            NodeChange::Drained { after_ms } => record.drained_ms = Some(after_ms),
            NodeChange::Gone { stopped, killed } => {
                (record.gone, record.stopped, record.killed) = (Some(at), stopped, killed);
            }
            NodeChange::Recovered { after_ms } => record.recovered_ms = Some(after_ms),
        }
    }

    /// Whether the run had no nodes.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All nodes, in the order in which they joined.
    pub fn all(&self) -> &[NodeRecord] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(events: impl IntoIterator<Item = (i64, NodeChange)>) -> NodeRecords {
        let mut nodes = NodeRecords::default();
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
            size: None,
        }
    }

    fn gone(killed: &[&str]) -> NodeChange {
        NodeChange::Gone {
            stopped: false,
            killed: killed.iter().map(|name| (*name).to_owned()).collect(),
        }
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
