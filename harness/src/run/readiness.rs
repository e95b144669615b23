//! When consumers report that they are ready.

use std::time::Duration;

use judge::readiness::{Probed, all_ready, was_put_to_the_test};
use platform::until::until;
use platform::{Readiness, Roster};

use super::Run;
use crate::wire::InForce;

/// How long consumers may take until the first of them sends a request to storage or to Entra: a pod has to be started.
const START: Duration = Duration::from_secs(30);

/// The workers in `roster` that report that they are ready.
fn ready(roster: &Roster) -> impl Iterator<Item = &str> {
    let ready = roster
        .running()
        .filter(|it| it.readiness == Readiness::Ready);
    ready.map(|worker| worker.name.as_str())
}

/// The running workers of `roster` with their answers.
fn probed(roster: &Roster) -> Vec<Probed> {
    let probed = roster.running().map(|worker| Probed {
        name: worker.name.clone(),
        is_ready: worker.readiness == Readiness::Ready,
        answer: worker.readiness.to_string(),
    });
    probed.collect()
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
    /// Waits until a request to Entra, which cannot be reached, had no answer, and then for the whole `time`; returns the workers that
    /// report meanwhile that they are ready.
    pub async fn ready_without_authority(&self, time: Duration) -> anyhow::Result<Vec<String>> {
        let mut early = Vec::new();
        let tried = until(START, async || {
            note_ready(&self.roster(), &mut early);
            let has_tried = !early.is_empty() || self.unreached().await? > 0;
            Ok(has_tried.then_some(()))
        });
        // Whether one has tried is judged when Entra is brought back.
        tried.await?.ok();
        self.watch_ready(time, &mut early).await?;
        Ok(early)
    }

    /// Waits until `rule` has met a request, and then for the whole `time`; returns the workers that report meanwhile that they are
    /// ready.
    pub async fn ready_under(
        &self,
        rule: &dyn InForce,
        time: Duration,
    ) -> anyhow::Result<Vec<String>> {
        let mut early = Vec::new();
        let met = until(START, async || {
            note_ready(&self.roster(), &mut early);
            Ok((rule.struck() > 0 || !early.is_empty()).then_some(()))
        });
        was_put_to_the_test(met.await?.is_ok(), START)?;
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
        let mut kept = Ok(());
        let ready = self.until_workers(deadline, |roster| {
            kept = all_ready(&probed(roster), consumers, deadline);
            kept.is_ok().then_some(())
        });
        ready.await.ok();
        Ok(kept?)
    }
}
