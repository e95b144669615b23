//! Records the scaling of one Deployment by KEDA and an HPA: the queue's length as the harness polls it, and `spec.replicas` as
//! the watch reports it. The record is compared with what the model allows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use autoscaler::{Observation, Queue, ScalerError};
use evidence::events::{Event, EventLog, Scaled};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use workflow::contract::Stamp;
use workflow::task;

use crate::autoscale::ScalingRecord;
use crate::lock::lock;
use crate::storage;

/// Poll interval of the queue: much shorter than KEDA's, which sees only a few of these values.
const EVERY: Duration = Duration::from_millis(500);

/// Timeout of a poll.
const LOOK: Duration = Duration::from_secs(3);

/// Texts in the HPA's condition that mean that KEDA did not answer: KEDA's metrics API (HTTP 503 and 504, as client-go words
/// them), or the operator behind that API (KEDA, `pkg/provider` and `pkg/metricsservice`). Errors of a scaler about its queue
/// have other texts.
const NOBODY_ANSWERS: [&str; 4] = [
    "the server is currently unable to handle the request",
    "the server was unable to return a response in the time allotted",
    "rpc error: code = Unavailable",
    "gRPC connection to KEDA Metrics Service",
];

/// The Deployment that is watched, and its autoscaler.
#[derive(Debug, Clone)]
pub(super) struct Observed {
    /// The name of the Deployment.
    pub(super) deployment: String,
    /// Name and version of the autoscaler, such as `KEDA 2.20.2`.
    pub(super) by: String,
    /// The name of its queue, if a run has several.
    pub(super) queue: Option<String>,
}

/// Records the scaling of one Deployment, until it is stopped or dropped.
pub(super) struct Observer {
    watched: Observed,
    recording: Arc<Mutex<ScalingRecord>>,
    since: Instant,
    log: EventLog,
    stop: DropGuard,
    task: AbortOnDropHandle<()>,
}

impl Observer {
    /// Starts to poll `queue`, by whose length the `watched` Deployment is scaled.
    pub(super) fn start(queue: Arc<dyn storage::Queue>, watched: Observed, log: EventLog) -> Self {
        let recording = ScalingRecord::watched(Stamp::now());
        let recording = Arc::new(Mutex::new(recording));
        let (since, stop) = (Instant::now(), CancellationToken::new());
        let looks = look(queue, recording.clone(), since);
        let stopped = stop.clone();
        let task = task::spawn(async move {
            stopped.run_until_cancelled(looks).await;
        });
        Self {
            watched,
            recording,
            since,
            log,
            stop: stop.drop_guard(),
            task,
        }
    }

    /// Whether this observer watches the Deployment `name`.
    pub(super) fn is_of(&self, name: &str) -> bool {
        self.watched.deployment == name
    }

    /// Records that the Deployment asks for `replicas` now.
    pub(super) fn scaled(&self, replicas: u32) -> anyhow::Result<()> {
        let from = {
            let mut recording = lock(&self.recording);
            let from = recording.wanted();
            if from == replicas || recording.is_over() {
                return Ok(());
            }
            recording.scaled(self.since.elapsed(), replicas);
            from
        };
        self.log.append(
            Stamp::now(),
            Event::Scaled(Scaled {
                by: self.watched.by.clone(),
                from,
                to: replicas,
                reason: "spec.replicas".to_owned(),
                queue: self.watched.queue.clone(),
            }),
        )?;
        Ok(())
    }

    /// Records that the HPA does not scale, and why. If KEDA did not answer, the record proves nothing about the settings.
    pub(super) fn does_not_scale(&self, why: &str) {
        let mut recording = lock(&self.recording);
        if !recording.is_over() && NOBODY_ANSWERS.iter().any(|words| why.contains(words)) {
            recording.was_away(why);
        }
    }

    /// Ends the record: the harness takes the autoscaler away, and ends the consumers itself.
    pub(super) fn end(&self) {
        lock(&self.recording).is_over_at(self.since.elapsed());
    }

    /// The record so far.
    pub(super) fn recording(&self) -> ScalingRecord {
        lock(&self.recording).clone()
    }

    /// Stops the observer, and returns its first error.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.task.await.context("watch the scaling")
    }
}

async fn look(
    queue: Arc<dyn storage::Queue>,
    recording: Arc<Mutex<ScalingRecord>>,
    since: Instant,
) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let count = timeout(LOOK, queue.approximate_count()).await;
        let observed: Observation = match count {
            Ok(Ok(count)) => Ok(Queue {
                visible: count,
                leased: 0,
            }),
            _ => Err(ScalerError),
        };
        let mut recording = lock(&recording);
        if !recording.is_over() {
            recording.looked(since.elapsed(), observed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An observer of one Deployment, whose log is in `dir`.
    fn observer(dir: &std::path::Path) -> Observer {
        let queue = Arc::new(workflow::memory::MemoryQueue::new("work"));
        let watched = Observed {
            deployment: "aqs-app".to_owned(),
            by: "KEDA 2.20.2".to_owned(),
            queue: None,
        };
        Observer::start(queue, watched, EventLog::open(dir).unwrap())
    }

    /// Both texts are from a real cluster.
    #[tokio::test]
    async fn a_keda_that_is_not_there_is_told_from_one_that_cannot_read() {
        let dir = tempfile::tempdir().unwrap();
        let observer = observer(dir.path());
        observer.does_not_scale("unable to fetch metrics from external metrics API: rpc error: code = Unknown desc = error when getting metric values metric:s0-azure-queue-q encountered error");
        assert_eq!(observer.recording().away(), None);
        let why = "unable to fetch metrics from external metrics API: the server was unable to return a response in the time allotted, but may still be processing the request (get s0-azure-queue-q.external.metrics.k8s.io)";
        observer.does_not_scale(why);
        assert_eq!(observer.recording().away(), Some(why));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_harness_does_to_end_a_run_is_not_the_autoscalers_work() {
        let dir = tempfile::tempdir().unwrap();
        let observer = observer(dir.path());
        let second = Duration::from_secs(1);
        tokio::time::sleep(10 * second).await;
        observer.scaled(15).unwrap();
        tokio::time::sleep(20 * second).await;
        observer.end();
        let polls = observer.recording().polls();
        tokio::time::sleep(5 * second).await;
        // The harness sets the Deployment to none, and with the ScaledObject the HPA goes.
        observer.scaled(0).unwrap();
        observer.does_not_scale("rpc error: code = Unavailable");
        let recording = observer.recording();
        assert_eq!((recording.wanted(), recording.polls()), (15, polls));
        assert_eq!(recording.age(), 30 * second);
        assert_eq!(recording.away(), None);
        let told = std::fs::read_to_string(dir.path().join("events.jsonl")).unwrap();
        assert_eq!(told.matches("spec.replicas").count(), 1, "{told}");
    }
}
