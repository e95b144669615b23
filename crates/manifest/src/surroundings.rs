//! Objects around the pods: disruption budgets, network policies, and other autoscalers.

use serde::Deserialize;
use serde_json::Value;

use super::labels::Selector;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DisruptionBudget {
    /// `None` selects no pod at all (Kubernetes `api/policy/v1/types.go`, `PodDisruptionBudgetSpec`).
    pub selector: Option<Selector>,
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

impl NetworkPolicy {
    /// Whether it restricts ways out (Kubernetes `pkg/apis/networking/v1/defaults.go`, `SetDefaults_NetworkPolicy`: without
    /// `policyTypes` it does if it has any).
    pub fn restricts_egress(&self) -> bool {
        let named = self.policy_types.iter().any(|kind| kind == "Egress");
        named || (self.policy_types.is_empty() && !self.egress.is_empty())
    }
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
