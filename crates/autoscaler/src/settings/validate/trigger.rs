//! `spec.triggers`: what KEDA's `azure-queue` scaler reads.

use super::super::manifest::{self, Text, Trigger};
use super::super::{QueueTrigger, RefusedBy, Settings, Surroundings};
use super::Check;
use crate::LengthStrategy;

/// The keys of an `azure-queue` trigger's metadata that KEDA reads (KEDA `pkg/scalers/azure_queue_scaler.go`,
/// `azureQueueMetadata`; `pkg/scalers/azure/azure_cloud_environment.go`, `ParseEnvironmentProperty`).
pub(in super::super) const AZURE_QUEUE_KEYS: [&str; 9] = [
    "accountName",
    "activationQueueLength",
    "cloud",
    "connection",
    "connectionFromEnv",
    "endpointSuffix",
    "queueLength",
    "queueLengthStrategy",
    "queueName",
];

/// Names that KEDA knows, besides `Private` (KEDA `pkg/scalers/azure/cloud_config.go`, `EnvironmentFromName`).
const CLOUDS: [&str; 7] = [
    "AzurePublicCloud",
    "AzureUSGovernmentCloud",
    "AzureChinaCloud",
    "AzureGermanCloud",
    "AzureCloud",
    "AzureUSGovernment",
    // Described by a file of the operator's.
    "AzureStackCloud",
];

impl Check {
    /// KEDA `scaletriggers_types.go`, `ValidateTriggers`; `pkg/scaling/scalers_builder.go`, `buildScalers`.
    pub(super) fn triggers(
        &mut self,
        spec: &manifest::Spec,
        around: &Surroundings,
        settings: &mut Settings,
    ) {
        let [trigger] = spec.triggers.as_slice() else {
            let reason = format!(
                "has {} entries, must have one of type azure-queue",
                spec.triggers.len()
            );
            let by = if spec.triggers.is_empty() {
                RefusedBy::Keda
            } else {
                RefusedBy::Model
            };
            return self.refuse(by, "spec.triggers", reason);
        };
        let field = "spec.triggers[0]";
        if trigger.kind != "azure-queue" {
            let reason = format!("is {:?}, must be azure-queue", trigger.kind);
            return self.refuse(RefusedBy::Model, format!("{field}.type"), reason);
        }
        self.metric_type(trigger, field);
        settings.use_cached_metrics = trigger.use_cached_metrics;
        let queue = self.azure_queue(trigger, field);
        // Kubernetes validation.go, `validateMetricTarget`: "must be positive".
        settings.queue_length = u64::try_from(queue.queue_length)
            .ok()
            .filter(|it| *it > 0)
            .unwrap_or_else(|| {
                let field = format!("{field}.metadata.queueLength");
                let reason = format!("is {}, must be positive", queue.queue_length);
                self.refuse(RefusedBy::Hpa, field, reason);
                5
            });
        settings.activation_queue_length = queue.activation_queue_length;
        settings.strategy = queue.strategy;
        self.access(trigger, field, around);
    }

    /// KEDA `pkg/scalers/scaler.go`, `GetMetricTargetType`; Kubernetes `validation.go`, `validateMetricTarget`.
    pub(super) fn metric_type(&mut self, trigger: &Trigger, field: &str) {
        let field = format!("{field}.metricType");
        let (by, reason) = match trigger.metric_type.as_deref() {
            None | Some("AverageValue" | "") => return,
            Some("Utilization") => (
                RefusedBy::Keda,
                "is Utilization, which is for cpu and memory: use AverageValue".to_owned(),
            ),
            Some("Value") => (
                RefusedBy::Model,
                "is Value, must be AverageValue".to_owned(),
            ),
            Some(other) => (
                RefusedBy::Hpa,
                format!("is {other:?}, must be AverageValue"),
            ),
        };
        self.refuse(by, field, reason);
    }

    /// KEDA `azure_queue_scaler.go`, `azureQueueMetadata` and `parseAzureQueueMetadata`.
    pub(super) fn azure_queue(&mut self, trigger: &Trigger, field: &str) -> QueueTrigger {
        if given(trigger, "queueName").is_none() {
            let field = format!("{field}.metadata.queueName");
            self.refuse(RefusedBy::Keda, field, "is missing: name the queue");
        }
        self.cloud(trigger, field);
        QueueTrigger {
            queue_length: self.integer(trigger, field, "queueLength", 5),
            activation_queue_length: self.integer(trigger, field, "activationQueueLength", 0),
            strategy: self.strategy(trigger, field),
        }
    }

    /// KEDA `pkg/scalers/scalersconfig/typed_config.go`, `setValue`: each part between commas must be one of the two, and
    /// `getMessageCount` compares the whole, so that both together count all messages.
    fn strategy(&mut self, trigger: &Trigger, field: &str) -> LengthStrategy {
        let text = given(trigger, "queueLengthStrategy").unwrap_or("all");
        let known = |part: &str| ["all", "visibleonly"].contains(&part.trim());
        if !text.split(',').all(known) {
            let field = format!("{field}.metadata.queueLengthStrategy");
            let reason = format!("is {text:?}, must be all or visibleonly");
            self.refuse(RefusedBy::Keda, field, reason);
        }
        match text {
            "visibleonly" => LengthStrategy::VisibleOnly,
            _ => LengthStrategy::All,
        }
    }

    /// KEDA `azure_cloud_environment.go`, `ParseEnvironmentProperty`, which takes these two as they are written.
    fn cloud(&mut self, trigger: &Trigger, field: &str) {
        let raw = |key| trigger.metadata.get(key).map_or("", |text| text.0.as_str());
        let cloud = raw("cloud");
        if cloud.eq_ignore_ascii_case("Private") {
            if raw("endpointSuffix").is_empty() {
                let field = format!("{field}.metadata.endpointSuffix");
                let reason = "is missing: a Private cloud needs it, such as queue.example.com";
                self.refuse(RefusedBy::Keda, field, reason);
            }
        } else if !cloud.is_empty() && !CLOUDS.iter().any(|it| it.eq_ignore_ascii_case(cloud)) {
            let field = format!("{field}.metadata.cloud");
            let reason = format!("is {cloud:?}, must be {} or Private", CLOUDS.join(", "));
            self.refuse(RefusedBy::Keda, field, reason);
        }
    }

    /// KEDA `typed_config.go`, `setConfigValueHelper`: numbers are read as JSON, in which 07, +7 and 7.0 are no whole numbers.
    fn integer(&mut self, trigger: &Trigger, field: &str, name: &str, default: i64) -> i64 {
        let Some(text) = given(trigger, name) else {
            return default;
        };
        integer(text).unwrap_or_else(|| {
            let reason = format!("is {text:?}, must be a whole number in quotes, such as \"5\"");
            let field = format!("{field}.metadata.{name}");
            self.refuse(RefusedBy::Keda, field, reason);
            default
        })
    }
}

/// The value of a key, without the space around it; nothing counts as absent (KEDA `typed_config.go`, `configParamValue`).
pub(super) fn given<'a>(trigger: &'a Trigger, key: &str) -> Option<&'a str> {
    let Text(text) = trigger.metadata.get(key)?;
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    (whole && !leading_zero)
        .then(|| text.parse().ok())
        .flatten()
}
