//! Playing one scenario: its steps in order, each within its deadline, on a thread of its own.
//!
//! The thread is what keeps scenarios from each other: one whose step blocks, spins or panics holds up nobody else, and one
//! that never comes back is given up at its deadline. The tasks that a scenario spawns run on the suite's runtime.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cucumber::gherkin;
use futures::FutureExt as _;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::durations::stated;
use super::selection::{Case, definitions};
use super::world::{Scenario, Setting, StepError};
use crate::events::{Event, Step};
use crate::outcome::Outcome;
use crate::platform::{Clock, Platform, StorageLoss};

/// From a scenario's deadline until its thread is given up: as long as its clean-up may take.
const UNRESPONSIVE: Duration = Duration::from_secs(60);

/// How long the removal of a run's storage may take.
const REMOVAL: Duration = Duration::from_secs(20);

/// How long a step and a scenario may take, beyond the times that their sentences state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    pub(super) step: Duration,
    pub(super) scenario: Duration,
}

impl Deadlines {
    fn of_scenario(self, case: &Case) -> Duration {
        self.scenario.saturating_add(case.stated())
    }
}

/// How a scenario ended.
#[derive(Debug, Clone)]
pub(super) struct Played {
    pub(super) outcome: Outcome,
    /// Why, when it did not pass.
    pub(super) detail: Option<String>,
    /// What its run found, when it passed.
    pub(super) found: Option<String>,
    /// The steps that were begun.
    pub(super) steps: Vec<Step>,
    /// The directory of its run, when it has one.
    pub(super) dir: Option<PathBuf>,
    pub(super) took: Duration,
}

impl Played {
    /// A scenario of which no more is known than that it ended so.
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

/// Plays `case` in `setting` until it ends, `stop` is called, or its deadline is over.
pub(super) async fn play(
    case: Case,
    setting: Setting,
    deadlines: Deadlines,
    stop: CancellationToken,
) -> Played {
    let start = Instant::now();
    let deadline = deadlines.of_scenario(&case);
    let (done, ended) = oneshot::channel();
    let runtime = Handle::current();
    let spawned = thread::Builder::new()
        .name(format!("scenario {}", setting.identity.run))
        .spawn(move || {
            ON_STAGE.set(true);
            let play = Play {
                platform: setting.platform.clone(),
                loss: setting.loss.clone(),
                deadlines,
                stop,
                start,
                deadline,
            };
            let clock = setting.platform.clock();
            let played = on_clock(clock, &runtime, play.perform(&case, setting));
            // Nobody listens any more when the scenario was given up.
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

/// What the steps of one scenario share.
struct Play {
    platform: Arc<dyn Platform>,
    loss: StorageLoss,
    deadlines: Deadlines,
    stop: CancellationToken,
    start: Instant,
    deadline: Duration,
}

/// An outcome that is no pass, and why.
type Trouble = (Outcome, String);

impl Play {
    async fn perform(&self, case: &Case, setting: Setting) -> Played {
        let mut world = Scenario {
            setting: Some(setting),
            ..Scenario::default()
        };
        let (mut steps, mut trouble) = (Vec::new(), None);
        for step in &case.steps {
            let begun = Instant::now();
            let mut ended = self.step(&mut world, step).await.err();
            if let Some(trouble) = &mut ended {
                self.blame_storage(&world, trouble).await;
            }
            let (outcome, detail) = ended.clone().unzip();
            let told = Step {
                sentence: format!("{} {}", step.keyword.trim(), step.value),
                outcome: outcome.unwrap_or(Outcome::Pass),
                detail,
                duration_ms: millis(begun.elapsed()),
            };
            steps.push(told.clone());
            if let Err(error) = world.ended(told) {
                ended.get_or_insert_with(|| (Outcome::Inconclusive, format!("{error:#}")));
            }
            trouble = ended;
            if trouble.is_some() {
                break;
            }
        }
        self.conclude(world, steps, trouble).await
    }

    /// One step, within what is left of the time.
    async fn step(&self, world: &mut Scenario, step: &gherkin::Step) -> Result<(), Trouble> {
        let own = self.deadlines.step.saturating_add(stated(&step.value));
        let allowed = own.min(self.deadline.saturating_sub(self.start.elapsed()));
        let Ok(Some((definition, .., context))) = definitions().find(step) else {
            return Err((
                Outcome::Inconclusive,
                "the step has no definition".to_owned(),
            ));
        };
        let play = AssertUnwindSafe(definition(world, context)).catch_unwind();
        tokio::select! {
            () = self.stop.cancelled() => Err((Outcome::Incomplete, "stopped by a signal".to_owned())),
            reason = self.loss.lost() => Err((Outcome::Inconclusive, reason)),
            ended = timeout(allowed, play) => match ended {
                Ok(Ok(())) => Ok(()),
                Ok(Err(panic)) => Err(trouble_of(&*panic)),
                Err(_) => Err((
                    Outcome::Incomplete,
                    format!("the step has not ended within its deadline of {allowed:.1?}"),
                )),
            },
        }
    }

    /// Where storage is lost, nothing else that went wrong says anything about the workload.
    async fn blame_storage(&self, world: &Scenario, (outcome, detail): &mut Trouble) {
        let lost = match &world.run {
            Some(run) => run.storage_lost().await,
            None => self.platform.storage_lost().await,
        };
        if let Some(reason) = lost.filter(|_| *outcome != Outcome::Incomplete) {
            *outcome = Outcome::Inconclusive;
            if *detail != reason {
                *detail = format!("{reason}; after that: {detail}");
            }
        }
    }

    /// Ends the scenario's run: its storage goes after a pass or a signal and stays as evidence otherwise, as far as the
    /// environment lives on. The run's own report is never kinder than its scenario, nor the other way round.
    async fn conclude(
        &self,
        mut world: Scenario,
        steps: Vec<Step>,
        mut trouble: Option<Trouble>,
    ) -> Played {
        world.faults.clear();
        let Some(mut run) = world.run.take() else {
            let (outcome, detail) = trouble.unzip();
            return Played {
                outcome: outcome.unwrap_or(Outcome::Pass),
                detail,
                found: None,
                steps,
                dir: None,
                took: self.start.elapsed(),
            };
        };
        if self.loss.reason().is_some() {
            run.wind_up(None).await;
        }
        let watched = run.stop_watching().await;
        if let (None, Err(error)) = (&trouble, watched.and_then(|()| run.check())) {
            trouble = Some((Outcome::Inconclusive, format!("{error:#}")));
        }
        if trouble.is_none() || self.stop.is_cancelled() {
            let removed = timeout(REMOVAL, run.remove()).await;
            let removed = removed.unwrap_or_else(|late| Err(late.into()));
            if let (None, Err(error)) = (&trouble, removed) {
                trouble = Some((Outcome::Inconclusive, format!("clean up: {error:#}")));
            }
        }
        let (outcome, detail) = trouble.unzip();
        let outcome = outcome.unwrap_or(Outcome::Pass);
        let finished = Event::Finished {
            outcome,
            reasons: detail.clone().into_iter().collect(),
        };
        let recorded = run.record(finished);
        let dir = run.dir().path().to_owned();
        let closed = run.close().await;
        let recorded = recorded.and(closed);
        let reported = recorded.and_then(|()| Ok(crate::report::write(&dir)?));
        let (outcome, detail, found) = match reported {
            Ok((record, _)) => {
                let verdict = record.verdict();
                let detail = detail.or_else(|| {
                    (verdict.outcome != Outcome::Pass).then(|| verdict.reasons.join("; "))
                });
                let found = (verdict.outcome == Outcome::Pass).then_some(verdict.headline);
                (verdict.outcome.worse(outcome), detail, found)
            }
            Err(error) => {
                let detail = detail.unwrap_or_else(|| format!("{error:#}"));
                (outcome.worse(Outcome::Inconclusive), Some(detail), None)
            }
        };
        Played {
            outcome,
            detail,
            found,
            steps,
            dir: Some(dir),
            took: self.start.elapsed(),
        }
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

thread_local! {
    /// Whether this thread plays a scenario, which then tells of its panics itself.
    static ON_STAGE: Cell<bool> = const { Cell::new(false) };
    /// Where the thread's last panic happened.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Panics on threads that play no scenario.
static STRAY: AtomicUsize = AtomicUsize::new(0);

/// Counts panics that no scenario tells of, from now on: `stray_panics` has how many.
pub(super) fn watch_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if ON_STAGE.get() {
            LAST_PANIC.set(panic.location().map(ToString::to_string));
        } else {
            STRAY.fetch_add(1, Ordering::Relaxed);
            before(panic);
        }
    }));
}

/// How many panics no scenario has told of.
pub(super) fn stray_panics() -> usize {
    STRAY.load(Ordering::Relaxed)
}

/// What a panic in a step says: an error of the step, or that the harness has a bug.
fn trouble_of(panic: &(dyn Any + Send)) -> Trouble {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("no message");
    if let Some((outcome, reason)) = StepError::read(text) {
        return (outcome, reason.to_owned());
    }
    let at = LAST_PANIC.take().unwrap_or_default();
    (
        Outcome::Inconclusive,
        format!("the step panicked at {at}, which is a bug of the harness: {text}"),
    )
}
