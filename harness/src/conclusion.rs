//! How a run is concluded, whoever conducted it: `load`, `verify` and scenarios alike.
//!
//! What was judged are parts, each with an outcome and its reasons, and the worst part decides ([`judge::Conclusion`]). Before that
//! is written down, what
//! still works is ended, and the run's storage is removed: it stays only where a promise was broken, for people to look into.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
pub(crate) use judge::{Conclusion, Part};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::outcome::Outcome;
use crate::panics::Stray;
use crate::report::{Report, RunRecord};
use crate::run::{Run, Sending};

/// How long it may take to kill what still works: the kernel does it at once.
const KILLING: Duration = Duration::from_secs(5);

/// The same once a second signal has asked to wait for nobody.
const REMOVAL_AT_ONCE: Duration = Duration::from_secs(2);

/// What a signal is the reason of.
pub(crate) const STOPPED: &str = "stopped by a signal";

/// A run that was conducted to its end, or as far as it went.
pub(crate) struct Conducted<'a> {
    /// The run.
    pub(crate) run: Run,
    /// Its producer, where that still sends.
    pub(crate) sending: Option<Sending>,
    /// What was judged of it, or why it could not go on.
    pub(crate) judged: anyhow::Result<Vec<Part>>,
    /// Panics of the harness since it began.
    pub(crate) stray: &'a Stray,
    /// Whether a signal asked it to stop.
    pub(crate) stopped: bool,
    /// Asks to wait for nobody.
    pub(crate) at_once: &'a CancellationToken,
}

/// What became of a run.
#[derive(Debug)]
pub(crate) struct Concluded {
    /// Everything that its log says.
    pub(crate) record: RunRecord,
    /// Where its reports are.
    pub(crate) report: Report,
}

/// A run that is concluded, and what its reports say or why there are none.
pub(crate) struct Ending {
    /// What it stated at its end.
    pub(crate) conclusion: Conclusion,
    /// Its directory.
    pub(crate) dir: PathBuf,
    /// Its reports.
    pub(crate) concluded: anyhow::Result<Concluded>,
}

impl Conducted<'_> {
    /// Ends what still works, removes the storage where nobody needs it any more, records the outcome and writes the reports.
    pub(crate) async fn conclude(self) -> Ending {
        let Self {
            mut run,
            sending,
            judged,
            stray,
            stopped,
            at_once,
        } = self;
        let lost = match &judged {
            Ok(_) => run.storage_loss().reason(),
            Err(_) => run.storage_lost().await,
        };
        let is_good = judged.as_ref().is_ok_and(|parts| {
            !parts.is_empty() && parts.iter().all(|part| part.outcome == Outcome::Pass)
        });
        let sending = match lost {
            Some(_) => {
                at_once.run_until_cancelled(run.wind_up(sending)).await;
                None
            }
            None => sending,
        };
        // What passed has ended its consumers, or has them end with it.
        if !is_good && timeout(KILLING, run.abandon(sending)).await.is_err() {
            tracing::warn!("failed to end the workload within {KILLING:?}");
        }
        let watched = run.stop_watching().await.and_then(|()| run.check());
        let mut parts = parts_of(judged, lost.clone(), stopped);
        // Whatever else went wrong follows from the loss of storage.
        if let (None, Err(error)) = (&lost, watched) {
            parts.push(Part::of_error(&error));
        }
        parts.extend(
            stray
                .reason()
                .map(|reason| Part::new(Outcome::Inconclusive, reason)),
        );
        if !parts.is_empty() && !is_good && !is_evidence(&parts) {
            parts.extend(proven(&run));
        }
        if stopped || !is_evidence(&parts) {
            let removed = remove(&run, at_once).await;
            if let (None, Err(error)) = (&lost, removed) {
                let reason = format!("clean up: {error:#}");
                parts.push(Part::new(Outcome::Inconclusive, reason));
            }
        }
        let conclusion = Conclusion::of(parts);
        let recorded = run.record(conclusion.clone().event());
        let dir = run.dir().path().to_owned();
        let closed = run.close().await;
        let concluded = recorded.and(closed).and_then(|()| {
            let (record, report) = crate::report::write(&dir)?;
            Ok(Concluded { record, report })
        });
        Ending {
            conclusion,
            dir,
            concluded,
        }
    }
}

/// An error on the way makes the run inconclusive, since the harness could not tell; a signal that had come before makes it
/// incomplete.
fn parts_of(judged: anyhow::Result<Vec<Part>>, lost: Option<String>, stopped: bool) -> Vec<Part> {
    let mut part = match (judged, lost) {
        (Ok(parts), _) => return parts,
        (Err(_), Some(reason)) => Part::new(Outcome::Inconclusive, reason),
        (Err(error), None) => Part::of_error(&error),
    };
    tracing::error!("{}", part.reasons.join("; "));
    if stopped && part.outcome == Outcome::Inconclusive {
        part.outcome = Outcome::Incomplete;
        part.reasons.insert(0, STOPPED.to_owned());
    }
    vec![part]
}

/// Whether the run's storage shows a broken promise.
fn is_evidence(parts: &[Part]) -> bool {
    parts.iter().any(|part| part.outcome == Outcome::Fail)
}

/// What could not be told may be the workers' own doing: one that deletes the table leaves nothing to read. The wire saw who did what.
fn proven(run: &Run) -> Option<Part> {
    match run.proven() {
        Ok(reasons) if reasons.is_empty() => None,
        Ok(reasons) => Some(Part {
            outcome: Outcome::Fail,
            reasons,
        }),
        // What is the matter with the history was told before.
        Err(error) => {
            tracing::debug!("failed to judge the history alone: {error:#}");
            None
        }
    }
}

async fn remove(run: &Run, at_once: &CancellationToken) -> anyhow::Result<()> {
    // Also for somebody in a hurry: what is gone need not be swept.
    if at_once.is_cancelled() {
        return timeout(REMOVAL_AT_ONCE, run.remove()).await?;
    }
    let removed = timeout(run.removal(), run.remove());
    let removed = at_once.run_until_cancelled(removed).await;
    removed.context(STOPPED)??
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::outcome::Unmet;

    #[test]
    fn an_error_is_inconclusive_after_a_signal_incomplete_and_unmet_a_failure_all_the_same() {
        let told = |error: anyhow::Error, lost: Option<&str>, stopped| {
            let lost = lost.map(str::to_owned);
            let Conclusion { outcome, reasons } =
                Conclusion::of(parts_of(Err(error), lost, stopped));
            (outcome, reasons.join("; "))
        };
        let error = || anyhow!("no answer").context("count");
        let unmet = || Unmet("end in time".to_owned()).into();
        let failed = "failed to count: no answer";
        for (found, outcome, reasons) in [
            (
                told(error(), None, false),
                Outcome::Inconclusive,
                failed.to_owned(),
            ),
            (
                told(error(), None, true),
                Outcome::Incomplete,
                format!("{STOPPED}; {failed}"),
            ),
            (
                told(error(), Some("away"), false),
                Outcome::Inconclusive,
                "away".to_owned(),
            ),
            (
                told(error(), Some("away"), true),
                Outcome::Incomplete,
                format!("{STOPPED}; away"),
            ),
            (
                told(unmet(), None, true),
                Outcome::Fail,
                "failed to end in time".to_owned(),
            ),
        ] {
            assert_eq!(found, (outcome, reasons));
        }
    }

    #[test]
    fn storage_that_shows_a_broken_promise_is_evidence() {
        assert!(is_evidence(&[
            Part::bare(Outcome::Inconclusive),
            Part::bare(Outcome::Fail)
        ]));
        for outcome in [Outcome::Pass, Outcome::Inconclusive, Outcome::Incomplete] {
            assert!(!is_evidence(&[Part::bare(outcome)]), "{outcome}");
        }
    }
}
