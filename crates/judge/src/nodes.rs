//! Nodes of a run: which of them were evicted.

use evidence::nodes::{NodeRecord, NodeRecords};

/// The nodes that Azure evicted, or was about to evict.
pub fn evicted(nodes: &NodeRecords) -> impl Iterator<Item = &NodeRecord> {
    nodes.all().iter().filter(|node| is_evicted(node))
}

/// Whether Azure evicted `node`, or was about to. A real node may also be removed because it is no longer needed.
fn is_evicted(node: &NodeRecord) -> bool {
    let is_asked = node.requested.is_some() || node.cordoned.is_some() || node.is_unasked;
    let is_simulated = node.size.is_none() && node.gone.is_some();
    is_asked || is_simulated || node.notice.is_some()
}

#[cfg(test)]
mod tests {
    use contract::Stamp;
    use evidence::events::{Capacity, NodeChange, NodeEvent};

    use super::*;

    /// How many nodes count as evicted, of one that joined with a machine of this size and then had `changes`.
    fn evicted_of(size: Option<&str>, changes: Vec<NodeChange>) -> usize {
        let joined = NodeChange::Joined {
            capacity: Capacity::Spot,
            zone: "eastus-1".to_owned(),
            size: size.map(str::to_owned),
        };
        let mut nodes = NodeRecords::default();
        for (second, change) in (1..).zip([vec![joined], changes].concat()) {
            let node = "aks-edw-spot-00001".to_owned();
            let at = Stamp::from_micros(second * 1_000_000);
            nodes.take(at, NodeEvent { node, change });
        }
        evicted(&nodes).count()
    }

    const REAL: Option<&str> = Some("Standard_D2s_v5");

    fn gone() -> NodeChange {
        NodeChange::Gone {
            stopped: false,
            killed: vec![],
        }
    }

    #[test]
    fn a_real_node_that_nobody_needs_any_more_was_not_evicted_and_a_simulated_one_always_was() {
        assert_eq!(evicted_of(REAL, vec![gone()]), 0);
        assert_eq!(evicted_of(None, vec![gone()]), 1);
    }

    #[test]
    fn a_node_is_evicted_as_soon_as_anything_says_so_and_not_before() {
        for size in [REAL, None] {
            assert_eq!(evicted_of(size, vec![]), 0);
            for change in [
                NodeChange::Requested,
                NodeChange::Unasked,
                NodeChange::Cordoned { is_drained: true },
                NodeChange::Announced { notice_ms: 30_000 },
            ] {
                assert_eq!(evicted_of(size, vec![change.clone()]), 1, "{change:?}");
            }
        }
    }
}
