//! A load, as a test describes it.

use std::env;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context as _, ensure};
use harness::load::LoadArgs;
use platform::Workload;

use crate::{Error, Verdict};

/// The variable that names the program.
const PROGRAM: &str = "EDW_PROGRAM";

/// A load for a workload, and the promises that the workload must keep. Options that are not set are those of `edw load`, including
/// its variables (`EDW_STORAGE`, `EDW_OUT`, ...).
#[derive(Debug, Clone)]
#[must_use = "a load does nothing until it is judged"]
pub struct Load {
    words: Vec<String>,
    program: Option<PathBuf>,
}

impl Load {
    /// A load of this many messages.
    pub fn of(messages: u64) -> Self {
        Self {
            words: vec![format!("--messages={messages}")],
            program: None,
        }
    }

    /// Sets how messages arrive: `constant:200/s`, `poisson:200/s`, `burst`, `ramp:10/s..200/s:60s`, `trace:file.csv`.
    pub fn shape(self, shape: &str) -> Self {
        self.with("shape", shape)
    }

    /// Sets the number of workers that compete for the messages.
    pub fn consumers(self, consumers: u32) -> Self {
        self.with("consumers", &consumers.to_string())
    }

    /// Sets the description of a workload of another team: its message, its result, its worker.
    pub fn workload(self, file: impl AsRef<Path>) -> Self {
        let file = file.as_ref().to_string_lossy().into_owned();
        self.with("workload", &file)
    }

    /// Sets the command of each worker, instead of the one in the description.
    pub fn command(self, command: &str) -> Self {
        self.with("consumer-command", command)
    }

    /// Adds a latency limit, such as `end to end p99 2s`.
    pub fn limit(self, limit: &str) -> Self {
        self.with("limit", limit)
    }

    /// Sets the simulated work of the project's own worker: `fixed:50ms`, `exponential:50ms`.
    pub fn work(self, work: &str) -> Self {
        self.with("work", work)
    }

    /// Sets the storage: `engine`, or `azurite`.
    pub fn storage(self, storage: &str) -> Self {
        self.with("storage", storage)
    }

    /// Sets the seed of payloads and arrivals, to repeat a run.
    pub fn seed(self, seed: u64) -> Self {
        self.with("seed", &seed.to_string())
    }

    /// Sets the directory for the directory with the evidence.
    pub fn out(self, directory: impl AsRef<Path>) -> Self {
        let directory = directory.as_ref().to_string_lossy().into_owned();
        self.with("out", &directory)
    }

    /// Sets any other option of `edw load`, without its dashes, such as `("env", "cluster")`.
    pub fn option(self, name: &str, value: &str) -> Self {
        self.with(name, value)
    }

    /// Sets the path of the program `edw`, which runs the producer and the workers.
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.words.push(format!("--{name}={value}"));
        self
    }

    /// Sends the load and judges it. Blocks the thread until the run is over.
    ///
    /// # Errors
    ///
    /// Fails for an option that `edw load` does not have, for a program that is missing or of another version, and if storage does
    /// not start.
    pub fn judge(&self) -> Result<Verdict, Error> {
        Ok(self.judged()?)
    }

    fn judged(&self) -> anyhow::Result<Verdict> {
        let args = LoadArgs::from_words(&self.words)?;
        let program = self.found_program()?;
        let workload = Workload::chosen(&program, &args.workload)?;
        let judging = || {
            let runtime = tokio::runtime::Runtime::new().context("start the async runtime")?;
            runtime.block_on(harness::load::judged(&args, workload))
        };
        // The caller may be within a tokio runtime, on whose threads a second runtime must not block: the run gets its own thread.
        let judged = thread::scope(|scope| scope.spawn(judging).join());
        let (record, report) = judged.unwrap_or_else(|panic| resume_unwind(panic))?;
        let directory = report.html.parent().context("find the run's directory")?;
        Ok(Verdict::new(record, directory.to_owned()))
    }

    /// Finds the program: as given, as the variable says, beside this executable in `target/`, or on the `PATH`.
    fn found_program(&self) -> anyhow::Result<PathBuf> {
        let named = env::var_os(PROGRAM).filter(|it| !it.is_empty());
        let named = self.program.clone().or(named.map(PathBuf::from));
        let program = match named {
            Some(named) => named,
            None => beside_this_one().or_else(on_the_path).with_context(|| {
                format!("find the program edw: build it, install it, or name it by {PROGRAM}")
            })?,
        };
        let asked = Command::new(&program).arg("--version").output();
        let told = asked.with_context(|| format!("start {}", program.display()))?;
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let told = told.lines().next().unwrap_or_default();
        let own = concat!("edw ", env!("CARGO_PKG_VERSION"));
        ensure!(
            told == own,
            "{} says that it is {told:?}, and this library needs {own:?}: install the program of the same version",
            program.display()
        );
        Ok(program)
    }
}

/// `target/debug/edw` for a test in `target/debug/deps`.
fn beside_this_one() -> Option<PathBuf> {
    let own = env::current_exe().ok()?;
    let program = own.parent()?.parent()?.join("edw");
    program.is_file().then_some(program)
}

fn on_the_path() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut found = env::split_paths(&path).map(|directory| directory.join("edw"));
    found.find(|program| program.is_file())
}
