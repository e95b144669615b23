//! Plays one scenario: its steps in order, each within its deadline, on a thread of its own.
//!
//! The thread isolates scenarios: one whose step blocks, spins or panics does not delay the others, and one that never returns is
//! abandoned at its deadline. The tasks that a scenario spawns run on the suite's runtime.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cucumber::gherkin;
use futures::FutureExt as _;
use platform::{Clock, Platform, StorageLoss};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::durations::stated;
use super::selection::{Case, definitions};
use super::trouble::Trouble;
use super::world::{Scenario, Setting};
use crate::conclusion::{Concluded, Conclusion, Conducted, Ending, Part, STOPPED};
use crate::events::Step;
use crate::outcome::Outcome;
use crate::panics::{self, Stray};

/// Time from a scenario's deadline until its thread is abandoned: as long as its clean-up may take.
const UNRESPONSIVE: Duration = Duration::from_secs(60);

/// How long a step and a scenario may take, beyond the times in their sentences.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    pub(super) step: Duration,
    pub(super) scenario: Duration,
}

impl Deadlines {
    /// The limits of `case`, with additional time for steps that wait for production time.
    fn of_case(self, case: &Case) -> Self {
        let beyond = |time: Duration| time.saturating_add(case.patience);
        Self {
            step: beyond(self.step),
            scenario: beyond(self.scenario).saturating_add(case.stated()),
        }
    }
}

/// How a scenario ended.
#[derive(Debug, Clone)]
pub(super) struct Played {
    pub(super) outcome: Outcome,
    /// The reason, if it did not pass.
    pub(super) detail: Option<String>,
    /// What its run found, if it passed.
    pub(super) found: Option<String>,
    /// The steps that were begun.
    pub(super) steps: Vec<Step>,
    /// The directory of its run, if it has one.
    pub(super) dir: Option<PathBuf>,
    pub(super) took: Duration,
}

impl Played {
    /// A scenario of which only the outcome and the reason are known.
    fn lost(outcome: Outcome, detail: String, start: Instant) -> Self {
        Self {
            outcome,
            detail: Some(detail),
            found: None,
            steps: Vec::new(),
            dir: None,
            took: start.elapsed(),
        }
    }
}

/// The signals that ask a scenario to end.
#[derive(Debug, Clone)]
pub(super) struct Ends {
    /// End in order: what the scenario has created is removed.
    pub(super) stop: CancellationToken,
    /// End immediately: nothing is waited for.
    pub(super) at_once: CancellationToken,
}

/// Plays `case` in `setting` until it ends, until `ends` stop it, or until its deadline.
#[expect(
    clippy::disallowed_methods,
    reason = "its result is waited for; a thread that hangs in a step is given up, and told of"
)]
pub(super) async fn play(case: Case, setting: Setting, deadlines: Deadlines, ends: Ends) -> Played {
    let start = Instant::now();
    let deadlines = deadlines.of_case(&case);
    let deadline = deadlines.scenario;
    let (done, ended) = oneshot::channel();
    let (runtime, stray) = (Handle::current(), Stray::watch());
    let spawned = thread::Builder::new()
        .name(format!("scenario {}", setting.identity.run))
        .spawn(move || {
            let play = Play {
                platform: setting.platform.clone(),
                loss: setting.loss.clone(),
                stray,
                deadlines,
                stop: ends.stop,
                start,
                deadline,
            };
            let clock = setting.platform.clock();
            // A thread that still waited on the runtime when it ends would panic.
            let cut_off = ends
                .at_once
                .run_until_cancelled(play.perform(&case, setting));
            let played = on_clock(clock, &runtime, cut_off);
            let stopped = || Played::lost(Outcome::Incomplete, STOPPED.to_owned(), start);
            let played = played.unwrap_or_else(stopped);
            // If the scenario was abandoned, nothing receives the result.
            let _ = done.send(played);
        });
    if let Err(error) = spawned {
        let detail = format!("start a thread for the scenario: {error}");
        return Played::lost(Outcome::Inconclusive, detail, start);
    }
    match timeout(deadline + UNRESPONSIVE, ended).await {
        Ok(Ok(played)) => played,
        Ok(Err(_)) => {
            let detail = "its thread panicked, which is a bug of the harness".to_owned();
            Played::lost(Outcome::Inconclusive, detail, start)
        }
        Err(_) => {
            let detail = format!("a step blocks its thread; given up after {deadline:?}");
            Played::lost(Outcome::Incomplete, detail, start)
        }
    }
}

/// Runs `scenario` to its end on this thread: on the suite's runtime, or on one of its own whose clock is paused.
fn on_clock<T>(clock: Clock, runtime: &Handle, scenario: impl Future<Output = T>) -> T {
    match clock {
        Clock::Wall => runtime.block_on(scenario),
        Clock::Paused => {
            let own = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .expect("a runtime without threads must start");
            own.block_on(async {
                let _followed = workflow::clock::follow_tokio();
                scenario.await
            })
        }
    }
}

/// The state that the steps of one scenario share.
struct Play {
    platform: Arc<dyn Platform>,
    loss: StorageLoss,
    stray: Stray,
    deadlines: Deadlines,
    stop: CancellationToken,
    start: Instant,
    deadline: Duration,
}

impl Play {
    async fn perform(&self, case: &Case, setting: Setting) -> Played {
        let mut world = Scenario::new(setting, case.pace);
        let (mut steps, mut trouble) = (Vec::new(), None);
        for step in &case.steps {
            let begun = Instant::now();
            let mut ended = match self.step(&mut world, &case.here(step)).await {
                Ok(()) => None,
                Err(trouble) => {
                    let trouble = self.blame_storage(&world, trouble).await;
                    Some(Self::blame_workers(&world, trouble))
                }
            };
            let told = Step {
                sentence: format!("{} {}", step.keyword.trim(), step.value),
                outcome: ended.as_ref().map_or(Outcome::Pass, Trouble::outcome),
                detail: ended.as_ref().map(|trouble| trouble.reason().to_owned()),
                duration_ms: millis(begun.elapsed()),
            };
            steps.push(told.clone());
            if let Err(error) = world.ended(told) {
                ended.get_or_insert_with(|| {
                    Trouble::new(Outcome::Inconclusive, format!("{error:#}"))
                });
            }
            trouble = ended;
            if trouble.is_some() {
                break;
            }
        }
        Box::pin(self.conclude(world, steps, trouble)).await
    }

    /// Plays one step, within the remaining time.
    async fn step(&self, world: &mut Scenario, step: &gherkin::Step) -> Result<(), Trouble> {
        let own = self.deadlines.step.saturating_add(stated(&step.value));
        let allowed = own.min(self.deadline.saturating_sub(self.start.elapsed()));
        let Ok(Some((definition, .., context))) = definitions().find(step) else {
            let reason = "the step has no definition";
            return Err(Trouble::new(Outcome::Inconclusive, reason));
        };
        let play = AssertUnwindSafe(panics::kept(definition(world, context))).catch_unwind();
        tokio::select! {
            () = self.stop.cancelled() => Err(Trouble::new(Outcome::Incomplete, STOPPED)),
            reason = self.loss.lost() => Err(Trouble::new(Outcome::Inconclusive, reason)),
            reason = self.stray.any() => Err(Trouble::new(Outcome::Inconclusive, reason)),
            ended = timeout(allowed, play) => match ended {
                Ok(Ok(())) => Ok(()),
                Ok(Err(panic)) => Err(Trouble::of_panic(&*panic)),
                Err(_) => {
                    let reason = format!("the step has not ended within its deadline of {allowed:.1?}");
                    Err(Trouble::new(Outcome::Incomplete, reason))
                }
            },
        }
    }

    /// If the scenario could not be judged, a worker may be the cause, as the wire shows: a worker that deletes the table, for
    /// example, leaves nothing to read.
    fn blame_workers(world: &Scenario, trouble: Trouble) -> Trouble {
        if trouble.outcome() != Outcome::Inconclusive {
            return trouble;
        }
        let proven = world.begun().and_then(|run| run.proven().ok());
        match proven {
            Some(reasons) if !reasons.is_empty() => {
                let reason = format!("{}; {}", reasons.join("; "), trouble.reason());
                Trouble::new(Outcome::Fail, reason)
            }
            _ => trouble,
        }
    }

    /// If storage is lost, other errors say nothing about the workload.
    async fn blame_storage(&self, world: &Scenario, trouble: Trouble) -> Trouble {
        let lost = match world.begun() {
            Some(run) => run.storage_lost().await,
            None => self.platform.storage_lost().await,
        };
        match lost {
            Some(lost) => trouble.after_loss(lost),
            None => trouble,
        }
    }

    /// Ends the scenario's run. The reports of the run and of the scenario show the same outcome, the worse of both.
    async fn conclude(
        &self,
        mut world: Scenario,
        steps: Vec<Step>,
        trouble: Option<Trouble>,
    ) -> Played {
        let mut part = trouble.map_or(Part::bare(Outcome::Pass), |trouble| {
            Part::new(trouble.outcome(), trouble.reason())
        });
        if let Err(error) = world.give_up_preparing().await {
            part.reasons.push(format!("{error:#}"));
        }
        let played = |outcome, reasons: Vec<String>, found, dir| Played {
            outcome,
            detail: (outcome != Outcome::Pass).then(|| reasons.join("; ")),
            found,
            steps,
            dir,
            took: self.start.elapsed(),
        };
        let Some(run) = world.into_run() else {
            return played(part.outcome, part.reasons, None, None);
        };
        let conducted = Conducted {
            run,
            sending: None,
            judged: Ok(vec![part]),
            stray: &self.stray,
            stopped: self.stop.is_cancelled(),
            // The second signal abandons this thread, so it need not be handled here.
            at_once: &CancellationToken::new(),
        };
        let Ending {
            conclusion,
            dir,
            concluded,
        } = conducted.conclude().await;
        let Conclusion {
            outcome,
            mut reasons,
            ..
        } = conclusion;
        match concluded {
            Ok(Concluded { record, .. }) => {
                let verdict = record.verdict();
                if reasons.is_empty() {
                    reasons = verdict.reasons;
                }
                let found = (verdict.outcome == Outcome::Pass).then_some(verdict.headline);
                played(verdict.outcome.worse(outcome), reasons, found, Some(dir))
            }
            Err(error) => {
                if reasons.is_empty() {
                    reasons.push(format!("{error:#}"));
                }
                played(
                    outcome.worse(Outcome::Inconclusive),
                    reasons,
                    None,
                    Some(dir),
                )
            }
        }
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
