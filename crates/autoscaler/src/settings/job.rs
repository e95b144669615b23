//! Settings that decide how a ScaledJob scales.

use std::time::Duration;

use super::{QueueTrigger, Reads};

/// The settings of a ScaledJob with `azure-queue` and `cron` triggers. [`ScaledJob::settings`](super::manifest::ScaledJob::settings) makes
/// them from a manifest; the default is KEDA's for a manifest that sets nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSettings {
    /// Time between two polls of the operator.
    pub polling_interval: Duration,
    /// `minReplicaCount`: the least number of Jobs.
    pub min_replica_count: Option<u32>,
    /// `maxReplicaCount`.
    pub max_replica_count: Option<u32>,
    /// How existing Jobs count against the wanted number.
    pub strategy: JobStrategy,
    /// How the values of several triggers are combined.
    pub calculation: Calculation,
    /// The triggers; at least one.
    pub triggers: Vec<Reads>,
    /// The annotation `autoscaling.keda.sh/paused`.
    pub paused: bool,
    /// Number of succeeded Jobs that are kept.
    pub successful_jobs_history_limit: u32,
    /// Number of failed Jobs that are kept.
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
    /// The least number of Jobs (KEDA `scaledjob_types.go`, `MinReplicaCount`).
    pub fn least(&self) -> u32 {
        let min = self.min_replica_count.unwrap_or(0);
        self.max_replica_count.map_or(min, |max| min.min(max))
    }

    /// The most Jobs in addition to the least number (KEDA `scaledjob_types.go`, `MaxReplicaCount`). If unset, it is 100 and is
    /// not reduced by `minReplicaCount`; if it is less than `minReplicaCount`, that number counts twice.
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
    /// Unfinished Jobs count as working on messages that the queue still counts.
    Default,
    /// As `Default`, with a part of the Jobs, and with some messages left out.
    Custom {
        /// `customScalingQueueLengthDeduction`.
        deduction: i64,
        /// `customScalingRunningJobPercentage`.
        running: f64,
    },
    /// Running Jobs have taken their messages out of the queue, so these do not count any more.
    Accurate,
    /// As many Jobs as are allowed, if there is one message for each.
    Eager,
}

/// Parses `customScalingRunningJobPercentage` as KEDA does (`strconv.ParseFloat`): no spaces, no percent sign; `None` for a
/// number that is too large.
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
