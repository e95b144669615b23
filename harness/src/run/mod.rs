//! A run: storage, consumers, a load, and what is found afterwards. `harness load` and the steps of scenarios both drive
//! runs; neither knows how the environment keeps them.

pub mod about;
mod collect;
mod dir;
mod fleet;
mod loss;
mod plan;
mod probe;
mod redelivery;
mod sending;
mod settle;
mod watch;
mod witness;

use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::{Mutex, MutexGuard};
use workflow::contract::Stamp;

pub use collect::{Collected, Leavings, PoisonFound, expectation};
pub use dir::RunDir;
pub use fleet::{Departure, Evicted, Fleet};
use fleet::{Heads, Keeper};
use loss::Lookout;
pub use loss::StorageLoss;
pub use plan::{Identity, Load, Patience};
pub use probe::{Probe, Readiness};
pub use sending::{Sending, Sent};
pub use settle::Settled;

use crate::autoscale::{Driven, Scaler, Scaling};
use crate::environment::{ConsumerOptions, Environment, Identities, Store};
use crate::events::{Event, EventLog, Sample};
use crate::process::{self, Process};
use crate::wire::{Faults, History, Proxy};
use watch::{Counts, Watch, Watched};

/// A run whose storage exists.
pub struct Run {
    identity: Identity,
    environment: Arc<dyn Environment>,
    dir: RunDir,
    log: EventLog,
    store: Store,
    proxy: Arc<Proxy>,
    history: History,
    fleet: Arc<Mutex<Fleet>>,
    heads: Arc<Heads>,
    keeper: Option<Keeper>,
    scaler: Option<Scaler>,
    counts: Counts,
    watch: Option<Watch>,
    loss: StorageLoss,
    _lookout: Lookout,
    /// The command line of the producer, as others on the machine saw it.
    command_line: std::sync::Mutex<Option<Vec<u8>>>,
}

impl Run {
    /// Creates the run's directory below `parent`, its queues and table, and the proxy through which its processes reach
    /// them. Should storage be lost from then on, `loss` tells.
    pub async fn prepare(
        environment: Arc<dyn Environment>,
        identity: Identity,
        parent: &Path,
        loss: StorageLoss,
    ) -> anyhow::Result<Self> {
        let dir = RunDir::create(parent, &identity.run)?;
        let log = EventLog::open(dir.path())?;
        for resource in environment.lasting(&identity.run) {
            log.append(Stamp::now(), Event::ResourceCreated(resource))?;
        }
        let store = environment
            .provision(&identity.run)
            .await
            .with_context(|| format!("provision the storage of run {}", identity.run))?;
        let history = History::open(dir.path())?;
        let faults = Faults::new(identity.seed);
        let proxy = Proxy::start(&store.endpoints, history.clone(), faults, store.tls.clone());
        let proxy = Arc::new(proxy.await?);
        let fleet = Fleet::new(
            environment.clone(),
            store.clone(),
            dir.logs(),
            log.clone(),
            proxy.clone(),
        );
        Ok(Self {
            _lookout: Lookout::start(environment.clone(), loss.clone()),
            loss,
            identity,
            environment,
            dir,
            log,
            store,
            proxy,
            history,
            heads: fleet.heads(),
            fleet: Arc::new(Mutex::new(fleet)),
            keeper: None,
            scaler: None,
            counts: Counts::default(),
            watch: None,
            command_line: std::sync::Mutex::default(),
        })
    }

    /// Its id and seed.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What produced its evidence.
    pub fn evidence(&self) -> String {
        self.environment.evidence()
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
            queue: self.store.queue.clone(),
            heads: self.heads.clone(),
            proxy: self.proxy.clone(),
            faults: self.faults().clone(),
            counts: self.counts.clone(),
            log: self.log.clone(),
        }));
        Ok(())
    }

    /// How things stand, as last seen.
    pub fn last_sample(&self) -> Sample {
        self.watch.as_ref().map(Watch::last).unwrap_or_default()
    }

    /// Watches it no longer, and sees to the number of its consumers no longer. Before its storage goes, and before its last
    /// event. Whatever of it went wrong before is told here.
    pub async fn stop_watching(&mut self) -> anyhow::Result<()> {
        let scaled = match self.scaler.take() {
            Some(scaler) => scaler.stop().await.map(|_| ()),
            None => Ok(()),
        };
        let kept = match self.keeper.take() {
            Some(keeper) => keeper.stop().await,
            None => Ok(()),
        };
        let watched = match self.watch.take() {
            Some(watch) => watch.stop().await,
            None => Ok(()),
        };
        scaled.and(kept).and(watched)
    }

    /// From now on the model of KEDA and the HPA decides how many consumers there are, as `scaling` says, beginning with none.
    pub async fn autoscale(
        &mut self,
        scaling: &Scaling,
        options: &ConsumerOptions,
    ) -> anyhow::Result<()> {
        self.keep(0, options, scaling.grace).await;
        let driven = Driven {
            queue: self.store.queue.clone(),
            fleet: self.fleet.clone(),
            log: self.log.clone(),
        };
        self.scaler = Some(Scaler::start(scaling, driven));
        Ok(())
    }

    /// What decides how many consumers there are, if anything does.
    pub const fn scaler(&self) -> Option<&Scaler> {
        self.scaler.as_ref()
    }

    /// Takes its storage away for `time`, and brings it back with its data.
    pub async fn outage(&self, time: Duration) -> anyhow::Result<()> {
        let fault = |name: &str| {
            self.record(Event::Fault {
                name: name.to_owned(),
                target: "storage".to_owned(),
                lasts_ms: None,
            })
        };
        fault("storage stopped")?;
        self.environment.outage(time).await?;
        fault("storage back with its data")
    }

    /// Who vouches for its processes.
    pub fn identities(&self) -> anyhow::Result<&Identities> {
        let identities = self.environment.identities();
        identities.context("the run's processes do not sign in with an identity")
    }

    /// What must not be written down anywhere.
    pub fn secrets(&self) -> Vec<String> {
        self.environment.secrets()
    }

    /// The command lines of all processes that were started, as others on the machine could read them.
    pub async fn command_lines(&self) -> Vec<(String, Vec<u8>)> {
        let mut lines = self.fleet().await.command_lines().to_vec();
        let producer = self
            .command_line
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        lines.extend(producer.clone().map(|line| ("producer".to_owned(), line)));
        lines
    }

    /// Everything that the process called `name` has said.
    pub fn said(&self, name: &str) -> anyhow::Result<String> {
        let log = self.dir.logs().join(format!("{name}.log"));
        std::fs::read_to_string(&log).with_context(|| format!("read {}", log.display()))
    }

    /// Its storage.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// What breaks on the way between its consumers and its storage.
    pub fn faults(&self) -> &Faults {
        self.proxy.faults()
    }

    /// Its consumers. Give them back before the next wait: whoever sees to their number needs them too.
    pub async fn fleet(&self) -> MutexGuard<'_, Fleet> {
        self.fleet.lock().await
    }

    /// Sees to it from now on that there are `replicas` consumers with `options`, whatever happens to them. One too many has
    /// `grace` to end.
    pub async fn keep(&mut self, replicas: u32, options: &ConsumerOptions, grace: Duration) {
        self.fleet().await.want(replicas, options, grace);
        if self.keeper.is_none() {
            self.keeper = Some(Keeper::start(self.fleet.clone()));
        }
    }

    /// Starts the producer with `load`.
    pub async fn start_sending(&self, load: &Load) -> anyhow::Result<Sending> {
        let lane = self.proxy.lane("producer").await?;
        let sending = Sending::start(
            &*self.environment,
            &self.store,
            lane,
            &self.identity,
            load,
            &self.dir,
            self.log.clone(),
        )
        .await?;
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = Some(sending.told());
        *self
            .command_line
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(process::command_line(sending.pid()));
        self.record(Event::ProcessStarted {
            name: "producer".to_owned(),
            role: "producer".to_owned(),
            pid: sending.pid(),
        })?;
        Ok(sending)
    }

    /// Whether nothing has gone wrong with its witness: no task of the proxy panicked, and the history is whole so far.
    pub fn check(&self) -> anyhow::Result<()> {
        self.proxy.check()
    }

    /// Removes the run's queues and table; its directory stays.
    pub async fn remove(&self) -> anyhow::Result<()> {
        self.store
            .remove()
            .await
            .with_context(|| format!("remove the storage of run {}", self.identity.run))?;
        for resource in self.environment.lasting(&self.identity.run) {
            self.record(Event::ResourceRemoved(resource))?;
        }
        Ok(())
    }
}

/// The end of a process as the event log tells it. What one that was not meant to end had to say belongs to it.
fn exited(process: &Process, status: ExitStatus, expected: bool) -> Event {
    Event::ProcessExited {
        name: process.name().to_owned(),
        pid: process.pid(),
        status: status.to_string(),
        expected,
        last_lines: (!expected).then(|| process.last_lines()),
    }
}
