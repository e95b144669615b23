//! What decides how a ScaledJob scales.

use std::time::Duration;

use super::{QueueTrigger, Reads};

/// The settings of a ScaledJob with `azure-queue` and `cron` triggers. [`ScaledJob::settings`](super::manifest::ScaledJob::settings) makes
/// them from a manifest; the default is KEDA's for a manifest that sets nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSettings {
    /// From one poll of the operator to the next.
    pub polling_interval: Duration,
    /// `minReplicaCount`: jobs that there are at least.
    pub min_replica_count: Option<u32>,
    /// `maxReplicaCount`.
    pub max_replica_count: Option<u32>,
    /// How jobs that there are count against those that are wanted.
    pub strategy: JobStrategy,
    /// What several triggers come to.
    pub calculation: Calculation,
    /// At least one.
    pub triggers: Vec<Reads>,
    /// The annotation `autoscaling.keda.sh/paused`.
    pub paused: bool,
    /// Jobs kept after they have succeeded.
    pub successful_jobs_history_limit: u32,
    /// Jobs kept after they have failed.
    pub failed_jobs_history_limit: u32,
}

impl Default for JobSettings {
    /// KEDA `withtriggers_types.go`, `scaledjob_types.go`, `scale_jobs.go`.
    fn default() -> Self {
        Self {
            polling_interval: Duration::from_secs(30),
            min_replica_count: None,
            max_replica_count: None,
            strategy: JobStrategy::Default,
            calculation: Calculation::Max,
            triggers: vec![Reads::Queue(QueueTrigger::default())],
            paused: false,
            successful_jobs_history_limit: 100,
            failed_jobs_history_limit: 100,
        }
    }
}

impl JobSettings {
    /// Jobs that there are at least (KEDA `scaledjob_types.go`, `MinReplicaCount`).
    pub fn least(&self) -> u32 {
        let min = self.min_replica_count.unwrap_or(0);
        self.max_replica_count.map_or(min, |max| min.min(max))
    }

    /// Jobs that there may be besides those (KEDA `scaledjob_types.go`, `MaxReplicaCount`). Unset, it is 100 and does not get
    /// less with `minReplicaCount`; less than `minReplicaCount`, it counts twice.
    pub fn most_besides(&self) -> u32 {
        match (self.max_replica_count, self.min_replica_count) {
            (None, _) => 100,
            (Some(max), Some(min)) if min > max => max,
            (Some(max), _) => max - self.least(),
        }
    }
}

/// `scalingStrategy.strategy` (KEDA `scale_jobs.go`, `NewScalingStrategy`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum JobStrategy {
    /// Jobs that are not finished count as working on messages that the queue still counts.
    Default,
    /// The same with a part of them, and some messages left out.
    Custom {
        /// `customScalingQueueLengthDeduction`.
        deduction: i64,
        /// `customScalingRunningJobPercentage`.
        running: f64,
    },
    /// Jobs that have begun have taken their message out of the queue, so that it does not count any more.
    Accurate,
    /// As many as there may be, whenever there is one message for each.
    Eager,
}

/// `customScalingRunningJobPercentage` as KEDA reads it (`strconv.ParseFloat`): without spaces or a percent sign, and what is too
/// large for a number is none.
pub(super) fn percentage(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let is_named = text.to_ascii_lowercase().contains("inf");
    (!number.is_infinite() || is_named).then_some(number)
}

/// `scalingStrategy.multipleScalersCalculation` (KEDA `pkg/scaling/scaledjob/metrics.go`, `IsScaledJobActive`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "by their names")]
pub enum Calculation {
    Max,
    Min,
    Avg,
    Sum,
}
