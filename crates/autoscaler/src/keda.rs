//! The operator's part: polls the queue, moves between zero (or idle) and one, and stands in for an unreadable queue.

use std::time::Duration;

use crate::autoscaler::Reason;
use crate::{Annotations, FallbackBehavior, Phases, ScalerError, Settings};

/// Failed reads in a row, of the operator and of the HPA together: both write them into the ScaledObject's status (KEDA
/// `pkg/fallback/fallback.go`, `IncrementFailure` and `UpdateHealthStatus`).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Health {
    failures: u32,
}

/// What a read means after fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Metric {
    /// Messages, invented ones if `fallback`.
    pub(crate) value: Result<u64, ScalerError>,
    /// It is the fallback's.
    pub(crate) fallback: bool,
}

impl Health {
    /// KEDA `fallback.go`, `GetMetricsWithFallback` and `doFallback`: falls back when **more** than `failureThreshold` reads
    /// in a row have failed, and then reports as many messages as the wanted replicas would have.
    pub(crate) fn metric(
        &mut self,
        settings: &Settings,
        raw: Result<u64, ScalerError>,
        replicas: u32,
    ) -> Metric {
        let plain = Metric {
            value: raw,
            fallback: false,
        };
        let Some(fallback) = settings.fallback else {
            return plain;
        };
        if raw.is_ok() {
            self.failures = 0;
            return plain;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures <= fallback.failure_threshold {
            return plain;
        }
        let wanted = match fallback.behavior {
            FallbackBehavior::Static => fallback.replicas,
            FallbackBehavior::CurrentReplicas => replicas,
            FallbackBehavior::CurrentReplicasIfHigher => replicas.max(fallback.replicas),
            FallbackBehavior::CurrentReplicasIfLower => replicas.min(fallback.replicas),
        };
        Metric {
            value: Ok(settings.queue_length.saturating_mul(wanted.into())),
            fallback: true,
        }
    }
}

/// The scale loop of one ScaledObject.
#[derive(Debug, Clone)]
pub(crate) struct ScaleLoop {
    /// What the wall clock shows at time zero, from a moment that keeps every time here positive.
    zero: Duration,
    /// When the ScaledObject was created, by the wall clock, as its metadata have it.
    created: Duration,
    /// The last active poll, by the wall clock, as the status has it.
    last_active: Option<Duration>,
}

impl ScaleLoop {
    pub(crate) fn new(
        settings: &Settings,
        age: Duration,
        active_ago: Option<Duration>,
        phases: &Phases,
    ) -> Self {
        let resolution = settings.controller.status_resolution;
        let whole_age = age + remaining(age, resolution);
        let zero = whole_age + phases.second;
        let mut new = Self {
            zero,
            created: Duration::ZERO,
            last_active: None,
        };
        new.created = whole(zero.saturating_sub(age), resolution);
        new.last_active = active_ago.map(|ago| whole(zero.saturating_sub(ago), resolution));
        new
    }

    /// One poll: what the scale target is set to, if it is (KEDA `pkg/scaling/executor/scale_scaledobjects.go`,
    /// `RequestScale`). Activity follows KEDA `pkg/scaling/scale_handler.go`, `getScalerState`: a fallback is active, whatever
    /// it falls back to, and a failed read is not.
    pub(crate) fn poll(
        &mut self,
        settings: &Settings,
        annotations: &Annotations,
        now: Duration,
        metric: Metric,
        current: u32,
    ) -> Option<(u32, Reason)> {
        let min = settings.min_replica_count;
        let active = metric.fallback || metric.value.is_ok_and(|length| exceeds(length, settings));
        if active || annotations.force_activation {
            if current == 0 || (settings.idle_replica_count.is_some() && current < min) {
                return self.activate(settings, annotations, now);
            }
            // With an error, only force-activation leads here, and that does not prolong the cooldown.
            if metric.value.is_ok() {
                self.last_active = Some(self.stamp(settings, now));
            }
            return None;
        }
        if metric.value.is_err() {
            // A fallback to 0 replicas does not protect: the cooldown goes on as if the queue were empty.
            match settings.fallback {
                None => return None,
                Some(fallback) if fallback.replicas != 0 => return None,
                Some(_) => {}
            }
        }
        match settings.idle_replica_count {
            Some(idle) if current > idle => self.deactivate(settings, annotations, now, idle),
            _ if current > 0 && min == 0 => {
                let to = settings.idle_replica_count.unwrap_or(0);
                self.deactivate(settings, annotations, now, to)
            }
            None if current < min => Some((min, Reason::BelowMinimum)),
            _ => None,
        }
    }

    /// To the minimum, at least one (KEDA `scale_scaledobjects.go`, `scaleFromZeroOrIdle`). While scale-out is paused
    /// activity is not even noted, so a cooldown can end meanwhile.
    fn activate(
        &mut self,
        settings: &Settings,
        annotations: &Annotations,
        now: Duration,
    ) -> Option<(u32, Reason)> {
        if annotations.paused_scale_out {
            return None;
        }
        self.last_active = Some(self.stamp(settings, now));
        Some((settings.hpa_min_replicas(), Reason::Activated))
    }

    /// To zero or idle once the cooldown is over: a write that passes by the HPA and its windows (KEDA
    /// `scale_scaledobjects.go`, `scaleToZeroOrIdle`). A ScaledObject that was never active has its initial cooldown only.
    fn deactivate(
        &self,
        settings: &Settings,
        annotations: &Annotations,
        now: Duration,
        to: u32,
    ) -> Option<(u32, Reason)> {
        let over = match self.last_active {
            Some(active) => active + settings.cooldown_period,
            None => self.created + settings.initial_cooldown_period,
        };
        let cold = over < self.zero + now;
        (cold && !annotations.paused_scale_in).then_some((to, Reason::Deactivated))
    }

    /// `now` as the status keeps it: `metav1.Time` is written in whole seconds, rounded down.
    fn stamp(&self, settings: &Settings, now: Duration) -> Duration {
        whole(self.zero + now, settings.controller.status_resolution)
    }
}

/// Strictly more (KEDA `pkg/scalers/azure_queue_scaler.go`, `GetMetricsAndActivity`).
fn exceeds(length: u64, settings: &Settings) -> bool {
    i64::try_from(length).unwrap_or(i64::MAX) > settings.activation_queue_length
}

fn whole(time: Duration, resolution: Duration) -> Duration {
    time.saturating_sub(remainder(time, resolution))
}

/// What `time` lacks to the next whole one.
fn remaining(time: Duration, resolution: Duration) -> Duration {
    match remainder(time, resolution) {
        Duration::ZERO => Duration::ZERO,
        over => resolution.saturating_sub(over),
    }
}

fn remainder(time: Duration, resolution: Duration) -> Duration {
    match resolution.as_nanos() {
        0 => Duration::ZERO,
        nanos => Duration::from_nanos(u64::try_from(time.as_nanos() % nanos).unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests;
