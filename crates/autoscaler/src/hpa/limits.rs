//! Limits on the change in one sync.

use std::cmp::Ordering;
use std::time::Duration;

use crate::{Behavior, Policy, PolicyKind, Rules, SelectPolicy, Settings};

/// Converts a floating point number to replicas: not a number gives 0, a number that is too large the largest (Kubernetes has
/// `int32`).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before; `as` makes 0 of what is not a number"
)]
pub(super) fn count(replicas: f64) -> u32 {
    replicas.clamp(0.0, f64::from(i32::MAX)) as u32
}

/// The sum that Kubernetes has for these replicas, an `int32`: one that is too large goes on at the other end of its range, so that a
/// policy of 2147483647 Pods lets nothing grow.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the sum of two numbers that an i32 holds; the rest is what is meant"
)]
fn wrapped(replicas: f64) -> f64 {
    f64::from(replicas as i64 as i32)
}

/// The `int32` that Go makes of these replicas on amd64: the smallest, if they are out of its range. The Go specification
/// ("Conversions between numeric types") leaves this to the implementation.
fn converted(replicas: f64) -> f64 {
    let is_in_range = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&replicas);
    if is_in_range {
        replicas
    } else {
        f64::from(i32::MIN)
    }
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

/// Changes of replicas, for the periods of policies.
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
    /// Records a change (Kubernetes `horizontal.go`, `storeScaleEvent`). Only changes by the HPA are recorded, not KEDA's steps
    /// from and to zero. An event that is too old for the policies of its own direction may be overwritten, even if a policy of
    /// the other direction still needs it.
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
                // The controller takes the limit if it is higher than the minimum, but never more than the present replicas.
                desired.max(settings.hpa_min_replicas().max(limit.min(current)))
            }
            Ordering::Equal => desired,
        }
    }

    /// Kubernetes `horizontal.go`, `calculateScaleUpLimitWithScalingRules`: percentages are rounded up, because otherwise one
    /// replica could never grow.
    fn up_limit(&self, rules: &Rules, now: Duration, current: u32) -> u32 {
        let limit = |policy: &Policy| {
            let start = self.at_period_start(policy, now, current);
            match policy.kind {
                PolicyKind::Pods => wrapped(start + f64::from(policy.value)),
                PolicyKind::Percent => {
                    converted((start * (1.0 + f64::from(policy.value) / 100.0)).ceil())
                }
            }
        };
        let limits = rules.policies.iter().map(limit);
        match rules.select_policy {
            SelectPolicy::Disabled => current,
            SelectPolicy::Max => count(limits.fold(f64::MIN, f64::max)),
            SelectPolicy::Min => count(limits.fold(f64::MAX, f64::min)),
        }
    }

    /// Kubernetes `horizontal.go`, `calculateScaleDownLimitWithBehaviors`: percentages are rounded down; the greatest change is
    /// the lowest limit.
    fn down_limit(&self, rules: &Rules, now: Duration, current: u32) -> u32 {
        let limit = |policy: &Policy| {
            let start = self.at_period_start(policy, now, current);
            match policy.kind {
                PolicyKind::Pods => wrapped(start - f64::from(policy.value)),
                PolicyKind::Percent => {
                    converted((start * (1.0 - f64::from(policy.value) / 100.0)).trunc())
                }
            }
        };
        let limits = rules.policies.iter().map(limit);
        match rules.select_policy {
            SelectPolicy::Disabled => current,
            SelectPolicy::Max => count(limits.fold(f64::MAX, f64::min)),
            SelectPolicy::Min => count(limits.fold(f64::MIN, f64::max)),
        }
    }

    /// Replicas at the begin of the policy's period, as far as the HPA has changed them since (Kubernetes `horizontal.go`,
    /// `getReplicasChangePerPeriod`). Can be negative if KEDA scaled to zero in between.
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
