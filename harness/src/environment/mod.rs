//! Environments: where the workload runs. One trait, several ways to keep it; scenarios do not know which.

mod check;
mod federated;
mod local;
mod reach;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use workflow::azure::{AzureQueue, AzureTable};
use workflow::contract::RunId;

pub use federated::{Federated, Identities, Mistake, SetUp};
pub(crate) use local::account;
pub use local::{Local, Workload, WorkloadArgs};

use crate::events::Resource;
use crate::nodes::Placed;
use crate::process::Process;
use crate::wire::{Endpoints, Tls};

/// Where the workload runs.
#[async_trait]
pub trait Environment: Send + Sync {
    /// What produced the evidence, in one line for reports, such as `local: Azurite 3.37.0 from npm`.
    fn evidence(&self) -> String;

    /// What [`Environment::provision`] will create for `run` that outlives the harness.
    fn lasting(&self, run: &RunId) -> Vec<Resource>;

    /// Creates the queue, the poison queue and the table of one run.
    async fn provision(&self, run: &RunId) -> anyhow::Result<Store>;

    /// The same with a storage of its own below `directory`, that keeps its data when it is taken away and comes back.
    async fn with_own_storage(&self, directory: &Path) -> anyhow::Result<Arc<dyn Environment>>;

    /// How storage was lost for good, if it was: its process has ended by itself, or one at an address that was given has not
    /// answered for too long. Never while [`Environment::outage`] keeps it away. May be asked often, and by many.
    async fn storage_lost(&self) -> Option<String>;

    /// Sees to it that what guards the children is there. May be asked often, and by many.
    fn check_guard(&self) -> anyhow::Result<()>;

    /// The same with a storage that takes tokens, and processes that sign in as `set_up` says; files go below `directory`.
    async fn with_identity(
        &self,
        set_up: &SetUp,
        directory: &Path,
    ) -> anyhow::Result<Arc<dyn Environment>>;

    /// Who vouches for the processes, where the harness stands for that.
    fn identities(&self) -> Option<&Identities> {
        None
    }

    /// What must not be written down anywhere: everything that opens storage.
    fn secrets(&self) -> Vec<String>;

    /// Takes storage away for `time`, and returns when it is back with its data.
    async fn outage(&self, time: Duration) -> anyhow::Result<()>;

    /// Starts a consumer of `store` and returns at once.
    async fn start_consumer(
        &self,
        store: &Store,
        name: &str,
        options: &ConsumerOptions,
        logs: &Path,
    ) -> anyhow::Result<Process>;

    /// Starts the producer for `store` and returns at once; its progress comes as JSON lines on standard output.
    async fn start_producer(
        &self,
        store: &Store,
        arguments: &[String],
        logs: &Path,
    ) -> anyhow::Result<Process>;
}

/// The storage of one run.
#[derive(Debug, Clone)]
pub struct Store {
    /// The run.
    pub run: RunId,
    /// Its queue.
    pub queue: AzureQueue,
    /// Where its poison messages go.
    pub poison: AzureQueue,
    /// Its table.
    pub table: AzureTable,
    /// Where the processes of the workload find it.
    pub endpoints: Endpoints,
    /// How it is spoken to over HTTPS, where it is the harness's own.
    pub tls: Option<Tls>,
}

impl Store {
    /// The same storage, found elsewhere: through a proxy.
    #[must_use]
    pub fn at(&self, endpoints: &Endpoints) -> Self {
        Self {
            endpoints: endpoints.clone(),
            ..self.clone()
        }
    }

    /// Removes the queues and the table. All are tried; the first failure is returned.
    pub async fn remove(&self) -> anyhow::Result<()> {
        use workflow::ports::{ResultTable as _, WorkQueue as _};
        let removed = [
            self.queue.delete_queue().await,
            self.poison.delete_queue().await,
            self.table.delete_table().await,
        ];
        removed.into_iter().collect::<Result<(), _>>()?;
        Ok(())
    }
}

/// How a consumer is configured; what is `None` stays at the consumer's own default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsumerOptions {
    /// Simulated work, in the consumer's own grammar, such as `fixed:50ms`.
    pub work: Option<String>,
    /// Visibility timeout.
    pub visibility: Option<Duration>,
    /// Messages worked on at once.
    pub concurrency: Option<u32>,
    /// Deliveries before a message is given up as poison.
    pub max_attempts: Option<u32>,
    /// Longest pause between two polls of an empty queue.
    pub idle_poll_max: Option<Duration>,
    /// Time to drain.
    pub grace: Option<Duration>,
    /// How long storage may be unreachable at the start.
    pub start_timeout: Option<Duration>,
    /// What it logs.
    pub log: Option<String>,
    /// Where its probes answer, when somebody asks them.
    pub probes: Option<SocketAddr>,
    /// Variables that hold where nothing above says otherwise.
    pub variables: Vec<(String, String)>,
    /// The node that it is on, and where that is told of its end; `None`: there are no nodes.
    pub seat: Option<Placed>,
}
