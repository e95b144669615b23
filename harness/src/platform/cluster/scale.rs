//! What KEDA and the HPA did to a Deployment, taken down to be held against what their model allows: the queue as the harness reads it,
//! and `spec.replicas` as the watch tells it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use autoscaler::{Observation, Queue, ScalerError};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use workflow::contract::Stamp;

use crate::autoscale::Recording;
use crate::events::{Event, EventLog, Scaled};
use crate::lock::lock;
use crate::platform::storage;

/// From one look at the queue to the next: much shorter than KEDA's own, which sees one of many.
const EVERY: Duration = Duration::from_millis(500);

/// How long a look may take until it counts as failed.
const LOOK: Duration = Duration::from_secs(3);

/// Takes down what is seen of the scaling of one run, until it is stopped or dropped.
pub(super) struct Observer {
    recording: Arc<Mutex<Recording>>,
    since: Instant,
    by: String,
    log: EventLog,
    stop: DropGuard,
    task: JoinHandle<()>,
}

impl Observer {
    /// Looks at `queue` from now on. `by` is who scales, such as `KEDA 2.20.2`.
    pub(super) fn start(queue: Arc<dyn storage::Queue>, by: String, log: EventLog) -> Self {
        let recording = Recording::watched(Stamp::now());
        let recording = Arc::new(Mutex::new(recording));
        let (since, stop) = (Instant::now(), CancellationToken::new());
        let looks = look(queue, recording.clone(), since);
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            stopped.run_until_cancelled(looks).await;
        });
        Self {
            recording,
            since,
            by,
            log,
            stop: stop.drop_guard(),
            task,
        }
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
                by: self.by.clone(),
                from,
                to: replicas,
                reason: "spec.replicas".to_owned(),
            }),
        )?;
        Ok(())
    }

    /// What was seen so far.
    pub(super) fn recording(&self) -> Recording {
        lock(&self.recording).clone()
    }

    /// Ends it, and tells whether it went well.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.task.await.context("watch the scaling")
    }
}

async fn look(queue: Arc<dyn storage::Queue>, recording: Arc<Mutex<Recording>>, since: Instant) {
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
