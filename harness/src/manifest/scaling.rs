//! KEDA's kinds: what a [`ScaledObject`] says, with KEDA's defaults where it says nothing.
//!
//! Source: `apis/keda/v1alpha1/scaledobject_types.go` and `pkg/scalers/azure_queue_scaler.go`, KEDA 2.20. A field that KEDA does
//! not know is refused here; the cluster would drop it without a word.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// The spec of a `ScaledObject`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScaledObject {
    /// What is scaled.
    pub scale_target_ref: ScaleTarget,
    /// Seconds between two polls of KEDA's operator.
    pub polling_interval: Option<u32>,
    /// Seconds from the last active poll to 0 replicas.
    pub cooldown_period: Option<u32>,
    /// Seconds from the creation of the `ScaledObject` before which nothing is scaled to 0.
    pub initial_cooldown_period: Option<u32>,
    /// Replicas while no trigger is active, in place of the least; below that.
    pub idle_replica_count: Option<u32>,
    /// Least replicas; 0 while no trigger is active.
    pub min_replica_count: Option<u32>,
    /// Most replicas.
    pub max_replica_count: Option<u32>,
    /// What goes to the HPA.
    #[serde(default)]
    pub advanced: Advanced,
    /// What is measured.
    pub triggers: Vec<Trigger>,
    /// Replicas while a trigger cannot be read.
    pub fallback: Option<Fallback>,
}

impl ScaledObject {
    /// Between two polls of KEDA's operator.
    pub fn polling_interval(&self) -> Duration {
        seconds(self.polling_interval.unwrap_or(30))
    }

    /// From the last active poll to 0 replicas.
    pub fn cooldown_period(&self) -> Duration {
        seconds(self.cooldown_period.unwrap_or(300))
    }

    /// From the creation on; nothing is scaled to 0 before.
    pub fn initial_cooldown_period(&self) -> Duration {
        seconds(self.initial_cooldown_period.unwrap_or(0))
    }

    /// Least replicas.
    pub fn min_replicas(&self) -> u32 {
        self.min_replica_count.unwrap_or(0)
    }

    /// Most replicas.
    pub fn max_replicas(&self) -> u32 {
        self.max_replica_count.unwrap_or(100)
    }

    /// What the HPA may do in one step; none leaves the HPA's own defaults.
    pub fn behavior(&self) -> Option<&Behavior> {
        self.advanced
            .horizontal_pod_autoscaler_config
            .as_ref()?
            .behavior
            .as_ref()
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

/// What is scaled.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScaleTarget {
    /// Its version; `apps/v1` when not given.
    pub api_version: Option<String>,
    /// Its kind; `Deployment` when not given.
    pub kind: Option<String>,
    /// Its name.
    pub name: String,
    /// The container whose variables triggers may refer to.
    pub env_source_container_name: Option<String>,
}

impl ScaleTarget {
    /// Its kind.
    pub fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("Deployment")
    }
}

/// What goes to the HPA.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Advanced {
    /// The HPA's own settings.
    pub horizontal_pod_autoscaler_config: Option<HpaConfig>,
    /// Whether the replicas from before come back when the `ScaledObject` is deleted.
    #[serde(default)]
    pub restore_to_original_replica_count: bool,
    /// A formula over several triggers.
    pub scaling_modifiers: Option<Value>,
}

/// The HPA's own settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HpaConfig {
    /// Its name; `keda-hpa-<scaledobject>` when not given.
    pub name: Option<String>,
    /// What it may do in one step.
    pub behavior: Option<Behavior>,
}

/// What the HPA may do in one step (autoscaling/v2, `HorizontalPodAutoscalerBehavior`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Behavior {
    /// Upwards.
    pub scale_up: Option<ScalingRules>,
    /// Downwards.
    pub scale_down: Option<ScalingRules>,
}

/// The rules of one direction.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScalingRules {
    /// Seconds of past recommendations that are considered; 0 upwards and 300 downwards when not given.
    pub stabilization_window_seconds: Option<u32>,
    /// Which of several policies counts.
    #[serde(default)]
    pub select_policy: SelectPolicy,
    /// The policies; Kubernetes' own when there are none.
    #[serde(default)]
    pub policies: Vec<Policy>,
    /// How far the metric may be off before anything is done, as a quantity; 0.1 when not given.
    pub tolerance: Option<Value>,
}

/// Which of several policies counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum SelectPolicy {
    /// The one that allows most.
    #[default]
    Max,
    /// The one that allows least.
    Min,
    /// None: this direction is switched off.
    Disabled,
}

/// How much may change within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// The unit of the value.
    #[serde(rename = "type")]
    pub unit: PolicyUnit,
    /// How many pods, or how many percent of those at the beginning of the period.
    pub value: u32,
    /// The period, in seconds; at most 1,800.
    pub period_seconds: u32,
}

/// The unit of a policy's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum PolicyUnit {
    /// Pods.
    Pods,
    /// Percent of the replicas at the beginning of the period.
    Percent,
}

/// Replicas while a trigger cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fallback {
    /// Failures in a row from which on it holds.
    pub failure_threshold: u32,
    /// How many.
    pub replicas: u32,
    /// How `replicas` and the current ones are weighed; `static` when not given.
    pub behavior: Option<String>,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trigger {
    /// Which scaler, such as `azure-queue`.
    #[serde(rename = "type")]
    pub scaler: String,
    /// Its name, for a formula.
    pub name: Option<String>,
    /// The scaler's settings, all of them texts.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// How it signs in.
    pub authentication_ref: Option<AuthenticationRef>,
    /// `AverageValue` when not given.
    pub metric_type: Option<String>,
    /// Whether the HPA is given the last polled value.
    #[serde(default)]
    pub use_cached_metrics: bool,
}

/// The object that says how a trigger signs in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthenticationRef {
    /// Its name.
    pub name: String,
    /// Its kind; `TriggerAuthentication` when not given.
    pub kind: Option<String>,
}

/// The settings of an `azure-queue` trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzureQueue {
    /// The queue.
    pub queue: String,
    /// The account; not with a connection string.
    pub account: Option<String>,
    /// Messages for each replica.
    pub queue_length: u64,
    /// Active from one message more on.
    pub activation_queue_length: u64,
    /// Whether only visible messages count.
    pub visible_only: bool,
}

/// A setting of an `azure-queue` trigger that KEDA refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value:?}; write {expected}")]
pub struct TriggerError {
    /// Which setting.
    pub field: &'static str,
    /// What it says.
    pub value: String,
    /// What KEDA takes.
    pub expected: &'static str,
}

impl Trigger {
    /// Its settings, if it is an `azure-queue` trigger.
    pub fn azure_queue(&self) -> Result<Option<AzureQueue>, TriggerError> {
        if self.scaler != "azure-queue" {
            return Ok(None);
        }
        let queue = self
            .metadata
            .get("queueName")
            .filter(|name| !name.is_empty());
        let visible_only = match self.metadata.get("queueLengthStrategy").map(String::as_str) {
            None | Some("all") => false,
            Some("visibleonly") => true,
            Some(other) => {
                return Err(TriggerError {
                    field: "queueLengthStrategy",
                    value: other.to_owned(),
                    expected: "all or visibleonly",
                });
            }
        };
        Ok(Some(AzureQueue {
            queue: queue.cloned().ok_or(TriggerError {
                field: "queueName",
                value: String::new(),
                expected: "the name of the queue",
            })?,
            account: self.metadata.get("accountName").cloned(),
            queue_length: self.number("queueLength", 5)?,
            activation_queue_length: self.number("activationQueueLength", 0)?,
            visible_only,
        }))
    }

    fn number(&self, field: &'static str, default: u64) -> Result<u64, TriggerError> {
        let Some(text) = self.metadata.get(field) else {
            return Ok(default);
        };
        text.parse().map_err(|_| TriggerError {
            field,
            value: text.clone(),
            expected: "a whole number, 0 or more, in quotes",
        })
    }
}

/// The spec of a `TriggerAuthentication`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TriggerAuthentication {
    pub(crate) pod_identity: Option<PodIdentity>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct PodIdentity {
    pub(crate) provider: String,
}
