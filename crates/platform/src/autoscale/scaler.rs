//! The loop that scales a run's consumers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use autoscaler::{Autoscaler, Settings};
use evidence::events::{Event, EventLog, Scaled};
use evidence::pace::Pace;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use workflow::contract::Stamp;
use workflow::task;

use super::read::observe;
use super::recording::beginning;
use super::{Scaling, ScalingRecord};
use crate::lock::lock;
use crate::storage;

/// Interval of the check whether a pause of the scaling is over.
const IDLE: Duration = Duration::from_millis(500);

/// The parts of a run that the scaler works on.
pub struct Driven {
    /// The queue whose length is polled.
    pub queue: Arc<dyn storage::Queue>,
    /// The consumers that are scaled.
    pub target: Arc<dyn Target>,
    /// The event log that records decisions.
    pub log: EventLog,
    /// The name of the queue, if a run has several.
    pub name: Option<String>,
}

/// A group of consumers that can be scaled.
#[async_trait]
pub trait Target: Send + Sync {
    /// Sets the number of replicas that are wanted from now on.
    async fn scale(&self, replicas: u32);
}

/// The model of KEDA and the HPA, scaling a run until it is stopped or dropped.
#[derive(Debug)]
pub struct Scaler {
    stop: DropGuard,
    task: AbortOnDropHandle<anyhow::Result<()>>,
    recording: Arc<Mutex<ScalingRecord>>,
}

impl Scaler {
    /// Starts to scale `driven` from zero replicas, as `scaling` says.
    pub fn start(scaling: &Scaling, driven: Driven) -> Self {
        let stop = CancellationToken::new();
        let settings = scaling.effective();
        let start = beginning(&settings);
        let recording = ScalingRecord::new(Stamp::now());
        let recording = Arc::new(Mutex::new(recording));
        let drive = Drive {
            model: Autoscaler::new(settings.clone(), &start),
            settings,
            pace: scaling.pace,
            since: Instant::now(),
            recording: recording.clone(),
            driven,
        };
        let task = task::spawn(drive.run(stop.clone()));
        Self {
            stop: stop.drop_guard(),
            task,
            recording,
        }
    }

    /// The record so far.
    pub fn recording(&self) -> ScalingRecord {
        lock(&self.recording).clone()
    }

    /// Stops the scaler, and returns its record or its first error.
    pub async fn stop(self) -> anyhow::Result<ScalingRecord> {
        drop(self.stop);
        let ended = self.task.await.context("scale the consumers")?;
        ended.context("scale the consumers")?;
        Ok(lock(&self.recording).clone())
    }
}

struct Drive {
    model: Autoscaler,
    settings: Settings,
    pace: Pace,
    since: Instant,
    recording: Arc<Mutex<ScalingRecord>>,
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

    /// Does what is due: polls the queue, lets the model decide, and hands the decision to the fleet.
    async fn tick(&mut self, due: Duration) -> anyhow::Result<()> {
        let observed = observe(&*self.driven.queue, self.settings.strategy, self.pace).await;
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
                    queue: self.driven.name.clone(),
                }),
            )?;
            self.driven.target.scale(decision.to).await;
        }
        Ok(())
    }
}
