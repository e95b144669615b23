//! `ScaledJob`: the fields that affect scaling.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::value::or_default;
use super::{Metadata, Trigger};

/// `kind: ScaledJob` (KEDA `apis/keda/v1alpha1/scaledjob_types.go`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct ScaledJob {
    pub api_version: String,
    pub kind: String,
    pub metadata: Metadata,
    pub spec: JobSpec,
}

/// `spec` of a [`ScaledJob`].
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct JobSpec {
    pub job_target_ref: Option<JobTarget>,
    pub polling_interval: Option<i64>,
    pub successful_jobs_history_limit: Option<i64>,
    pub failed_jobs_history_limit: Option<i64>,
    pub rollout_strategy: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub rollout: Rollout,
    pub env_source_container_name: Option<String>,
    pub min_replica_count: Option<i64>,
    pub max_replica_count: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    pub scaling_strategy: ScalingStrategy,
    #[serde(default, deserialize_with = "or_default")]
    pub triggers: Vec<Trigger>,
}

/// `spec.jobTargetRef`: the fields that decide whether there are Jobs, and how many pods each has.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "Kubernetes' reference documents its fields")]
pub struct JobTarget {
    pub parallelism: Option<i64>,
    pub completions: Option<i64>,
    pub active_deadline_seconds: Option<i64>,
    pub suspend: Option<bool>,
    pub backoff_limit: Option<i64>,
    pub selector: Option<IgnoredAny>,
    pub manual_selector: Option<bool>,
    pub template: Option<JobTemplate>,
}

/// `spec.jobTargetRef.template`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[expect(missing_docs, reason = "Kubernetes' reference documents its fields")]
pub struct JobTemplate {
    pub spec: Option<JobPod>,
}

/// `spec.jobTargetRef.template.spec`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "Kubernetes' reference documents its fields")]
pub struct JobPod {
    pub restart_policy: Option<String>,
    pub containers: Option<Vec<JobContainer>>,
}

/// A container of the pod.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[expect(missing_docs, reason = "Kubernetes' reference documents its fields")]
pub struct JobContainer {
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub image: String,
}

/// `spec.rollout`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct Rollout {
    pub strategy: Option<String>,
    pub propagation_policy: Option<String>,
}

/// `spec.scalingStrategy`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct ScalingStrategy {
    pub strategy: Option<String>,
    pub custom_scaling_queue_length_deduction: Option<i64>,
    pub custom_scaling_running_job_percentage: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub pending_pod_conditions: Vec<String>,
    pub multiple_scalers_calculation: Option<String>,
}
