//! A node as a run sees it: from the API's object to what matters of it.

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;

use crate::nodes::Capacity;

/// The conditions that say that the machine of a node is about to go: of node auto-provisioning (karpenter-provider-azure,
/// `RepairPolicies`) and of AKS's node problem detector.
const ANNOUNCED: [&str; 2] = ["PreemptionScheduled", "VMEventScheduled"];

/// The labels that say that a node is a Spot machine: of node auto-provisioning and of AKS's own Spot pools.
const CAPACITY_TYPE: &str = "karpenter.sh/capacity-type";
const PRIORITY: &str = "kubernetes.azure.com/scalesetpriority";

/// AKS labels the nodes of its system pools so; what runs there is not a workload's.
const MODE: (&str, &str) = ("kubernetes.azure.com/mode", "system");

/// One node, as last seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SeenNode {
    pub(super) name: String,
    /// How it is paid for; `None` for a node of the system pool.
    pub(super) capacity: Option<Capacity>,
    pub(super) zone: String,
    pub(super) region: Option<String>,
    /// The size of its machine.
    pub(super) size: Option<String>,
    /// Which machine it is.
    pub(super) provider_id: Option<String>,
    pub(super) created: Option<Timestamp>,
    pub(super) is_ready: bool,
    /// Whether Kubernetes was told to remove it.
    pub(super) is_leaving: bool,
    /// Which conditions say that its machine is about to go.
    pub(super) announced: Vec<String>,
}

impl SeenNode {
    /// What `node` says.
    pub(super) fn of(node: &Node) -> Self {
        let labels = node.labels();
        let label = |name: &str| labels.get(name).cloned();
        let is_system = labels.get(MODE.0).is_some_and(|mode| mode == MODE.1);
        let is_spot = label(CAPACITY_TYPE).is_some_and(|it| it == "spot")
            || label(PRIORITY).is_some_and(|it| it == "spot");
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
        SeenNode::of(&serde_json::from_value(object).unwrap())
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
