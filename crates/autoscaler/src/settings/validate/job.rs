//! Makes settings from the manifest of a ScaledJob.

#[cfg(test)]
mod tests;

use super::super::manifest::{JobContainer, JobSpec, JobTarget, ScaledJob, ScalingStrategy};
use super::super::{
    Calculation, JobSettings, JobStrategy, Refusals, RefusedBy, Surroundings, percentage,
};
use super::metadata::is_label;
use super::{Check, INT32_MAX};

impl ScaledJob {
    /// Makes the settings of this manifest, or returns why a cluster refuses it (KEDA `scaledjob_types.go`, its markers;
    /// `scaledjob_webhook.go`, which verifies triggers only) or why this model does not cover it.
    pub fn settings(&self) -> Result<JobSettings, Refusals> {
        self.settings_in(&Surroundings::default())
    }

    /// Makes the settings, using known facts about the cluster.
    pub fn settings_in(&self, around: &Surroundings) -> Result<JobSettings, Refusals> {
        let mut check = Check::of("ScaledJob");
        let (version, kind) = (&self.api_version, &self.kind);
        if version != "keda.sh/v1alpha1" || kind != "ScaledJob" {
            let reason = format!("is {version} {kind}, must be keda.sh/v1alpha1 ScaledJob");
            check.refuse(RefusedBy::Schema, "kind", reason);
        }
        check.metadata(&self.metadata);
        let settings = check.job(self, around);
        check.done(settings)
    }
}

impl Check {
    fn job(&mut self, job: &ScaledJob, around: &Surroundings) -> JobSettings {
        let spec = &job.spec;
        let schema = RefusedBy::Schema;
        if let Some(target) = &spec.job_target_ref {
            self.job_target(target);
        } else {
            let reason = "is missing: give the Job to make";
            self.refuse(schema, "spec.jobTargetRef", reason);
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

    /// Checks the required fields of the Job's pod (KEDA `config/crd/bases/keda.sh_scaledjobs.yaml`, `required`; Kubernetes
    /// `pkg/apis/batch/validation/validation.go`, `validateJobSpec`), and refuses Jobs that the model does not cover: it
    /// assumes one pod per Job, which ends by itself. KEDA sets `OnFailure` if there is no restart policy (`scale_jobs.go`,
    /// `generateJobs`).
    fn job_target(&mut self, target: &JobTarget) {
        const TEMPLATE: &str = "spec.jobTargetRef.template";
        let Some(template) = &target.template else {
            let reason = "is missing: give the template of the Job's pod";
            return self.refuse(RefusedBy::Schema, TEMPLATE, reason);
        };
        let pod = template.spec.as_ref();
        let containers = pod.and_then(|pod| pod.containers.as_ref());
        if containers.is_none_or(Vec::is_empty) {
            // The schema allows a pod without a `spec`, and an empty list of `containers`.
            let by = match (pod, containers) {
                (Some(_), None) => RefusedBy::Schema,
                _ => RefusedBy::Job,
            };
            let reason = "has no entries: give the container that works, with name and image";
            self.refuse(by, format!("{TEMPLATE}.spec.containers"), reason);
        }
        let policy = pod.and_then(|pod| pod.restart_policy.as_deref());
        if let Some(policy) = policy.filter(|it| !["", "OnFailure", "Never"].contains(it)) {
            let reason = format!("is {policy}, which a Job cannot have: write Never or OnFailure");
            self.refuse(
                RefusedBy::Job,
                format!("{TEMPLATE}.spec.restartPolicy"),
                reason,
            );
        }
        for (n, container) in containers.into_iter().flatten().enumerate() {
            self.job_container(container, &format!("{TEMPLATE}.spec.containers[{n}]"));
        }
        if let Some(limit) = target.backoff_limit.filter(|limit| *limit < 0) {
            let reason = format!("is {limit}, must be 0 or more");
            self.refuse(RefusedBy::Job, "spec.jobTargetRef.backoffLimit", reason);
        }
        if target.selector.is_some() && target.manual_selector != Some(true) {
            let reason = "is given, and Kubernetes makes it: leave it away";
            self.refuse(RefusedBy::Job, "spec.jobTargetRef.selector", reason);
        }
        let mut beyond = |field: &str, reason: String| {
            let field = format!("spec.jobTargetRef.{field}");
            self.refuse(RefusedBy::Model, field, reason);
        };
        if target.suspend == Some(true) {
            let reason =
                "is true, so that no Job has a pod until somebody resumes it: leave it away";
            beyond("suspend", reason.to_owned());
        }
        if let Some(seconds) = target.active_deadline_seconds {
            let reason = format!(
                "is {seconds}: it ends jobs at work, and those of the model end by themselves; leave it away"
            );
            beyond("activeDeadlineSeconds", reason);
        }
        for (field, value) in [
            ("parallelism", target.parallelism),
            ("completions", target.completions),
        ] {
            if let Some(value) = value.filter(|value| *value != 1) {
                let reason = format!("is {value}, and a job of the model has one pod: write 1");
                beyond(field, reason);
            }
        }
    }

    /// Kubernetes `pkg/apis/core/validation/validation.go`, `validateContainerCommon`.
    fn job_container(&mut self, container: &JobContainer, field: &str) {
        let JobContainer { name, image } = container;
        if name.is_empty() {
            // The schema requires it.
            self.refuse(RefusedBy::Schema, format!("{field}.name"), "is missing");
        } else if !is_label(name) {
            let reason = format!(
                "is {name:?}, must be at most 63 small letters, digits and '-', with a letter or digit at both ends (RFC 1123)"
            );
            self.refuse(RefusedBy::Job, format!("{field}.name"), reason);
        }
        if image.is_empty() {
            let reason = "is missing: give the image of the worker";
            self.refuse(RefusedBy::Job, format!("{field}.image"), reason);
        }
    }

    /// Checks values that must be one of a few names.
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

    /// KEDA `scale_jobs.go`, `NewScalingStrategy`: `custom` without a numeric percentage is `default`.
    fn job_strategy(&mut self, strategy: &ScalingStrategy) -> JobStrategy {
        let part = strategy.custom_scaling_running_job_percentage.as_deref();
        let deduction = strategy.custom_scaling_queue_length_deduction;
        match strategy.strategy.as_deref() {
            None | Some("default") => JobStrategy::Default,
            Some("accurate") => JobStrategy::Accurate,
            Some("eager") => JobStrategy::Eager,
            Some("custom") => {
                self.odd_percentage(part.unwrap_or_default());
                match part.and_then(percentage) {
                    Some(running) => JobStrategy::Custom {
                        deduction: deduction.unwrap_or(0),
                        running,
                    },
                    None => JobStrategy::Default,
                }
            }
            Some(other) => {
                let reason = format!("is {other:?}, must be default, custom, accurate or eager");
                let field = "spec.scalingStrategy.strategy";
                self.refuse(RefusedBy::Schema, field, reason);
                JobStrategy::Default
            }
        }
    }

    /// Refuses hexadecimal numbers, and words for infinity or not a number, which `strconv.ParseFloat` accepts: their effect is
    /// undefined.
    fn odd_percentage(&mut self, part: &str) {
        let digits = part.trim_start_matches(['+', '-']).to_ascii_lowercase();
        let is_odd = percentage(part).is_some_and(|number| !number.is_finite());
        if is_odd || digits.starts_with("0x") {
            let reason = format!("is {part:?}: write decimals, such as \"0.5\"");
            let field = "spec.scalingStrategy.customScalingRunningJobPercentage";
            self.refuse(RefusedBy::Model, field, reason);
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
