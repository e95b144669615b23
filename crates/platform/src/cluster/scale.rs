//! What KEDA and an HPA did to one Deployment, taken down to be held against what their model allows: the queue as the harness reads it,
//! and `spec.replicas` as the watch tells it.

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

/// From one look at the queue to the next: much shorter than KEDA's own, which sees one of many.
const EVERY: Duration = Duration::from_millis(500);

/// How long a look may take until it counts as failed.
const LOOK: Duration = Duration::from_secs(3);

/// How the HPA words it that no metric came since KEDA was not there: its metrics API (HTTP 503 and 504, as client-go words them), or its
/// operator behind that (KEDA, `pkg/provider` and `pkg/metricsservice`). What a scaler says of its queue is worded otherwise.
const NOBODY_ANSWERS: [&str; 4] = [
    "the server is currently unable to handle the request",
    "the server was unable to return a response in the time allotted",
    "rpc error: code = Unavailable",
    "gRPC connection to KEDA Metrics Service",
];

/// What is scaled, and by whom.
#[derive(Debug, Clone)]
pub(super) struct Observed {
    /// The name of the Deployment.
    pub(super) deployment: String,
    /// Who scales it, such as `KEDA 2.20.2`.
    pub(super) by: String,
    /// The name of the queue that it serves, where a run has several.
    pub(super) queue: Option<String>,
}

/// Takes down what is seen of the scaling of one Deployment, until it is stopped or dropped.
pub(super) struct Observer {
    watched: Observed,
    recording: Arc<Mutex<ScalingRecord>>,
    since: Instant,
    log: EventLog,
    stop: DropGuard,
    task: AbortOnDropHandle<()>,
}

impl Observer {
    /// Looks at `queue` from now on, by which what is `watched` is scaled.
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

    /// Whether it is the Deployment called `name` that is watched.
    pub(super) fn is_of(&self, name: &str) -> bool {
        self.watched.deployment == name
    }

    /// The Deployment asks for so many now.
    pub(super) fn scaled(&self, replicas: u32) -> anyhow::Result<()> {
        let from = {
            let mut recording = lock(&self.recording);
            let from = recording.wanted();
            if from == replicas {
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

    /// The HPA does not scale, for this reason. Where nobody was there to give it a metric, what follows says nothing of the settings.
    pub(super) fn does_not_scale(&self, why: &str) {
        if NOBODY_ANSWERS.iter().any(|words| why.contains(words)) {
            lock(&self.recording).was_away(why);
        }
    }

    /// What was seen so far.
    pub(super) fn recording(&self) -> ScalingRecord {
        lock(&self.recording).clone()
    }

    /// Ends it, and tells whether it went well.
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
        lock(&recording).looked(since.elapsed(), observed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a cluster worded both.
    #[tokio::test]
    async fn a_keda_that_is_not_there_is_told_from_one_that_cannot_read() {
        let dir = tempfile::tempdir().unwrap();
        let queue = Arc::new(workflow::memory::MemoryQueue::new("work"));
        let log = EventLog::open(dir.path()).unwrap();
        let watched = Observed {
            deployment: "aqs-app".to_owned(),
            by: "KEDA 2.20.2".to_owned(),
            queue: None,
        };
        let observer = Observer::start(queue, watched, log);
        observer.does_not_scale("unable to fetch metrics from external metrics API: rpc error: code = Unknown desc = error when getting metric values metric:s0-azure-queue-q encountered error");
        assert_eq!(observer.recording().away(), None);
        let why = "unable to fetch metrics from external metrics API: the server was unable to return a response in the time allotted, but may still be processing the request (get s0-azure-queue-q.external.metrics.k8s.io)";
        observer.does_not_scale(why);
        assert_eq!(observer.recording().away(), Some(why));
    }
}
