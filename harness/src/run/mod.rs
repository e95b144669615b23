//! A run: storage, workers, a load, and what is found afterwards. `harness load` and the steps of scenarios both drive
//! runs; neither knows how the platform keeps them.

pub mod about;
mod census;
mod collect;
mod dir;
mod end;
mod plan;
mod poison;
mod sending;
mod settle;
mod watch;
mod witness;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use platform::autoscale::ScalingRecord;
use platform::storage::Store;
use platform::until::{Late, until_told};
use platform::{
    Act, Departure, Identities, Identity, NodePlan, Nodes, Platform, Roster, Stage, StagePlan,
    StorageLoss, StorageNeed, Taken, WorkerSpec,
};
use workflow::contract::Stamp;

pub use census::Census;
pub use collect::{Collected, Leftovers, expectation};
pub use dir::RunDir;
pub use plan::{Load, Patience};
pub use poison::PoisonFound;
pub use sending::{Sending, Sent};
pub use settle::{QueueLook, Settled};

use crate::events::{Event, EventLog, Fact, Sample};
use crate::wire::{AtWork, Rule, Wire, Written};
use watch::{Counts, Watch, Watched};
use witness::Followed;

/// A run whose storage exists.
pub struct Run {
    identity: Identity,
    dir: RunDir,
    log: EventLog,
    stage: Box<dyn Stage>,
    counts: Counts,
    watch: Option<Watch>,
    followed: Mutex<Option<Followed>>,
    loss: StorageLoss,
    environment: &'static str,
    versions: Vec<Fact>,
}

/// What a run needs of its platform.
#[derive(Debug, Clone)]
pub struct Needed {
    /// Which storage.
    pub storage: StorageNeed,
    /// How many queues; from 1.
    pub queues: u32,
    /// Where its workers run, if that matters.
    pub nodes: Option<NodePlan>,
}

impl Default for Needed {
    /// One queue in a storage that others use too.
    fn default() -> Self {
        Self {
            storage: StorageNeed::default(),
            queues: 1,
            nodes: None,
        }
    }
}

impl Run {
    /// Creates the run's directory below `parent`, and has `platform` open a stage for it. Should storage be lost from then on,
    /// `loss` tells.
    pub async fn prepare(
        platform: &dyn Platform,
        identity: Identity,
        parent: &Path,
        needed: Needed,
        loss: StorageLoss,
    ) -> anyhow::Result<Self> {
        let dir = RunDir::create(parent, &identity.run)?;
        let log = EventLog::open(dir.path())?;
        let stage = platform
            .open(StagePlan {
                identity: identity.clone(),
                directory: dir.path().to_owned(),
                scratch: parent.to_owned(),
                log: log.clone(),
                storage: needed.storage,
                queues: needed.queues,
                nodes: needed.nodes,
                loss: loss.clone(),
            })
            .await?;
        Ok(Self {
            identity,
            dir,
            log,
            stage,
            counts: Counts::default(),
            watch: None,
            followed: Mutex::default(),
            loss,
            environment: platform.name(),
            versions: platform.versions(),
        })
    }

    /// Its id and seed.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The name of its platform.
    pub const fn environment(&self) -> &'static str {
        self.environment
    }

    /// The versions of what runs.
    pub fn versions(&self) -> Vec<Fact> {
        self.versions.clone()
    }

    /// What produced its evidence.
    pub fn evidence(&self) -> String {
        self.stage.evidence()
    }

    /// Its directory.
    pub const fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// Records an event, now. Evidence that cannot be written is an error of the run: a report that lacks it is not true.
    pub fn record(&self, event: Event) -> anyhow::Result<()> {
        self.log.append(Stamp::now(), event)?;
        Ok(())
    }

    /// Records that it begins, as `started` says, and watches it from now on.
    pub fn begin(&mut self, started: Event) -> anyhow::Result<()> {
        self.record(started)?;
        self.watch = Some(Watch::start(Watched {
            queue: self.store().queue.clone(),
            roster: self.stage.workers().roster(),
            wire: self.stage.wire(),
            counts: self.counts.clone(),
            log: self.log.clone(),
        }));
        Ok(())
    }

    /// How things stand, as last seen.
    pub fn last_sample(&self) -> Sample {
        self.watch.as_ref().map(Watch::last).unwrap_or_default()
    }

    /// Stops the sampler, the scaler and the keeper, and returns their first error. Call it before the run's storage goes, and
    /// before its last event.
    pub async fn stop_watching(&mut self) -> anyhow::Result<()> {
        let settled = self.stage.settle_workers().await;
        let watched = match self.watch.take() {
            Some(watch) => watch.stop().await,
            None => Ok(()),
        };
        settled.and(watched)
    }

    /// Takes its storage away for `time`, and brings it back with its data.
    pub async fn outage(&self, time: Duration) -> anyhow::Result<()> {
        let fault = |name| self.record(Event::fault(name, "storage"));
        fault("storage stopped")?;
        self.stage.outage(time).await?;
        fault("storage back with its data")
    }

    /// Who vouches for its processes.
    pub fn identities(&self) -> anyhow::Result<&Identities> {
        let identities = self.stage.identities();
        identities.context("the run's processes do not sign in with an identity")
    }

    /// What must not be written down anywhere.
    pub fn secrets(&self) -> Vec<String> {
        self.stage.secrets()
    }

    /// What others could read of its workers and its producer from outside, such as command lines, by name.
    pub async fn exposed(&self) -> Vec<(String, Vec<u8>)> {
        self.stage.workers().exposed().await
    }

    /// Everything that the worker called `name` has said.
    pub fn said(&self, name: &str) -> anyhow::Result<String> {
        self.stage.workers().said(name)
    }

    /// Warnings and errors in the log of the worker called `name`.
    pub fn troubles(&self, name: &str) -> anyhow::Result<Vec<String>> {
        let is_trouble = |line: &&str| {
            line.contains("\"level\":\"WARN\"") || line.contains("\"level\":\"ERROR\"")
        };
        let said = self.said(name)?;
        let troubles = said.lines().filter(is_trouble);
        Ok(troubles.map(|line| format!("{name}: {line}")).collect())
    }

    /// Its storage.
    pub fn store(&self) -> &Store {
        self.stage.storage()
    }

    /// What lies between its workers and its storage.
    pub fn wire(&self) -> anyhow::Result<Arc<dyn Wire>> {
        let wire = self.stage.wire();
        wire.context("nothing lies between the workers and storage")
    }

    /// Breaks requests on the way between its workers and its storage by `rule`, for as long as what is returned is held.
    pub async fn install(&self, rule: Rule) -> anyhow::Result<Box<dyn AtWork>> {
        self.wire()?.install(rule).await
    }

    /// Every request and its answer.
    pub fn history(&self) -> anyhow::Result<Written> {
        Ok(self.wire()?.written())
    }

    /// What the autoscaler saw and wanted so far, for the consumers of each queue, in the order of the queues; empty where nothing scales.
    pub fn scaling(&self) -> Vec<ScalingRecord> {
        self.stage.scaling()
    }

    /// The nodes that its workers run on.
    pub fn nodes(&self) -> anyhow::Result<&dyn Nodes> {
        self.stage.nodes().context("consumers run on no nodes")
    }

    /// From now on there should be the workers that `spec` says.
    pub async fn apply(&self, spec: WorkerSpec) -> anyhow::Result<()> {
        self.stage.workers().apply(spec).await
    }

    /// How long workers that are asked for may take to run, where nothing is wrong.
    pub fn start(&self) -> Duration {
        self.stage.start()
    }

    /// Its workers, as last seen.
    pub fn roster(&self) -> Roster {
        self.stage.workers().roster().borrow().clone()
    }

    /// Waits until `holds` gives something for the workers that there are, for at most `deadline`.
    pub async fn until_workers<T>(
        &self,
        deadline: Duration,
        holds: impl FnMut(&Roster) -> Option<T>,
    ) -> Result<T, Late> {
        until_told(self.stage.workers().roster(), deadline, holds).await
    }

    /// The name of the worker that runs and was started first. A pod takes a moment until it runs.
    pub async fn first_worker(&self) -> anyhow::Result<String> {
        let first = |roster: &Roster| roster.first().ok().map(|worker| worker.name.clone());
        match self.until_workers(self.start(), first).await {
            Ok(name) => Ok(name),
            Err(_) => Ok(self.roster().first()?.name.clone()),
        }
    }

    /// Does `act` to the worker called `name`.
    pub async fn act(&self, name: &str, act: Act) -> anyhow::Result<()> {
        self.stage.workers().act(name, act).await
    }

    /// Tells all workers to end, and waits until they have, for at most `grace` each. Returns how all ended that were told to.
    pub async fn drain(&self, grace: Duration) -> anyhow::Result<Vec<Departure>> {
        let ended = self.stage.workers().drain(grace).await?;
        let restarted = self.roster().restarted();
        if restarted > 0 {
            let text = format!(
                "Workers ended by themselves {restarted} times, and were started again with the back-off of the kubelet (worker.exit: restart)."
            );
            self.record(Event::Note { text })?;
        }
        Ok(ended)
    }

    /// How many workers there were over time, so far.
    pub fn census(&self) -> Census {
        self.watch.as_ref().map(Watch::census).unwrap_or_default()
    }

    /// Starts the producers with `load`.
    pub async fn start_sending(&self, load: &Load) -> anyhow::Result<Sending> {
        let arguments = load.arguments(&self.identity);
        let senders = self.stage.send(&arguments, load.generators).await?;
        let sending = Sending::new(senders, load.planned(), self.dir.producer_summary())?;
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = Some(sending.told());
        Ok(sending)
    }

    /// What its processes have taken so far.
    pub async fn taken(&self) -> Vec<Taken> {
        self.stage.taken().await
    }

    /// Whether nothing has gone wrong with its witness: no task of the proxy panicked, and the history is whole so far.
    pub fn check(&self) -> anyhow::Result<()> {
        self.stage.check()
    }

    /// Removes the run's queues and table; its directory stays.
    pub async fn remove(&self) -> anyhow::Result<()> {
        self.stage.remove().await
    }

    /// How long [`Run::remove`] may take.
    pub fn removal(&self) -> Duration {
        self.stage.removal()
    }

    /// Ends everything of the run that is left, without asking.
    pub async fn close(self) -> anyhow::Result<()> {
        self.stage.close().await
    }
}
