//! The part of a node's API object that matters to a run.

use cluster::NodeLabel;
use cluster::nodes::is_cordoned;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;

use crate::simulated::{Capacity, Eviction, MachineEnd};

/// Node conditions that announce the end of the machine: of node auto-provisioning (karpenter-provider-azure, `RepairPolicies`)
/// and of AKS's node problem detector.
const ANNOUNCED: [&str; 2] = ["PreemptionScheduled", "VMEventScheduled"];

/// Labels that mark a node as a Spot machine: of node auto-provisioning and of AKS's own Spot pools.
pub(super) const CAPACITY_TYPE: &str = "karpenter.sh/capacity-type";
const PRIORITY: &str = "kubernetes.azure.com/scalesetpriority";

/// The label that AKS puts on the nodes of its system pools, which run no workload.
const MODE: (&str, &str) = ("kubernetes.azure.com/mode", "system");

/// Which nodes may be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::cluster) enum Rules {
    /// Spot machines, which Azure evicts, once their consumers would hear of it in time.
    #[default]
    Azure,
    /// Nodes with this label, which stand for Spot machines and which the harness takes back.
    HandedOver(NodeLabel),
}

impl Rules {
    /// The name of the eviction in a run's timeline.
    pub(super) fn fault(&self, eviction: Eviction) -> &'static str {
        match (self, eviction.ends) {
            (Self::Azure, _) => "Azure was asked to take its machine back",
            (Self::HandedOver(_), MachineEnd::Kept) => "cordoned and drained",
            (Self::HandedOver(_), _) => "cordoned, and its consumers ended at once",
        }
    }

    /// A description of the nodes that can be taken back.
    pub(super) fn wanted(&self) -> String {
        match self {
            Self::Azure => "a Spot node must be ready, six minutes old, and have a consumer that has had an answer from Scheduled Events".to_owned(),
            Self::HandedOver(label) => format!("a node that carries {label} must be ready, not cordoned, and have a consumer on it"),
        }
    }
}

/// One node, as last seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cluster) struct SeenNode {
    pub(super) name: String,
    /// How the node is paid for; `None` for a node of the system pool.
    pub(super) capacity: Option<Capacity>,
    pub(super) zone: String,
    pub(super) region: Option<String>,
    /// The machine's size.
    pub(super) size: Option<String>,
    /// The provider id of its machine.
    pub(super) provider_id: Option<String>,
    pub(super) created: Option<Timestamp>,
    pub(super) is_ready: bool,
    /// Whether the node object is being deleted.
    pub(super) is_leaving: bool,
    /// Whether the node is cordoned.
    pub(super) is_cordoned: bool,
    /// The conditions that announce the end of its machine.
    pub(super) announced: Vec<String>,
}

impl SeenNode {
    /// Reads `node`; `rules` say which nodes may be taken back.
    pub(super) fn of(node: &Node, rules: &Rules) -> Self {
        let labels = node.labels();
        let label = |name: &str| labels.get(name).cloned();
        let is_system = labels.get(MODE.0).is_some_and(|mode| mode == MODE.1);
        let is_spot = match rules {
            Rules::Azure => [CAPACITY_TYPE, PRIORITY]
                .into_iter()
                .any(|name| label(name).is_some_and(|it| it == "spot")),
            Rules::HandedOver(label) => label.is_on(node),
        };
        let capacity = if is_spot {
            Capacity::Spot
        } else {
            Capacity::OnDemand
        };
        let status = node.status.as_ref();
        let conditions = status.and_then(|status| status.conditions.as_ref());
        let conditions = conditions.into_iter().flatten();
        let holding = conditions.filter(|condition| condition.status == "True");
        let holding: Vec<&str> = holding.map(|condition| condition.type_.as_str()).collect();
        let announced = ANNOUNCED.into_iter().filter(|name| holding.contains(name));
        Self {
            name: node.name_any(),
            capacity: (!is_system).then_some(capacity),
            zone: label("topology.kubernetes.io/zone").unwrap_or_default(),
            region: label("topology.kubernetes.io/region"),
            size: label("node.kubernetes.io/instance-type"),
            provider_id: node.spec.as_ref().and_then(|spec| spec.provider_id.clone()),
            created: node.metadata.creation_timestamp.as_ref().map(|it| it.0),
            is_ready: holding.contains(&"Ready"),
            is_cordoned: is_cordoned(node),
            is_leaving: node.metadata.deletion_timestamp.is_some(),
            announced: announced.map(str::to_owned).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(labels: &Value, conditions: &Value) -> SeenNode {
        let object = json!({
            "metadata": {"name": "aks-edw-spot-x7k2p", "labels": labels, "creationTimestamp": "2026-11-28T12:00:00Z"},
            "spec": {"providerID": "azure:///subscriptions/s/x"},
            "status": {"conditions": conditions},
        });
        SeenNode::of(&serde_json::from_value(object).unwrap(), &Rules::Azure)
    }

    #[test]
    fn how_a_node_is_paid_for_is_told_by_the_labels_of_either_kind_of_pool() {
        let spot = Some(Capacity::Spot);
        for (labels, capacity) in [
            (json!({"karpenter.sh/capacity-type": "spot"}), spot),
            (
                json!({"kubernetes.azure.com/scalesetpriority": "spot"}),
                spot,
            ),
            (
                json!({"karpenter.sh/capacity-type": "on-demand"}),
                Some(Capacity::OnDemand),
            ),
            (
                json!({"kubernetes.azure.com/mode": "user"}),
                Some(Capacity::OnDemand),
            ),
            (json!({"kubernetes.azure.com/mode": "system"}), None),
        ] {
            assert_eq!(node(&labels, &json!([])).capacity, capacity, "{labels}");
        }
    }

    /// The owner of a shared cluster hands over only the nodes with the named label.
    #[test]
    fn elsewhere_only_the_label_that_was_named_counts() {
        let rules = Rules::HandedOver("edw.example/drain=yes".parse().unwrap());
        for (labels, capacity) in [
            (json!({"edw.example/drain": "yes"}), Capacity::Spot),
            (json!({"edw.example/drain": "no"}), Capacity::OnDemand),
            (
                json!({"karpenter.sh/capacity-type": "spot"}),
                Capacity::OnDemand,
            ),
        ] {
            let node = json!({"metadata": {"name": "n", "labels": labels}, "spec": {"unschedulable": true}});
            let seen = SeenNode::of(&serde_json::from_value(node).unwrap(), &rules);
            assert_eq!(seen.capacity, Some(capacity), "{labels}");
            assert!(seen.is_cordoned);
        }
    }

    #[test]
    fn what_a_node_is_told_of_its_end_is_among_its_conditions() {
        let condition = |name: &str, status: &str| json!({"type": name, "status": status});
        let seen = node(
            &json!({"node.kubernetes.io/instance-type": "Standard_D2s_v5"}),
            &json!([
                condition("Ready", "True"),
                condition("PreemptionScheduled", "True"),
                condition("VMEventScheduled", "False"),
                condition("MemoryPressure", "False"),
            ]),
        );
        assert!(seen.is_ready && !seen.is_leaving);
        assert_eq!(seen.announced, ["PreemptionScheduled"]);
        assert_eq!(seen.size.as_deref(), Some("Standard_D2s_v5"));
        let silent = node(&json!({}), &json!([condition("Ready", "Unknown")]));
        assert!(!silent.is_ready, "a kubelet that says nothing is not ready");
    }
}
