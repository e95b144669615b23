//! Platforms: where the workload runs. One pair of traits, several ways to keep it; scenarios do not know which.
//!
//! A [`Platform`] says what it is and what it offers, and opens a [`Stage`] for one run. The stage owns everything of that run:
//! storage, workers, the producer, nodes, and the wire between them where there is one. It is consumed by closing it.
//!
//! ```text
//! Platform ── open(StagePlan) ──► Stage ── workers()  how many, who is there, what is done to one
//!                                   │      scaling()  what the autoscaler saw and wanted
//!                                   │      nodes()    who is where, and evictions
//!                                   │      wire()     rules that break requests, and the history of all
//!                                   │      send()     the producers, by what they write to standard output
//!                                   └───── close()    everything ends; storage is removed or left
//! ```
//!
//! No process id, exit status of the operating system, signal or local address crosses these traits.

pub mod authority;
pub mod autoscale;
pub mod cluster;
mod identity;
pub mod local;
mod lock;
mod logs;
pub mod loss;
mod nodes;
mod profile;
mod reach;
mod sender;
pub mod settings;
pub mod simulated;
mod spread;
pub mod storage;
mod taken;
pub mod until;
pub mod workers;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use self::cluster::{AksArgs, ClusterArgs};
pub use identity::Identity;
pub use local::{
    Described, EnvironmentName, Identities, Mistake, SetUp, StorageChoice, Workload, WorkloadArgs,
    described,
};
pub use loss::StorageLoss;
pub use nodes::{Evicted, NodePlan, Nodes, NodesView};
pub use profile::{Need, Offers, Profile};
pub use sender::{Lines, Sender, generator_name};
pub use taken::{PARTS, Taken};
pub use workers::{
    Act, Cause, ConsumerOptions, Departure, End, Phase, Readiness, Replicas, Roster, Worker,
    WorkerSpec, Workers,
};

use evidence::events::{EventLog, Fact, Resource};
use wire::Wire;

use self::cluster::Cluster;
use self::local::Local;
use crate::autoscale::{Scaling, ScalingRecord};
use crate::storage::Store;

/// Where the workload runs.
#[async_trait]
pub trait Platform: Send + Sync {
    /// Its name: `local`, `cluster`, `aks`.
    fn name(&self) -> &'static str;

    /// What produces the evidence, in one line for reports, such as `local processes, Azurite 3.37.0 from npm`.
    fn evidence(&self) -> String;

    /// What it offers, and how fast things happen there.
    fn profile(&self) -> Profile;

    /// Which clock its runs live by.
    fn clock(&self) -> Clock {
        Clock::Wall
    }

    /// The versions of what it is made of.
    fn versions(&self) -> Vec<Fact>;

    /// Which part of the platform a scenario takes, whose workers are scaled or not, and which has nodes taken back or not: those that run
    /// together take no more than 1. With 0 their number alone says how many run at a time.
    fn share(&self, is_scaled: bool, takes_nodes: bool) -> f64 {
        let _ = (is_scaled, takes_nodes);
        0.0
    }

    /// By what it scales workers whose scaling nobody changes; `None`: whoever has them scaled says it.
    fn scaling(&self) -> anyhow::Result<Option<Scaling>> {
        Ok(None)
    }

    /// Opens the stage of one run. What outlives the harness is in the plan's log before it exists.
    async fn open(&self, plan: StagePlan) -> anyhow::Result<Box<dyn Stage>>;

    /// How the storage that stages share was lost for good, if it was. May be asked often, and by many.
    async fn storage_lost(&self) -> Option<String>;
}

/// The clock that a run lives by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The wall clock.
    Wall,
    /// Tokio's clock, paused: time passes when nothing else is to do. The workload must live in this process.
    Paused,
}

/// What a run needs of its stage, all of it known before anything starts.
#[derive(Clone)]
pub struct StagePlan {
    /// The run.
    pub identity: Identity,
    /// The run's directory: history, and the output of processes below `logs/`.
    pub directory: PathBuf,
    /// Where files go that live as long as the stage and are no evidence.
    pub scratch: PathBuf,
    /// The run's event log.
    pub log: EventLog,
    /// Which storage.
    pub storage: StorageNeed,
    /// How many queues, each with consumers of its own.
    pub queues: u32,
    /// Where workers run, if that matters.
    pub nodes: Option<NodePlan>,
    /// Told when storage is lost.
    pub loss: StorageLoss,
}

/// Which storage a run needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StorageNeed {
    /// Queues and a table of its own in a storage that others use too.
    #[default]
    Shared,
    /// A storage of its own, that keeps its data when it is taken away and comes back.
    Own,
    /// A storage that takes tokens, and processes that sign in as this says.
    SignedIn(SetUp),
}

/// Everything of one run.
#[async_trait]
pub trait Stage: Send + Sync {
    /// What produces the evidence, in one line for reports.
    fn evidence(&self) -> String;

    /// The run's queues and table, as the harness reaches them: several queues as one.
    fn storage(&self) -> &Store;

    /// The workers.
    fn workers(&self) -> &dyn Workers;

    /// What lies between the workload and storage, where there is something that sees and breaks requests.
    fn wire(&self) -> Option<Arc<dyn Wire>>;

    /// How long workers that are asked for may take to run, where nothing is wrong: a pod may have to fetch its image, and a node may
    /// have to be made for it.
    fn start(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Whether workers, producer and wire read one clock.
    fn has_one_clock(&self) -> bool {
        true
    }

    /// What the autoscaler saw and wanted so far, for the workers of each queue, in the order of the queues; empty where the run says how
    /// many workers there are.
    fn scaling(&self) -> Vec<ScalingRecord>;

    /// The nodes that workers run on, where the plan asked for them.
    fn nodes(&self) -> Option<&dyn Nodes>;

    /// Starts `generators` producers with these arguments of their command line, and each with its slice of the load. Their names are
    /// those of [`generator_name`]; of several queues, generator n sends to queue n modulo their number.
    async fn send(
        &self,
        arguments: &[String],
        generators: u32,
    ) -> anyhow::Result<Vec<Box<dyn Sender>>>;

    /// Takes storage away for `time`, and returns when it is back with its data.
    async fn outage(&self, time: Duration) -> anyhow::Result<()>;

    /// How storage was lost for good, if it was, by a look of its own. Never while [`Stage::outage`] keeps it away.
    async fn storage_lost(&self) -> Option<String>;

    /// Who vouches for the processes, where the harness stands for that.
    fn identities(&self) -> Option<&Identities>;

    /// What must not be written down anywhere: everything that opens storage.
    fn secrets(&self) -> Vec<String>;

    /// What the processes of the run have taken so far, that of the harness included; empty where nobody can tell.
    async fn taken(&self) -> Vec<Taken> {
        Vec::new()
    }

    /// Whether nothing has gone wrong with what looks after the run; an error that has not been told yet is told here.
    fn check(&self) -> anyhow::Result<()>;

    /// Stops what looks after the number of workers, and returns its first error. Workers that run go on.
    async fn settle_workers(&self) -> anyhow::Result<()>;

    /// Removes the run's queues and table, and strikes them off the log.
    async fn remove(&self) -> anyhow::Result<()>;

    /// How long [`Stage::remove`] may take.
    fn removal(&self) -> Duration {
        Duration::from_secs(20)
    }

    /// Ends everything of the run that is left, without asking.
    async fn close(self: Box<Self>) -> anyhow::Result<()>;
}

impl StagePlan {
    /// Records what is about to exist and outlives the harness.
    pub fn announce(&self, resources: Vec<Resource>) -> anyhow::Result<()> {
        for resource in resources {
            let now = workflow::contract::Stamp::now();
            (self.log).append(now, evidence::events::Event::ResourceCreated(resource))?;
        }
        Ok(())
    }
}

/// Starts what `--env` names. Files that are no evidence go below `scratch`.
pub async fn start(
    args: &WorkloadArgs,
    workload: Workload,
    storage: StorageChoice,
    scratch: &Path,
) -> anyhow::Result<Arc<dyn Platform>> {
    match args.environment {
        EnvironmentName::Local => Ok(Arc::new(Local::start(workload, storage, scratch).await?)),
        EnvironmentName::Cluster => Ok(Arc::new(Cluster::connect(&args.cluster, &workload).await?)),
        EnvironmentName::Aks => Ok(Arc::new(
            Cluster::connect_aks(&args.aks, &args.cluster, &workload).await?,
        )),
    }
}
