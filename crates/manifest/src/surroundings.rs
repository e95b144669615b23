//! Objects around the pods: disruption budgets, network policies, and other autoscalers.

use serde::Deserialize;
use serde_json::Value;

use super::labels::Selector;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DisruptionBudget {
    pub selector: Selector,
    pub max_unavailable: Option<Value>,
    pub min_available: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicy {
    #[serde(default)]
    pub pod_selector: Selector,
    #[serde(default)]
    pub policy_types: Vec<String>,
    #[serde(default)]
    pub egress: Vec<Egress>,
}

/// An egress rule; an empty `to` means everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Egress {
    #[serde(default)]
    pub to: Vec<Peer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    pub ip_block: Option<IpBlock>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IpBlock {
    pub cidr: String,
}

/// An HPA, of KEDA or not.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HorizontalPodAutoscaler {
    pub scale_target_ref: Scaled,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Scaled {
    pub kind: String,
    pub name: String,
}
