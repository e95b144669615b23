//! Storage on this machine: Azurite, or the project's own engine as a child process.
//!
//! Scenarios use Azurite, because it is the reference; a load uses the engine, so that storage does not limit its rate. Both
//! serve the same development account.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use azurite::{Azurite, CertificateAuthority, Source};
use tokio::time::timeout;

use super::guard::Guard;
use super::own_directory::{OwnDirectory, Purpose};
use super::process::{Output, Process, Program};

/// Time limit for the engine to report its addresses.
const START: Duration = Duration::from_secs(20);

/// Which storage runs are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum StorageChoice {
    /// The project's own storage engine, in its own process: fast at any backlog, and needs no other program
    Engine,
    /// Azurite, the official emulator: at a given address, or started by Docker or from npm
    Azurite,
}

/// Requirements of a storage.
#[derive(Debug)]
pub(super) struct Demand<'a> {
    /// The directory for its files other than data.
    pub(super) scratch: &'a Path,
    /// The directory in which it keeps its data, so that it can be taken away and brought back.
    pub(super) directory: Option<&'a Path>,
    /// The authority that signs its certificate, if it uses HTTPS.
    pub(super) https: Option<&'a CertificateAuthority>,
}

impl<'a> Demand<'a> {
    /// The default requirements, with files below `scratch`.
    pub(super) const fn below(scratch: &'a Path) -> Self {
        Self {
            scratch,
            directory: None,
            https: None,
        }
    }
}

/// Adds to "there is no Azurite" which storage needs neither Docker nor Node.js.
fn or_the_engine(error: azurite::Error) -> anyhow::Error {
    let has_none = matches!(error, azurite::Error::NoSource { .. });
    let error = anyhow::Error::new(error);
    if has_none {
        error.context("use Azurite; `--storage engine` needs neither Docker nor Node.js")
    } else {
        error
    }
}

/// A running storage that answers. It ends when this is dropped.
#[derive(Debug)]
pub(super) enum Emulator {
    Azurite(Box<Azurite>),
    Engine(Box<Embedded>),
}

impl Emulator {
    /// Starts Azurite from `source`, or from the first source that works.
    pub(super) async fn azurite(
        source: Option<Source>,
        demand: Demand<'_>,
    ) -> anyhow::Result<Self> {
        let mut builder = Azurite::builder();
        if let Some(source) = source {
            builder = builder.source(source);
        }
        if let Some(directory) = demand.directory {
            builder = builder.directory(directory);
        }
        if let Some(authority) = demand.https {
            builder = builder.https(authority, demand.scratch)?;
        }
        let started = builder.start().await;
        Ok(Self::Azurite(Box::new(started.map_err(or_the_engine)?)))
    }

    pub(super) fn queue_url(&self) -> String {
        match self {
            Self::Azurite(azurite) => azurite.queue_url(),
            Self::Engine(engine) => engine.queue.clone(),
        }
    }

    pub(super) fn table_url(&self) -> String {
        match self {
            Self::Azurite(azurite) => azurite.table_url(),
            Self::Engine(engine) => engine.table.clone(),
        }
    }

    /// An account SAS with every permission on all services.
    pub(super) fn sas() -> String {
        azurite::account_sas()
    }

    /// Its name, its version and the reason for its choice, in one line.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Azurite(azurite) => azurite.why().to_owned(),
            Self::Engine(engine) => engine.to_string(),
        }
    }

    /// The source of Azurite; `None` for the engine.
    pub(super) fn source(&self) -> Option<Source> {
        match self {
            Self::Azurite(azurite) => Some(azurite.source()),
            Self::Engine(_) => None,
        }
    }

    /// How it ended by itself, in one line, if it did.
    pub(super) fn ended(&mut self) -> Option<String> {
        match self {
            Self::Azurite(azurite) => azurite.ended().map(|how| format!("Azurite, {how}")),
            Self::Engine(engine) => engine.ended().map(|how| format!("the engine, {how}")),
        }
    }

    /// Its process id; `None` for Azurite, whose process belongs to the crate `azurite`.
    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Self::Azurite(_) => None,
            Self::Engine(engine) => engine.process.as_ref().map(|(process, _)| process.pid()),
        }
    }

    /// Stops it: connections are refused until [`Emulator::resume`].
    pub(super) async fn halt(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Azurite(azurite) => Ok(azurite.halt().await?),
            Self::Engine(engine) => engine.halt().await,
        }
    }

    /// Starts it again on its ports and with its data.
    pub(super) async fn resume(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Azurite(azurite) => Ok(azurite.resume().await?),
            Self::Engine(engine) => engine.resume().await,
        }
    }
}

/// The engine as a child process.
pub(super) struct Embedded {
    program: Program,
    guard: Guard,
    logs: OwnDirectory,
    has_directory: bool,
    queue: String,
    table: String,
    /// `None` while it is stopped. Its output stays open: a process that cannot write to its output would end.
    process: Option<(Process, Output)>,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = if self.has_directory {
            "a directory"
        } else {
            "memory"
        };
        write!(f, "engine {}, data in {data}", env!("CARGO_PKG_VERSION"))
    }
}

impl Embedded {
    /// Starts `program`, the engine, and waits until it reports its addresses.
    pub(super) async fn start(
        program: &Program,
        guard: &Guard,
        demand: Demand<'_>,
    ) -> anyhow::Result<Emulator> {
        let logs = OwnDirectory::create(Purpose::Engine, demand.scratch);
        let logs = logs.context("make a directory for the engine's log")?;
        let mut program = program.clone();
        if let Some(directory) = demand.directory {
            program = program.arg("--directory").arg(directory.as_os_str());
        }
        if let Some(authority) = demand.https {
            let (certificate, key) = certified(authority, logs.path())?;
            program = program.arg("--certificate").arg(certificate);
            program = program.arg("--certificate-key").arg(key);
        }
        let first = program.clone().arg("--queue-port=0").arg("--table-port=0");
        let (process, queue, table) = started(&first, logs.path(), guard).await?;
        let port = |url: &str| {
            let url: reqwest::Url = url.parse().context("read the engine's address")?;
            url.port().context("the engine's address must have a port")
        };
        // After an outage, it must come back at the same addresses.
        program = program.arg(format!("--queue-port={}", port(&queue)?));
        program = program.arg(format!("--table-port={}", port(&table)?));
        Ok(Emulator::Engine(Box::new(Self {
            program,
            guard: guard.clone(),
            logs,
            has_directory: demand.directory.is_some(),
            queue,
            table,
            process: Some(process),
        })))
    }

    fn ended(&mut self) -> Option<String> {
        let (process, _) = self.process.as_mut()?;
        match process.try_end() {
            Ok(None) => None,
            Ok(Some(end)) => Some(format!("{end}; {}", process.tail())),
            Err(error) => Some(format!("failed to {error:#}")),
        }
    }

    async fn halt(&mut self) -> anyhow::Result<()> {
        if !self.has_directory {
            bail!("halt an engine with its data in memory: it would come back empty");
        }
        if let Some((mut process, _)) = self.process.take() {
            process.kill().await?;
        }
        Ok(())
    }

    async fn resume(&mut self) -> anyhow::Result<()> {
        if self.process.is_none() {
            let (process, ..) = started(&self.program, self.logs.path(), &self.guard).await?;
            self.process = Some(process);
        }
        Ok(())
    }
}

/// Writes a certificate and its key into files below `directory`.
fn certified(
    authority: &CertificateAuthority,
    directory: &Path,
) -> anyhow::Result<(PathBuf, PathBuf)> {
    let certified = authority.certify();
    let (certificate, key) = (directory.join("certificate.pem"), directory.join("key.pem"));
    std::fs::write(&certificate, certified.certificate)
        .and_then(|()| std::fs::write(&key, certified.key))
        .context("write the engine's certificate")?;
    Ok((certificate, key))
}

/// Starts the engine, and returns its addresses from the first line of its output: `queue URL table URL data ...`.
async fn started(
    program: &Program,
    logs: &Path,
    guard: &Guard,
) -> anyhow::Result<((Process, Output), String, String)> {
    let mut process = Process::start("engine", program, logs, true, guard)?;
    let mut lines = process
        .lines()
        .context("the engine's output must be piped")?;
    let line = timeout(START, lines.next_line()).await;
    let line =
        line.with_context(|| format!("wait for the engine to listen: {}", process.tail()))??;
    let line = line.with_context(|| format!("start the engine: {}", process.tail()))?;
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["queue", queue, "table", table, ..] => {
            Ok(((process, lines), queue.to_owned(), table.to_owned()))
        }
        _ => bail!("read the engine's addresses: its first line is {line:?}"),
    }
}
