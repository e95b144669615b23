//! Losing storage in the middle of a run: noticed by a look four times a second, and told to whoever waits for anything.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Run, Sending};
use crate::environment::Environment;
use crate::events::Event;

/// From one look to the next.
const EVERY: Duration = Duration::from_millis(250);

/// How long the workload may take to end in order once its storage is lost: it has nothing left to finish.
const WIND_UP: Duration = Duration::from_secs(3);

/// Whether storage is lost, and how. Clones share it.
#[derive(Debug, Clone)]
pub struct StorageLoss(Arc<watch::Sender<Option<String>>>);

impl Default for StorageLoss {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl StorageLoss {
    /// How storage was lost, if it is.
    pub fn reason(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Resolves when it is lost, with how.
    pub async fn lost(&self) -> String {
        let mut told = self.0.subscribe();
        let lost = told.wait_for(Option::is_some).await;
        lost.ok()
            .and_then(|reason| reason.clone())
            .unwrap_or_default()
    }

    fn tell(&self, reason: String) {
        self.0.send_if_modified(|told| {
            let first = told.is_none();
            told.get_or_insert(reason);
            first
        });
    }
}

/// Looks after the environment of one run, until it is dropped.
pub(super) struct Lookout {
    _stop: DropGuard,
    _task: JoinHandle<()>,
}

impl Lookout {
    pub(super) fn start(environment: Arc<dyn Environment>, loss: StorageLoss) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let look = async move {
            let mut tick = interval(EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                if let Err(error) = environment.check_guard() {
                    // Whoever starts the next child hears of it.
                    tracing::warn!("failed to {error:#}");
                }
                if let Some(reason) = environment.storage_lost().await {
                    return loss.tell(reason);
                }
            }
        };
        let task = tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = look => {}
            }
        });
        Self {
            _stop: stop.drop_guard(),
            _task: task,
        }
    }
}

impl Run {
    /// The sign that its storage is lost.
    pub fn storage_loss(&self) -> StorageLoss {
        self.loss.clone()
    }

    /// How its storage was lost, if it is, by a look of its own: whoever has just failed need not wait for the next.
    pub async fn storage_lost(&self) -> Option<String> {
        if let Some(reason) = self.loss.reason() {
            return Some(reason);
        }
        let reason = self.environment.storage_lost().await?;
        self.loss.tell(reason.clone());
        Some(reason)
    }

    /// Ends the producer and then the consumers of a run without storage, each asked first. Whatever of it goes wrong is not
    /// the news: they are ended in any case.
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
            let departures = self.fleet().await.drain_all(WIND_UP).await?;
            told?;
            anyhow::Ok(departures.len())
        };
        // Each of them has its own bound; this one is for what has none.
        match timeout(3 * WIND_UP, ended).await {
            Ok(Ok(count)) => tracing::debug!(count, "consumers have ended"),
            Ok(Err(error)) => tracing::warn!("failed to end the workload in order: {error:#}"),
            Err(late) => tracing::warn!("failed to end the workload in order: {late}"),
        }
    }

    /// Ends the producer and the consumers of a run that the harness cannot conduct any further, without asking: what they would
    /// still do, and how they would end, says nothing about them any more.
    pub async fn abandon(&self, sending: Option<Sending>) {
        let ended = async {
            if let Some(mut sending) = sending {
                sending.abandon().await?;
            }
            self.fleet().await.abandon().await
        };
        if let Err(error) = ended.await {
            tracing::debug!("failed to {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_is_told_to_all_also_to_those_who_ask_late() {
        let loss = StorageLoss::default();
        assert_eq!(loss.reason(), None);
        let early = tokio::spawn({
            let loss = loss.clone();
            async move { loss.lost().await }
        });
        loss.tell("killed".to_owned());
        loss.tell("away".to_owned());
        assert_eq!(early.await.unwrap(), "killed");
        assert_eq!(loss.lost().await, "killed");
    }
}
