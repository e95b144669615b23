//! The fields of a ScaledObject's manifest that affect scaling, under their own names.
//!
//! Numbers have the widest type that a file can contain: a number out of range is refused with its field's name
//! ([`ScaledObject::settings`]), not by a parser. An unknown field is an error, as for `kubectl apply`. A field without a value
//! counts as absent: the API server removes it (Kubernetes `apiextensions-apiserver`, `PruneNonNullableNullsWithoutDefaults`).

mod authentication;
mod job;
mod value;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use authentication::{
    AuthenticationSpec, OAuth2, Parameter, PodIdentity, TriggerAuthentication,
};
pub use job::{
    JobContainer, JobPod, JobSpec, JobTarget, JobTemplate, Rollout, ScaledJob, ScalingStrategy,
};
pub use value::Text;
use value::{or_default, present};

/// `kind: ScaledObject` (KEDA `apis/keda/v1alpha1/scaledobject_types.go`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct ScaledObject {
    pub api_version: String,
    pub kind: String,
    pub metadata: Metadata,
    pub spec: Spec,
}

/// `metadata`; other fields are ignored.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[expect(missing_docs, reason = "Kubernetes' reference documents its fields")]
pub struct Metadata {
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    pub namespace: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "present")]
    pub annotations: BTreeMap<String, String>,
}

/// `spec`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct Spec {
    pub scale_target_ref: ScaleTargetRef,
    pub polling_interval: Option<i64>,
    pub initial_cooldown_period: Option<i64>,
    pub cooldown_period: Option<i64>,
    pub idle_replica_count: Option<i64>,
    pub min_replica_count: Option<i64>,
    pub max_replica_count: Option<i64>,
    pub advanced: Option<Advanced>,
    #[serde(default, deserialize_with = "or_default")]
    pub triggers: Vec<Trigger>,
    pub fallback: Option<Fallback>,
}

/// `spec.scaleTargetRef`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct ScaleTargetRef {
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    pub api_version: Option<String>,
    pub kind: Option<String>,
    pub env_source_container_name: Option<String>,
}

/// `spec.fallback`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct Fallback {
    pub failure_threshold: i64,
    pub replicas: i64,
    pub behavior: Option<String>,
}

/// `spec.advanced`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct Advanced {
    pub horizontal_pod_autoscaler_config: Option<HpaConfig>,
    pub restore_to_original_replica_count: Option<bool>,
    pub scaling_modifiers: Option<ScalingModifiers>,
}

/// `spec.advanced.scalingModifiers`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct ScalingModifiers {
    pub formula: Option<String>,
    pub target: Option<String>,
    pub activation_target: Option<String>,
    pub metric_type: Option<String>,
}

/// `spec.advanced.horizontalPodAutoscalerConfig`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct HpaConfig {
    pub behavior: Option<Behavior>,
    pub name: Option<String>,
}

/// `HorizontalPodAutoscalerBehavior`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "Kubernetes' reference documents its fields")]
pub struct Behavior {
    pub scale_up: Option<ScalingRules>,
    pub scale_down: Option<ScalingRules>,
}

/// `HPAScalingRules`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "Kubernetes' reference documents its fields")]
pub struct ScalingRules {
    pub stabilization_window_seconds: Option<i64>,
    pub select_policy: Option<String>,
    pub policies: Option<Vec<ScalingPolicy>>,
    pub tolerance: Option<Quantity>,
}

/// `HPAScalingPolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "Kubernetes' reference documents its fields")]
pub struct ScalingPolicy {
    #[serde(rename = "type")]
    pub kind: String,
    pub value: i64,
    pub period_seconds: i64,
}

/// `resource.Quantity`: a number, optionally with the suffix `m`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "what was written, as a number or as text")]
pub enum Quantity {
    Number(f64),
    Text(String),
}

/// One of `spec.triggers`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct Trigger {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub use_cached_metrics: bool,
    #[serde(default, deserialize_with = "present")]
    pub metadata: BTreeMap<String, Text>,
    pub metric_type: Option<String>,
    pub authentication_ref: Option<AuthenticationRef>,
}

/// `authenticationRef`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct AuthenticationRef {
    pub name: String,
    pub kind: Option<String>,
}
