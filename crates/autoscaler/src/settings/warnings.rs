//! Settings that KEDA takes and a user should not.

use super::{SelectPolicy, Settings, Warning};
use crate::LengthStrategy;

impl Settings {
    /// What these settings will do that nobody means. The first two are the sample's.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |field, reason: String| warnings.push(Warning { field, reason });
        let activation = self.activation_queue_length;
        let to_zero = self.min_replica_count == 0 || self.idle_replica_count == Some(0);
        if activation > 0 && to_zero {
            let reason = format!(
                "up to {activation} messages of every burst are never worked on: active means more than {activation}"
            );
            warn("activationQueueLength", reason);
        }
        if activation < 0 {
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
        // KEDA scaledobject_webhook.go, `verifyScaledObjects`, warns of both.
        if self.min_replica_count > 0 && self.idle_replica_count.is_none() {
            let reason =
                "without effect as long as minReplicaCount is over 0 and idleReplicaCount unset"
                    .into();
            let defaults = Self::default();
            if self.cooldown_period != defaults.cooldown_period {
                warn("cooldownPeriod", reason);
            } else if self.polling_interval != defaults.polling_interval && !self.use_cached_metrics
            {
                warn("pollingInterval", reason);
            }
        }
        warnings
    }
}
