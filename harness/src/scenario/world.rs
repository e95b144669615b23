//! The state of one scenario.

mod course;
mod given;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use anyhow::Context as _;
use judge::deliveries::Excuses;
use platform::{Identity, Platform, Replicas, Roster, StorageLoss, WorkerSpec};
use tokio_util::sync::CancellationToken;

use self::course::Course;
pub(super) use self::course::Running;
pub(super) use self::given::Given;
pub(super) use super::trouble::StepResult;
use crate::audit::Traffic;
use crate::events::{Event, Leeway, Measured, RunStarted, Step};
use crate::measure::LatencyVerdict;
use crate::pace::Pace;
use crate::run::{Collected, Load, Run, Sent, about};

/// The setting of a scenario.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) platform: Arc<dyn Platform>,
    /// The directory for its run's directory.
    pub(crate) out: PathBuf,
    /// The id and seed of its run.
    pub(crate) identity: Identity,
    /// Its name.
    pub(crate) title: String,
    /// The command that repeats it.
    pub(crate) command: String,
    /// The manifests that configure its consumers.
    pub(crate) manifests: PathBuf,
    /// Set when its storage is lost.
    pub(crate) loss: StorageLoss,
    /// Cancelled when the scenario ends before its run could begin.
    pub(crate) stop: CancellationToken,
}

/// A run that is being prepared.
type Preparing = Pin<Box<dyn Future<Output = anyhow::Result<Run>>>>;

/// One scenario: what it is given, and how far it has come.
#[derive(cucumber::World, Default)]
#[world(init = Self::default)]
pub(crate) struct Scenario {
    pub(super) setting: Option<Setting>,
    /// How many times faster than in production it runs.
    pub(super) pace: Pace,
    /// What its `Given` sentences say.
    pub(super) given: Given,
    /// Its run, while it is prepared. It is kept here and not in the step that waits for it: a step that is cut off would leave behind
    /// what exists of the stage.
    preparing: Option<Preparing>,
    /// How far it has come.
    course: Course,
    /// Steps that have ended, until the run's log takes them.
    steps: Vec<Step>,
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a scenario")
    }
}

impl Scenario {
    /// A scenario of which nothing was said yet.
    pub(super) fn new(setting: Setting, pace: Pace) -> Self {
        Self {
            setting: Some(setting),
            pace,
            ..Self::default()
        }
    }

    fn setting(&self) -> anyhow::Result<&Setting> {
        let setting = self.setting.as_ref();
        setting.context("the setting must be there before the first step")
    }

    /// Prepares the run, once.
    pub(super) async fn run(&mut self) -> anyhow::Result<&mut Run> {
        if self.course.running().is_none() {
            if self.preparing.is_none() {
                self.preparing = Some(self.prepare()?);
            }
            let preparing = self.preparing.as_mut();
            let prepared = preparing.context("the run must be prepared")?.await;
            self.preparing = None;
            let mut run = prepared?;
            run.begin(self.started(self.setting()?, &run))?;
            let mut faults = Vec::new();
            for rule in self.given.rules.clone() {
                faults.push(run.install(rule).await?);
            }
            self.course = Course::Running(Box::new(Running::new(run, faults)));
        }
        Ok(&mut self.running()?.run)
    }

    fn prepare(&self) -> anyhow::Result<Preparing> {
        let setting = self.setting()?.clone();
        let needed = self.given.needed(self.pace, &setting.manifests);
        Ok(Box::pin(async move {
            Run::prepare(
                &*setting.platform,
                setting.identity,
                &setting.out,
                needed,
                setting.loss,
                setting.stop,
            )
            .await
        }))
    }

    /// Gives up a run whose preparation was cut off: waits until what exists of its stage is removed, or until it has begun after all.
    pub(super) async fn give_up_preparing(&mut self) -> anyhow::Result<()> {
        if self.preparing.is_some() {
            self.setting()?.stop.cancel();
            self.run().await?;
        }
        Ok(())
    }

    /// The run that has begun, and what was done in it.
    pub(super) fn running(&mut self) -> anyhow::Result<&mut Running> {
        self.course.running_mut().context("nothing runs yet")
    }

    /// The run, if it has begun.
    pub(super) fn begun(&self) -> Option<&Run> {
        self.course.running().map(|running| &running.run)
    }

    /// The run, if it has begun, to be ended. Nothing breaks its requests any more.
    pub(super) fn into_run(self) -> Option<Run> {
        match self.course {
            Course::Given => None,
            Course::Running(running) | Course::Judged(running, _) => Some(running.run),
        }
    }

    /// Notes that `load` is sent.
    pub(super) fn has_sent(&mut self, load: Load, sent: Sent) -> anyhow::Result<()> {
        self.running()?.sent = Some((load, sent));
        Ok(())
    }

    /// The first event of the run's log.
    fn started(&self, setting: &Setting, run: &Run) -> Event {
        let Identity { run: id, seed } = run.identity().clone();
        Event::RunStarted(Box::new(RunStarted {
            run: id,
            title: setting.title.clone(),
            seed,
            environment: run.environment().to_owned(),
            pace: self.pace,
            command: setting.command.clone(),
            messages: None,
            plan: self.given.facts(setting.platform.profile().nodes),
            limits: vec![],
            setting: about::setting(run.evidence()),
            versions: run.versions(),
            leeway: Leeway::of(&run.store().lens.description().worker),
        }))
    }

    /// Records that `step` has ended, in the run's log as soon as there is one.
    pub(super) fn ended(&mut self, step: Step) -> anyhow::Result<()> {
        self.steps.push(step);
        if let Some(running) = self.course.running() {
            for step in std::mem::take(&mut self.steps) {
                running.run.record(Event::Step(step))?;
            }
        }
        Ok(())
    }

    /// Keeps and records the findings.
    pub(super) fn judged(&mut self, collected: Collected) -> anyhow::Result<()> {
        let run = &self.running()?.run;
        run.record(Event::Audited(Box::new(collected.audit.clone())))?;
        self.course.judge(collected);
        self.measured(vec![])
    }

    /// Records the latencies, with the judgement of their limits.
    pub(super) fn measured(&self, verdicts: Vec<LatencyVerdict>) -> anyhow::Result<()> {
        let run = self.begun().context("nothing runs yet")?;
        run.record(Event::Measured(Box::new(Measured {
            hops: self.collected()?.hops.clone(),
            verdicts,
        })))
    }

    /// Prepares the run and starts the given consumers, or the autoscaler.
    pub(super) async fn run_with_consumers(&mut self) -> anyhow::Result<&mut Run> {
        let spec = self.workers();
        let wanted = match spec.replicas {
            Replicas::Fixed(count) => count as usize,
            Replicas::Scaled(_) => 0,
        };
        let run = self.run().await?;
        run.apply(spec).await?;
        // The following sentences speak of running consumers. If one does not start, those sentences will find out.
        let have_come = |roster: &Roster| {
            let ended = roster.departed.len();
            let waiting = roster.held_back as usize;
            (roster.running().count() + ended + waiting >= wanted).then_some(())
        };
        run.until_workers(run.start(), have_come).await.ok();
        Ok(run)
    }

    /// The consumers that the scenario is given.
    pub(super) fn workers(&self) -> WorkerSpec {
        self.given.workers(self.pace)
    }

    /// How long a lease lasts, where the scenario or the manifests say so.
    pub(super) fn lease(&self) -> Option<std::time::Duration> {
        self.given.lease(self.pace)
    }

    /// Why messages may have come back although the consumers are right.
    pub(super) fn excuses(&self) -> Excuses {
        let traffic = self.traffic();
        Excuses {
            unasked: self.begun().and_then(crate::run::Run::evicted_unasked),
            storage: traffic.map(|traffic| traffic.storage).ok(),
            lease: self.lease(),
        }
    }

    /// The manifests that configure its consumers.
    pub(super) fn manifests(&self) -> anyhow::Result<&Path> {
        Ok(&self.setting()?.manifests)
    }

    /// A load of so many messages, with the payloads that the scenario is given.
    pub(super) fn load(&self, messages: u64, shape: producer::Shape) -> Load {
        Load {
            messages,
            shape,
            payload: self.given.payload(),
            duplicate_rate: 0.0,
            generators: 1,
        }
    }

    /// What the run left behind, once it is judged.
    pub(super) fn collected(&self) -> anyhow::Result<&Collected> {
        let collected = self.course.collected();
        collected
            .context("nothing is judged yet: 'every message has exactly one result' comes first")
    }

    /// What crossed the wire in the judged run.
    pub(super) fn traffic(&self) -> anyhow::Result<&Traffic> {
        let traffic = self.collected()?.audit.traffic.as_ref();
        traffic.context("the run has no history of the wire")
    }
}
