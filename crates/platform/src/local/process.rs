//! Child processes: started with captured output, signalled, and never left behind.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use evidence::events::Event;
use evidence::outcome::Unmet;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{ChildStdout, Command};
use wire::Killer;

use super::guard::{Guard, GuardedGroup};
use crate::logs;
use crate::workers::{Cause, End};

/// Variables with the harness's own way to storage: a workload that knew them could bypass the wire.
const HARNESS_OWN: [&str; 4] = [
    "EDW_AZURITE_BLOB_URL",
    "EDW_AZURITE_QUEUE_URL",
    "EDW_AZURITE_TABLE_URL",
    "EDW_AZURITE_SOURCE",
];

/// A program to run.
#[derive(Debug, Clone)]
pub struct Program {
    /// The executable.
    pub executable: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its environment, in addition to the parent's.
    pub environment: Vec<(String, String)>,
}

impl Program {
    /// Makes a program that runs `executable` with `arguments`.
    pub fn new<A: Into<OsString>>(
        executable: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            executable: executable.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds one environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }
}

/// The lines that a child writes to its standard output.
pub type Output = Lines<BufReader<ChildStdout>>;

/// A running child process. Dropping it kills it, so that a failed scenario leaves no process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: tokio::process::Child,
    pid: Pid,
    log: PathBuf,
    killable: Arc<Killable>,
    _guarded: GuardedGroup,
}

/// The process as the wire may kill it: `None` once it is reaped, because its number may then be another process's.
#[derive(Debug)]
struct Killable(Mutex<Option<Pid>>);

impl Killable {
    fn pid(&self) -> MutexGuard<'_, Option<Pid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Killer for Killable {
    async fn kill(&self) {
        if let Some(pid) = *self.pid() {
            // The process may have just ended by itself, with the same result.
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}

/// Converts an exit status.
fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, Some(signal)) => End::Signalled(signal),
        (None, None) => End::Unknown,
    }
}

/// The event log's entry for the end of a process. If the end was not expected, the last log lines are part of it.
/// `cause`: why a worker ended.
pub(super) fn exited(process: &Process, end: End, cause: Option<Cause>, expected: bool) -> Event {
    Event::ProcessExited {
        name: process.name().to_owned(),
        pid: Some(process.pid()),
        status: end.to_string(),
        expected,
        last_lines: (!expected).then(|| process.last_lines()),
        restarted: false,
        end: Some(end),
        cause,
    }
}

/// The event of a process that ended by itself, and is started again, as its description allows.
pub(super) fn restarted(process: &Process, end: End) -> Event {
    Event::ProcessExited {
        name: process.name().to_owned(),
        pid: Some(process.pid()),
        status: end.to_string(),
        expected: true,
        last_lines: None,
        restarted: true,
        end: Some(end),
        cause: Some(Cause::Unasked),
    }
}

impl Process {
    /// Starts `program`; its standard error goes to `<logs>/<name>.log`, and its standard output too unless it is `piped`. The
    /// `guard` kills it if this process ends first.
    pub fn start(
        name: &str,
        program: &Program,
        logs: &Path,
        piped: bool,
        guard: &Guard,
    ) -> anyhow::Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        let stdout = if piped {
            Stdio::piped()
        } else {
            Stdio::from(file.try_clone()?)
        };
        let mut command = Command::new(&program.executable);
        for name in HARNESS_OWN {
            command.env_remove(name);
        }
        let child = command
            .args(&program.arguments)
            .envs(
                program
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .envs([guard.mark()])
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::from(file))
            .kill_on_drop(true)
            // Ctrl-C in a terminal goes to the foreground process group. The harness decides how to end the workload then.
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name} ({})", program.executable.display()))?;
        let id = child
            .id()
            .context("a child that was just started must have an id")?;
        let pid = Pid::from_raw(i32::try_from(id).context("a process id must fit an i32")?);
        Ok(Self {
            name: name.to_owned(),
            child,
            pid,
            log,
            killable: Arc::new(Killable(Mutex::new(Some(pid)))),
            _guarded: guard.watch(pid)?,
        })
    }

    /// Its name within the run, such as `consumer-3`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// The lines of its standard output, if it was started `piped`. `None` on a second call.
    pub fn lines(&mut self) -> Option<Output> {
        self.child
            .stdout
            .take()
            .map(|stdout| BufReader::new(stdout).lines())
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        kill(self.pid, signal).with_context(|| format!("send {signal} to {}", self.name))
    }

    /// Sends a signal to the process's group: the process and everything that it has started.
    pub fn signal_group(&self, signal: Signal) -> anyhow::Result<()> {
        match killpg(self.pid, signal) {
            // It has just ended by itself.
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error)
                .with_context(|| format!("send {signal} to the processes of {}", self.name)),
        }
    }

    /// How the process ended, if it has.
    pub fn try_end(&mut self) -> anyhow::Result<Option<End>> {
        let status = self.child.try_wait();
        let status = status.with_context(|| format!("look after {}", self.name))?;
        Ok(status.map(|status| self.reaped(status)))
    }

    /// Waits until the process has ended, for at most `deadline`.
    pub async fn wait(&mut self, deadline: Duration) -> anyhow::Result<End> {
        match tokio::time::timeout(deadline, self.child.wait()).await {
            Ok(status) => {
                let status = status.with_context(|| format!("wait for {}", self.name))?;
                Ok(self.reaped(status))
            }
            Err(_) => Err(Unmet(format!(
                "wait for {}: still running after {deadline:?}\n{}",
                self.name,
                self.tail()
            ))
            .into()),
        }
    }

    /// Sends SIGKILL, and waits until the process is gone.
    pub async fn kill(&mut self) -> anyhow::Result<End> {
        let gone = async {
            self.child.start_kill()?;
            self.child.wait().await
        };
        let status = gone.await.with_context(|| format!("kill {}", self.name))?;
        Ok(self.reaped(status))
    }

    fn reaped(&self, status: ExitStatus) -> End {
        *self.killable.pid() = None;
        end_of(status)
    }

    /// Returns the handle by which the wire kills the process.
    pub(super) fn killer(&self) -> Arc<dyn Killer> {
        self.killable.clone()
    }

    /// The last lines of its log, each cut to a readable length; empty if the log is empty.
    pub fn last_lines(&self) -> String {
        logs::last_lines(&self.log)
    }

    /// The last lines of its log, for an error message.
    pub fn tail(&self) -> String {
        logs::tail(&self.log)
    }
}

/// The command line of the process `pid`, which every user of the machine can read; empty if the process has ended. Systems without
/// `/proc` are asked by `ps`.
pub fn command_line(pid: u32) -> Vec<u8> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline"));
    let asked = || {
        let mut ps = std::process::Command::new("ps");
        let told = ps.args(["-ww", "-o", "args=", "-p", &pid.to_string()]);
        told.output().map(|output| output.stdout)
    };
    line.or_else(|_| asked()).unwrap_or_default()
}

impl Drop for Process {
    /// Also kills what the process has started: a user's command may leave children behind. The process has its own group, so
    /// the signal reaches no other process. Usually nothing is left to kill.
    fn drop(&mut self) {
        *self.killable.pid() = None;
        let _ = killpg(self.pid, Signal::SIGKILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_lines_of_a_log_are_few_and_short() {
        let dir = tempfile::tempdir().unwrap();
        let program = Program::new("sh", ["-c", "seq 30; printf '%0900d' 0"]);
        let mut process =
            Process::start("talker", &program, dir.path(), false, &Guard::idle()).unwrap();
        process.wait(Duration::from_secs(10)).await.unwrap();
        let last = process.last_lines();
        let lines: Vec<&str> = last.lines().collect();
        assert_eq!((lines.len(), lines[0]), (15, "17"));
        assert_eq!(lines[14], format!("{} …", "0".repeat(400)));
    }
}
