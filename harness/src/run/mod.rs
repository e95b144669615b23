//! A run: storage, workers, a load, and the findings afterwards. `harness load` and the steps of scenarios both drive runs; neither
//! depends on how the platform starts them.

pub mod about;
mod collect;
mod dir;
mod end;
mod evictions;
mod faults;
mod identity;
mod inject;
mod plan;
mod poison;
mod readiness;
mod results;
mod scaling;
mod sending;
mod settle;
mod watch;
mod witness;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use judge::{Census, Conclusion, departures};
use platform::autoscale::ScalingRecord;
use platform::storage::Store;
use platform::until::{Late, until_told};
use platform::{
    Act, Departure, Identities, Identity, NodePlan, Nodes, Platform, Roster, Stage, StagePlan,
    StorageLoss, StorageNeed, Taken, WorkerSpec,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use workflow::contract::Stamp;

pub use collect::{Collected, Leftovers, expectation};
pub use dir::RunDir;
pub use evictions::{EvictionPlan, EvictionWait, Timing};
pub use faults::ToldToStop;
pub use inject::{Defect, Injected};
pub use plan::{Load, Patience};
pub use results::Results;
pub use scaling::loops;
pub use sending::{LostGenerator, Sending, Sent};
pub use settle::{QueueLook, Settled};

use crate::audit::StorageTime;
use crate::events::{Event, EventLog, Fact, Sample};
use crate::wire::{InForce, Rule, Wire, Written};
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
    /// The highest number of a message that may be in its queue.
    last_expected: AtomicU64,
    loss: StorageLoss,
    environment: &'static str,
    versions: Vec<Fact>,
}

/// What a run needs from its platform.
#[derive(Debug, Clone)]
pub struct Needed {
    /// The kind of storage.
    pub storage: StorageNeed,
    /// How many queues; from 1.
    pub queues: u32,
    /// The nodes on which the workers run, if the run asks for any.
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
    /// Creates the run's directory below `parent`, and has `platform` open a stage for it. `loss` is set if storage is lost from then on.
    /// Once `stop` is cancelled, a stage that is not open yet is given up. If no stage opens, the run's event log ends with the reason.
    pub async fn prepare(
        platform: &dyn Platform,
        identity: Identity,
        parent: &Path,
        needed: Needed,
        loss: StorageLoss,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let dir = RunDir::create(parent, &identity.run)?;
        let log = EventLog::open(dir.path())?;
        let opened = platform
            .open(StagePlan {
                identity: identity.clone(),
                directory: dir.path().to_owned(),
                scratch: parent.to_owned(),
                log: log.clone(),
                storage: needed.storage,
                queues: needed.queues,
                nodes: needed.nodes,
                loss: loss.clone(),
                stop: stop.clone(),
            })
            .await;
        let stage = match opened {
            Ok(stage) => stage,
            Err(error) => {
                let conclusion = Conclusion::of_unopened(&error, stop.is_cancelled());
                log.append(Stamp::now(), conclusion.event())?;
                return Err(error);
            }
        };
        Ok(Self {
            identity,
            dir,
            log,
            stage,
            counts: Counts::default(),
            watch: None,
            followed: Mutex::default(),
            last_expected: AtomicU64::new(0),
            loss,
            environment: platform.name(),
            versions: platform.versions(),
        })
    }

    /// The run's id and seed.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The name of the run's platform.
    pub const fn environment(&self) -> &'static str {
        self.environment
    }

    /// The versions of the programs that run.
    pub fn versions(&self) -> Vec<Fact> {
        self.versions.clone()
    }

    /// The service that holds the run's queues and table.
    pub fn evidence(&self) -> String {
        self.stage.evidence()
    }

    /// The run's directory.
    pub const fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// Records an event that happens now. If the event cannot be written, the run fails: a report without the event would not be true.
    pub fn record(&self, event: Event) -> anyhow::Result<()> {
        self.log.append(Stamp::now(), event)?;
        Ok(())
    }

    /// Records the event `started`, and samples the run from now on.
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

    /// The last sample of queue, workers and sends.
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

    /// Makes the run's storage unavailable for `time`, and brings it back with its data.
    pub async fn outage(&self, time: Duration) -> anyhow::Result<()> {
        let fault = |name| self.record(Event::fault(name, "storage"));
        fault("storage taken away")?;
        self.stage.outage(time).await?;
        fault("storage back with its data")
    }

    /// The services that give the run's processes their tokens.
    pub fn identities(&self) -> anyhow::Result<&dyn Identities> {
        let identities = self.stage.identities();
        identities.context("the run's processes do not sign in with an identity")
    }

    /// The secrets that no output of the run may contain.
    pub async fn secrets(&self) -> anyhow::Result<Vec<String>> {
        self.stage.secrets().await
    }

    /// What other users of the machine could read of its workers and its producer, such as command lines, by name.
    pub async fn exposed(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        self.stage.workers().exposed().await
    }

    /// The whole output of the worker called `name`.
    pub fn said(&self, name: &str) -> anyhow::Result<String> {
        self.stage.workers().said(name)
    }

    /// Warnings and errors in the log of the worker called `name`, since it was ready.
    pub fn troubles(&self, name: &str) -> anyhow::Result<Vec<String>> {
        let said = self.said(name)?;
        let troubles = departures::troubles(&said);
        Ok(troubles.map(|line| format!("{name}: {line}")).collect())
    }

    /// The run's queue and table, with their lens.
    pub fn store(&self) -> &Store {
        self.stage.storage()
    }

    /// The wire between the run's workers and its storage.
    pub fn wire(&self) -> anyhow::Result<Arc<dyn Wire>> {
        let wire = self.stage.wire();
        wire.context("nothing lies between the workers and storage")
    }

    /// Applies `rule` to the requests between the run's workers and its storage, for as long as the returned value is held.
    pub async fn install(&self, rule: Rule) -> anyhow::Result<Box<dyn InForce>> {
        self.wire()?.install(rule).await
    }

    /// The history of the run: every request and its answer.
    pub fn history(&self) -> anyhow::Result<Written> {
        Ok(self.wire()?.written())
    }

    /// What the autoscaler saw and wanted so far, for the consumers of each queue, in the order of the queues; empty where nothing scales.
    pub fn scaling(&self) -> Vec<ScalingRecord> {
        self.stage.scaling()
    }

    /// The nodes that the run's workers run on.
    pub fn nodes(&self) -> anyhow::Result<&dyn Nodes> {
        self.stage.nodes().context("consumers run on no nodes")
    }

    /// Asks for the workers that `spec` describes, from now on.
    pub async fn apply(&self, spec: WorkerSpec) -> anyhow::Result<()> {
        self.stage.workers().apply(spec).await
    }

    /// How long workers may take to start, where nothing is wrong.
    pub fn start(&self) -> Duration {
        self.stage.start()
    }

    /// The run's workers, as last seen.
    pub fn roster(&self) -> Roster {
        self.stage.workers().roster().borrow().clone()
    }

    /// Waits until `holds` returns a value for the present workers, for at most `deadline`.
    pub async fn until_workers<T>(
        &self,
        deadline: Duration,
        holds: impl FnMut(&Roster) -> Option<T>,
    ) -> Result<T, Late> {
        until_told(self.stage.workers().roster(), deadline, holds).await
    }

    /// The name of the running worker that was started first. Waits for a pod that does not run yet.
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

    /// Tells all workers to end, and waits for each at most `grace`. Returns how each of them ended.
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

    /// Lets `time` pass, in a run that is about that time.
    pub async fn let_pass(&self, time: Duration) {
        sleep(time).await;
    }

    /// Judges whether all workers run, and have logged neither warnings nor errors.
    pub fn judge_troubles(&self) -> anyhow::Result<()> {
        let roster = self.roster();
        let unasked: Vec<_> = roster.unasked().collect();
        let mut troubles = Vec::new();
        for worker in roster.running() {
            troubles.extend(self.troubles(&worker.name)?);
        }
        Ok(departures::untroubled(&unasked, &troubles)?)
    }

    /// How long storage has kept the workers waiting so far; without a wire it is unknown, and counts as nothing.
    fn storage_time(&self) -> StorageTime {
        self.traffic()
            .map_or_else(|_| StorageTime::default(), |traffic| traffic.storage)
    }

    /// How many workers ran over time, so far.
    pub fn census(&self) -> Census {
        self.watch.as_ref().map(Watch::census).unwrap_or_default()
    }

    /// Notes that messages up to number `last` will be sent.
    fn expect(&self, last: u64) {
        self.last_expected.fetch_max(last, Ordering::AcqRel);
    }

    /// Starts the producers with `load`.
    pub async fn start_sending(&self, load: &Load) -> anyhow::Result<Sending> {
        self.expect(load.planned());
        let arguments = load.arguments(&self.identity);
        let senders = self.stage.send(&arguments, load.generators).await?;
        let sending = Sending::new(senders, load.planned(), self.dir.producer_summary())?;
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = Some(sending.told());
        Ok(sending)
    }

    /// The CPU time and memory that the run's processes have used so far.
    pub async fn taken(&self) -> Vec<Taken> {
        self.stage.taken().await
    }

    /// Fails if the evidence of the wire is damaged: a task of the proxy panicked, or the history is not whole.
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

    /// Kills everything that is left of the run.
    pub async fn close(self) -> anyhow::Result<()> {
        self.stage.close().await
    }
}
