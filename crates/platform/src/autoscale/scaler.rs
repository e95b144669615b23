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
    /// The name of the queue, where a run has several.
    pub name: Option<String>,
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
    task: AbortOnDropHandle<anyhow::Result<()>>,
    recording: Arc<Mutex<ScalingRecord>>,
}

impl Scaler {
    /// Scales `driven` from none on, as `scaling` says.
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

    /// What it has seen and done so far.
    pub fn recording(&self) -> ScalingRecord {
        lock(&self.recording).clone()
    }

    /// Ends it, and tells whether it went well.
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

    /// What is due: looks at the queue, lets the model decide, and says to the fleet what it decided.
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
