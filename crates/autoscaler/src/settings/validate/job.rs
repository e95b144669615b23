//! From the manifest of a ScaledJob to its settings.

use super::super::manifest::{JobSpec, ScaledJob, ScalingStrategy};
use super::super::{Calculation, JobSettings, JobStrategy, Refusals, RefusedBy, Surroundings};
use super::{Check, INT32_MAX};

impl ScaledJob {
    /// The settings in this manifest, or why a cluster refuses it (KEDA `scaledjob_types.go`, its markers;
    /// `scaledjob_webhook.go`, which verifies triggers alone) or this model does not cover it.
    pub fn settings(&self) -> Result<JobSettings, Refusals> {
        self.settings_in(&Surroundings::default())
    }

    /// The settings, where this is known of the cluster around it.
    pub fn settings_in(&self, around: &Surroundings) -> Result<JobSettings, Refusals> {
        let mut check = Check::default();
        let (version, kind) = (&self.api_version, &self.kind);
        if version != "keda.sh/v1alpha1" || kind != "ScaledJob" {
            let reason = format!("is {version} {kind}, must be keda.sh/v1alpha1 ScaledJob");
            check.refuse(RefusedBy::Schema, "kind", reason);
        }
        check.metadata(&self.metadata);
        let settings = check.job(self, around);
        if check.0.is_empty() {
            Ok(settings)
        } else {
            Err(Refusals(check.0))
        }
    }
}

impl Check {
    fn job(&mut self, job: &ScaledJob, around: &Surroundings) -> JobSettings {
        let spec = &job.spec;
        let schema = RefusedBy::Schema;
        if spec.job_target_ref.is_none() {
            self.refuse(
                schema,
                "spec.jobTargetRef",
                "is missing: give the Job to make",
            );
        }
        self.names(spec);
        let count = |check: &mut Self, field: &str, value: Option<i64>, least: i64| {
            value.map(|value| check.number(schema, field, value, least, INT32_MAX))
        };
        let (min, max) = (spec.min_replica_count, spec.max_replica_count);
        let (successful, failed) = (
            spec.successful_jobs_history_limit,
            spec.failed_jobs_history_limit,
        );
        JobSettings {
            polling_interval: self.seconds("spec.pollingInterval", spec.polling_interval, 1, 30),
            min_replica_count: count(self, "spec.minReplicaCount", min, 0),
            max_replica_count: count(self, "spec.maxReplicaCount", max, 1),
            strategy: self.job_strategy(&spec.scaling_strategy),
            calculation: self.calculation(&spec.scaling_strategy),
            triggers: self.job_triggers(spec, around),
            paused: super::is_set(&job.metadata, "paused"),
            successful_jobs_history_limit: count(
                self,
                "spec.successfulJobsHistoryLimit",
                successful,
                0,
            )
            .unwrap_or(100),
            failed_jobs_history_limit: count(self, "spec.failedJobsHistoryLimit", failed, 0)
                .unwrap_or(100),
        }
    }

    /// Values that must be one of a few.
    fn names(&mut self, spec: &JobSpec) {
        let rollout = &spec.rollout;
        let rollouts = &["gradual", "immediate"][..];
        for (field, value, names) in [
            ("spec.rolloutStrategy", &spec.rollout_strategy, rollouts),
            ("spec.rollout.strategy", &rollout.strategy, rollouts),
            (
                "spec.rollout.propagationPolicy",
                &rollout.propagation_policy,
                &["foreground", "background"],
            ),
        ] {
            if let Some(value) = value.as_deref().filter(|value| !names.contains(value)) {
                let reason = format!("is {value:?}, must be {}", names.join(" or "));
                self.refuse(RefusedBy::Schema, field, reason);
            }
        }
    }

    /// KEDA `scale_jobs.go`, `NewScalingStrategy`: custom without a percentage that is a number is default.
    fn job_strategy(&mut self, strategy: &ScalingStrategy) -> JobStrategy {
        let percentage = strategy.custom_scaling_running_job_percentage.as_deref();
        let deduction = strategy.custom_scaling_queue_length_deduction;
        match strategy.strategy.as_deref() {
            None | Some("default") => JobStrategy::Default,
            Some("accurate") => JobStrategy::Accurate,
            Some("eager") => JobStrategy::Eager,
            Some("custom") => match percentage.and_then(|text| text.parse().ok()) {
                Some(running) => JobStrategy::Custom {
                    deduction: deduction.unwrap_or(0),
                    running,
                },
                None => JobStrategy::Default,
            },
            Some(other) => {
                let reason = format!("is {other:?}, must be default, custom, accurate or eager");
                let field = "spec.scalingStrategy.strategy";
                self.refuse(RefusedBy::Schema, field, reason);
                JobStrategy::Default
            }
        }
    }

    fn calculation(&mut self, strategy: &ScalingStrategy) -> Calculation {
        match strategy.multiple_scalers_calculation.as_deref() {
            None | Some("max") => Calculation::Max,
            Some("min") => Calculation::Min,
            Some("avg") => Calculation::Avg,
            Some("sum") => Calculation::Sum,
            Some(other) => {
                let reason = format!("is {other:?}, must be min, avg, sum or max");
                let field = "spec.scalingStrategy.multipleScalersCalculation";
                self.refuse(RefusedBy::Schema, field, reason);
                Calculation::Max
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::{Cron, LengthStrategy, QueueTrigger, Reads};

    fn job(spec: &Value) -> Result<JobSettings, Refusals> {
        let mut whole = json!({
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledJob",
            "metadata": { "name": "orders" },
            "spec": {
                "jobTargetRef": { "template": {} },
                "triggers": [{ "type": "azure-queue", "metadata": { "queueName": "q", "connectionFromEnv": "C" } }]
            }
        });
        for (field, value) in spec.as_object().unwrap() {
            whole["spec"][field] = value.clone();
        }
        serde_json::from_value::<ScaledJob>(whole)
            .unwrap()
            .settings()
    }

    /// Source: KEDA `withtriggers_types.go`, `scaledjob_types.go`, `scale_jobs.go`.
    #[test]
    fn a_scaled_job_that_sets_nothing_has_the_defaults() {
        assert_eq!(job(&json!({})).unwrap(), JobSettings::default());
        let empty = json!({ "scalingStrategy": null, "rollout": null, "maxReplicaCount": null });
        assert_eq!(job(&empty).unwrap(), JobSettings::default());
    }

    #[test]
    fn the_fields_of_a_scaled_job_are_read() {
        let spec = json!({
            "pollingInterval": 10, "minReplicaCount": 2, "maxReplicaCount": 30,
            "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 0,
            "scalingStrategy": {
                "strategy": "custom", "customScalingQueueLengthDeduction": 1,
                "customScalingRunningJobPercentage": "0.5", "multipleScalersCalculation": "sum"
            },
            "triggers": [
                { "type": "azure-queue", "name": "a", "metadata": { "queueName": "q", "queueLength": "1", "connectionFromEnv": "C" } },
                { "type": "azure-queue", "name": "b", "metadata": { "queueName": "r", "queueLengthStrategy": "visibleonly", "connectionFromEnv": "C" } },
                { "type": "cron", "metadata": { "timezone": "UTC", "start": "0 8 * * *", "end": "0 18 * * *", "desiredReplicas": "4" } }
            ]
        });
        let expected = JobSettings {
            polling_interval: Duration::from_secs(10),
            min_replica_count: Some(2),
            max_replica_count: Some(30),
            strategy: JobStrategy::Custom {
                deduction: 1,
                running: 0.5,
            },
            calculation: Calculation::Sum,
            triggers: vec![
                Reads::Queue(QueueTrigger {
                    queue_length: 1,
                    ..QueueTrigger::default()
                }),
                Reads::Queue(QueueTrigger {
                    strategy: LengthStrategy::VisibleOnly,
                    elsewhere: Some(0),
                    ..QueueTrigger::default()
                }),
                Reads::Cron(Cron::new("0 8 * * *", "0 18 * * *", "UTC", 4).unwrap()),
            ],
            paused: false,
            successful_jobs_history_limit: 3,
            failed_jobs_history_limit: 0,
        };
        assert_eq!(job(&spec).unwrap(), expected);
        // Source: KEDA scale_jobs.go, `NewScalingStrategy`.
        let unread = json!({ "scalingStrategy": { "strategy": "custom" } });
        assert_eq!(job(&unread).unwrap().strategy, JobStrategy::Default);
    }

    /// Source: KEDA `scaledjob_types.go`, kubebuilder markers; `scaletriggers_types.go`, `ValidateTriggers`.
    #[test]
    fn what_a_cluster_refuses_of_a_scaled_job_is_refused_by_its_field() {
        let trigger = |name: &str, kind: &str| {
            let metadata = json!({ "queueName": "q", "connectionFromEnv": "C" });
            json!({ "type": kind, "name": name, "metadata": metadata })
        };
        let queue = "azure-queue";
        for (spec, field, by) in [
            (
                json!({ "jobTargetRef": null }),
                "spec.jobTargetRef",
                RefusedBy::Schema,
            ),
            (
                json!({ "maxReplicaCount": 0 }),
                "spec.maxReplicaCount",
                RefusedBy::Schema,
            ),
            (
                json!({ "minReplicaCount": -1 }),
                "spec.minReplicaCount",
                RefusedBy::Schema,
            ),
            (
                json!({ "failedJobsHistoryLimit": -1 }),
                "spec.failedJobsHistoryLimit",
                RefusedBy::Schema,
            ),
            (
                json!({ "rolloutStrategy": "fast" }),
                "spec.rolloutStrategy",
                RefusedBy::Schema,
            ),
            (
                json!({ "rollout": { "propagationPolicy": "orphan" } }),
                "spec.rollout.propagationPolicy",
                RefusedBy::Schema,
            ),
            (
                json!({ "scalingStrategy": { "strategy": "greedy" } }),
                "spec.scalingStrategy.strategy",
                RefusedBy::Schema,
            ),
            (
                json!({ "scalingStrategy": { "multipleScalersCalculation": "mean" } }),
                "spec.scalingStrategy.multipleScalersCalculation",
                RefusedBy::Schema,
            ),
            (json!({ "triggers": [] }), "spec.triggers", RefusedBy::Keda),
            (
                json!({ "triggers": [trigger("a", queue), trigger("a", queue)] }),
                "spec.triggers[1].name",
                RefusedBy::Keda,
            ),
            (
                json!({ "triggers": [trigger("a", "kafka")] }),
                "spec.triggers[0].type",
                RefusedBy::Model,
            ),
            (
                json!({ "triggers": [{ "type": queue, "metadata": { "queueName": "q" } }] }),
                "spec.triggers[0]",
                RefusedBy::Keda,
            ),
        ] {
            let refusals = job(&spec).unwrap_err().0;
            let seen: Vec<_> = refusals
                .iter()
                .map(|it| (it.field.as_str(), it.by))
                .collect();
            assert_eq!(seen, [(field, by)], "{spec}");
        }
    }
}
