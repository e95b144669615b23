//! The programs under test, and the flags that choose them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum as _;
use workflow::contract::workload::Description;
use workflow::duration;
use workflow::exit::WrongInput;

use super::emulator::StorageChoice;
use super::process::Program;
use crate::{AksArgs, ClusterArgs, EnvironmentName};
use project::shell::word;

/// How long storage may fail to answer outside of an outage of the scenario: a busy one takes seconds to restart.
const STORAGE_PATIENCE: Duration = Duration::from_secs(60);

/// Where the workload runs, which programs are under test, and what their storage is allowed.
#[derive(Debug, Clone, clap::Args)]
pub struct WorkloadArgs {
    /// Where the workload runs
    #[arg(long = "env", env = "EDW_ENV", value_enum, default_value_t)]
    pub environment: EnvironmentName,
    /// Storage of runs on this machine [default: for load, engine, or azurite if an address of Azurite is given; for run,
    /// azurite]
    #[arg(long, env = "EDW_STORAGE", value_enum)]
    pub storage: Option<StorageChoice>,
    /// Shell command to run as the consumer, instead of the project's own; docs/CONSUMER.md has the contract that it must keep
    #[arg(long, env = "EDW_CONSUMER_COMMAND")]
    pub consumer_command: Option<String>,
    /// File that describes the workload: its messages, rows and worker (docs/DESCRIPTION.md) [default: edw.yaml here or in a
    /// directory above, else the project's own workload]
    #[arg(long, env = "EDW_WORKLOAD")]
    pub workload: Option<PathBuf>,
    /// Longest time that storage at a given address may fail to answer; after it, the run ends as inconclusive
    #[arg(long, env = "EDW_STORAGE_PATIENCE", value_parser = duration::parse_positive, default_value = "60s")]
    pub storage_patience: Duration,
    /// Which cluster
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Which environment on AKS
    #[command(flatten)]
    pub aks: AksArgs,
}

impl WorkloadArgs {
    /// The flags that repeat this choice, quoted for a shell.
    pub fn repeat(&self) -> Option<String> {
        let command = self.consumer_command.as_ref();
        let command = command.map(|command| format!("--consumer-command {}", word(command)));
        let workload = self.workload.as_ref().map(|file| {
            let file = file.to_string_lossy();
            format!("--workload {}", word(&file))
        });
        let patience = (self.storage_patience != STORAGE_PATIENCE).then(|| {
            let patience = duration::text(self.storage_patience);
            format!("--storage-patience {patience}")
        });
        let storage = self.storage.map(|storage| {
            let storage = storage.to_possible_value();
            let storage = storage.expect("every storage must have a name");
            format!("--storage {}", storage.get_name())
        });
        let flags = self.environment.repeat(self).into_iter().chain(storage);
        let flags = flags.chain(workload).chain(command);
        let flags: Vec<_> = flags.chain(patience).collect();
        (!flags.is_empty()).then(|| flags.join(" "))
    }
}

/// The programs under test.
#[derive(Debug, Clone)]
pub struct Workload {
    /// The producer.
    pub producer: Program,
    /// The consumer.
    pub consumer: Program,
    /// The user's consumer command, if the consumer is not the project's own.
    pub foreign: Option<String>,
    /// The description of messages, rows and worker.
    pub description: Arc<Description>,
    /// The file of the description; `None`: the project's own description.
    pub file: Option<PathBuf>,
    /// Whether workers are pods, made from images, and not programs of this machine.
    pub in_pods: bool,
    /// The project's own storage engine.
    pub engine: Program,
    /// The program that kills all processes if the harness cannot.
    pub guard: Program,
    /// How long a storage at a given address may fail to answer.
    pub storage_patience: Duration,
}

impl Workload {
    /// The producer and consumer that are built into the `harness` executable as subcommands: the same `main` that their
    /// own binaries call, so that a test can never run a stale build of them.
    pub fn built_in(harness: &Path) -> Self {
        Self {
            producer: Program::new(harness, ["producer"]),
            consumer: Program::new(harness, ["consumer"]),
            foreign: None,
            description: Description::own(),
            file: None,
            in_pods: false,
            engine: Program::new(harness, ["engine"]),
            guard: Program::new(harness, ["guard"]),
            storage_patience: STORAGE_PATIENCE,
        }
    }

    /// The programs that `args` choose; the built-in programs of `harness` for those that `args` leave open.
    pub fn chosen(harness: &Path, args: &WorkloadArgs) -> anyhow::Result<Self> {
        let built_in = Self {
            storage_patience: args.storage_patience,
            in_pods: args.environment.profile(args).has_pods,
            ..Self::built_in(harness)
        };
        let described = described(args.workload.as_deref())?;
        let (description, file) = match described {
            Some(Described { description, file }) => (description, Some(file)),
            None => (built_in.description.clone(), None),
        };
        let beside = file.as_deref().and_then(Path::parent);
        let own = description.worker.command.as_ref().map(|command| {
            // Runs it as if it were called in the directory of its description.
            let beside = beside.map_or_else(|| ".".into(), Path::to_string_lossy);
            (
                command.clone(),
                format!("cd {} && exec {command}", word(&beside)),
            )
        });
        let given = args.consumer_command.clone();
        let given = given.map(|command| (command.clone(), format!("exec {command}")));
        let workload = Self {
            description,
            file,
            ..built_in
        };
        Ok(match given.or(own) {
            None => workload,
            // `exec` replaces the shell by the consumer: otherwise a signal to the consumer would end in the shell.
            Some((command, line)) => Self {
                consumer: Program::new("sh", ["-c".to_owned(), line]),
                foreign: Some(command),
                ..workload
            },
        })
    }
}

/// A description, and the file from which it was read.
#[derive(Debug, Clone)]
pub struct Described {
    /// The parsed description.
    pub description: Arc<Description>,
    /// The absolute path of the file.
    pub file: PathBuf,
}

/// Reads the description in `file`, or the project's `edw.yaml` if there is one.
pub fn described(file: Option<&Path>) -> anyhow::Result<Option<Described>> {
    let found = project::description();
    let Some(file) = file.or(found.as_deref()) else {
        return Ok(None);
    };
    let read = || {
        let file = std::path::absolute(file)?;
        let description =
            producer::described(&file.to_string_lossy()).map_err(anyhow::Error::msg)?;
        anyhow::Ok(Described { description, file })
    };
    let described = read().context(WrongInput("read the description of the workload"))?;
    Ok(Some(described))
}
