//! Settings that decide how a ScaledObject scales, validated and with every default filled in.

mod job;
pub mod manifest;
mod refusal;
mod surroundings;
mod triggers;
mod validate;
mod warnings;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use job::{Calculation, JobSettings, JobStrategy};
pub use manifest::{ScaledJob, ScaledObject};
pub use refusal::{Refusal, Refusals, RefusedBy, Warning};
pub use surroundings::{Surroundings, Variables};
pub use triggers::{Modifiers, QueueTrigger, Reads, Trigger};

use crate::LengthStrategy;
use job::percentage;

/// The settings of a ScaledObject with an `azure-queue` trigger, the main queue, and others. [`ScaledObject::settings`] makes
/// them from a manifest; the default is KEDA's for a manifest that sets nothing (KEDA
/// `apis/keda/v1alpha1/withtriggers_types.go`, `scaledobject_types.go`, `pkg/scaling/executor/scale_executor.go`).
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Time between two polls of the operator.
    pub polling_interval: Duration,
    /// Shortest time from the last active poll until KEDA scales to zero.
    pub cooldown_period: Duration,
    /// Shortest time from the creation of the ScaledObject until KEDA scales to zero, if it was never active.
    pub initial_cooldown_period: Duration,
    /// The number of replicas of an inactive ScaledObject, in place of the minimum.
    pub idle_replica_count: Option<u32>,
    /// `minReplicaCount`, 0 if unset.
    pub min_replica_count: u32,
    /// `maxReplicaCount`.
    pub max_replica_count: u32,
    /// KEDA's reaction to an unreadable queue.
    pub fallback: Option<Fallback>,
    /// `behavior` of the HPA; `None` if unset, in which case other rules apply, not other defaults.
    pub behavior: Option<Behavior>,
    /// Target number of messages per replica (`queueLength`).
    pub queue_length: u64,
    /// The queue is active with more messages than this (`activationQueueLength`).
    pub activation_queue_length: i64,
    /// The messages that count.
    pub strategy: LengthStrategy,
    /// Whether the HPA gets the result of the operator's last poll instead of its own read (`useCachedMetrics`).
    pub use_cached_metrics: bool,
    /// The index of the main queue's trigger in `spec.triggers`.
    pub trigger_index: usize,
    /// The name of the main queue's trigger, which a formula uses.
    pub trigger_name: Option<String>,
    /// The other triggers.
    pub others: Vec<Trigger>,
    /// The formula that replaces the triggers' values.
    pub modifiers: Option<Modifiers>,
    /// The annotations that pause scaling or force activation.
    pub annotations: Annotations,
    /// Settings of the cluster, not of the ScaledObject.
    pub controller: ControllerFlags,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            polling_interval: Duration::from_secs(30),
            cooldown_period: Duration::from_secs(300),
            initial_cooldown_period: Duration::ZERO,
            idle_replica_count: None,
            min_replica_count: 0,
            max_replica_count: 100,
            fallback: None,
            behavior: None,
            queue_length: 5,
            activation_queue_length: 0,
            strategy: LengthStrategy::All,
            use_cached_metrics: false,
            trigger_index: 0,
            trigger_name: None,
            others: Vec::new(),
            modifiers: None,
            annotations: Annotations::default(),
            controller: ControllerFlags::default(),
        }
    }
}

impl Settings {
    /// The HPA's `minReplicas`: never 0 (KEDA `scaledobject_types.go`, `GetHPAMinReplicas`).
    pub fn hpa_min_replicas(&self) -> u32 {
        self.min_replica_count.max(1)
    }

    /// The same settings with every time divided by `factor`: a load that is faster by this factor gets the same decisions,
    /// sooner by this factor. Not true for cron triggers, which depend on the clock.
    #[must_use]
    pub fn faster(&self, factor: u32) -> Self {
        let mut faster = self.clone();
        for time in [
            &mut faster.polling_interval,
            &mut faster.cooldown_period,
            &mut faster.initial_cooldown_period,
            &mut faster.controller.sync_period,
            &mut faster.controller.downscale_stabilization,
            &mut faster.controller.status_resolution,
        ] {
            *time /= factor;
        }
        for rules in faster.behavior.iter_mut().flat_map(Behavior::both) {
            rules.stabilization_window = rules.stabilization_window.map(|window| window / factor);
            for policy in &mut rules.policies {
                policy.period /= factor;
            }
        }
        faster
    }

    /// The HPA's behavior with these annotations: a paused direction becomes a `Disabled` policy, so the HPA gets an explicit
    /// behavior even if the ScaledObject has none (KEDA `controllers/keda/hpa.go`, `newHPAForScaledObject`).
    pub fn effective_behavior(&self, annotations: &Annotations) -> Option<Behavior> {
        let mut behavior = self.behavior.clone();
        if annotations.paused_scale_in {
            behavior.get_or_insert_default().scale_down.select_policy = SelectPolicy::Disabled;
        }
        if annotations.paused_scale_out {
            behavior.get_or_insert_default().scale_up.select_policy = SelectPolicy::Disabled;
        }
        behavior
    }
}

/// KEDA's reaction to an unreadable queue (`fallback`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallback {
    /// Number of consecutive reads that may fail; the next failure falls back. Reads of the operator and of the HPA both count.
    pub failure_threshold: u32,
    /// The fallback number of replicas.
    pub replicas: u32,
    /// How this number relates to the present replicas.
    pub behavior: FallbackBehavior,
}

/// `fallback.behavior` (KEDA `pkg/fallback/fallback.go`, `doFallback`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FallbackBehavior {
    /// The fallback number.
    #[default]
    Static,
    /// The present number of replicas.
    CurrentReplicas,
    /// The present number if it is higher than the fallback number.
    CurrentReplicasIfHigher,
    /// The present number if it is lower than the fallback number.
    CurrentReplicasIfLower,
    /// The formula's result, where an unreadable trigger is nil (KEDA `pkg/scaling/modifiers/formula.go`).
    ScalingModifiers,
}

/// Annotations of a ScaledObject (KEDA `scaledobject_types.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Annotations {
    /// `autoscaling.keda.sh/paused`, `autoscaling.keda.sh/paused-replicas`.
    pub paused: Option<Paused>,
    /// `autoscaling.keda.sh/paused-scale-in`.
    pub paused_scale_in: bool,
    /// `autoscaling.keda.sh/paused-scale-out`.
    pub paused_scale_out: bool,
    /// `autoscaling.keda.sh/force-activation`.
    pub force_activation: bool,
}

/// How scaling is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paused {
    /// At the present number of replicas.
    Here,
    /// At this number of replicas.
    At(u32),
}

/// Rules for both directions; the default is that of Kubernetes for an explicit `behavior`.
#[derive(Debug, Clone, PartialEq)]
pub struct Behavior {
    /// Rules for scaling up.
    pub scale_up: Rules,
    /// Rules for scaling down.
    pub scale_down: Rules,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            scale_up: Rules::default_up(),
            scale_down: Rules::default_down(),
        }
    }
}

impl Behavior {
    const fn both(&mut self) -> [&mut Rules; 2] {
        [&mut self.scale_up, &mut self.scale_down]
    }
}

/// Rules for one direction (`HPAScalingRules`).
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// How long the most cautious recommendation counts. `None`, only for scaling down: the controller's default.
    pub stabilization_window: Option<Duration>,
    /// Which of the policies applies.
    pub select_policy: SelectPolicy,
    /// The policies: how much may change in which time. Never empty.
    pub policies: Vec<Policy>,
    /// Tolerated deviation from the target; `None`: the controller's default. A field since Kubernetes 1.33, effective by
    /// default since 1.35 (`HPAConfigurableTolerance`).
    pub tolerance: Option<f64>,
}

impl Rules {
    /// 4 pods or 100 % in 15 s, whichever is more, no window (Kubernetes `pkg/apis/autoscaling/v2/defaults.go`,
    /// `defaultHPAScaleUpRules`).
    pub fn default_up() -> Self {
        Self {
            stabilization_window: Some(Duration::ZERO),
            select_policy: SelectPolicy::Max,
            policies: vec![
                Policy::per_15_s(PolicyKind::Pods, 4),
                Policy::per_15_s(PolicyKind::Percent, 100),
            ],
            tolerance: None,
        }
    }

    /// 100 % in 15 s, the controller's window (Kubernetes `defaults.go`, `defaultHPAScaleDownRules`).
    pub fn default_down() -> Self {
        Self {
            stabilization_window: None,
            select_policy: SelectPolicy::Max,
            policies: vec![Policy::per_15_s(PolicyKind::Percent, 100)],
            tolerance: None,
        }
    }
}

/// Which policy applies if there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectPolicy {
    /// The policy that allows the greatest change.
    Max,
    /// The policy that allows the smallest change.
    Min,
    /// No policy: no change in this direction.
    Disabled,
}

/// A limit on the change in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The unit of `value`.
    pub kind: PolicyKind,
    /// Pods, or percent of the replicas at the begin of the period.
    pub value: u32,
    /// The period.
    pub period: Duration,
}

impl Policy {
    fn per_15_s(kind: PolicyKind, value: u32) -> Self {
        Self {
            kind,
            value,
            period: Duration::from_secs(15),
        }
    }
}

/// `type` of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// A number of pods.
    Pods,
    /// A part of the replicas.
    Percent,
}

/// Flags of the `kube-controller-manager`, and other properties of the cluster. Managed clusters have the defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControllerFlags {
    /// `--horizontal-pod-autoscaler-sync-period`.
    pub sync_period: Duration,
    /// `--horizontal-pod-autoscaler-tolerance`.
    pub tolerance: f64,
    /// `--horizontal-pod-autoscaler-downscale-stabilization`.
    pub downscale_stabilization: Duration,
    /// Precision of times in an object's status (`metav1.Time` is written in whole seconds), so that a cooldown can end up to a
    /// second early.
    pub status_resolution: Duration,
}

impl Default for ControllerFlags {
    /// Kubernetes `pkg/controller/podautoscaler/config/v1alpha1/defaults.go`.
    fn default() -> Self {
        Self {
            sync_period: Duration::from_secs(15),
            tolerance: 0.1,
            downscale_stabilization: Duration::from_secs(300),
            status_resolution: Duration::from_secs(1),
        }
    }
}
