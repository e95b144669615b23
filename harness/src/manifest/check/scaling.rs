//! What KEDA's webhook refuses, and what it takes although it strands messages or ends work.

use std::time::Duration;

use super::{Problem, Workload};
use crate::manifest::scaling::{PolicyUnit, ScalingRules, SelectPolicy};
use crate::manifest::{Item, Manifests, ScaledObject};

/// Shortest look-back of a slow scale-in: a few syncs of the HPA, each 15 s, so that one dip is no reason to scale in.
const SHORTEST_WINDOW: Duration = Duration::from_secs(60);

/// What holds for a `ScaledObject` by itself.
pub(super) fn check(
    scaled: &Item<ScaledObject>,
    manifests: &Manifests,
    problems: &mut Vec<Problem>,
) {
    replica_range(scaled, problems);
    let (cooldown, polling) = (
        scaled.spec.cooldown_period(),
        scaled.spec.polling_interval(),
    );
    if cooldown <= polling {
        problems.push(scaled.problem(
            "cooldown-not-longer-than-polling",
            "spec.cooldownPeriod",
            format!(
                "{} s, and pollingInterval is {} s: the first poll that finds nothing ends all replicas at once; make it \
                 several polls long, such as 300",
                cooldown.as_secs(),
                polling.as_secs()
            ),
        ));
    }
    scale_in(scaled, problems);
    authentication(scaled, manifests, problems);
}

fn replica_range(scaled: &Item<ScaledObject>, problems: &mut Vec<Problem>) {
    let (min, max) = (scaled.spec.min_replicas(), scaled.spec.max_replicas());
    if max == 0 || min > max {
        problems.push(scaled.problem(
            "replica-range",
            "spec.maxReplicaCount",
            format!("{max}, with minReplicaCount {min}: KEDA refuses it; write at least 1, and at least the minimum"),
        ));
    }
    if scaled
        .spec
        .idle_replica_count
        .is_some_and(|idle| idle >= min)
    {
        problems.push(scaled.problem(
            "idle-not-below-minimum",
            "spec.idleReplicaCount",
            format!("KEDA refuses one that is not below minReplicaCount, {min}; leave it away to scale to {min}"),
        ));
    }
}

fn scale_in(scaled: &Item<ScaledObject>, problems: &mut Vec<Problem>) {
    let field = "spec.advanced.horizontalPodAutoscalerConfig.behavior";
    let Some(behavior) = scaled.spec.behavior() else {
        problems.push(scaled.problem(
            "behavior-unset",
            field,
            "not given: the HPA may end any number of replicas in one step; say how many, and how fast",
        ));
        return;
    };
    if !behavior.scale_down.as_ref().is_some_and(is_slow) {
        problems.push(scaled.problem(
            "scale-in-abrupt",
            format!("{field}.scaleDown"),
            format!(
                "replicas with work in hand may all end in one step; give policies that take fewer than 100 percent, and \
                 stabilizationWindowSeconds of {} or more",
                SHORTEST_WINDOW.as_secs()
            ),
        ));
    }
}

fn is_slow(rules: &ScalingRules) -> bool {
    let gentle = |policy: &&crate::manifest::scaling::Policy| {
        policy.unit == PolicyUnit::Pods || policy.value < 100
    };
    let mut policies = rules.policies.iter();
    let limited = match rules.select_policy {
        SelectPolicy::Disabled => return true,
        SelectPolicy::Min => policies.any(|policy| gentle(&policy)),
        SelectPolicy::Max => !rules.policies.is_empty() && policies.all(|policy| gentle(&policy)),
    };
    // Not given, it is 300 s.
    let window = rules.stabilization_window_seconds.unwrap_or(300);
    limited && Duration::from_secs(window.into()) >= SHORTEST_WINDOW
}

fn authentication(scaled: &Item<ScaledObject>, manifests: &Manifests, problems: &mut Vec<Problem>) {
    for (index, trigger) in scaled.spec.triggers.iter().enumerate() {
        let Some(reference) = &trigger.authentication_ref else {
            continue;
        };
        // One for all namespaces is somebody else's manifest.
        if reference.kind.as_deref() == Some("ClusterTriggerAuthentication") {
            continue;
        }
        let field = format!("spec.triggers[{index}].authenticationRef");
        let known = &manifests.trigger_authentications;
        let Some(found) = known
            .iter()
            .find(|item| item.metadata.name == reference.name)
        else {
            problems.push(scaled.problem(
                "trigger-authentication-unknown",
                field,
                format!(
                    "there is no TriggerAuthentication {:?} here; add it, or name the one that there is",
                    reference.name
                ),
            ));
            continue;
        };
        let workload_identity = found
            .spec
            .pod_identity
            .as_ref()
            .is_some_and(|identity| identity.provider == "azure-workload");
        if workload_identity && !trigger.metadata.contains_key("accountName") {
            problems.push(scaled.problem(
                "account-missing",
                format!("spec.triggers[{index}].metadata.accountName"),
                "KEDA refuses a trigger with workload identity and no account; name the storage account",
            ));
        }
    }
}

/// What holds between a `ScaledObject` and the consumers it scales.
pub(super) fn check_workload(workload: &Workload<'_>, problems: &mut Vec<Problem>) {
    if workload.deployment.spec.replicas.is_some() {
        problems.push(workload.deployment.problem(
            "replicas-fixed",
            "spec.replicas",
            "they are KEDA's, and each apply would set them back; leave the field away",
        ));
    }
    for (index, trigger) in workload.scaled.spec.triggers.iter().enumerate() {
        let field = |name: &str| format!("spec.triggers[{index}].metadata.{name}");
        match trigger.azure_queue() {
            Ok(Some(queue)) => queue_trigger(workload, &queue, field, problems),
            Ok(None) => {}
            Err(error) => {
                problems.push(workload.scaled.problem(
                    "trigger-refused",
                    field(error.field),
                    format!("KEDA refuses it: {error}"),
                ));
            }
        }
    }
}

fn queue_trigger(
    workload: &Workload<'_>,
    queue: &crate::manifest::scaling::AzureQueue,
    field: impl Fn(&str) -> String,
    problems: &mut Vec<Problem>,
) {
    let mut problem = |name, of: &str, advice: String| {
        problems.push(workload.scaled.problem(name, field(of), advice));
    };
    let activation = queue.activation_queue_length;
    if activation > 0 {
        problem(
            "activation-strands-messages",
            "activationQueueLength",
            format!(
                "{activation}: the last {activation} messages of a burst wake no consumer, until they expire; write \"0\""
            ),
        );
    }
    if queue.queue_length == 0 {
        problem(
            "queue-length-zero",
            "queueLength",
            "0: no number of replicas would do; write how many messages one replica works on at a time".to_owned(),
        );
    }
    if queue.visible_only {
        problem(
            "leased-messages-uncounted",
            "queueLengthStrategy",
            "visibleonly: while the last messages are worked on the queue looks empty, and their consumers are ended; \
             write all"
                .to_owned(),
        );
    }
    let Some(args) = &workload.settings.args else {
        return;
    };
    let consumed = args.storage.queue.queue.to_string();
    if queue.queue != consumed {
        problem(
            "queue-differs",
            "queueName",
            format!(
                "{:?}, and the consumers take from {consumed:?} (AZURE_QUEUE_NAME); write the same",
                queue.queue
            ),
        );
    }
    let account = args.storage.account.account.as_ref();
    if queue.account.is_some() && queue.account.as_ref() != account {
        problem(
            "account-differs",
            "accountName",
            format!(
                "{:?}, and the consumers use {:?} (AZURE_STORAGE_ACCOUNT_NAME); write the same",
                queue.account.as_deref().unwrap_or_default(),
                account.map_or("", String::as_str)
            ),
        );
    }
    if queue.queue_length > 0 && queue.queue_length < u64::from(args.concurrency) {
        problem(
            "queue-length-below-concurrency",
            "queueLength",
            format!(
                "{}, and a consumer works on {} messages at a time (EDW_CONCURRENCY): KEDA starts others for what it has in \
                 hand; write the same",
                queue.queue_length, args.concurrency
            ),
        );
    }
}
