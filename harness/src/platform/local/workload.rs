//! The programs under test: which they are, and the flags that choose them.

use std::path::Path;
use std::time::Duration;

use clap::ValueEnum as _;
use workflow::duration;

use super::emulator::StorageChoice;
use super::process::Program;
use crate::platform::ClusterArgs;
use crate::shell::word;

/// How long a storage may be away that nobody took away: a restart of a busy one takes seconds.
const STORAGE_PATIENCE: Duration = Duration::from_secs(60);

/// Where the workload can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum EnvironmentName {
    /// Processes on this machine, and Azurite; the autoscaler is a model, nodes are simulated
    #[default]
    Local,
    /// Pods in a Kubernetes cluster that has KEDA; --context names it
    Cluster,
}

/// Where the workload runs, which programs are under test, and what their storage is allowed.
#[derive(Debug, Clone, clap::Args)]
pub struct WorkloadArgs {
    /// Where the workload runs
    #[arg(long = "env", env = "EDW_ENV", value_enum, default_value_t)]
    pub environment: EnvironmentName,
    /// Which storage runs are given [default: load: engine, or azurite where an address is given; run: azurite]
    #[arg(long, env = "EDW_STORAGE", value_enum)]
    pub storage: Option<StorageChoice>,
    /// Run this command of the shell as the consumer, instead of the project's own; docs/CONSUMER.md says what it must keep
    #[arg(long, env = "EDW_CONSUMER_COMMAND")]
    pub consumer_command: Option<String>,
    /// End as inconclusive once a storage whose address is given has not answered for this long
    #[arg(long, env = "EDW_STORAGE_PATIENCE", value_parser = duration::parse_positive, default_value = "60s")]
    pub storage_patience: Duration,
    /// Which cluster
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

impl WorkloadArgs {
    /// The flags that repeat the choice, quoted for a shell.
    pub fn repeat(&self) -> Option<String> {
        let command = self.consumer_command.as_ref();
        let command = command.map(|command| format!("--consumer-command {}", word(command)));
        let patience = (self.storage_patience != STORAGE_PATIENCE).then(|| {
            let patience = duration::text(self.storage_patience);
            format!("--storage-patience {patience}")
        });
        let storage = self.storage.map(|storage| {
            let storage = storage.to_possible_value();
            let storage = storage.expect("every storage must have a name");
            format!("--storage {}", storage.get_name())
        });
        let environment = (self.environment == EnvironmentName::Cluster).then(|| {
            let flags = self.cluster.repeat().into_iter();
            let flags = flags.map(|(flag, value)| format!(" {flag} {}", word(&value)));
            format!("--env cluster{}", flags.collect::<String>())
        });
        let flags = environment.into_iter().chain(storage);
        let flags: Vec<_> = flags.chain(command).chain(patience).collect();
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
    /// The command of a consumer that is not the project's own.
    pub foreign: Option<String>,
    /// The project's own storage engine.
    pub engine: Program,
    /// What ends all of them when the harness cannot.
    pub guard: Program,
    /// How long a storage whose address is given may go without an answer.
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
            engine: Program::new(harness, ["engine"]),
            guard: Program::new(harness, ["guard"]),
            storage_patience: STORAGE_PATIENCE,
        }
    }

    /// What `args` choose, with the built-in programs of `harness` for the rest.
    pub fn chosen(harness: &Path, args: &WorkloadArgs) -> Self {
        let built_in = Self {
            storage_patience: args.storage_patience,
            ..Self::built_in(harness)
        };
        match args.consumer_command.clone() {
            None => built_in,
            // The shell becomes the consumer: signals meant for one must not end in the other.
            Some(command) => Self {
                consumer: Program::new("sh", ["-c".to_owned(), format!("exec {command}")]),
                foreign: Some(command),
                ..built_in
            },
        }
    }
}
