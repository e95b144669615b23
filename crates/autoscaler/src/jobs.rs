//! KEDA's scale loop for a ScaledJob: how many Jobs each poll creates.
//!
//! KEDA never removes a running Job: a Job ends by itself. The caller supplies the numbers of pending, running and finished
//! Jobs, which the operator reads from the cluster; [`simulate_jobs`] simulates a cluster.
//!
//! Left out on purpose: rollouts of a changed ScaledJob, and `pendingPodConditions`, which define when a Job is pending.

mod recording;
mod simulate;
#[cfg(test)]
mod tests;

pub use recording::{JobExcursion, JobFindings, JobRecording};
pub use simulate::{JobFigures, JobPoll, JobStart, JobWorkload, simulate_jobs};

use std::time::Duration;

use crate::{Calculation, Cron, JobSettings, JobStrategy, Observation, Queue, QueueTrigger, Reads};

/// Number of unfinished Jobs of one ScaledJob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unfinished {
    /// All unfinished Jobs (KEDA `pkg/scaling/executor/scale_jobs.go`, `getRunningJobCount`).
    pub all: u32,
    /// Jobs without a pod that runs or has run (`getPendingJobCount`).
    pub pending: u32,
}

/// The metric of one trigger (KEDA `pkg/scaling/scaledjob/metrics.go`, `ScalerMetrics`).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Metric {
    length: f64,
    /// The number of Jobs that the trigger asks for.
    jobs: f64,
    active: bool,
}

impl JobSettings {
    /// The number of Jobs that a poll creates, from its reading of the queue at a time since 1970 in UTC (KEDA
    /// `pkg/scaling/scale_handler.go`, `getScaledJobMetrics` and `getScaledJobState`; `scale_jobs.go`, `RequestJobScale`). A
    /// trigger that cannot be read is ignored.
    pub fn jobs_to_make(
        &self,
        observed: Observation,
        wall: Duration,
        unfinished: Unfinished,
    ) -> u32 {
        if self.paused {
            return 0;
        }
        let (length, jobs, active) = self.reads(observed, wall);
        if !active && self.least() == 0 {
            return 0;
        }
        let jobs = jobs.min(f64::from(self.most_besides()));
        let (least, all) = (i64::from(self.least()), i64::from(unfinished.all));
        let (limit, wanted) = if all < least {
            let missing = least - all;
            (missing, missing)
        } else {
            let pending = i64::from(unfinished.pending);
            self.limit(whole(jobs), all - least, pending, whole(length))
        };
        // KEDA scale_jobs.go, `createJobs`.
        u32::try_from(wanted.min(limit).max(0)).unwrap_or(u32::MAX)
    }

    /// Whether a poll with this reading finds a trigger active.
    pub fn is_active(&self, queue: Queue, wall: Duration) -> bool {
        self.reads(Ok(queue), wall).2
    }

    fn reads(&self, observed: Observation, wall: Duration) -> (f64, f64, bool) {
        let metrics = self.triggers.iter().filter_map(|reads| match reads {
            Reads::Queue(queue) => self.queue(queue, observed),
            Reads::Cron(cron) => Some(self.cron(cron, wall)),
        });
        combine(self.calculation, &metrics.collect::<Vec<_>>())
    }

    fn queue(&self, queue: &QueueTrigger, observed: Observation) -> Option<Metric> {
        let length = queue.length(observed).ok()?;
        Some(self.metric(length as f64, queue.queue_length, queue.is_active(length)))
    }

    /// The metric of a cron trigger (KEDA `pkg/scalers/cron_scaler.go`, `GetMetricsAndActivity`): the desired number, with a
    /// target of one.
    fn cron(&self, cron: &Cron, wall: Duration) -> Metric {
        let active = cron.window(wall).active;
        let replicas = if active { cron.desired_replicas() } else { 0 };
        self.metric(f64::from(replicas), 1, active)
    }

    /// KEDA `metrics.go`, `CalculateQueueLengthAndMaxValue`.
    fn metric(&self, length: f64, target: i64, active: bool) -> Metric {
        let jobs = match target {
            0 => 0.0,
            target => (length / target as f64).min(f64::from(self.most_besides())),
        };
        Metric {
            length,
            jobs,
            active,
        }
    }

    /// The most Jobs that may be created, and the number that is asked for (KEDA `scale_jobs.go`, `GetEffectiveMaxScale` of
    /// each strategy).
    fn limit(&self, wanted: i64, running: i64, pending: i64, length: i64) -> (i64, i64) {
        let most = i64::from(self.most_besides());
        match self.strategy {
            JobStrategy::Default => (wanted - running, length),
            JobStrategy::Custom {
                deduction,
                running: part,
            } => {
                let counted = truncated(running as f64 * part);
                ((wanted - deduction - counted).min(most), length)
            }
            JobStrategy::Accurate if wanted + running - pending > most => (most - running, length),
            JobStrategy::Accurate => (wanted - pending, length),
            JobStrategy::Eager => ((most - running - pending).min(wanted), most),
        }
    }

    /// The finished Jobs that remain after a poll; the oldest are removed first (KEDA `scale_jobs.go`, `cleanUp`).
    pub fn kept(&self, succeeded: u32, failed: u32) -> (u32, u32) {
        (
            succeeded.min(self.successful_jobs_history_limit),
            failed.min(self.failed_jobs_history_limit),
        )
    }
}

/// Length, Jobs and activity of all triggers together (KEDA `metrics.go`, `IsScaledJobActive`). Only active triggers count.
fn combine(calculation: Calculation, metrics: &[Metric]) -> (f64, f64, bool) {
    let active: Vec<&Metric> = metrics.iter().filter(|metric| metric.active).collect();
    let sum = |of: fn(&Metric) -> f64| active.iter().map(|metric| of(metric)).sum::<f64>();
    let (length, jobs) = (sum(|it| it.length), sum(|it| it.jobs));
    match calculation {
        Calculation::Sum => (length, jobs, !active.is_empty()),
        Calculation::Avg => {
            let count = active.len().max(1) as f64;
            (length / count, jobs / count, !active.is_empty())
        }
        // The first of equal ones; a metric of length 0 is replaced by the next one.
        Calculation::Min => {
            let lesser = |least: (f64, f64, bool), it: &&Metric| {
                if least.0 == 0.0 || it.length < least.0 {
                    (it.length, it.jobs, true)
                } else {
                    least
                }
            };
            active.iter().fold((0.0, 0.0, false), lesser)
        }
        Calculation::Max => {
            let greater = |most: (f64, f64, bool), it: &&Metric| {
                if it.length > most.0 {
                    (it.length, it.jobs, true)
                } else {
                    most
                }
            };
            active.iter().fold((0.0, 0.0, false), greater)
        }
    }
}

fn whole(number: f64) -> i64 {
    truncated(number.ceil())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` makes the largest of what is too large, and 0 of what is not a number"
)]
fn truncated(number: f64) -> i64 {
    number as i64
}
