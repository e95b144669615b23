//! Relations of a `ScaledObject`: settings that a cluster refuses, and accepted ones that strand messages or end work.

use std::time::Duration;

use autoscaler::manifest::{Spec, Trigger};
use autoscaler::{LengthStrategy, Policy, PolicyKind, Rules, SelectPolicy, Settings};

use super::{Problem, Workload};
use crate::{Item, Manifests, Metadata};

/// Shortest window of a slow scale-in: a few syncs of the HPA, 15 s each, so that one dip does not scale in.
const SHORTEST_WINDOW: Duration = Duration::from_secs(60);

/// Checks a `ScaledObject` alone. Returns its settings if a cluster accepts them.
pub(super) fn check(
    scaled: &Item<Spec>,
    manifests: &Manifests,
    problems: &mut Vec<Problem>,
) -> Option<Settings> {
    authentication(scaled, &scaled.spec.triggers, manifests, problems);
    let settings = match manifests.settings(scaled) {
        Ok(settings) => settings,
        Err(refusals) => {
            for refusal in refusals.0 {
                let advice = format!("{}: {}", refusal.reason, refusal.who());
                problems.push(scaled.problem("refused", refusal.field, advice));
            }
            return None;
        }
    };
    let (cooldown, polling) = (settings.cooldown_period, settings.polling_interval);
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
    scale_in(scaled, &settings, problems);
    Some(settings)
}

fn scale_in(scaled: &Item<Spec>, settings: &Settings, problems: &mut Vec<Problem>) {
    let field = "spec.advanced.horizontalPodAutoscalerConfig.behavior";
    let annotations = &settings.annotations;
    let is_held = annotations.paused.is_some() || annotations.paused_scale_in;
    if is_held || settings.hpa_min_replicas() >= settings.max_replica_count {
        return;
    }
    let Some(behavior) = &settings.behavior else {
        problems.push(scaled.problem(
            "behavior-unset",
            field,
            "not given: the HPA may end any number of replicas in one step; say how many, and how fast",
        ));
        return;
    };
    if behavior.scale_down.select_policy == SelectPolicy::Disabled {
        problems.push(scaled.problem(
            "scale-in-disabled",
            format!("{field}.scaleDown.selectPolicy"),
            format!(
                "Disabled: the HPA takes no replica away, {}; give policies that take some of the {}",
                after_disabled(settings),
                settings.max_replica_count
            ),
        ));
    }
    if is_abrupt(&behavior.scale_down, settings) {
        problems.push(scaled.problem(
            "scale-in-abrupt",
            format!("{field}.scaleDown"),
            format!(
                "replicas with work in hand may all end in one step; give policies that take some of the {} and not all, and \
                 stabilizationWindowSeconds of {} or more",
                settings.max_replica_count,
                SHORTEST_WINDOW.as_secs()
            ),
        ));
    }
}

/// What happens to the replicas when the HPA must not scale in (KEDA `scale_scaledobjects.go`, `RequestScale`).
fn after_disabled(settings: &Settings) -> &'static str {
    if settings.min_replica_count == 0 || settings.idle_replica_count.is_some() {
        "and once the queue is idle KEDA takes away all of them in one step"
    } else {
        "nor does KEDA where minReplicaCount is over 0: those that one burst has started stay for good"
    }
}

/// Whether more than one replica may be removed in one step, down to the minimum, or after a single dip (Kubernetes
/// `horizontal.go`, `calculateScaleDownLimitWithBehaviors`).
fn is_abrupt(rules: &Rules, settings: &Settings) -> bool {
    let (least, most) = (settings.hpa_min_replicas(), settings.max_replica_count);
    let left = |policy: &Policy| match policy.kind {
        PolicyKind::Pods => most.saturating_sub(policy.value),
        PolicyKind::Percent => {
            let kept = u64::from(100_u32.saturating_sub(policy.value));
            u32::try_from(u64::from(most) * kept / 100).unwrap_or(most)
        }
    };
    let left = rules.policies.iter().map(left);
    let left = match rules.select_policy {
        SelectPolicy::Disabled => return false,
        SelectPolicy::Min => left.max(),
        SelectPolicy::Max => left.min(),
    };
    let left = left.unwrap_or(most);
    let all_at_once = left <= least && most.saturating_sub(left.max(least)) > 1;
    let default = settings.controller.downscale_stabilization;
    all_at_once || rules.stabilization_window.unwrap_or(default) < SHORTEST_WINDOW
}

/// Authentications that KEDA would not find (KEDA `scale_resolvers.go`, `getTriggerAuthSpec`: it looks in the namespace of the
/// scaled object, and for the other kind in the whole cluster).
pub(super) fn authentication<T>(
    scaled: &Item<T>,
    triggers: &[Trigger],
    manifests: &Manifests,
    problems: &mut Vec<Problem>,
) {
    const CLUSTER_WIDE: &str = "ClusterTriggerAuthentication";
    for (index, trigger) in triggers.iter().enumerate() {
        let Some(reference) = &trigger.authentication_ref else {
            continue;
        };
        let (name, kind) = (&reference.name, reference.kind.as_deref());
        let kind = kind.unwrap_or("TriggerAuthentication");
        let known = manifests.authentications.iter();
        let of_kind: Vec<_> = known.filter(|item| item.kind == kind).collect();
        // A `ClusterTriggerAuthentication` is usually stored with the cluster's files, so a name is only missing if others of
        // the kind are here.
        if kind == CLUSTER_WIDE && of_kind.is_empty() {
            continue;
        }
        let mut called: Vec<_> = of_kind.iter().map(|item| &item.metadata).collect();
        called.retain(|metadata| metadata.name == *name);
        let here = |metadata: &&Metadata| metadata.is_beside(&scaled.metadata);
        if called
            .iter()
            .copied()
            .any(|it| kind == CLUSTER_WIDE || here(&it))
        {
            continue;
        }
        let elsewhere = called.iter().find_map(|it| it.namespace.as_deref());
        let advice = match (elsewhere, scaled.metadata.namespace.as_deref()) {
            (Some(theirs), Some(own)) => format!(
                "{kind} {name:?} is in the namespace {theirs}, and KEDA looks for it in {own}, that of the {}: put both into one, \
                 or make it a {CLUSTER_WIDE}",
                scaled.kind
            ),
            _ => format!("there is no {kind} {name:?} here; add it, or name the one that there is"),
        };
        problems.push(scaled.problem(
            "trigger-authentication-unknown",
            format!("spec.triggers[{index}].authenticationRef"),
            advice,
        ));
    }
}

/// Checks a `ScaledObject` together with the consumers that it scales.
pub(super) fn check_workload(
    workload: &Workload<'_>,
    scaling: Option<&Settings>,
    problems: &mut Vec<Problem>,
) {
    // In a cluster, the autoscaler has set the replicas.
    let live = workload.deployment.metadata.uid.is_some();
    if workload.deployment.spec.replicas.is_some() && !live {
        problems.push(workload.deployment.problem(
            "replicas-fixed",
            "spec.replicas",
            "they are KEDA's, and each apply would set them back; leave the field away",
        ));
    }
    // The model of the settings covers only a single trigger.
    if let (Some(settings), [trigger]) = (scaling, workload.scaled.spec.triggers.as_slice()) {
        queue_trigger(workload, settings, trigger, problems);
    }
}

fn queue_trigger(
    workload: &Workload<'_>,
    settings: &Settings,
    trigger: &Trigger,
    problems: &mut Vec<Problem>,
) {
    let mut problem = |name, of: &str, advice: String| {
        let field = format!("spec.triggers[0].metadata.{of}");
        problems.push(workload.scaled.problem(name, field, advice));
    };
    let activation = settings.activation_queue_length;
    if activation > 0 {
        problem(
            "activation-strands-messages",
            "activationQueueLength",
            format!(
                "{activation}: the last {activation} messages of a burst wake no consumer, until they expire; write \"0\""
            ),
        );
    }
    if settings.strategy == LengthStrategy::VisibleOnly {
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
    let text = |name| trigger.metadata.get(name).map(|text| text.0.as_str());
    let queue = text("queueName").unwrap_or_default();
    let consumed = args.storage.queue.queue.to_string();
    if queue != consumed {
        problem(
            "queue-differs",
            "queueName",
            format!(
                "{queue:?}, and the consumers take from {consumed:?} (AZURE_QUEUE_NAME); write the same"
            ),
        );
    }
    let (scaled_by, account) = (text("accountName"), args.storage.account.account.as_deref());
    if scaled_by.is_some() && scaled_by != account {
        problem(
            "account-differs",
            "accountName",
            format!(
                "{:?}, and the consumers use {:?} (AZURE_STORAGE_ACCOUNT_NAME); write the same",
                scaled_by.unwrap_or_default(),
                account.unwrap_or_default()
            ),
        );
    }
    if settings.queue_length < u64::from(args.concurrency) {
        problem(
            "queue-length-below-concurrency",
            "queueLength",
            format!(
                "{}, and a consumer works on {} messages at a time (EDW_CONCURRENCY): KEDA starts others for what it has in \
                 hand; write the same",
                settings.queue_length, args.concurrency
            ),
        );
    }
}
