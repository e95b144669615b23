//! `spec.triggers`: the scalers' settings.

use super::super::manifest::{self, JobSpec, Text, Trigger};
use super::super::{QueueTrigger, Reads, RefusedBy, Settings, Surroundings};
use super::texts::{integer, is_account, is_queue, is_whole};
use super::{Check, INT32_MAX, kinds};
use crate::{Cron, LengthStrategy};

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

/// The metadata keys of a `cron` trigger (KEDA `pkg/scalers/cron_scaler.go`, `cronMetadata`).
pub(in super::super) const CRON_KEYS: [&str; 4] = ["desiredReplicas", "end", "start", "timezone"];

/// Cloud names that KEDA knows, in addition to `Private` (KEDA `pkg/scalers/azure/cloud_config.go`, `EnvironmentFromName`).
const CLOUDS: [&str; 7] = [
    "AzurePublicCloud",
    "AzureUSGovernmentCloud",
    "AzureChinaCloud",
    "AzureGermanCloud",
    "AzureCloud",
    "AzureUSGovernment",
    // Described by a file in the operator's container.
    "AzureStackCloud",
];

/// A trigger, and its source if that is modelled.
struct ReadTrigger<'a> {
    index: usize,
    trigger: &'a Trigger,
    queue: Option<QueueTrigger>,
    cron: Option<Cron>,
}

impl Check {
    /// KEDA `pkg/scaling/scalers_builder.go`, `buildScalers`. The main queue comes first.
    pub(super) fn triggers(
        &mut self,
        spec: &manifest::Spec,
        around: &Surroundings,
        settings: &mut Settings,
    ) {
        let read = self.all_triggers(&spec.triggers, around);
        let asked = read.iter().position(|it| {
            let queue = it.queue.as_ref();
            queue.is_some_and(|queue| queue.elsewhere.is_none())
        });
        for (n, it) in read.iter().enumerate() {
            // Kubernetes validation.go, `validateMetricTarget`: "must be positive".
            if let Some(queue) = it.queue.filter(|queue| queue.queue_length <= 0) {
                let field = format!("spec.triggers[{}].metadata.queueLength", it.index);
                let reason = format!("is {}, must be positive", queue.queue_length);
                self.refuse(RefusedBy::Hpa, field, reason);
            }
            let name = it.trigger.name.clone().filter(|name| !name.is_empty());
            let use_cached_metrics = it.trigger.use_cached_metrics;
            match it.queue {
                Some(queue) if Some(n) == asked => {
                    settings.trigger_index = it.index;
                    settings.trigger_name = name;
                    settings.use_cached_metrics = use_cached_metrics;
                    settings.queue_length = u64::try_from(queue.queue_length).unwrap_or(0).max(1);
                    settings.activation_queue_length = queue.activation_queue_length;
                    settings.strategy = queue.strategy;
                }
                queue => {
                    let cron = it.cron.clone().map(Reads::Cron);
                    let Some(reads) = queue.map(Reads::Queue).or(cron) else {
                        continue;
                    };
                    settings.others.push(super::super::Trigger {
                        name,
                        reads,
                        use_cached_metrics,
                    });
                }
            }
        }
        if asked.is_none() && self.refusals.is_empty() {
            self.no_queue(around);
        }
    }

    fn no_queue(&mut self, around: &Surroundings) {
        let reason = match &around.load_queue {
            Some(queue) => {
                format!("has no azure-queue of the queue {queue:?}, which is asked about")
            }
            None => {
                "has no azure-queue: the model answers for a load that comes into one".to_owned()
            }
        };
        self.refuse(RefusedBy::Model, "spec.triggers", reason);
    }

    /// Refuses waiting messages in queues that no trigger reads: they would have no effect.
    fn waiting(&mut self, triggers: &[Trigger], asked: Option<&str>, around: &Surroundings) {
        let queues = triggers.iter().filter(|it| it.kind == "azure-queue");
        let queues: Vec<_> = queues.filter_map(|it| given(it, "queueName")).collect();
        for name in around.waiting.keys().map(String::as_str) {
            let reason = if asked == Some(name) {
                format!(
                    "has messages that wait in {name:?}, which is the queue that the load comes into"
                )
            } else if queues.contains(&name) {
                continue;
            } else {
                format!(
                    "has no azure-queue of the queue {name:?}, in which messages are said to wait"
                )
            };
            self.refuse(RefusedBy::Model, "spec.triggers", reason);
        }
    }

    /// Parses each trigger that is modelled (KEDA `scaletriggers_types.go`, `ValidateTriggers`).
    fn all_triggers<'a>(
        &mut self,
        triggers: &'a [Trigger],
        around: &Surroundings,
    ) -> Vec<ReadTrigger<'a>> {
        if triggers.is_empty() {
            let reason = "has no entries, must have one or more, such as one of type azure-queue";
            self.refuse(RefusedBy::Keda, "spec.triggers", reason);
        }
        let first = triggers.iter().find(|it| it.kind == "azure-queue");
        let first = first.and_then(|it| given(it, "queueName"));
        let asked = around.load_queue.as_deref().or(first);
        self.waiting(triggers, asked, around);
        let mut names = std::collections::BTreeSet::new();
        let mut read = Vec::new();
        for (index, trigger) in triggers.iter().enumerate() {
            let field = format!("spec.triggers[{index}]");
            let name = trigger.name.as_deref().filter(|name| !name.is_empty());
            if name.is_some_and(|name| !names.insert(name)) {
                let reason = "is the name of another trigger too";
                self.refuse(RefusedBy::Keda, format!("{field}.name"), reason);
            }
            let (mut queue, mut cron) = (None, None);
            match trigger.kind.as_str() {
                "azure-queue" => {
                    self.metric_type(trigger, &field);
                    queue = Some(self.azure_queue(trigger, &field, asked, around));
                    self.access(trigger, &field, around);
                }
                "cron" => {
                    self.metric_type(trigger, &field);
                    cron = self.cron(trigger, &field);
                }
                other => {
                    let (by, reason) = kinds::refusal(other);
                    self.refuse(by, format!("{field}.type"), reason);
                }
            }
            read.push(ReadTrigger {
                index,
                trigger,
                queue,
                cron,
            });
        }
        read
    }

    /// Parses the triggers of a ScaledJob.
    pub(super) fn job_triggers(&mut self, spec: &JobSpec, around: &Surroundings) -> Vec<Reads> {
        let read = self.all_triggers(&spec.triggers, around);
        let asked = |it: &ReadTrigger<'_>| it.queue.is_some_and(|queue| queue.elsewhere.is_none());
        if !read.iter().any(asked) && self.refusals.is_empty() {
            self.no_queue(around);
        }
        let reads = read.into_iter().filter_map(|it| {
            let cron = it.cron.map(Reads::Cron);
            it.queue.map(Reads::Queue).or(cron)
        });
        reads.collect()
    }

    /// KEDA `pkg/scalers/cron_scaler.go`, `cronMetadata` and its `Validate`; `scaletriggers_types.go`, `ValidateTriggers`.
    fn cron(&mut self, trigger: &Trigger, field: &str) -> Option<Cron> {
        if trigger.use_cached_metrics {
            let field = format!("{field}.useCachedMetrics");
            self.refuse(RefusedBy::Keda, field, "is not for cron");
        }
        let mut text = |key: &str| {
            let found = given(trigger, key);
            if found.is_none() {
                let field = format!("{field}.metadata.{key}");
                self.refuse(RefusedBy::Keda, field, "is missing");
            }
            found
        };
        let [start, end, zone, desired] =
            ["start", "end", "timezone", "desiredReplicas"].map(&mut text);
        let (start, end, zone, desired) = (start?, end?, zone?, desired?);
        let key = |key: &str| format!("{field}.metadata.{key}");
        if start == end {
            let reason = "is the same as start";
            self.refuse(RefusedBy::Keda, key("end"), reason);
        }
        let replicas = integer(desired);
        let (by, reason) = match replicas {
            None => (
                RefusedBy::Keda,
                "must be a whole number in quotes, such as \"5\"",
            ),
            Some(0) => (RefusedBy::Keda, "must be 1 or more"),
            Some(_) => (RefusedBy::Model, "must be 1 to 2147483647"),
        };
        let replicas = replicas.filter(|it| (1..=INT32_MAX).contains(it));
        let replicas = replicas.and_then(|it| u32::try_from(it).ok());
        let Some(replicas) = replicas else {
            let reason = format!("is {desired:?}, {reason}");
            self.refuse(by, key("desiredReplicas"), reason);
            return None;
        };
        let cron = Cron::new(start, end, zone, replicas);
        cron.map_err(|(name, reason)| self.refuse(RefusedBy::Keda, key(name), reason))
            .ok()
    }

    /// KEDA `pkg/scalers/scaler.go`, `GetMetricTargetType`; Kubernetes `validation.go`, `validateMetricTarget`.
    fn metric_type(&mut self, trigger: &Trigger, field: &str) {
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
    fn azure_queue(
        &mut self,
        trigger: &Trigger,
        field: &str,
        asked: Option<&str>,
        around: &Surroundings,
    ) -> QueueTrigger {
        let name = given(trigger, "queueName");
        if name.is_none() {
            let field = format!("{field}.metadata.queueName");
            self.refuse(RefusedBy::Keda, field, "is missing: name the queue");
        }
        if let Some(name) = name.filter(|name| !is_queue(name)) {
            let to_do = if name.contains(['$', '{', '<']) {
                "it looks like a placeholder; write the name of the queue there"
            } else {
                "a name is 3 to 63 small letters, digits and single '-', with a letter or digit at both ends"
            };
            let field = format!("{field}.metadata.queueName");
            let reason = format!("is {name:?}, and no queue can be called so: {to_do}");
            self.refuse(RefusedBy::Storage, field, reason);
        }
        self.account(trigger, field);
        self.cloud(trigger, field);
        QueueTrigger {
            queue_length: self.queue_length(trigger, field),
            activation_queue_length: self.integer(trigger, field, "activationQueueLength", 0),
            strategy: self.strategy(trigger, field),
            elsewhere: name.filter(|name| Some(*name) != asked).map(|name| {
                let waiting = around.waiting.get(name);
                waiting.copied().unwrap_or(0)
            }),
        }
    }

    /// Checks the account's name. KEDA makes a host name of it (`azure_storage.go`, `ParseAzureStorageEndpoint`), and no
    /// account has a name of another form ("Storage account overview").
    fn account(&mut self, trigger: &Trigger, field: &str) {
        let Some(name) = given(trigger, "accountName").filter(|name| !is_account(name)) else {
            return;
        };
        let to_do = if name.contains(['$', '{', '<']) {
            "it looks like a placeholder; write the name of the account there"
        } else {
            "a name is 3 to 24 small letters and digits"
        };
        let reason = format!("is {name:?}, and no account can be called so: {to_do}");
        self.refuse(
            RefusedBy::Storage,
            format!("{field}.metadata.accountName"),
            reason,
        );
    }

    /// KEDA `pkg/scalers/scalersconfig/typed_config.go`, `setValue`: each part of a comma-separated list must be one of the two
    /// strategies, and `getMessageCount` compares the whole list, so that both together count all messages.
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

    /// KEDA `azure_cloud_environment.go`, `ParseEnvironmentProperty`, which uses these two values unchanged.
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

    /// KEDA `typed_config.go`, `setConfigValueHelper`: numbers are parsed as JSON, in which 07, +7 and 7.0 are not integers.
    fn integer(&mut self, trigger: &Trigger, field: &str, name: &str, default: i64) -> i64 {
        let Some(text) = given(trigger, name) else {
            return default;
        };
        integer(text).unwrap_or_else(|| {
            let reason = if is_whole(text) {
                format!("is {text:?}, must be {} to {} (int64)", i64::MIN, i64::MAX)
            } else {
                format!("is {text:?}, must be a whole number in quotes, such as \"5\"")
            };
            let field = format!("{field}.metadata.{name}");
            self.refuse(RefusedBy::Keda, field, reason);
            default
        })
    }

    /// `queueLength`: the model refuses a target so high that there would never be a second replica.
    fn queue_length(&mut self, trigger: &Trigger, field: &str) -> i64 {
        let length = self.integer(trigger, field, "queueLength", 5);
        if length > INT32_MAX {
            let reason = format!(
                "is {length}: one replica would be meant to have more than {INT32_MAX} messages, and there would never be a second"
            );
            let field = format!("{field}.metadata.queueLength");
            self.refuse(RefusedBy::Model, field, reason);
        }
        length
    }
}

/// The trimmed value of a key; an empty one counts as absent (KEDA `typed_config.go`, `configParamValue`).
pub(super) fn given<'a>(trigger: &'a Trigger, key: &str) -> Option<&'a str> {
    let Text(text) = trigger.metadata.get(key)?;
    Some(text.trim()).filter(|text| !text.is_empty())
}
