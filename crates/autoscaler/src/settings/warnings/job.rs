//! Warnings about settings of a ScaledJob that KEDA changes silently, or reports only in the operator's log at a higher level.

use super::super::manifest::{JobSpec, ScalingStrategy};
use super::super::{Warning, percentage};

#[cfg(test)]
mod tests;

const STRATEGY: &str = "scalingStrategy.strategy";
const PERCENTAGE: &str = "scalingStrategy.customScalingRunningJobPercentage";
const DEDUCTION: &str = "scalingStrategy.customScalingQueueLengthDeduction";
const PENDING: &str = "scalingStrategy.pendingPodConditions";

/// Conditions that the kubelet and the scheduler set on every pod, and that stay while it runs (Kubernetes `core/v1/types.go`,
/// `PodConditionType`).
const CONDITIONS: [&str; 5] = [
    "PodScheduled",
    "PodReadyToStartContainers",
    "Initialized",
    "ContainersReady",
    "Ready",
];

pub(super) fn warnings(spec: &JobSpec) -> Vec<Warning> {
    let strategy = &spec.scaling_strategy;
    let least_over_most = spec.min_replica_count > spec.max_replica_count;
    let bounds = spec.max_replica_count.filter(|_| least_over_most);
    let bounds = bounds.map(|most| Warning {
        field: "minReplicaCount".to_owned(),
        reason: format!(
            "is over maxReplicaCount: KEDA takes {most} for both, and {most} jobs at least with {most} besides make {}",
            most.saturating_mul(2)
        ),
    });
    let custom = custom(strategy);
    bounds
        .into_iter()
        .chain(custom)
        .chain(pending(strategy))
        .collect()
}

/// KEDA `scale_jobs.go`, `NewScalingStrategy`: fields that only the strategy `custom` reads.
fn custom(strategy: &ScalingStrategy) -> Option<Warning> {
    let part = strategy.custom_scaling_running_job_percentage.as_deref();
    let warning = |field: &str, reason: String| {
        let field = field.to_owned();
        Some(Warning { field, reason })
    };
    let chosen = strategy.strategy.as_deref().unwrap_or("default");
    if chosen != "custom" {
        let unheeded = [
            (PERCENTAGE, part.is_some_and(|part| !part.is_empty())),
            (
                DEDUCTION,
                strategy.custom_scaling_queue_length_deduction.is_some(),
            ),
        ];
        let (field, _) = unheeded.into_iter().find(|(_, given)| *given)?;
        let reason =
            format!("without effect: the strategy is {chosen}, and {STRATEGY}: custom reads it");
        return warning(field, reason);
    }
    match (part, part.and_then(percentage)) {
        (None | Some(""), _) => warning(
            PERCENTAGE,
            "is missing, and custom without it is default to KEDA, which leaves customScalingQueueLengthDeduction out as well; \
             write a part of 1 in quotes, such as \"0.5\", or \"1\" to count all jobs that run"
                .to_owned(),
        ),
        (Some(part), None) => warning(
            PERCENTAGE,
            format!(
                "{part:?} is no number, and KEDA then uses the strategy default, without customScalingQueueLengthDeduction, and \
                 tells it in the operator's log alone; write a part of 1 in quotes, such as \"0.5\""
            ),
        ),
        (Some(part), Some(number)) if !(0.0..=1.0).contains(&number) => warning(
            PERCENTAGE,
            format!(
                "{part:?} is a factor and no percentage: each job that runs counts as {number} of those that are wanted; write a \
                 part of 1, such as \"0.5\" for half of them"
            ),
        ),
        _ => None,
    }
}

/// KEDA `scale_jobs.go`, `areAllPendingPodConditionsFulfilled`: the number of a pod's listed true conditions must equal the
/// length of the list, so a name that is listed twice is counted once and never fulfils it.
fn pending(strategy: &ScalingStrategy) -> Option<Warning> {
    let listed = &strategy.pending_pod_conditions;
    let (last, _) = listed.split_last()?;
    let warning = |reason: String| {
        let field = PENDING.to_owned();
        Some(Warning { field, reason })
    };
    let chosen = strategy.strategy.as_deref().unwrap_or("default");
    if !["accurate", "eager"].contains(&chosen) {
        return warning(format!(
            "without effect: the strategy {chosen} does not ask which jobs are pending"
        ));
    }
    let twice = |name: &&String| listed.iter().filter(|it| it == name).count() > 1;
    if let Some(name) = Some(last)
        .filter(twice)
        .or_else(|| listed.iter().find(twice))
    {
        return warning(format!(
            "has {name} twice, and KEDA waits for {} different conditions: every job counts as pending to its end; write it once",
            listed.len()
        ));
    }
    // The condition of a readiness gate has a name with a domain.
    let unknown = |name: &&String| !CONDITIONS.contains(&name.as_str()) && !name.contains('/');
    let name = listed.iter().find(unknown)?;
    warning(format!(
        "{name:?} is no condition that a pod gets as it starts: every job counts as pending to its end; write {}",
        CONDITIONS.join(", ")
    ))
}
