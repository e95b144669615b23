//! The nodes of a run, as the event log describes them.

use platform::simulated::Capacity;
use workflow::contract::Stamp;

use super::RunRecord;
use crate::events::{NodeChange, NodeEvent};
use crate::measure::Micros;

/// The nodes of a run, in the order in which they joined; a node whose machine came back is listed twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nodes(Vec<NodeRecord>);

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

impl Nodes {
    pub(super) fn take(&mut self, at: Stamp, event: NodeEvent) {
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

    /// The nodes that Azure evicted.
    pub fn evicted(&self) -> impl Iterator<Item = &NodeRecord> {
        self.0.iter().filter(|node| node.is_evicted())
    }
}

impl NodeRecord {
    /// Whether Azure evicted it, or was about to. A real node may also be removed because it is no longer needed.
    fn is_evicted(&self) -> bool {
        let is_asked = self.requested.is_some() || self.cordoned.is_some() || self.is_unasked;
        let is_simulated = self.size.is_none() && self.gone.is_some();
        is_asked || is_simulated || self.notice.is_some()
    }

    /// The time from the eviction request until `at`, in words.
    fn after(&self, at: Stamp) -> String {
        let since = self.requested.map(|since| at.micros_since(since).max(0));
        since.map_or_else(String::new, |time| {
            format!(" {} after the request", Micros(time))
        })
    }

    /// What happened to the node, in a line.
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
        let first = match (self.cordoned, self.gone) {
            (None, _) => format!("{how} {notice}"),
            (Some((_, true)), _) => "cordoned and drained".to_owned(),
            (Some((_, false)), None) => "cordoned, and its consumers ended at once".to_owned(),
            (Some((_, false)), Some(_)) => {
                "its consumers ended at once, and it was deleted".to_owned()
            }
        };
        let mut parts = vec![first];
        if let Some((consumer, why)) = self.held_back.first() {
            let times = self.held_back.len();
            parts.push(format!("held back {times} times, {consumer} first: {why}"));
        }
        if self.is_unasked {
            parts.push("nobody had asked for that".to_owned());
        }
        for (at, consumer) in &self.noticed {
            parts.push(format!("{consumer} read of it{}", self.after(*at)));
        }
        for (at, condition) in &self.conditions {
            parts.push(format!("{condition}{}", self.after(*at)));
        }
        if let Some(drained) = self.drained_ms {
            parts.push(format!("drained after {}", millis(drained)));
        }
        if !self.killed.is_empty() {
            parts.push(format!("{} ended with it", self.killed.join(", ")));
        }
        if let Some((at, by)) = &self.replaced {
            parts.push(format!("{by} in its place{}", self.after(*at)));
        }
        if let Some(recovered) = self.recovered_ms {
            let after = millis(recovered);
            parts.push(format!("as many consumers at work as before {after} later"));
        }
        if self.given_back.is_some() {
            parts.push("in use again".to_owned());
        }
        parts.join("; ")
    }
}

impl RunRecord {
    /// How long nodes of this capacity existed, in seconds, added up over all nodes; `None` if there was none.
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
    fn the_story_of_a_real_eviction_is_told_from_the_request_on() {
        let of_azure = NodeChange::Joined {
            capacity: Capacity::Spot,
            zone: "eastus-1".to_owned(),
            size: Some("Standard_D2s_v5".to_owned()),
        };
        let consumer = "aqs-app-1".to_owned();
        let condition = "PreemptionScheduled".to_owned();
        let by = "aks-edw-spot-00002".to_owned();
        let nodes = nodes([
            (1, of_azure),
            (5, NodeChange::Requested),
            (7, NodeChange::Noticed { consumer }),
            (7, NodeChange::Announced { notice_ms: 30_000 }),
            (9, NodeChange::Condition { condition }),
            (38, gone(&["aqs-app-2"])),
            (90, NodeChange::Replaced { by }),
            (95, NodeChange::Recovered { after_ms: 57_000 }),
        ]);
        let told: Vec<_> = nodes.evicted().map(NodeRecord::told).collect();
        let expected = "evicted with 30.0 s of notice; aqs-app-1 read of it 2.00 s after the request; PreemptionScheduled 4.00 s after \
                        the request; aqs-app-2 ended with it; aks-edw-spot-00002 in its place 85.0 s after the request; as many \
                        consumers at work as before 57.0 s later";
        assert_eq!(told, [expected]);
    }

    #[test]
    fn a_real_node_that_nobody_needs_any_more_was_not_evicted() {
        let of_azure = NodeChange::Joined {
            capacity: Capacity::OnDemand,
            zone: "eastus-1".to_owned(),
            size: Some("Standard_D2s_v5".to_owned()),
        };
        let nodes = nodes([(1, of_azure), (900, gone(&[]))]);
        assert_eq!(nodes.evicted().count(), 0);
        assert_eq!(nodes.all()[0].gone.map(Stamp::as_micros), Some(900_000_000));
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
