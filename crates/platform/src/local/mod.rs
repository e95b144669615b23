//! The `local` platform: an emulator of storage on this machine, producer and consumers as child processes, a model of KEDA and the HPA,
//! simulated nodes.
//!
//! - [`Local`] is the platform, `stage` its stage. A [`Host`] keeps the storage of a stage and starts its processes:
//!   [`Machine`] with a SAS, [`Federated`] with tokens of an authority of the harness, and a stand-in for the `kubelet`.
//! - `emulator`: Azurite, or the project's own engine.
//! - `fleet` keeps the wanted number of consumers, as a Deployment, its `ReplicaSet` and the kubelet do in a cluster; `keeper`
//!   calls it again and again.
//! - `process` and `guard`: child processes, and their end if the harness cannot end them. `probe` asks consumers whether they
//!   are ready.

mod check;
mod emulator;
mod federated;
mod fleet;
pub mod guard;
mod host;
mod keeper;
mod kubelet;
mod own_directory;
mod probe;
pub mod proc;
pub mod process;
mod producer;
mod stage;
mod workload;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use workflow::contract::RunId;

pub use emulator::StorageChoice;
use evidence::events::{Fact, Resource};
use evidence::pace::{Pace, Paces};
pub use federated::{Federated, Services};
pub use host::Machine;
pub use host::account;
use wire::{Endpoints, Tls};
pub use workload::{Described, Workload, WorkloadArgs, described};

use super::workers::{ConsumerOptions, Seat};
use super::{Need, Offers, Platform, Profile, Stage, StagePlan, Store};
use process::Process;
use stage::LocalStage;

/// This machine as a platform.
#[derive(Debug, Clone)]
pub struct Local(Arc<Machine>);

impl Local {
    /// What this machine offers, and its paces, which no other place defines. Some times cannot be shortened and so limit the
    /// paces: a consumer asks for Scheduled Events once a second, a lease lasts at least a second, and storage and processes
    /// need their own time.
    pub fn profile() -> Profile {
        let pace = |times| Pace::new(times).expect("a constant pace must not be zero");
        Profile {
            offers: Offers::all().without(&[Need::Cluster, Need::Aks]),
            paces: Paces {
                scaling: pace(15),
                nodes: pace(8),
            },
            nodes: "simulated",
            has_own_scaling: false,
            has_pods: false,
            node_comes: Duration::ZERO,
        }
    }

    /// Starts the guard of all child processes, and the storage that `choice` names for `workload`. Files that are no evidence
    /// go below `scratch`.
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

    async fn takes_more(&self) -> bool {
        self.0.answers_soon().await
    }

    async fn open(&self, plan: StagePlan) -> anyhow::Result<Box<dyn Stage>> {
        let host = self.0.host(&plan.storage, &plan.scratch).await?;
        Ok(Box::new(LocalStage::open(host, plan).await?))
    }

    async fn storage_lost(&self) -> Option<String> {
        self.0.storage_lost().await
    }
}

/// The root certificate that a client in this process must trust to reach servers over `tls`.
fn roots(tls: &Tls) -> anyhow::Result<[reqwest::Certificate; 1]> {
    let root = tls.root().context("find the certificate of the run")?;
    let root = reqwest::Certificate::from_pem(root.as_bytes());
    Ok([root.context("read the certificate of the run")?])
}

/// The run, storage and log directory of a process that is started.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The run.
    pub run: &'a RunId,
    /// The queue that the process sends to or serves.
    pub queue: &'a str,
    /// The addresses of storage for the process.
    pub endpoints: &'a Endpoints,
    /// The directory for the process's output.
    pub logs: &'a Path,
}

/// The storage of a run, and how its processes reach it.
#[derive(Debug)]
pub struct Provisioned {
    /// Queues and table, which may not exist yet.
    pub store: Store,
    /// The addresses of storage.
    pub endpoints: Endpoints,
    /// The certificates, if it is the harness's own storage and uses HTTPS.
    pub tls: Option<Tls>,
}

/// Keeps the storage of a stage, and starts its processes.
#[async_trait]
pub trait Host: Send + Sync {
    /// What the evidence comes from, in one line for reports.
    fn evidence(&self) -> String;

    /// The storage resources of `run`, if they outlive the harness.
    fn lasting(&self, run: &RunId, queues: u32) -> Vec<Resource>;

    /// The storage of `run`, with this many queues. Creates nothing yet.
    fn provision(&self, run: &RunId, queues: u32) -> anyhow::Result<Provisioned>;

    /// How storage was lost for good, if it was: its process has ended by itself, or storage at a given address has not
    /// answered for too long. `None` while [`Host::outage`] keeps it away. May be called often and concurrently.
    async fn storage_lost(&self) -> Option<String>;

    /// The process id of its storage, if this is a process of the harness.
    fn storage_pid(&self) -> Option<u32> {
        None
    }

    /// Replaces the guard of the children if it has ended. May be called often and concurrently.
    fn check_guard(&self) -> anyhow::Result<()>;

    /// The harness's identity services, if the processes sign in with them.
    fn identities(&self) -> Option<&Services> {
        None
    }

    /// The secrets that open storage, which no log or report may contain.
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
