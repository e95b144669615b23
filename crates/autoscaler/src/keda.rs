//! The operator: polls the queue, scales between zero (or idle) and one, and applies the fallback for an unreadable queue.

use std::time::Duration;

use crate::decision::Reason;
use crate::scaler::{from_units, units};
use crate::{Annotations, Fallback, Modifiers, Phases, ScalerError, Settings};

mod health;

pub(crate) use health::{Health, Reader};

/// The metric of one trigger, after fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Metric {
    /// The value in thousandths; an invented one if `fallback`. `None` is nil in a formula.
    pub(crate) value: Result<Option<i64>, ScalerError>,
    /// Whether the value is the fallback's.
    pub(crate) fallback: bool,
    /// Whether the trigger is active, by the value that was read.
    pub(super) active: bool,
}

/// The placeholder that KEDA's metrics server stores for nil, if a trigger uses cached metrics (KEDA `fallback.go`,
/// `GetMetricsWithFallback`).
pub(crate) const PLACEHOLDER: i64 = -1_000;

impl Settings {
    /// The fallback, if it is valid (KEDA `fallback.go`, `HasValidFallback`): it is not with a formula whose target is not an
    /// integer.
    pub(super) fn valid_fallback(&self) -> Option<Fallback> {
        let valid = self.modifiers.as_ref().is_none_or(|it| it.whole_target);
        self.fallback.filter(|_| valid)
    }
}

/// The state of all triggers at a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) active: bool,
    /// Whether a trigger could not be read.
    pub(crate) error: bool,
}

impl State {
    /// Computes the state: active if one of the triggers is. A fallback is active, whatever its number, and a failed read is
    /// not. With a formula, its number decides, and after a failed read nothing is active (KEDA `pkg/scaling/scale_handler.go`,
    /// `getScaledObjectState` and `getScalerState`).
    pub(crate) fn of(settings: &Settings, metrics: &[Metric]) -> Self {
        let error = metrics.iter().any(|it| it.value.is_err());
        let active = match &settings.modifiers {
            None => metrics
                .iter()
                .any(|it| it.fallback || (it.active && it.value.is_ok())),
            Some(modifiers) => {
                let number = modifiers.composite(metrics, settings.fallback.as_ref());
                !error && modifiers.is_active(number)
            }
        };
        Self { active, error }
    }
}

impl Modifiers {
    /// The HPA's value, in thousandths: the formula's number, or that of the first trigger that has fallen back; `None`: no
    /// value (KEDA `pkg/scaling/modifiers/formula.go`, `HandleScalingModifiers`).
    pub(crate) fn composite(&self, metrics: &[Metric], fallback: Option<&Fallback>) -> Option<i64> {
        if let Some(fallen) = metrics.iter().find(|it| it.fallback) {
            return fallen.value.ok().flatten();
        }
        let values = metrics.iter().map(|it| it.value.ok().flatten().map(units));
        self.number(&values.collect::<Vec<_>>(), fallback)
    }

    /// KEDA `formula.go`, `calculateScalingModifiersFormula` and `scalingModifiersFallbackTarget`.
    pub(crate) fn number(
        &self,
        values: &[Option<f64>],
        fallback: Option<&Fallback>,
    ) -> Option<i64> {
        let number = match self.formula.evaluate(values).ok()? {
            Some(number) => number,
            None => f64::from(fallback?.replicas) * self.target,
        };
        Some(from_units(number))
    }

    /// KEDA `scale_handler.go`, `getScaledObjectState`.
    pub(crate) fn is_active(&self, number: Option<i64>) -> bool {
        number.is_some_and(|number| units(number) > self.activation_target)
    }
}

/// The scale loop of one ScaledObject.
#[derive(Debug, Clone)]
pub(crate) struct ScaleLoop {
    /// The wall clock's time at time zero, with an offset that keeps every time here positive.
    zero: Duration,
    /// The creation time of the ScaledObject in its metadata, by the wall clock.
    created: Duration,
    /// The time of the last active poll in the status, by the wall clock.
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
        // A multiple of the resolution, and no less than the age.
        let whole_age = age + resolution.saturating_sub(remainder(age, resolution));
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

    /// Makes one poll, and returns the new number of replicas if it changes (KEDA
    /// `pkg/scaling/executor/scale_scaledobjects.go`, `RequestScale`).
    pub(crate) fn poll(
        &mut self,
        settings: &Settings,
        annotations: &Annotations,
        now: Duration,
        state: State,
        current: u32,
    ) -> Option<(u32, Reason)> {
        let min = settings.min_replica_count;
        if state.active || annotations.force_activation {
            if current == 0 || (settings.idle_replica_count.is_some() && current < min) {
                return self.activate(settings, annotations, now);
            }
            // If a trigger cannot be read, neither other triggers nor force-activation prolong the cooldown.
            if !state.error {
                self.last_active = Some(self.stamp(settings, now));
            }
            return None;
        }
        if state.error {
            // A fallback to 0 replicas does not keep replicas: the cooldown continues as with an empty queue.
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

    /// Scales to the minimum, at least one (KEDA `scale_scaledobjects.go`, `scaleFromZeroOrIdle`). While scale-out is paused,
    /// activity is not recorded at all, so a cooldown can end in the meantime.
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

    /// Scales to zero or idle after the cooldown, without the HPA and its windows (KEDA `scale_scaledobjects.go`,
    /// `scaleToZeroOrIdle`). A ScaledObject that was never active has only its initial cooldown.
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

    /// `now` as stored in the status: `metav1.Time` is written in whole seconds, rounded down.
    fn stamp(&self, settings: &Settings, now: Duration) -> Duration {
        whole(self.zero + now, settings.controller.status_resolution)
    }
}

fn whole(time: Duration, resolution: Duration) -> Duration {
    time.saturating_sub(remainder(time, resolution))
}

fn remainder(time: Duration, resolution: Duration) -> Duration {
    match resolution.as_nanos() {
        0 => Duration::ZERO,
        nanos => Duration::from_nanos(u64::try_from(time.as_nanos() % nanos).unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests;
