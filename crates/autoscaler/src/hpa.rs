//! The HPA: how many replicas an external `AverageValue` metric asks for, and how fast they may change.

mod limits;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use crate::decision::Reason;
use crate::{Behavior, ScalerError, Settings, Start};
use limits::ScaleEvents;

/// One metric of the HPA, in thousandths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) usage: Result<i64, ScalerError>,
    /// The target per replica.
    pub(crate) target: i64,
}

impl Reading {
    /// The reading of a request without an answer.
    pub(crate) const fn missing() -> Self {
        Self {
            usage: Err(ScalerError),
            target: 1,
        }
    }
}

/// The HPA controller's state for one HPA.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hpa {
    /// Time zero on the clock of `recommendations`, some of which are earlier.
    zero: Duration,
    /// Recommendations with their times, before stabilisation and limits.
    recommendations: VecDeque<(Duration, u32)>,
    /// Whether the first sync, which records the replicas that it finds, has been made.
    synced: bool,
    events: ScaleEvents,
}

impl Hpa {
    /// The state of an HPA at time zero. An HPA that existed before without replicas to scale has recorded the 0 replicas of
    /// its first sync, a sync period after its creation, and nothing since (Kubernetes `horizontal.go`,
    /// `recordInitialRecommendation`, `enqueueHPA`): by time zero this may be outside of its windows. If there were replicas to
    /// scale, its recommendations are unknown, and it is treated as new.
    pub(crate) fn at_zero(settings: &Settings, start: &Start) -> Self {
        let mut new = Self {
            zero: start.age,
            ..Self::default()
        };
        let period = settings.controller.sync_period;
        let next = start.age + start.phases.sync;
        let past = next.as_nanos().checked_rem(period.as_nanos());
        let past = past.and_then(|nanos| u64::try_from(nanos).ok());
        let first = period + past.map_or(Duration::ZERO, Duration::from_nanos);
        if start.replicas == 0 && first < next {
            new.synced = true;
            new.recommendations.push_back((first, 0));
        }
        new
    }

    /// Makes one sync, and returns the new number of replicas if it changes (Kubernetes
    /// `pkg/controller/podautoscaler/horizontal.go`, `reconcileAutoscaler`). Metrics are read only if the controller reads
    /// them: not at 0 replicas, and not if the replicas are out of bounds.
    pub(crate) fn sync(
        &mut self,
        settings: &Settings,
        behavior: Option<&Behavior>,
        now: Duration,
        current: u32,
        metrics: impl FnOnce() -> Vec<Reading>,
    ) -> Option<(u32, Reason)> {
        if !self.synced {
            self.synced = true;
            self.recommendations.push_back((self.zero + now, current));
        }
        let (min, max) = (settings.hpa_min_replicas(), settings.max_replica_count);
        let (desired, reason) = if current == 0 {
            return None;
        } else if current > max {
            (max, Reason::AboveMaximum)
        } else if current < min {
            (min, Reason::BelowMinimum)
        } else {
            let wanted = largest(settings, behavior, &metrics(), current)?;
            let desired = match behavior {
                None => self.without_behavior(settings, now, current, wanted),
                Some(behavior) => self.with_behavior(settings, behavior, now, current, wanted),
            };
            let up = desired > current;
            (
                desired,
                if up {
                    Reason::AboveTarget
                } else {
                    Reason::BelowTarget
                },
            )
        };
        if desired == current {
            return None;
        }
        if let Some(behavior) = behavior {
            self.events.note(behavior, now, current, desired);
        }
        Some((desired, reason))
    }

    /// `horizontal.go`, `normalizeDesiredReplicas`: the highest recommendation of the window, then min, max and
    /// `max(2 * current, 4)`.
    fn without_behavior(
        &mut self,
        settings: &Settings,
        now: Duration,
        current: u32,
        wanted: u32,
    ) -> u32 {
        let window = settings.controller.downscale_stabilization;
        let now = self.zero + now;
        self.forget(now, window);
        let stabilized = self.recommendations.iter().map(|it| it.1).max();
        let stabilized = stabilized.map_or(wanted, |highest| highest.max(wanted));
        self.recommendations.push_back((now, wanted));
        limits::without_behavior(current, stabilized, settings)
    }

    /// `horizontal.go`, `normalizeDesiredReplicasWithBehaviors`: upwards the lowest recommendation of its window, downwards
    /// the highest of its own; then the policies.
    fn with_behavior(
        &mut self,
        settings: &Settings,
        behavior: &Behavior,
        now: Duration,
        current: u32,
        wanted: u32,
    ) -> u32 {
        let down_window = behavior.scale_down.stabilization_window;
        let down_window = down_window.unwrap_or(settings.controller.downscale_stabilization);
        let up_window = behavior.scale_up.stabilization_window.unwrap_or_default();
        let clock = self.zero + now;
        self.forget(clock, down_window.max(up_window));
        let (mut up, mut down) = (wanted, wanted);
        for (at, recommended) in &self.recommendations {
            let age = clock.saturating_sub(*at);
            // The edge of a window is outside of it here, unlike without a behavior.
            if age < up_window {
                up = up.min(*recommended);
            }
            if age < down_window {
                down = down.max(*recommended);
            }
        }
        self.recommendations.push_back((clock, wanted));
        let stabilized = current.max(up).min(down);
        self.events
            .limit(settings, behavior, now, current, stabilized)
    }

    /// Removes outdated recommendations. The controller keeps and overwrites them, but outside of the window they never count
    /// again.
    fn forget(&mut self, now: Duration, window: Duration) {
        while self
            .recommendations
            .front()
            .is_some_and(|(at, _)| now.saturating_sub(*at) > window)
        {
            self.recommendations.pop_front();
        }
    }
}

/// The largest number that a metric asks for. If a metric cannot be read, the number is not reduced (Kubernetes
/// `horizontal.go`, `computeReplicasForMetrics`).
fn largest(
    settings: &Settings,
    behavior: Option<&Behavior>,
    metrics: &[Reading],
    current: u32,
) -> Option<u32> {
    let read = metrics.iter().filter_map(|it| {
        let usage = it.usage.ok()?;
        Some(proposal(settings, behavior, usage, it.target, current))
    });
    let failed = metrics.iter().any(|it| it.usage.is_err());
    read.max().filter(|wanted| !failed || *wanted >= current)
}

/// The replicas for a metric's value, before any limit (Kubernetes `pkg/controller/podautoscaler/replica_calculator.go`,
/// `GetExternalPerPodMetricReplicas` and `isWithin`). The controller compares with `status.replicas`, here `current`.
///
/// Outside the tolerance the result does not depend on `current`. A target of 0 makes the ratio infinite, or, for an empty
/// queue, not a number: the result is the largest number, or 0. No API server accepts such a target, and settings cannot have
/// it unless they are made by hand.
pub(crate) fn proposal(
    settings: &Settings,
    behavior: Option<&Behavior>,
    usage: i64,
    target: i64,
    current: u32,
) -> u32 {
    let default = settings.controller.tolerance;
    let (up, down) = behavior.map_or((default, default), |behavior| {
        let up = behavior.scale_up.tolerance.unwrap_or(default);
        (up, behavior.scale_down.tolerance.unwrap_or(default))
    });
    // In thousandths, as in the controller, so that floating point is rounded in the same way.
    let (usage, target) = (usage as f64, target as f64);
    let ratio = usage / (target * f64::from(current));
    if (1.0 - down..=1.0 + up).contains(&ratio) {
        return current;
    }
    limits::count((usage / target).ceil())
}
