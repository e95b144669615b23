//! Concludes a run: the same for `load`, `verify` and scenarios.
//!
//! A judgement consists of parts, each with an outcome and its reasons; the worst part decides ([`judge::Conclusion`]). Before the
//! outcome is recorded, running processes are ended and the run's storage is removed: storage is kept only if a promise was broken,
//! so that people can look into it.

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

/// How long it may take to kill running processes: the kernel kills them immediately.
const KILLING: Duration = Duration::from_secs(5);

/// How long the removal of storage may take after a second signal.
const REMOVAL_AT_ONCE: Duration = Duration::from_secs(2);

/// The reason of the outcome of a run that a signal stopped.
pub(crate) const STOPPED: &str = "stopped by a signal";

/// A run that was conducted to its end, or until an error.
pub(crate) struct Conducted<'a> {
    /// The run.
    pub(crate) run: Run,
    /// Its producer, if it still sends.
    pub(crate) sending: Option<Sending>,
    /// The judgement, or the error that stopped the run.
    pub(crate) judged: anyhow::Result<Vec<Part>>,
    /// Panics of the harness since the run began.
    pub(crate) stray: &'a Stray,
    /// Whether a signal asked it to stop.
    pub(crate) stopped: bool,
    /// Cancelled by the second signal: nothing is waited for.
    pub(crate) at_once: &'a CancellationToken,
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Concluded {
    /// The content of its log.
    pub(crate) record: RunRecord,
    /// Its reports.
    pub(crate) report: Report,
}

/// A concluded run, with its reports or the reason why there are none.
pub(crate) struct Ending {
    /// The outcome and reasons that were recorded at its end.
    pub(crate) conclusion: Conclusion,
    /// Its directory.
    pub(crate) dir: PathBuf,
    /// Its reports, or the error.
    pub(crate) concluded: anyhow::Result<Concluded>,
}

impl Conducted<'_> {
    /// Ends running processes, removes storage that is no longer needed, records the outcome and writes the reports.
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
        // A run that passed has ended its consumers already, or [`Run::close`] ends them.
        if !is_good && timeout(KILLING, run.abandon(sending)).await.is_err() {
            tracing::warn!("failed to end the workload within {KILLING:?}");
        }
        let watched = run.stop_watching().await.and_then(|()| run.check());
        let mut parts = parts_of(judged, lost.clone(), stopped);
        // Other errors are consequences of the loss of storage.
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

/// The parts of a judgement. An error makes the run inconclusive, since the harness could not judge it; a signal before the error
/// makes it incomplete.
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

/// The promises that the history proves broken, for a run that could not be judged. Its workers may be the cause: a worker that
/// deletes the table, for example, leaves nothing to read.
fn proven(run: &Run) -> Option<Part> {
    match run.proven() {
        Ok(reasons) if reasons.is_empty() => None,
        Ok(reasons) => Some(Part {
            outcome: Outcome::Fail,
            reasons,
        }),
        // The problem of the history was reported before.
        Err(error) => {
            tracing::debug!("failed to judge the history alone: {error:#}");
            None
        }
    }
}

async fn remove(run: &Run, at_once: &CancellationToken) -> anyhow::Result<()> {
    // Storage is removed also after a second signal, within a shorter time, so that less is left to sweep.
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
            let Conclusion {
                outcome, reasons, ..
            } = Conclusion::of(parts_of(Err(error), lost, stopped));
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
