//! Platforms: where the workload runs. One set of traits, with several implementations; scenarios do not depend on which one.
//!
//! A [`Platform`] describes itself and what it offers, and opens a [`Stage`] for one run. The stage owns everything of that
//! run: storage, workers, producers, nodes, and the wire if there is one. Closing the stage consumes it.
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

pub mod autoscale;
pub mod cluster;
mod environment;
mod identities;
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

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use self::cluster::{AksArgs, ClusterArgs};
pub use environment::{EnvironmentName, start};
pub use identities::{Identities, Mistake, SetUp};
pub use identity::Identity;
pub use local::{Described, StorageChoice, Workload, WorkloadArgs, described};
pub use loss::StorageLoss;
pub use nodes::{Evicted, NodePlan, Nodes, NodesView};
pub use profile::{Need, Offers, Profile};
pub use sender::{Lines, Sender, generator_name};
pub use taken::{PARTS, Taken};
pub use workers::{
    Act, Cause, ConsumerOptions, Departure, End, Readiness, Replicas, Roster, Worker, WorkerSpec,
    WorkerState, Workers,
};

use evidence::events::{EventLog, Fact, Resource};
use tokio_util::sync::CancellationToken;
use wire::Wire;

use crate::autoscale::{Scaling, ScalingRecord};
use crate::storage::Store;

/// A place where the workload runs.
#[async_trait]
pub trait Platform: Send + Sync {
    /// Its name: `local`, `cluster`, `aks`.
    fn name(&self) -> &'static str;

    /// What the evidence comes from, in one line for reports, such as `local processes, Azurite 3.37.0 from npm`.
    fn evidence(&self) -> String;

    /// What the platform offers, and its paces.
    fn profile(&self) -> Profile;

    /// The clock that its runs use.
    fn clock(&self) -> Clock {
        Clock::Wall
    }

    /// The versions of its parts.
    fn versions(&self) -> Vec<Fact>;

    /// Share of the platform that a scenario uses, depending on whether its workers are scaled and whether it takes nodes back:
    /// the shares of concurrent scenarios add up to at most 1. With 0, only their number is limited.
    fn share(&self, is_scaled: bool, takes_nodes: bool) -> f64 {
        let _ = (is_scaled, takes_nodes);
        0.0
    }

    /// Whether one scenario more than now can run at the same time. A platform with a pace says no while its storage answers late:
    /// limits that are a few seconds at that pace could not be kept.
    async fn takes_more(&self) -> bool {
        true
    }

    /// The platform's own scaling settings, for workers whose settings the scenario does not change; `None`: the scenario must
    /// give them.
    fn scaling(&self) -> anyhow::Result<Option<Scaling>> {
        Ok(None)
    }

    /// Opens the stage of one run. Everything that outlives the harness is in the plan's log before it exists. If that may take long,
    /// it ends early with [`StoppedOpening`] once the plan's `stop` is cancelled. A future that is dropped may leave resources behind.
    async fn open(&self, plan: StagePlan) -> anyhow::Result<Box<dyn Stage>>;

    /// How the storage that stages share was lost for good, if it was. May be called often and concurrently.
    async fn storage_lost(&self) -> Option<String>;
}

/// The clock that a run uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The wall clock.
    Wall,
    /// Tokio's clock, paused: time passes only when no task can run. The workload must run in this process.
    Paused,
}

/// What a run needs of its stage, all of it decided before anything starts.
#[derive(Clone)]
pub struct StagePlan {
    /// The run.
    pub identity: Identity,
    /// The run's directory: history, and the output of processes below `logs/`.
    pub directory: PathBuf,
    /// Directory for files that live as long as the stage and are no evidence.
    pub scratch: PathBuf,
    /// The run's event log.
    pub log: EventLog,
    /// The storage that the run needs.
    pub storage: StorageNeed,
    /// How many queues the run has, each with its own consumers.
    pub queues: u32,
    /// The nodes that the run needs, if it is about nodes.
    pub nodes: Option<NodePlan>,
    /// Notified when storage is lost.
    pub loss: StorageLoss,
    /// Cancelled when the run is not wanted any more. [`Platform::open`] then removes what it has created so far.
    pub stop: CancellationToken,
}

/// The run was stopped while its stage was being opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its stage was not open yet{}, and what was created for it is removed", waited(.waits.as_deref()))]
pub struct StoppedOpening {
    /// What it waited for, if the platform says so.
    pub waits: Option<String>,
}

fn waited(waits: Option<&str>) -> String {
    waits.map_or_else(String::new, |waits| format!(" ({waits})"))
}

/// The storage that a run needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StorageNeed {
    /// Its own queues and table, in a storage that other runs use too.
    #[default]
    Shared,
    /// Its own storage, which keeps its data when it is taken away and brought back.
    Own,
    /// Storage that takes tokens, and processes that sign in as the set-up says.
    SignedIn(SetUp),
}

/// Everything of one run on a platform.
#[async_trait]
pub trait Stage: Send + Sync {
    /// What the evidence comes from, in one line for reports.
    fn evidence(&self) -> String;

    /// The run's queues and table, as the harness reaches them; several queues are joined to one.
    fn storage(&self) -> &Store;

    /// The workers.
    fn workers(&self) -> &dyn Workers;

    /// The wire between the workload and storage, if there is one.
    fn wire(&self) -> Option<Arc<dyn Wire>>;

    /// Time limit for requested workers to start if nothing is wrong: a pod may have to pull its image, and a node may have to
    /// be made for it.
    fn start(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Whether workers, producer and wire read one clock.
    fn has_one_clock(&self) -> bool {
        true
    }

    /// The record of the autoscaler so far, for the workers of each queue, in the order of the queues; empty if the run sets
    /// the number of workers.
    fn scaling(&self) -> Vec<ScalingRecord>;

    /// The nodes of the workers, if the plan asked for them.
    fn nodes(&self) -> Option<&dyn Nodes>;

    /// The name of a node that its owner has taken back without a request of the harness, if there is one; also if the plan has no
    /// nodes, so that [`Stage::nodes`] returns none.
    fn evicted_unasked(&self) -> Option<String> {
        None
    }

    /// Starts `generators` producers with these command line arguments, each with its slice of the load. Their names are those
    /// of [`generator_name`]; with several queues, generator n sends to queue n modulo the number of queues.
    async fn send(
        &self,
        arguments: &[String],
        generators: u32,
    ) -> anyhow::Result<Vec<Box<dyn Sender>>>;

    /// Takes storage away for `time`, and returns when it is back with its data.
    async fn outage(&self, time: Duration) -> anyhow::Result<()>;

    /// Checks whether storage was lost for good, and says how. `None` while [`Stage::outage`] keeps it away.
    async fn storage_lost(&self) -> Option<String>;

    /// The harness's identity services, if the processes sign in with them.
    fn identities(&self) -> Option<&dyn Identities>;

    /// The secrets that open storage, which no log or report may contain.
    async fn secrets(&self) -> anyhow::Result<Vec<String>>;

    /// Resources that the run's processes and the harness have used so far; empty if the platform cannot tell.
    async fn taken(&self) -> Vec<Taken> {
        Vec::new()
    }

    /// Returns an error of the tasks that manage the run, unless it was returned before.
    fn check(&self) -> anyhow::Result<()>;

    /// Stops the task that keeps the number of workers, and returns its first error. Running workers continue.
    async fn settle_workers(&self) -> anyhow::Result<()>;

    /// Removes the run's queues and table, and strikes them off the ledger.
    async fn remove(&self) -> anyhow::Result<()>;

    /// Time limit of [`Stage::remove`].
    fn removal(&self) -> Duration {
        Duration::from_secs(20)
    }

    /// Ends everything that is left of the run, at once.
    async fn close(self: Box<Self>) -> anyhow::Result<()>;
}

impl StagePlan {
    /// Records resources that are about to be created and that outlive the harness.
    pub fn announce(&self, resources: Vec<Resource>) -> anyhow::Result<()> {
        for resource in resources {
            let now = workflow::contract::Stamp::now();
            (self.log).append(now, evidence::events::Event::ResourceCreated(resource))?;
        }
        Ok(())
    }
}
