//! What decides how a ScaledObject scales, checked and with every default filled in.

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

/// The settings of a ScaledObject with an `azure-queue` trigger, the queue that is asked about, and others. [`ScaledObject::settings`] makes them from a manifest;
/// the default is KEDA's for a manifest that sets nothing (KEDA `apis/keda/v1alpha1/withtriggers_types.go`,
/// `scaledobject_types.go`, `pkg/scaling/executor/scale_executor.go`).
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// From one poll of the operator to the next.
    pub polling_interval: Duration,
    /// From the last active poll to zero, at the earliest.
    pub cooldown_period: Duration,
    /// From the creation of the ScaledObject to zero, at the earliest, if it has never been active.
    pub initial_cooldown_period: Duration,
    /// What inactivity scales to, instead of the minimum.
    pub idle_replica_count: Option<u32>,
    /// `minReplicaCount`, 0 if unset.
    pub min_replica_count: u32,
    /// `maxReplicaCount`.
    pub max_replica_count: u32,
    /// What to do when the queue cannot be read.
    pub fallback: Option<Fallback>,
    /// `behavior` of the HPA, `None` if unset: other rules hold then, not other defaults.
    pub behavior: Option<Behavior>,
    /// Messages a replica is meant to have (`queueLength`).
    pub queue_length: u64,
    /// Active means more messages than this (`activationQueueLength`).
    pub activation_queue_length: i64,
    /// What is counted.
    pub strategy: LengthStrategy,
    /// The HPA gets what the operator's last poll read, not a read of its own (`useCachedMetrics`).
    pub use_cached_metrics: bool,
    /// Which of `spec.triggers` reads that queue.
    pub trigger_index: usize,
    /// The name of that queue's trigger, by which a formula knows it.
    pub trigger_name: Option<String>,
    /// Triggers besides it.
    pub others: Vec<Trigger>,
    /// What counts instead of what each trigger reads.
    pub modifiers: Option<Modifiers>,
    /// The annotations that stop or force scaling.
    pub annotations: Annotations,
    /// What the cluster decides, not the ScaledObject.
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

    /// The same with every time divided by `factor`: what happens to a load that is as much faster happens as much sooner. Not so
    /// of cron triggers, which go by the clock.
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

    /// The behavior that the HPA really has under these annotations: a paused direction is a `Disabled` policy, and with
    /// it the HPA gets an explicit behavior even if the ScaledObject has none (KEDA `controllers/keda/hpa.go`,
    /// `newHPAForScaledObject`).
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

/// What KEDA does when the queue cannot be read (`fallback`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallback {
    /// As many reads may fail in a row; the next one falls back. Reads of the operator and of the HPA count alike.
    pub failure_threshold: u32,
    /// Replicas to fall back to.
    pub replicas: u32,
    /// How they relate to the current ones.
    pub behavior: FallbackBehavior,
}

/// `fallback.behavior` (KEDA `pkg/fallback/fallback.go`, `doFallback`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FallbackBehavior {
    /// The given replicas.
    #[default]
    Static,
    /// The current ones.
    CurrentReplicas,
    /// The current ones if they are more.
    CurrentReplicasIfHigher,
    /// The current ones if they are fewer.
    CurrentReplicasIfLower,
    /// The formula's: what cannot be read is nil there (KEDA `pkg/scaling/modifiers/formula.go`).
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
    /// At what there is.
    Here,
    /// At so many replicas.
    At(u32),
}

/// Rules for both directions; the default is what Kubernetes fills into an explicit `behavior`.
#[derive(Debug, Clone, PartialEq)]
pub struct Behavior {
    /// More replicas.
    pub scale_up: Rules,
    /// Fewer replicas.
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
    /// How far back the most cautious recommendation counts. `None`, only downwards: the controller's.
    pub stabilization_window: Option<Duration>,
    /// Which of the policies holds.
    pub select_policy: SelectPolicy,
    /// How much may change in how long a time. Never empty.
    pub policies: Vec<Policy>,
    /// Deviation from the target that is put up with; `None`: the controller's. A field of Kubernetes 1.33 on, heeded by
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

/// Which policy holds if there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectPolicy {
    /// The one that allows the greatest change.
    Max,
    /// The one that allows the smallest.
    Min,
    /// None: no change in this direction.
    Disabled,
}

/// So much change in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What `value` counts.
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

/// Flags of the `kube-controller-manager`, and what else is the cluster's. Managed clusters have the defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControllerFlags {
    /// `--horizontal-pod-autoscaler-sync-period`.
    pub sync_period: Duration,
    /// `--horizontal-pod-autoscaler-tolerance`.
    pub tolerance: f64,
    /// `--horizontal-pod-autoscaler-downscale-stabilization`.
    pub downscale_stabilization: Duration,
    /// Times in an object's status lose what is below this (`metav1.Time` is written in whole seconds), so that a cooldown
    /// can end up to a second early.
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
