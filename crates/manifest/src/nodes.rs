//! Karpenter's node pools (AKS node auto-provisioning).

#![expect(
    missing_docs,
    reason = "named as in the API of Kubernetes, whose reference documents each"
)]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::labels::Requirement;
use super::pod::Taint;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NodePool {
    /// Karpenter tries the pool with the highest weight first.
    #[serde(default)]
    pub weight: u32,
    /// Limits of all of its nodes together.
    #[serde(default)]
    pub limits: BTreeMap<String, Value>,
    pub template: NodeTemplate,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NodeTemplate {
    pub spec: NodeSpec,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSpec {
    pub node_class_ref: NodeClassRef,
    pub requirements: Vec<Requirement>,
    #[serde(default)]
    pub taints: Vec<Taint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NodeClassRef {
    pub name: String,
}
