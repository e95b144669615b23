//! Reconciles the fleet again and again, like a Kubernetes controller.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use workflow::task;

use super::fleet::Fleet;
use crate::autoscale::Target;

/// Reconciliation interval. A cluster takes longer from a change of `spec.replicas` to the start of a container.
const EVERY: Duration = Duration::from_millis(100);

/// Keeps the wanted number of consumers, until it is stopped or dropped.
#[derive(Debug)]
pub(super) struct Keeper {
    stop: DropGuard,
    task: AbortOnDropHandle<anyhow::Result<()>>,
}

impl Keeper {
    pub(super) fn start(fleet: Arc<Mutex<Fleet>>) -> Self {
        let stop = CancellationToken::new();
        let task = task::spawn(keep(fleet, stop.clone()));
        Self {
            stop: stop.drop_guard(),
            task,
        }
    }

    /// Whether the loop has ended by itself, which only an error or a panic causes.
    pub(super) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Stops the loop, and returns its error.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        let ended = self.task.await.context("keep the consumers running")?;
        ended.context("keep the consumers running")
    }
}

async fn keep(fleet: Arc<Mutex<Fleet>>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        fleet.lock().await.reconcile().await?;
    }
    Ok(())
}

/// The consumers of one group and one queue, as the target of an autoscaler.
pub(super) struct Scaled {
    pub(super) fleet: Arc<Mutex<Fleet>>,
    pub(super) group: &'static str,
    pub(super) queue: usize,
}

#[async_trait]
impl Target for Scaled {
    async fn scale(&self, replicas: u32) {
        let mut fleet = self.fleet.lock().await;
        fleet.scale(self.group, self.queue, replicas);
    }
}
