//! Warnings about settings that KEDA accepts and a user should not use.

mod job;

use super::manifest::{ScaledJob, ScaledObject, Trigger};
use super::validate::{AZURE_QUEUE_KEYS, CRON_KEYS};
use super::{SelectPolicy, Settings, Warning};
use crate::{Cron, LengthStrategy};

impl Settings {
    /// Unintended effects of these settings. The sample has the first two.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |field: &str, reason: String| {
            let field = field.to_owned();
            warnings.push(Warning { field, reason });
        };
        let activation = self.activation_queue_length;
        // Other triggers may be active in the meantime, and a formula has its own activation.
        let alone = self.others.is_empty() && self.modifiers.is_none();
        let to_zero = self.min_replica_count == 0 || self.idle_replica_count == Some(0);
        if activation > 0 && to_zero && alone {
            let messages = match activation {
                1 => "the last message of a burst is never worked on".to_owned(),
                some => format!("up to {some} messages of every burst are never worked on"),
            };
            let reason = format!("{messages}: active means more than {activation}");
            warn("activationQueueLength", reason);
        }
        if activation < 0 && self.modifiers.is_none() {
            let reason = "an empty queue is active, so nothing ever scales to zero".into();
            warn("activationQueueLength", reason);
        }
        if self.cooldown_period < self.polling_interval && to_zero {
            let reason = format!(
                "{:?} is over before the next poll ({:?}): one poll that finds the queue inactive ends all replicas at once",
                self.cooldown_period, self.polling_interval
            );
            warn("cooldownPeriod", reason);
        }
        if self.strategy == LengthStrategy::VisibleOnly && to_zero {
            let reason = "leased messages do not count: replicas can end while they work, and from 32 visible messages \
                          on they suddenly do count"
                .into();
            warn("queueLengthStrategy", reason);
        }
        match &self.behavior {
            None => {
                let reason =
                    "unset: scale-down is limited by nothing but a window of five minutes".into();
                warn("advanced.horizontalPodAutoscalerConfig.behavior", reason);
            }
            Some(behavior) if behavior.scale_up.select_policy == SelectPolicy::Disabled => {
                let reason =
                    "Disabled: there is never more than one replica, or the minimum".into();
                warn(
                    "advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.selectPolicy",
                    reason,
                );
            }
            Some(_) => {}
        }
        if self.idle_replica_count.is_some_and(|idle| idle > 0) {
            let reason = format!(
                "the HPA takes it back to its minimum of {} with every sync: only 0 works",
                self.hpa_min_replicas()
            );
            warn("idleReplicaCount", reason);
        }
        if self.fallback.is_some_and(|fallback| fallback.replicas == 0) && to_zero {
            let reason =
                "0: before the threshold an unreadable queue scales to zero like an empty one"
                    .into();
            warn("fallback.replicas", reason);
        }
        warnings.extend(self.of_formula());
        warnings.extend(self.ineffective());
        warnings.extend(self.tolerances());
        warnings
    }

    /// Warnings about formulas: of KEDA `fallback.go`, `HasValidFallback`, and of their results.
    fn of_formula(&self) -> impl Iterator<Item = Warning> {
        let modifiers = self.modifiers.as_ref().filter(|_| self.fallback.is_some());
        let broken = modifiers.is_some_and(|it| !it.whole_target);
        let target = broken.then(|| Warning {
            field: "advanced.scalingModifiers.target".to_owned(),
            reason: "no whole number: KEDA never falls back with it".to_owned(),
        });
        target.into_iter().chain(self.boundless())
    }

    /// Warns of a formula that may divide by 0. `expr-lang/expr` then returns infinity, without an error; KEDA `formula.go`,
    /// `calculateScalingModifiersFormula`, converts it to an integer with `int64(out * 1000)`.
    fn boundless(&self) -> Option<Warning> {
        let formula = &self.modifiers.as_ref()?.formula;
        let of_cron = |other: &super::Trigger| match &other.reads {
            super::Reads::Cron(cron) => vec![0.0, f64::from(cron.desired_replicas())],
            super::Reads::Queue(_) => Vec::new(),
        };
        let others = self.others.iter().map(of_cron);
        let known: Vec<_> = std::iter::once(Vec::new()).chain(others).collect();
        let (reads, number) = formula.boundless(&known)?;
        let others = self.others.iter().map(|it| it.name.as_deref());
        let names = std::iter::once(self.trigger_name.as_deref()).chain(others);
        let pairs = names.zip(&reads).enumerate();
        let used = pairs.filter(|(trigger, _)| formula.uses(*trigger));
        let used = used.filter_map(|(_, (name, reads))| Some((name?, reads)));
        let reads: Vec<_> = used
            .map(|(name, reads)| format!("{name} at {reads}"))
            .collect();
        let comes_to = if number.is_nan() {
            "no number (0 / 0)"
        } else {
            "an infinite number"
        };
        let reason = format!(
            "with {} it comes to {comes_to}, of which KEDA makes the lowest there is on amd64, as the model does: nothing is \
             active, and the HPA goes to its minimum, however many messages wait (on arm64 an infinite one is the highest, and \
             brings all replicas); divide by what cannot be 0, such as max(..., 1), or write a choice: b > 0 ? a / b : a",
            reads.join(" and ")
        );
        let field = "advanced.scalingModifiers.formula".to_owned();
        Some(Warning { field, reason })
    }

    /// Warns of a field without effect (KEDA `scaledobject_webhook.go`, `verifyScaledObjects`, warns of both).
    fn ineffective(&self) -> Option<Warning> {
        let defaults = Self::default();
        let at_work = self.min_replica_count > 0 && self.idle_replica_count != Some(0);
        let field = if self.cooldown_period != defaults.cooldown_period {
            "cooldownPeriod"
        } else if self.polling_interval != defaults.polling_interval && !self.use_cached_metrics {
            "pollingInterval"
        } else {
            return None;
        };
        at_work.then(|| Warning {
            field: field.to_owned(),
            reason:
                "without effect as long as minReplicaCount is over 0 and idleReplicaCount is not 0"
                    .to_owned(),
        })
    }

    /// Warns of directions with their own tolerance (Kubernetes `pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go`,
    /// `dropDisabledFields`; `pkg/features/kube_features.go`, `HPAConfigurableTolerance`: beta, and enabled by default, since
    /// 1.35).
    fn tolerances(&self) -> impl Iterator<Item = Warning> {
        let behavior = self.behavior.as_ref();
        let up = behavior.and_then(|it| it.scale_up.tolerance);
        let down = behavior.and_then(|it| it.scale_down.tolerance);
        let directions = [(up, "scaleUp"), (down, "scaleDown")];
        let set = directions.into_iter().filter(|(given, _)| given.is_some());
        set.map(|(_, direction)| Warning {
            field: format!("advanced.horizontalPodAutoscalerConfig.behavior.{direction}.tolerance"),
            reason:
                "needs Kubernetes 1.35: before, the API server drops it unless the feature gate \
                     HPAConfigurableTolerance is on, and the controller's tolerance of 10 % counts"
                    .to_owned(),
        })
    }
}

impl ScaledObject {
    /// Fields of the manifest without effect.
    pub fn warnings(&self) -> Vec<Warning> {
        of_triggers(&self.spec.triggers)
    }
}

impl ScaledJob {
    /// Fields of the manifest without effect, or with another effect than their names say.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = of_triggers(&self.spec.triggers);
        warnings.extend(job::warnings(&self.spec));
        warnings
    }
}

/// Warns of schedules that never come, and of keys that the scaler does not read. KEDA `typed_config.go`,
/// `checkUnexpectedParameterExist`, reports such keys only if a flag enables it.
fn of_triggers(triggers: &[Trigger]) -> Vec<Warning> {
    let of_trigger = |(n, trigger): (usize, &Trigger)| {
        let known: &[&str] = match trigger.kind.as_str() {
            "azure-queue" => &AZURE_QUEUE_KEYS,
            "cron" => &CRON_KEYS,
            _ => return Vec::new(),
        };
        let keys = trigger.metadata.keys();
        let unknown = keys.filter(|key| !known.contains(&key.as_str()));
        let warnings = unknown.map(|key| Warning {
            field: format!("triggers[{n}].metadata.{key}"),
            reason: format!(
                "{} has no such key, and KEDA ignores it; those that count are {}",
                trigger.kind,
                known.join(", ")
            ),
        });
        let mut warnings: Vec<_> = warnings.collect();
        if trigger.kind == "cron" {
            warnings.extend(of_schedules(n, trigger));
        }
        warnings
    };
    triggers.iter().enumerate().flat_map(of_trigger).collect()
}

/// Warns of schedules of a `cron` trigger that never come: their next time is Go's zero time, which is in the past (KEDA
/// `pkg/scalers/cron_scaler.go`, `GetMetricsAndActivity`; `robfig/cron`, `spec.go`, `Next`).
fn of_schedules(n: usize, trigger: &Trigger) -> impl Iterator<Item = Warning> {
    let never = |key: &str| {
        let text = trigger.metadata.get(key)?.0.trim();
        Cron::never_comes(text).then(|| (key.to_owned(), text.to_owned()))
    };
    let (start, end) = (never("start"), never("end"));
    let effect = if start.is_some() {
        "is active all the time, and its replicas stay"
    } else {
        "is never active, and asks for no replicas"
    };
    [start, end].into_iter().flatten().map(move |(key, text)| Warning {
        field: format!("triggers[{n}].metadata.{key}"),
        reason: format!(
            "{text:?} comes on no day of any year; to KEDA such a time is past, so that the trigger {effect}: write a day that there is"
        ),
    })
}
