//! The nodes of a run, in words.

use evidence::nodes::NodeRecord;
use platform::simulated::Capacity;
use workflow::contract::Stamp;

use super::RunRecord;
use crate::measure::Micros;

/// The time from the eviction request for `node` until `at`, in words.
fn after(node: &NodeRecord, at: Stamp) -> String {
    let since = node.requested.map(|since| at.micros_since(since).max(0));
    since.map_or_else(String::new, |time| {
        format!(" {} after the request", Micros(time))
    })
}

/// What happened to `node`, in a line.
pub(super) fn line(node: &NodeRecord) -> String {
    let millis = |ms: u64| Micros(i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000));
    let notice = match node.notice {
        None => "without notice".to_owned(),
        Some((_, notice_ms)) => format!("with {} of notice", millis(notice_ms)),
    };
    let how = match (node.gone, node.stopped) {
        (None, _) => "told of its eviction",
        (_, true) => "stopped",
        (_, false) => "evicted",
    };
    let first = match (node.cordoned, node.gone) {
        (None, _) => format!("{how} {notice}"),
        (Some((_, true)), _) => "cordoned and drained".to_owned(),
        (Some((_, false)), None) => "cordoned, and its consumers ended at once".to_owned(),
        (Some((_, false)), Some(_)) => "its consumers ended at once, and it was deleted".to_owned(),
    };
    let mut parts = vec![first];
    if let Some((consumer, why)) = node.held_back.first() {
        let times = node.held_back.len();
        parts.push(format!("held back {times} times, {consumer} first: {why}"));
    }
    if node.is_unasked {
        parts.push("nobody had asked for that".to_owned());
    }
    for (at, consumer) in &node.noticed {
        parts.push(format!("{consumer} read of it{}", after(node, *at)));
    }
    for (at, condition) in &node.conditions {
        parts.push(format!("{condition}{}", after(node, *at)));
    }
    if let Some(drained) = node.drained_ms {
        parts.push(format!("drained after {}", millis(drained)));
    }
    if !node.killed.is_empty() {
        parts.push(format!("{} ended with it", node.killed.join(", ")));
    }
    if let Some((at, by)) = &node.replaced {
        parts.push(format!("{by} in its place{}", after(node, *at)));
    }
    if let Some(recovered) = node.recovered_ms {
        let after = millis(recovered);
        parts.push(format!("as many consumers at work as before {after} later"));
    }
    if node.given_back.is_some() {
        parts.push("in use again".to_owned());
    }
    parts.join("; ")
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
    use evidence::nodes::NodeRecords;
    use judge::nodes::evicted;

    use super::*;
    use crate::events::{NodeChange, NodeEvent};

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
    fn an_eviction_is_told_with_its_drain_and_its_recovery() {
        let nodes = nodes([
            (1, joined()),
            (5, NodeChange::Announced { notice_ms: 4_000 }),
            (6, NodeChange::Drained { after_ms: 1_250 }),
            (9, gone(&[])),
            (10, NodeChange::Recovered { after_ms: 900 }),
        ]);
        let lines: Vec<_> = evicted(&nodes).map(line).collect();
        let expected = "evicted with 4.00 s of notice; drained after 1.25 s; as many consumers at work as before \
                        900 ms later";
        assert_eq!(lines, [expected]);
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
        let lines: Vec<_> = evicted(&nodes).map(line).collect();
        let expected = "evicted with 30.0 s of notice; aqs-app-1 read of it 2.00 s after the request; PreemptionScheduled 4.00 s after \
                        the request; aqs-app-2 ended with it; aks-edw-spot-00002 in its place 85.0 s after the request; as many \
                        consumers at work as before 57.0 s later";
        assert_eq!(lines, [expected]);
    }
}
