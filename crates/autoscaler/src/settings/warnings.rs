//! Settings that KEDA takes and a user should not.

use super::manifest::{ScaledJob, ScaledObject, ScalingStrategy, Trigger};
use super::validate::{AZURE_QUEUE_KEYS, CRON_KEYS};
use super::{SelectPolicy, Settings, Warning};
use crate::LengthStrategy;

impl Settings {
    /// What these settings will do that nobody means. The first two are the sample's.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |field: &str, reason: String| {
            let field = field.to_owned();
            warnings.push(Warning { field, reason });
        };
        let activation = self.activation_queue_length;
        // Other triggers may be active meanwhile, and a formula has an activation of its own.
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
        let fallback = self.fallback.is_some();
        if fallback && self.modifiers.as_ref().is_some_and(|it| !it.whole_target) {
            let reason = "no whole number: KEDA never falls back with it".into();
            warn("advanced.scalingModifiers.target", reason);
        }
        let seldom = self.numberless().into_iter().chain(self.ineffective());
        warnings.extend(seldom.chain(self.tolerances()));
        warnings
    }

    /// A formula that is infinite or no number for counts that queues have at rest: each empty, or one of them with a message. KEDA
    /// hands Go's conversion of that to the HPA (`pkg/scaling/modifiers/formula.go`, `calculateScalingModifiersFormula`).
    fn numberless(&self) -> Option<Warning> {
        let modifiers = self.modifiers.as_ref()?;
        let empty = vec![Some(0.0); self.triggers()];
        let mut cases = vec![empty.clone()];
        cases.extend((0..self.triggers()).map(|n| {
            let mut one = empty.clone();
            one[n] = Some(1.0);
            one
        }));
        let infinite = cases.iter().find(|case| {
            let value = modifiers.formula.evaluate(case);
            matches!(value, Ok(Some(number)) if !number.is_finite())
        })?;
        let when = match infinite.iter().position(|count| *count == Some(1.0)) {
            None => "when all triggers read 0".to_owned(),
            Some(n) => format!("when trigger {n} reads 1 and the others 0"),
        };
        Some(Warning {
            field: "advanced.scalingModifiers.formula".to_owned(),
            reason: format!(
                "divides by zero {when}: what KEDA makes of that depends on the processor that it runs on (on x86-64 the lowest \
                 number there is, so that nothing is active); write a divisor that is never 0, such as max(a, 1)"
            ),
        })
    }

    /// A field that does nothing here (KEDA `scaledobject_webhook.go`, `verifyScaledObjects`, warns of both).
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

    /// Directions that have a tolerance of their own (Kubernetes
    /// `pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go`, `dropDisabledFields`;
    /// `pkg/features/kube_features.go`, `HPAConfigurableTolerance`: beta, and on, since 1.35).
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
    /// What is written in the manifest and has no effect.
    pub fn warnings(&self) -> Vec<Warning> {
        of_triggers(&self.spec.triggers)
    }
}

impl ScaledJob {
    /// What is written in the manifest and has no effect.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = of_triggers(&self.spec.triggers);
        warnings.extend(self.spec.scaling_strategy.warning());
        warnings
    }
}

impl ScalingStrategy {
    /// Settings of the strategy custom that do not count (KEDA `scale_jobs.go`, `NewScalingStrategy`: a percentage that cannot be
    /// read is told in the log of the operator alone, and the strategy is default then; the others read neither).
    fn warning(&self) -> Option<Warning> {
        let percentage = self.custom_scaling_running_job_percentage.as_deref();
        let warning = |field: &str, reason: String| Warning {
            field: format!("scalingStrategy.{field}"),
            reason,
        };
        if self.strategy.as_deref() == Some("custom") {
            if self.running_share().is_some() {
                return None;
            }
            let found = percentage.map_or("is missing".to_owned(), |text| {
                format!("is {text:?}, which is no number")
            });
            return Some(warning(
                "customScalingRunningJobPercentage",
                format!(
                    "{found}: KEDA says so in its log alone, and takes the strategy default; write a share of 1 such as \"0.5\""
                ),
            ));
        }
        let field = if percentage.is_some() {
            "customScalingRunningJobPercentage"
        } else {
            self.custom_scaling_queue_length_deduction?;
            "customScalingQueueLengthDeduction"
        };
        let strategy = self.strategy.as_deref().unwrap_or("default");
        Some(warning(
            field,
            format!("without effect under the strategy {strategy}: only custom reads it"),
        ))
    }

    /// `customScalingRunningJobPercentage` as a number: despite its name a share of 1.
    pub(super) fn running_share(&self) -> Option<f64> {
        self.custom_scaling_running_job_percentage
            .as_deref()?
            .parse()
            .ok()
    }
}

/// Keys that the scaler does not read. KEDA `typed_config.go`, `checkUnexpectedParameterExist`, tells of them only where a flag
/// asks for that.
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
        warnings.collect()
    };
    triggers.iter().enumerate().flat_map(of_trigger).collect()
}
