//! The `local` platform: an emulator of storage on this machine, producer and consumers as child processes, a model of KEDA and the HPA,
//! simulated nodes.
//!
//! - [`Local`] is the platform, `stage` what it opens. [`Host`] keeps the storage of a stage and starts its processes:
//!   [`Machine`] with a SAS, [`Federated`] with tokens of an authority of the harness.
//! - `emulator`: Azurite, or the project's own engine.
//! - `fleet` keeps as many consumers as are wanted, as a Deployment, its `ReplicaSet` and the kubelet do in a cluster; `keeper`
//!   has it look again and again.
//! - `process` and `guard`: child processes, and what ends them when the harness cannot. `probe` asks whether they are ready.

mod check;
mod emulator;
mod federated;
mod fleet;
pub mod guard;
mod host;
mod keeper;
mod probe;
pub mod proc;
pub mod process;
mod producer;
mod stage;
mod workload;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use workflow::contract::RunId;

pub use emulator::StorageChoice;
use evidence::events::{Fact, Resource};
use evidence::pace::{Pace, Paces};
pub use federated::{Federated, Identities, Mistake, SetUp};
pub use host::Machine;
pub use host::account;
use wire::{Endpoints, Tls};
pub use workload::{Described, EnvironmentName, Workload, WorkloadArgs, described};

use super::workers::{ConsumerOptions, Seat};
use super::{Need, Offers, Platform, Profile, Stage, StagePlan, Store};
use process::Process;
use stage::LocalStage;

/// This machine as a platform.
#[derive(Debug, Clone)]
pub struct Local(Arc<Machine>);

impl Local {
    /// What this machine offers, and its paces, which are said nowhere else. What bounds them cannot be shortened: a consumer asks for
    /// Scheduled Events once a second, a lease lasts at least a second, and storage and processes take what time they take.
    pub fn profile() -> Profile {
        let pace = |times| Pace::new(times).expect("a constant pace must not be zero");
        Profile {
            offers: Offers::all().without(&[Need::Cluster, Need::Aks]),
            paces: Paces {
                scaling: pace(15),
                nodes: pace(8),
            },
        }
    }

    /// Starts the guard of all that follows, and the storage that `choice` names for `workload`.
    /// Files that are no evidence go below `scratch`.
    pub async fn start(
        workload: Workload,
        choice: StorageChoice,
        scratch: &Path,
    ) -> anyhow::Result<Self> {
        let machine = Machine::start(workload, choice, scratch).await?;
        Ok(Self(Arc::new(machine)))
    }
}

#[async_trait]
impl Platform for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn profile(&self) -> Profile {
        Self::profile()
    }

    fn evidence(&self) -> String {
        self.0.evidence()
    }

    fn versions(&self) -> Vec<Fact> {
        vec![
            Fact::new("harness, producer, consumer", env!("CARGO_PKG_VERSION")),
            self.0.emulator_version(),
        ]
    }

    async fn open(&self, plan: StagePlan) -> anyhow::Result<Box<dyn Stage>> {
        let host = self.0.host(&plan.storage, &plan.scratch).await?;
        Ok(Box::new(LocalStage::open(host, plan).await?))
    }

    async fn storage_lost(&self) -> Option<String> {
        self.0.storage_lost().await
    }
}

/// Where the processes of a run are started, and what they share.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The run.
    pub run: &'a RunId,
    /// Its queue; of several, the one that the process sends to or serves.
    pub queue: &'a str,
    /// Where the process finds storage.
    pub endpoints: &'a Endpoints,
    /// Where its output goes.
    pub logs: &'a Path,
}

/// The storage of a run, and how its processes reach it.
#[derive(Debug)]
pub struct Provisioned {
    /// Queues and table; they may not exist yet.
    pub store: Store,
    /// Where storage is.
    pub endpoints: Endpoints,
    /// How it is spoken to over HTTPS, where it is the harness's own.
    pub tls: Option<Tls>,
}

/// Keeps the storage of a stage, and starts its processes.
#[async_trait]
pub trait Host: Send + Sync {
    /// What produces the evidence, in one line for reports.
    fn evidence(&self) -> String;

    /// What the storage of `run` consists of, if it outlives the harness.
    fn lasting(&self, run: &RunId, queues: u32) -> Vec<Resource>;

    /// The storage of `run`, with so many queues. Nothing is created yet.
    fn provision(&self, run: &RunId, queues: u32) -> anyhow::Result<Provisioned>;

    /// How storage was lost for good, if it was: its process has ended by itself, or one at an address that was given has not
    /// answered for too long. Never while [`Host::outage`] keeps it away. May be asked often, and by many.
    async fn storage_lost(&self) -> Option<String>;

    /// The process of its storage, where that is one of its own.
    fn storage_pid(&self) -> Option<u32> {
        None
    }

    /// Replaces what guards the children if it is gone. May be asked often, and by many.
    fn check_guard(&self) -> anyhow::Result<()>;

    /// Who vouches for the processes, where the harness stands for that.
    fn identities(&self) -> Option<&Identities>;

    /// What must not be written down anywhere: everything that opens storage.
    fn secrets(&self) -> Vec<String>;

    /// Takes storage away for `time`, and returns when it is back with its data.
    async fn outage(&self, time: Duration) -> anyhow::Result<()>;

    /// Starts a consumer and returns at once.
    fn start_consumer(
        &self,
        name: &str,
        place: &Place<'_>,
        options: &ConsumerOptions,
        seat: &Seat,
    ) -> anyhow::Result<Process>;

    /// Starts the producer called `name` and returns at once; its progress comes as JSON lines on standard output.
    fn start_producer(
        &self,
        name: &str,
        place: &Place<'_>,
        arguments: &[String],
    ) -> anyhow::Result<Process>;
}
