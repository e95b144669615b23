//! Karpenter's node pools (AKS node auto-provisioning).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::labels::Requirement;
use super::pod::Taint;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct NodePool {
    /// Karpenter tries the heaviest first.
    #[serde(default)]
    pub(crate) weight: u32,
    /// What its nodes may have together at most.
    #[serde(default)]
    pub(crate) limits: BTreeMap<String, Value>,
    pub(crate) template: NodeTemplate,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct NodeTemplate {
    pub(crate) spec: NodeSpec,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeSpec {
    pub(crate) node_class_ref: NodeClassRef,
    pub(crate) requirements: Vec<Requirement>,
    #[serde(default)]
    pub(crate) taints: Vec<Taint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct NodeClassRef {
    pub(crate) name: String,
}
