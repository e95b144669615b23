//! When consumers report that they are ready.

use std::time::Duration;

use anyhow::ensure;
use platform::until::until;
use platform::{Readiness, Roster};

use super::Run;
use crate::outcome::{NotPassed, Unmet};
use crate::wire::AtWork;

/// How long consumers may take until the first of them sends a request to storage: a pod has to be started.
const START: Duration = Duration::from_secs(30);

/// The workers in `roster` that report that they are ready.
fn ready(roster: &Roster) -> impl Iterator<Item = &str> {
    let ready = roster
        .running()
        .filter(|it| it.readiness == Readiness::Ready);
    ready.map(|worker| worker.name.as_str())
}

/// Adds to `early` the workers that report that they are ready.
fn note_ready(roster: &Roster, early: &mut Vec<String>) {
    for name in ready(roster) {
        if early.iter().all(|known| known != name) {
            early.push(name.to_owned());
        }
    }
}

impl Run {
    /// Waits for the whole `time`, and returns the workers that report meanwhile that they are ready.
    pub async fn ready_within(&self, time: Duration) -> anyhow::Result<Vec<String>> {
        let mut early = Vec::new();
        self.watch_ready(time, &mut early).await?;
        Ok(early)
    }

    /// Waits until `rule` has met a request, and then for the whole `time`; returns the workers that report meanwhile that they are
    /// ready. Inconclusive if no worker has sent such a request.
    pub async fn ready_under(
        &self,
        rule: &dyn AtWork,
        time: Duration,
    ) -> anyhow::Result<Vec<String>> {
        let mut early = Vec::new();
        let met = until(START, async || {
            note_ready(&self.roster(), &mut early);
            Ok((rule.struck() > 0 || !early.is_empty()).then_some(()))
        });
        ensure!(
            met.await?.is_ok(),
            NotPassed::inconclusive(format!(
                "no consumer has asked what is busy within {START:?}: nothing can be told"
            ))
        );
        self.watch_ready(time, &mut early).await?;
        Ok(early)
    }

    async fn watch_ready(&self, time: Duration, early: &mut Vec<String>) -> anyhow::Result<()> {
        let watched = until(time, async || {
            note_ready(&self.roster(), early);
            Ok(None::<()>)
        });
        watched.await?.ok();
        Ok(())
    }

    /// Waits until so many `consumers` report that they are ready, for at most `deadline`.
    pub async fn until_ready(&self, consumers: usize, deadline: Duration) -> anyhow::Result<()> {
        let all_ready = self.until_workers(deadline, |roster| {
            (ready(roster).count() >= consumers).then_some(())
        });
        if all_ready.await.is_ok() {
            return Ok(());
        }
        let roster = self.roster();
        let unready = roster.running().find(|it| it.readiness != Readiness::Ready);
        let unmet = match unready {
            Some(it) => format!(
                "{} does not say that it is ready after {deadline:?}: {}",
                it.name, it.readiness
            ),
            None => format!("not all of {consumers} consumers run after {deadline:?}"),
        };
        Err(Unmet(unmet).into())
    }
}
