//! The end of a run whose plan cannot be kept: storage is lost, or the harness cannot go on.

use std::time::Duration;

use platform::StorageLoss;
use tokio::time::timeout;

use super::{Run, Sending};
use crate::events::Event;

/// How long producer and consumers may take to end in order once storage is lost: they have nothing left to finish.
const WIND_UP: Duration = Duration::from_secs(3);

impl Run {
    /// The flag that says whether the run's storage is lost.
    pub fn storage_loss(&self) -> StorageLoss {
        self.loss.clone()
    }

    /// How the run's storage was lost, if it was. Looks at the storage now: a step that has just failed need not wait for the next
    /// regular look.
    pub async fn storage_lost(&self) -> Option<String> {
        if let Some(reason) = self.loss.reason() {
            return Some(reason);
        }
        let reason = self.stage.storage_lost().await?;
        self.loss.tell(reason.clone());
        Some(reason)
    }

    /// Asks the producer and then the consumers of a run without storage to end, and waits until they have. Errors are only logged:
    /// all processes are ended in any case.
    pub async fn wind_up(&self, sending: Option<Sending>) {
        let ended = async {
            let how = self.loss.reason().unwrap_or_default();
            let told = self.record(Event::StorageLost { how });
            if let Some(mut sending) = sending {
                sending.interrupt().await?;
                if let Err(error) = sending.finish(WIND_UP).await {
                    tracing::debug!("failed to {error:#}");
                }
            }
            let departures = self.drain(WIND_UP).await?;
            told?;
            anyhow::Ok(departures.len())
        };
        // Overall limit, in case a step has none of its own.
        match timeout(3 * WIND_UP, ended).await {
            Ok(Ok(count)) => tracing::debug!(count, "consumers have ended"),
            Ok(Err(error)) => tracing::warn!("failed to end the workload in order: {error:#}"),
            Err(late) => tracing::warn!("failed to end the workload in order: {late}"),
        }
    }

    /// Kills the producer and the consumers of a run that the harness cannot continue. They are not asked to end in order, because
    /// their further work would no longer be evidence about them.
    pub async fn abandon(&self, sending: Option<Sending>) {
        let ended = async {
            if let Some(mut sending) = sending {
                sending.abandon().await?;
            }
            self.stage.workers().abandon().await
        };
        if let Err(error) = ended.await {
            tracing::debug!("failed to {error:#}");
        }
    }
}
