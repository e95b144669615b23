//! What stands around the pods: disruption budgets, network policies, and what else may scale them.

use serde::Deserialize;
use serde_json::Value;

use super::labels::Selector;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DisruptionBudget {
    pub(crate) selector: Selector,
    pub(crate) max_unavailable: Option<Value>,
    pub(crate) min_available: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NetworkPolicy {
    #[serde(default)]
    pub(crate) pod_selector: Selector,
    #[serde(default)]
    pub(crate) policy_types: Vec<String>,
    #[serde(default)]
    pub(crate) egress: Vec<Egress>,
}

/// One way out; nothing in `to` is everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Egress {
    #[serde(default)]
    pub(crate) to: Vec<Peer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Peer {
    pub(crate) ip_block: Option<IpBlock>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct IpBlock {
    pub(crate) cidr: String,
}

/// An HPA that KEDA has not made, or one that it has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HorizontalPodAutoscaler {
    pub(crate) scale_target_ref: Scaled,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Scaled {
    pub(crate) kind: String,
    pub(crate) name: String,
}
