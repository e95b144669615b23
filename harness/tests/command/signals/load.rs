//! A load that would take minutes, and is ended earlier.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use harness::events::{Entry, Event, Log};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::interval;
use workflow::contract::Stamp;

use super::{LOOK, pid};

/// By how much a process may seem to have started later than the log says: the kernel reports the boot time in whole seconds.
const SAME_US: i64 = 1_500_000;

/// A running load.
pub(crate) struct Running {
    child: Child,
    said: Lines<BufReader<ChildStderr>>,
    out: TempDir,
    dir: PathBuf,
}

impl Running {
    /// Starts a load with `variables`, and returns when it has printed where its evidence goes.
    pub(crate) async fn start(variables: &[(&str, String)]) -> Self {
        Self::start_with(&[], variables).await
    }

    /// The same with further `arguments`.
    pub(crate) async fn start_with(arguments: &[&str], variables: &[(&str, String)]) -> Self {
        let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let mut child = Command::new(env!("CARGO_BIN_EXE_harness"))
            .args(["load", "--messages=10000", "--shape=constant:50/s"])
            .args(["--consumers=2", "--out"])
            .arg(out.path())
            .args(arguments)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the harness must start");
        let mut said = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let dir = loop {
            let line = said.next_line().await.expect("text");
            let line = line.expect("it must say where its evidence goes");
            if let Some(dir) = line.strip_prefix("evidence ") {
                break dir.into();
            }
        };
        Self {
            child,
            said,
            out,
            dir,
        }
    }

    /// Waits until messages are sent.
    pub(crate) async fn flows(&self) {
        self.until(|event| matches!(event, Event::Sample(now) if now.sent > Some(0)))
            .await;
    }

    /// Waits until its log has an event for which `so` is true.
    pub(crate) async fn until(&self, so: impl Fn(&Event) -> bool) {
        let mut look = interval(LOOK);
        while !self.events().iter().any(&so) {
            look.tick().await;
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        pid(self.child.id().expect("it was not waited for"))
    }

    /// Sends `signal` to the process group of the load, as a terminal does.
    pub(crate) fn signal(&self, signal: Signal) {
        killpg(self.pid(), signal).expect("it must still run");
    }

    /// Waits until the load, and every process that shares its standard error, has ended. Returns its exit status and its further output.
    pub(crate) async fn end(&mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        let read = self.said.get_mut().read_to_string(&mut rest).await;
        read.expect("text");
        (self.child.wait().await.expect("it must end"), rest)
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let log = Log::read(&self.dir).expect("the log must be readable");
        log.entries.into_iter().map(|entry| entry.event).collect()
    }

    /// The names of its processes that are still running.
    pub(crate) fn left(&self) -> Vec<String> {
        let log = Log::read(&self.dir).expect("the log must be readable");
        let still_runs = |entry: Entry| match entry.event {
            Event::ProcessStarted {
                name,
                pid: Some(id),
                ..
            } => is_running(id, entry.at).then_some(name),
            _ => None,
        };
        log.entries.into_iter().filter_map(still_runs).collect()
    }

    /// The directory for its run directory.
    pub(crate) fn out(&self) -> &Path {
        self.out.path()
    }
}

/// Whether the process `id` that was started at `started` is still running. The kernel reuses ids, also for threads: on a busy
/// machine, a new process may have an id that has just become free.
fn is_running(id: u32, started: Stamp) -> bool {
    if kill(pid(id), None) == Err(Errno::ESRCH) {
        return false;
    }
    if !cfg!(target_os = "linux") {
        return true;
    }
    let Ok(status) = std::fs::read_to_string(format!("/proc/{id}/stat")) else {
        return false;
    };
    // After the name, which may contain any character: the state, and as the 20th field the start, in hundredths of a second since
    // the boot.
    let (_, fields) = status.rsplit_once(") ").expect("a name in parentheses");
    let fields: Vec<&str> = fields.split(' ').collect();
    let since_boot: i64 = fields[19].parse().expect("a time");
    let machine = std::fs::read_to_string("/proc/stat").expect("the kernel's figures");
    let booted = machine.lines().find_map(|line| line.strip_prefix("btime "));
    let booted: i64 = booted.and_then(|it| it.parse().ok()).expect("a time");
    let own = booted * 1_000_000 + since_boot * 10_000;
    // A zombie has ended, and waits for the process that inherited it.
    fields[0] != "Z" && own < started.as_micros() + SAME_US
}
