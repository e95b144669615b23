//! The loop that scales a run's consumers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use autoscaler::{
    Autoscaler, LengthStrategy, Observation, Phases, Queue, ScalerError, Settings, Start,
};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use workflow::contract::Stamp;
use workflow::ports::MAX_RECEIVE;

use super::{Recording, Scaling};
use crate::events::{Event, EventLog, Scaled};
use crate::platform::storage;

/// How long a read of the queue may take until it counts as failed (KEDA, `KEDA_HTTP_DEFAULT_TIMEOUT`).
const READ: Duration = Duration::from_secs(3);

/// While paused, how often it is looked whether that is over.
const IDLE: Duration = Duration::from_millis(500);

/// What it works on.
pub struct Driven {
    /// The queue whose length is looked at.
    pub queue: Arc<dyn storage::Queue>,
    /// What is scaled.
    pub target: Arc<dyn Target>,
    /// Where decisions are taken down.
    pub log: EventLog,
}

/// What is scaled.
#[async_trait]
pub trait Target: Send + Sync {
    /// From now on so many replicas are wanted.
    async fn scale(&self, replicas: u32);
}

/// The model of KEDA and the HPA at work on a run, until it is stopped or dropped.
#[derive(Debug)]
pub struct Scaler {
    stop: DropGuard,
    task: JoinHandle<anyhow::Result<()>>,
    recording: Arc<Mutex<Recording>>,
}

impl Scaler {
    /// Scales `driven` from none on, as `scaling` says.
    pub fn start(scaling: &Scaling, driven: Driven) -> Self {
        let stop = CancellationToken::new();
        let settings = scaling.effective();
        // As for a ScaledObject that is created now: the operator polls at once, the HPA lets a period pass.
        let start = Start {
            phases: Phases {
                poll: Duration::ZERO,
                sync: settings.controller.sync_period,
                second: settings.controller.status_resolution / 2,
            },
            ..Start::default()
        };
        let recording = Recording::new(Stamp::now(), settings.clone(), start);
        let recording = Arc::new(Mutex::new(recording));
        let drive = Drive {
            model: Autoscaler::new(settings.clone(), &start),
            settings,
            since: Instant::now(),
            recording: recording.clone(),
            driven,
        };
        let task = tokio::spawn(drive.run(stop.clone()));
        Self {
            stop: stop.drop_guard(),
            task,
            recording,
        }
    }

    /// What it has seen and done so far.
    pub fn recording(&self) -> Recording {
        lock(&self.recording).clone()
    }

    /// Ends it, and tells whether it went well.
    pub async fn stop(self) -> anyhow::Result<Recording> {
        drop(self.stop);
        let ended = self.task.await.context("scale the consumers")?;
        ended.context("scale the consumers")?;
        Ok(lock(&self.recording).clone())
    }
}

fn lock(recording: &Mutex<Recording>) -> MutexGuard<'_, Recording> {
    recording.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Drive {
    model: Autoscaler,
    settings: Settings,
    since: Instant,
    recording: Arc<Mutex<Recording>>,
    driven: Driven,
}

impl Drive {
    async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            let due = self.model.next_due();
            let wake = due.map_or_else(|| Instant::now() + IDLE, |due| self.since + due);
            let asleep = stop.run_until_cancelled(tokio::time::sleep_until(wake));
            if asleep.await.is_none() {
                return Ok(());
            }
            if let Some(due) = due {
                self.tick(due).await?;
            }
        }
    }

    /// What is due: looks at the queue, lets the model decide, and says to the fleet what it decided.
    async fn tick(&mut self, due: Duration) -> anyhow::Result<()> {
        let observed = observe(&*self.driven.queue, self.settings.strategy).await;
        let now = self.since.elapsed();
        let decisions = self.model.step(now, observed);
        lock(&self.recording).ticked(due, now, observed, &decisions);
        for decision in decisions {
            self.driven.log.append(
                Stamp::now(),
                Event::Scaled(Scaled {
                    by: format!("model of {}", decision.by),
                    from: decision.from,
                    to: decision.to,
                    reason: decision.reason.to_string(),
                }),
            )?;
            self.driven.target.scale(decision.to).await;
        }
        Ok(())
    }
}

/// The queue as the scaler reads it. Whatever goes wrong with it is the same to the scaler.
async fn observe(queue: &dyn storage::Queue, strategy: LengthStrategy) -> Observation {
    let count = async {
        let all = queue.approximate_count().await.map_err(|_| ScalerError)?;
        // Only for the strategy that looks: a peek is one more request, as it is for KEDA.
        let visible = match strategy {
            LengthStrategy::All => all,
            LengthStrategy::VisibleOnly => {
                let peeked = queue.peek(MAX_RECEIVE).await.map_err(|_| ScalerError)?;
                peeked.len() as u64
            }
        };
        Ok(Queue {
            visible,
            leased: all.saturating_sub(visible),
        })
    };
    timeout(READ, count).await.unwrap_or(Err(ScalerError))
}
