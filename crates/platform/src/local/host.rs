//! Host on this machine: an emulator of storage, and the workload as processes.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use azurite::{CertificateAuthority, Source};
use evidence::events::{Fact, Resource};
use tokio::sync::{Mutex, OnceCell};
use wire::{Endpoints, Tls};
use workflow::azure::credential::CredentialChoice;
use workflow::azure::{AccountArgs, QueueArgs, Secret, Storage, TableArgs};
use workflow::contract::RunId;
use workflow::contract::workload::Lens;

use super::emulator::{Demand, Embedded, Emulator, StorageChoice};
use super::guard::Guard;
use super::own_directory::{OwnDirectory, Purpose};
use super::process::Process;
use super::workload::Workload;
use super::{Federated, Host, Place, Provisioned};
use crate::StorageNeed;
use crate::identities::SetUp;
use crate::reach::Reach;
use crate::settings::{StorageTold, names, own_queues, storage_variables, worker_variables};
use crate::storage::{Store, queue_names, table_names};
use crate::workers::{ConsumerOptions, Seat};

/// The longest time that storage may take to answer where one scenario more can run: a fourth of a second is 2 s at pace 8, and
/// Azurite that has more work than it can do takes several times as long.
const SOON: Duration = Duration::from_millis(250);

/// This machine as a host: an emulator of storage, with producer and consumers as child processes.
#[derive(Debug)]
pub struct Machine {
    /// The source of the emulator, which stays known while the emulator is locked for an outage.
    source: Option<Source>,
    choice: StorageChoice,
    why: String,
    endpoints: Endpoints,
    sas: String,
    storage: Storage,
    workload: Workload,
    emulator: Mutex<Emulator>,
    guard: Guard,
    /// Checks that storage still answers, and how soon.
    reach: Reach,
    /// The certificates for HTTPS; `None`: storage uses HTTP.
    tls: Option<Tls>,
    /// A second storage that uses HTTPS, for processes that sign in with tokens; started on first use.
    https: OnceCell<Arc<Machine>>,
    /// The directory of its data, unless the data are in memory. Removed when this is dropped.
    _data: Option<OwnDirectory>,
}

impl Machine {
    /// Starts the guard of all child processes, and the storage that `choice` names for `workload`. Files that are no evidence
    /// go below `scratch`.
    pub async fn start(
        workload: Workload,
        choice: StorageChoice,
        scratch: &Path,
    ) -> anyhow::Result<Self> {
        let demand = Demand::below(scratch);
        Self::start_as(workload, choice, None, demand, None).await
    }

    async fn start_as(
        workload: Workload,
        choice: StorageChoice,
        source: Option<Source>,
        demand: Demand<'_>,
        tls: Option<Tls>,
    ) -> anyhow::Result<Self> {
        let guard = Guard::start(&workload.guard)?;
        let emulator = match choice {
            StorageChoice::Azurite => Emulator::azurite(source, demand).await,
            StorageChoice::Engine => Embedded::start(&workload.engine, &guard, demand).await,
        };
        let emulator = emulator.context("start the local environment")?;
        let roots = tls.as_ref().map(super::roots).transpose()?;
        let roots = roots.as_ref().map_or(&[][..], |roots| roots);
        let storage = Storage::open_trusting(&account(), roots)?;
        let any = QueueArgs {
            queue: "edw-anybody-there".parse()?,
            queue_endpoint: Some(emulator.queue_url().parse()?),
        };
        let reach = Reach::new(storage.queue(&any)?, workload.storage_patience);
        Ok(Self {
            source: emulator.source(),
            choice,
            why: emulator.why(),
            endpoints: Endpoints {
                queue: emulator.queue_url(),
                table: emulator.table_url(),
            },
            sas: Emulator::sas(),
            storage,
            reach,
            workload,
            emulator: Mutex::new(emulator),
            guard,
            tls,
            https: OnceCell::new(),
            _data: None,
        })
    }

    /// Makes a machine like this one with its own storage below `directory`, which keeps its data when it is taken away and
    /// brought back.
    async fn with_own_storage(&self, directory: &Path) -> anyhow::Result<Arc<Self>> {
        let own = OwnDirectory::create(Purpose::Storage, directory);
        let own = own.context("make a directory for storage of its own")?;
        let data = own.path().join("data");
        std::fs::create_dir(&data).context("make a directory for the data of storage")?;
        let demand = Demand {
            directory: Some(&data),
            ..Demand::below(directory)
        };
        let machine = self.start_another(demand, None).await?;
        Ok(Arc::new(Self {
            _data: Some(own),
            ..machine
        }))
    }

    /// Whether storage answers soon enough for one scenario more.
    pub(super) async fn answers_soon(&self) -> bool {
        self.reach.answers_within(SOON).await
    }

    /// The host with the storage that a run needs; its files go below `directory`.
    pub(super) async fn host(
        self: &Arc<Self>,
        need: &StorageNeed,
        directory: &Path,
    ) -> anyhow::Result<Arc<dyn Host>> {
        Ok(match need {
            StorageNeed::Shared => self.clone(),
            StorageNeed::Own => self.with_own_storage(directory).await?,
            StorageNeed::SignedIn(set_up) => Arc::new(self.signed_in(set_up, directory).await?),
        })
    }

    /// A host whose storage takes tokens, shared by all runs that sign in, and whose processes sign in as `set_up` says.
    pub async fn signed_in(&self, set_up: &SetUp, directory: &Path) -> anyhow::Result<Federated> {
        let https = self.https.get_or_try_init(|| self.start_https(directory));
        let https = https.await?.clone();
        Federated::start(https, set_up, directory).await
    }

    /// Starts another storage, for HTTPS and bearer tokens; its files go below `directory`.
    async fn start_https(&self, directory: &Path) -> anyhow::Result<Arc<Self>> {
        let authority = CertificateAuthority::new();
        let demand = Demand {
            https: Some(&authority),
            ..Demand::below(directory)
        };
        let certified = authority.certify();
        let tls = Tls::new(
            authority.certificate(),
            &certified.certificate,
            &certified.key,
        )?;
        let machine = self.start_another(demand, Some(tls)).await?;
        Ok(Arc::new(machine))
    }

    /// The source of Azurite for a storage that must be the harness's own.
    fn own_source(&self) -> Option<Source> {
        match self.source {
            // A storage at a given address is not the harness's own.
            Some(Source::Address) => Some(Source::Npm),
            own => own,
        }
    }

    async fn start_another(&self, demand: Demand<'_>, tls: Option<Tls>) -> anyhow::Result<Self> {
        let (workload, source) = (self.workload.clone(), self.own_source());
        Self::start_as(workload, self.choice, source, demand, tls).await
    }

    /// Name and version of the emulator.
    pub(super) fn emulator_version(&self) -> Fact {
        match self.choice {
            StorageChoice::Azurite => Fact::new("Azurite", azurite::VERSION),
            StorageChoice::Engine => Fact::new("engine", env!("CARGO_PKG_VERSION")),
        }
    }

    /// The certificates for HTTPS.
    pub(super) fn tls(&self) -> anyhow::Result<&Tls> {
        self.tls.as_ref().context("storage must speak HTTPS")
    }

    /// Starts a consumer that finds its storage through its variables, with these additional ones.
    pub(super) fn consumer(
        &self,
        name: &str,
        storage: StorageTold<'_>,
        further: impl IntoIterator<Item = (String, String)>,
        options: &ConsumerOptions,
        seat: &Seat,
        logs: &Path,
    ) -> anyhow::Result<Process> {
        let mut program = self.workload.consumer.clone();
        let description = &self.workload.description;
        program.environment.extend(options.variables.clone());
        program.environment.extend(further);
        let told = worker_variables(description, storage, name, options, seat);
        program.environment.extend(told);
        Process::start(name, &program, logs, false, &self.guard)
    }

    /// Starts the producer called `name` with these variables.
    pub(super) fn producer(
        &self,
        name: &str,
        variables: impl IntoIterator<Item = (String, String)>,
        arguments: &[String],
        logs: &Path,
    ) -> anyhow::Result<Process> {
        let mut program = self.workload.producer.clone();
        if let Some(file) = &self.workload.file {
            program = program.arg("--workload").arg(file);
        }
        program.environment.extend(variables);
        program
            .arguments
            .extend(arguments.iter().map(OsString::from));
        Process::start(name, &program, logs, true, &self.guard)
    }

    /// The workload's description, applied to `run`.
    fn lens(&self, run: &RunId) -> Lens {
        Lens::new(self.workload.description.clone(), run.clone())
    }
}

/// Arguments that open the development account, which all emulators serve.
pub fn account() -> AccountArgs {
    AccountArgs {
        account: None,
        endpoint_suffix: "core.windows.net".to_owned(),
        credential: CredentialChoice::Sas,
        sas: Some(Secret::new(Emulator::sas())),
        connection_string: None,
    }
}

#[async_trait]
impl Host for Machine {
    fn evidence(&self) -> String {
        let consumer = match (&self.workload.file, &self.workload.foreign) {
            (None, None) => String::new(),
            (None, Some(command)) => format!("the consumer `{command}`, "),
            (Some(_), _) => format!("the workload {:?}, ", self.workload.description.name),
        };
        format!("local processes, {consumer}{}", self.why)
    }

    fn lasting(&self, run: &RunId, queues: u32) -> Vec<Resource> {
        if self.source != Some(Source::Address) {
            return Vec::new();
        }
        let (_, table_name) = names(run);
        let resource = |kind: &str, name, storage| Resource {
            kind: kind.to_owned(),
            name,
            storage,
        };
        let lens = self.lens(run);
        let own = own_queues(run, queues).into_iter();
        let queues = own.flat_map(|own| queue_names(&lens, &own).collect::<Vec<_>>());
        let queues = queues.map(|name| resource("queue", name, self.endpoints.queue.clone()));
        let tables = table_names(&lens, &table_name);
        let tables = tables.map(|name| resource("table", name, self.endpoints.table.clone()));
        queues.chain(tables).collect()
    }

    fn provision(&self, run: &RunId, queues: u32) -> anyhow::Result<Provisioned> {
        let (_, table_name) = names(run);
        let (queue_url, table_url) = (self.endpoints.queue.clone(), self.endpoints.table.clone());
        let table_args = TableArgs {
            table: table_name.parse()?,
            table_endpoint: Some(table_url.parse()?),
        };
        let queue_args = |name: &String| -> anyhow::Result<QueueArgs> {
            Ok(QueueArgs {
                queue: name.parse()?,
                queue_endpoint: Some(queue_url.parse()?),
            })
        };
        let queues = own_queues(run, queues);
        let queues: Vec<QueueArgs> = queues.iter().map(queue_args).collect::<Result<_, _>>()?;
        Ok(Provisioned {
            store: Store::of(&self.storage, self.lens(run), &queues, &table_args)?,
            endpoints: Endpoints {
                queue: queue_url,
                table: table_url,
            },
            tls: self.tls.clone(),
        })
    }

    async fn storage_lost(&self) -> Option<String> {
        if self.source == Some(Source::Address) {
            return self.reach.lost().await;
        }
        // An outage holds the lock; during it, storage is not lost.
        let ended = self.emulator.try_lock().ok()?.ended()?;
        Some(format!("storage ended by itself: {ended}"))
    }

    fn storage_pid(&self) -> Option<u32> {
        self.emulator.try_lock().ok()?.pid()
    }

    fn check_guard(&self) -> anyhow::Result<()> {
        self.guard.check()
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.sas.clone()]
    }

    async fn outage(&self, time: Duration) -> anyhow::Result<()> {
        let mut emulator = self.emulator.lock().await;
        emulator.halt().await.context("stop storage")?;
        tokio::time::sleep(time).await;
        emulator.resume().await.context("bring storage back")
    }

    fn start_consumer(
        &self,
        name: &str,
        place: &Place<'_>,
        options: &ConsumerOptions,
        seat: &Seat,
    ) -> anyhow::Result<Process> {
        let storage = StorageTold {
            run: place.run,
            queue: place.queue,
            endpoints: place.endpoints,
            sas: &self.sas,
            credential: "sas",
        };
        self.consumer(name, storage, [], options, seat, place.logs)
    }

    fn start_producer(
        &self,
        name: &str,
        place: &Place<'_>,
        arguments: &[String],
    ) -> anyhow::Result<Process> {
        let sas = self.sas.clone();
        let variables = storage_variables(place.run, place.queue, place.endpoints, sas);
        self.producer(name, variables, arguments, place.logs)
    }
}
