//! Detection of a storage loss during a run: storage is checked four times a second, and every wait of the run is notified.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;
use workflow::task;

/// Interval of the checks.
const EVERY: Duration = Duration::from_millis(250);

/// Whether and how storage was lost. Clones share the state.
#[derive(Debug, Clone)]
pub struct StorageLoss(Arc<watch::Sender<Option<String>>>);

impl Default for StorageLoss {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl StorageLoss {
    /// How storage was lost, if it was.
    pub fn reason(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Resolves with the reason when storage is lost.
    pub async fn lost(&self) -> String {
        let mut told = self.0.subscribe();
        let lost = told.wait_for(Option::is_some).await;
        lost.ok()
            .and_then(|reason| reason.clone())
            .unwrap_or_default()
    }

    /// Records how storage was lost; only the first reason counts.
    pub fn tell(&self, reason: String) {
        self.0.send_if_modified(|told| {
            let first = told.is_none();
            told.get_or_insert(reason);
            first
        });
    }
}

/// Checks four times a second whether storage was lost, until it is dropped.
#[derive(Debug)]
pub(super) struct Lookout(
    #[expect(dead_code, reason = "ends the look-out when it is dropped")] AbortOnDropHandle<()>,
);

impl Lookout {
    /// `look` is one check: it returns how storage was lost, if it was. The first result goes to `loss`. A check that panics
    /// counts as a loss, because the run must not continue unchecked.
    pub(super) fn start<L, F>(loss: StorageLoss, mut look: L) -> Self
    where
        L: FnMut() -> F + Send + 'static,
        F: Future<Output = Option<String>> + Send,
    {
        let looks = async move {
            let mut tick = interval(EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                if let Some(reason) = look().await {
                    return reason;
                }
            }
        };
        Self(task::spawn(async move {
            match task::spawn(looks).await {
                Ok(reason) => loss.tell(reason),
                Err(panic) => loss.tell(format!(
                    "look after storage: {panic}; this is a bug of the harness"
                )),
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_that_panics_ends_the_run() {
        let loss = StorageLoss::default();
        let _lookout = Lookout::start(loss.clone(), || async { panic!("no more") });
        assert!(loss.lost().await.contains("a bug of the harness"));
    }

    #[tokio::test]
    async fn the_first_reason_is_told_to_all_also_to_those_who_ask_late() {
        let loss = StorageLoss::default();
        assert_eq!(loss.reason(), None);
        let early = task::spawn({
            let loss = loss.clone();
            async move { loss.lost().await }
        });
        loss.tell("killed".to_owned());
        loss.tell("away".to_owned());
        assert_eq!(early.await.unwrap(), "killed");
        assert_eq!(loss.lost().await, "killed");
    }
}
