//! How far one sync may go.

use std::cmp::Ordering;
use std::time::Duration;

use crate::{Behavior, Policy, PolicyKind, Rules, SelectPolicy, Settings};

/// Replicas out of a floating point number: what is no number is 0, what is too large the largest (Kubernetes has
/// `int32`).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before; `as` makes 0 of what is not a number"
)]
pub(super) fn count(replicas: f64) -> u32 {
    replicas.clamp(0.0, f64::from(i32::MAX)) as u32
}

/// Kubernetes `horizontal.go`, `convertDesiredReplicasWithRules` and `calculateScaleUpLimit`.
pub(super) fn without_behavior(current: u32, desired: u32, settings: &Settings) -> u32 {
    let (min, max) = (settings.hpa_min_replicas(), settings.max_replica_count);
    let limit = current.saturating_mul(2).max(4);
    if desired < min {
        min
    } else {
        desired.min(max.min(limit))
    }
}

/// Changes of replicas that policies look back on.
#[derive(Debug, Clone, Default)]
pub(super) struct ScaleEvents {
    up: Vec<ScaleEvent>,
    down: Vec<ScaleEvent>,
}

#[derive(Debug, Clone, Copy)]
struct ScaleEvent {
    at: Duration,
    change: u32,
    outdated: bool,
}

impl ScaleEvents {
    /// Kubernetes `horizontal.go`, `storeScaleEvent`. Only what the HPA itself changes is noted: KEDA's steps from and to
    /// zero are not. An event that is too old for the policies of its own direction may be overwritten, also while a
    /// policy of the other direction still looks back on it.
    pub(super) fn note(&mut self, behavior: &Behavior, now: Duration, from: u32, to: u32) {
        let (events, rules) = if to > from {
            (&mut self.up, &behavior.scale_up)
        } else {
            (&mut self.down, &behavior.scale_down)
        };
        let periods = rules.policies.iter().map(|policy| policy.period);
        let longest = periods.max().unwrap_or_default();
        for event in events.iter_mut() {
            event.outdated |= now.saturating_sub(event.at) > longest;
        }
        let new = ScaleEvent {
            at: now,
            change: from.abs_diff(to),
            outdated: false,
        };
        match events.iter_mut().rev().find(|event| event.outdated) {
            Some(old) => *old = new,
            None => events.push(new),
        }
    }

    /// Kubernetes `horizontal.go`, `convertDesiredReplicasWithBehaviorRate`.
    pub(super) fn limit(
        &self,
        settings: &Settings,
        behavior: &Behavior,
        now: Duration,
        current: u32,
        desired: u32,
    ) -> u32 {
        match desired.cmp(&current) {
            Ordering::Greater => {
                let limit = self.up_limit(&behavior.scale_up, now, current);
                desired.min(settings.max_replica_count.min(limit.max(current)))
            }
            Ordering::Less => {
                let limit = self.down_limit(&behavior.scale_down, now, current);
                // The controller takes the limit if it is higher than the minimum, and never more than there are.
                desired.max(settings.hpa_min_replicas().max(limit.min(current)))
            }
            Ordering::Equal => desired,
        }
    }

    /// Kubernetes `horizontal.go`, `calculateScaleUpLimitWithScalingRules`: percents are rounded up, or one replica could
    /// never grow.
    fn up_limit(&self, rules: &Rules, now: Duration, current: u32) -> u32 {
        let limit = |policy: &Policy| {
            let start = self.at_period_start(policy, now, current);
            match policy.kind {
                PolicyKind::Pods => start + f64::from(policy.value),
                PolicyKind::Percent => (start * (1.0 + f64::from(policy.value) / 100.0)).ceil(),
            }
        };
        let limits = rules.policies.iter().map(limit);
        match rules.select_policy {
            SelectPolicy::Disabled => current,
            SelectPolicy::Max => count(limits.fold(f64::MIN, f64::max)),
            SelectPolicy::Min => count(limits.fold(f64::MAX, f64::min)),
        }
    }

    /// Kubernetes `horizontal.go`, `calculateScaleDownLimitWithBehaviors`: percents are rounded down; the greatest change
    /// is the lowest limit.
    fn down_limit(&self, rules: &Rules, now: Duration, current: u32) -> u32 {
        let limit = |policy: &Policy| {
            let start = self.at_period_start(policy, now, current);
            match policy.kind {
                PolicyKind::Pods => start - f64::from(policy.value),
                PolicyKind::Percent => (start * (1.0 - f64::from(policy.value) / 100.0)).trunc(),
            }
        };
        let limits = rules.policies.iter().map(limit);
        match rules.select_policy {
            SelectPolicy::Disabled => current,
            SelectPolicy::Max => count(limits.fold(f64::MAX, f64::min)),
            SelectPolicy::Min => count(limits.fold(f64::MIN, f64::max)),
        }
    }

    /// Replicas when the policy's period began, as far as the HPA changed them since (Kubernetes `horizontal.go`,
    /// `getReplicasChangePerPeriod`). Can be negative when KEDA went to zero in between.
    fn at_period_start(&self, policy: &Policy, now: Duration, current: u32) -> f64 {
        let sum = |events: &[ScaleEvent]| {
            let recent = events.iter();
            recent
                .filter(|event| now.saturating_sub(event.at) < policy.period)
                .map(|event| f64::from(event.change))
                .sum::<f64>()
        };
        f64::from(current) - sum(&self.up) + sum(&self.down)
    }
}
