//! The state of one scenario.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use platform::autoscale::{Pod, Scaling, ScalingRecord};
use platform::workers::CONSUMERS;
use platform::{
    ConsumerOptions, Departure, Identity, NodePlan, Platform, Replicas, Roster, SetUp, StorageLoss,
    StorageNeed, WorkerSpec,
};
use workflow::contract::{PayloadSize, Stamp};
use workflow::duration;

use super::steps::OnNodes;
pub(super) use super::trouble::{StepError, StepResult};
use crate::audit::{ExpectedPoison, Traffic};
use crate::events::{Event, Fact, Leeway, Measured, RunStarted, Step};
use crate::measure::LatencyVerdict;
use crate::pace::Pace;
use crate::run::{Collected, Load, Needed, Patience, Run, Sent, about};
use crate::wire::{AtWork, Rule};

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
}

/// One scenario: its preconditions, actions and findings.
#[derive(cucumber::World, Default)]
#[world(init = Self::default)]
pub(crate) struct Scenario {
    pub(super) setting: Option<Setting>,
    /// How many times faster than in production it runs.
    pub(super) pace: Pace,
    /// Steps that have ended and are not in the run's log yet.
    pub(super) steps: Vec<Step>,
    pub(super) consumers: u32,
    /// The autoscaler that decides the number of consumers; `None` if the scenario does.
    pub(super) scaling: Option<Scaling>,
    /// The nodes that the consumers run on, if there are any.
    pub(super) nodes: Option<OnNodes>,
    /// The settings of each consumer's pod in the manifests, where they apply and nothing scales the consumers.
    pub(super) pod: Option<Pod>,
    pub(super) options: ConsumerOptions,
    /// The size of payloads, where its sentences state one.
    pub(super) payload: Option<PayloadSize>,
    /// Whether it has a storage of its own, which it can make unavailable.
    pub(super) own_storage: bool,
    /// How its processes sign in; `None`: with a SAS.
    pub(super) identity: Option<SetUp>,
    /// The faults between the workload and storage.
    pub(super) rules: Vec<Rule>,
    /// The active faults, from the run's beginning to its end.
    pub(super) faults: Vec<Box<dyn AtWork>>,
    /// The fault that keeps its consumers from being ready, until it is removed.
    pub(super) busy: Option<Rule>,
    /// Consumers that reported that they were ready before that, in words.
    pub(super) early: Vec<String>,
    pub(super) run: Option<Run>,
    pub(super) sent: Option<(Load, Sent)>,
    pub(super) injected: Option<Injected>,
    pub(super) departure: Option<Departure>,
    /// When the consumers were told to end.
    pub(super) told: Option<Stamp>,
    pub(super) collected: Option<Collected>,
}

/// A message that the scenario itself put into the queue.
#[derive(Debug, Clone)]
pub(super) struct Injected {
    pub(super) body: String,
    pub(super) expected: ExpectedPoison,
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a scenario")
    }
}

impl Scenario {
    /// The run; the first call prepares it.
    pub(super) async fn run(&mut self) -> anyhow::Result<&mut Run> {
        if self.run.is_none() {
            let setting = self.setting.clone();
            let setting = setting.context("the setting must be there before the first step")?;
            let needed = self.needed(&setting);
            let identity = setting.identity.clone();
            let mut run = Run::prepare(
                &*setting.platform,
                identity,
                &setting.out,
                needed,
                setting.loss.clone(),
            )
            .await?;
            let started = self.started(setting, &run);
            run.begin(started)?;
            for rule in self.rules.clone() {
                self.faults.push(run.install(rule).await?);
            }
            self.run = Some(run);
        }
        self.run.as_mut().context("the run must be there")
    }

    /// What the run needs of its platform.
    fn needed(&self, setting: &Setting) -> Needed {
        let storage = match &self.identity {
            Some(set_up) => StorageNeed::SignedIn(set_up.clone()),
            None if self.own_storage => StorageNeed::Own,
            None => StorageNeed::Shared,
        };
        let nodes = self.nodes.map(|nodes| NodePlan {
            manifests: setting.manifests.clone(),
            workers_each: nodes.each,
            pace: self.pace,
            // If nothing scales the consumers, they run on nodes that exist from the beginning.
            is_standing: self.scaling.is_none(),
        });
        Needed {
            storage,
            nodes,
            ..Needed::default()
        }
    }

    /// The first event of the run's log.
    fn started(&self, setting: Setting, run: &Run) -> Event {
        let Identity { run: id, seed } = run.identity().clone();
        let ConsumerOptions {
            work,
            visibility,
            max_attempts,
            ..
        } = self.options.clone();
        let options = [
            ("work", work),
            ("lease", visibility.map(duration::text)),
            (
                "attempts",
                max_attempts.map(|attempts| attempts.to_string()),
            ),
        ];
        let scaled = self.scaling.as_ref().map(Scaling::described);
        let consumers = scaled.unwrap_or_else(|| self.consumers.to_string());
        let mut plan = vec![
            Fact::new("consumers", consumers),
            Fact::new("payload", self.payload().to_string()),
        ];
        let kind = if run.environment() == "aks" {
            "of Azure"
        } else {
            "simulated"
        };
        plan.extend(
            self.nodes
                .map(|nodes| Fact::new("nodes", format!("{kind}, {nodes}"))),
        );
        plan.extend(
            options
                .into_iter()
                .filter_map(|(name, value)| Some(Fact::new(name, value?))),
        );
        Event::RunStarted(Box::new(RunStarted {
            run: id,
            title: setting.title,
            seed,
            environment: run.environment().to_owned(),
            pace: self.pace,
            command: setting.command,
            messages: None,
            plan,
            limits: vec![],
            setting: about::setting(run.evidence()),
            versions: run.versions(),
            leeway: Leeway::of(&run.store().lens.description().worker),
        }))
    }

    /// Records that `step` has ended, in the run's log as soon as there is one.
    pub(super) fn ended(&mut self, step: Step) -> anyhow::Result<()> {
        self.steps.push(step);
        if let Some(run) = &self.run {
            for step in std::mem::take(&mut self.steps) {
                run.record(Event::Step(step))?;
            }
        }
        Ok(())
    }

    /// Keeps and records the findings.
    pub(super) fn judged(&mut self, collected: Collected) -> anyhow::Result<()> {
        let run = self.run.as_ref().context("the run must be there")?;
        run.record(Event::Audited(Box::new(collected.audit.clone())))?;
        self.collected = Some(collected);
        self.measured(vec![])
    }

    /// Records the latencies, with the judgement of their limits.
    pub(super) fn measured(&self, verdicts: Vec<LatencyVerdict>) -> anyhow::Result<()> {
        let run = self.run.as_ref().context("the run must be there")?;
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
        let mut options = self.options.clone();
        let mut grace = Patience::default().drain;
        if let Some(pod) = self.pod() {
            options.variables = pod.variables(self.pace);
            grace = pod.grace(self.pace);
        }
        let replicas = match &self.scaling {
            Some(scaling) => Replicas::Scaled(Box::new(scaling.clone())),
            None => Replicas::Fixed(self.consumers),
        };
        WorkerSpec {
            group: CONSUMERS,
            replicas,
            options,
            grace,
        }
    }

    /// The settings of each consumer's pod, where the manifests configure the consumers.
    fn pod(&self) -> Option<&Pod> {
        let scaled = self.scaling.as_ref().map(|scaling| &scaling.pod);
        scaled.or(self.pod.as_ref())
    }

    /// How long a lease lasts, if the scenario or the manifests state it.
    pub(super) fn lease(&self) -> Option<Duration> {
        let by_manifests = || self.pod()?.lease(self.pace);
        self.options.visibility.or_else(by_manifests)
    }

    /// The manifests that configure its consumers.
    pub(super) fn manifests(&self) -> anyhow::Result<&Path> {
        let setting = self.setting.as_ref().context("the setting must be there")?;
        Ok(&setting.manifests)
    }

    pub(super) fn load(&self, messages: u64, shape: producer::Shape) -> Load {
        Load {
            messages,
            shape,
            payload: self.payload(),
            duplicate_rate: 0.0,
            generators: 1,
        }
    }

    fn payload(&self) -> PayloadSize {
        self.payload.unwrap_or(Load::PAYLOAD)
    }

    pub(super) fn collected(&self) -> anyhow::Result<&Collected> {
        self.collected
            .as_ref()
            .context("nothing is judged yet: 'every message has exactly one result' comes first")
    }

    /// What the autoscaler saw and decided so far.
    pub(super) fn recording(&self) -> anyhow::Result<ScalingRecord> {
        let run = self.run.as_ref().context("nothing runs yet")?;
        // A scenario's run has one queue.
        let recording = run.scaling().into_iter().next();
        recording.context("nothing scales the consumers: the scenario gives their number")
    }

    /// What crossed the wire in the judged run.
    pub(super) fn traffic(&self) -> anyhow::Result<&Traffic> {
        let traffic = self.collected()?.audit.traffic.as_ref();
        traffic.context("the run has no history of the wire")
    }

    pub(super) fn injected(&self) -> anyhow::Result<&Injected> {
        self.injected.as_ref().context("no bad message was sent")
    }
}
