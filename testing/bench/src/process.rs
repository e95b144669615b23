//! The measured programs as processes: their binaries, peak memory, CPU time and last lines.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// Time between two looks at a process.
const LOOK: Duration = Duration::from_millis(5);

/// A process that runs longer than this hangs.
const LIMIT: Duration = Duration::from_secs(300);

/// A binary of this workspace, built beside this one.
pub(crate) fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("find the running executable")?;
    let path = own.with_file_name(name);
    ensure!(
        path.is_file(),
        "find {}: build it first, as ci/bench does (cargo build --release)",
        path.display()
    );
    Ok(path)
}

/// The target directory, which contains this binary.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("find the running executable")?;
    let target = own.ancestors().nth(2);
    Ok(target.context("find the target directory")?.to_owned())
}

/// The directory for files of processes, in the target directory.
pub(crate) fn scratch() -> anyhow::Result<PathBuf> {
    let dir = target()?.join("bench");
    std::fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
    Ok(dir)
}

/// The resources that a process used until it ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    /// User and system CPU time.
    pub(crate) cpu: Duration,
    /// Peak resident memory (`VmHWM`), as last seen; it only grows.
    pub(crate) peak_kib: u64,
}

/// A running process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: &'static str,
    log: PathBuf,
    began: Instant,
    cpu_before: Duration,
    peak_kib: u64,
}

impl Process {
    /// Starts `command` with its log, standard error, in a file of the scratch directory.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> anyhow::Result<Self> {
        let log = scratch()?.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file);
        let cpu_before = children_cpu()?;
        let began = Instant::now();
        let child = command.spawn().with_context(|| format!("start {name}"))?;
        Ok(Self {
            child,
            name,
            log,
            began,
            cpu_before,
            peak_kib: 0,
        })
    }

    /// The time just before the process was started.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// The exit status of the process; `None` while it runs.
    pub(crate) fn look(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        ensure!(
            self.began.elapsed() < LIMIT,
            "wait for {}: it runs for {} s and does not end; its log: {}",
            self.name,
            LIMIT.as_secs(),
            self.log.display()
        );
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        if let Some(kib) = status.ok().as_deref().and_then(peak) {
            self.peak_kib = kib;
        }
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end, which must be a success.
    pub(crate) async fn end(mut self) -> anyhow::Result<Used> {
        let status = loop {
            if let Some(status) = self.look()? {
                break status;
            }
            tokio::time::sleep(LOOK).await;
        };
        if !status.success() {
            bail!("run {}: {status}; it said: {}", self.name, self.log()?);
        }
        Ok(Used {
            cpu: children_cpu()?.saturating_sub(self.cpu_before),
            peak_kib: self.peak_kib,
        })
    }

    /// The path of its log, which stays after its end.
    pub(crate) fn log_path(&self) -> PathBuf {
        self.log.clone()
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> anyhow::Result<String> {
        read(&self.log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process has ended and was waited for, as intended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs a producer to its end, and reads its summary.
pub(crate) async fn summarised(
    name: &'static str,
    command: &mut Command,
) -> anyhow::Result<(Used, serde_json::Value)> {
    let path = scratch()?.join(name).with_extension("json");
    command.arg("--summary").arg(&path);
    let used = Process::start(name, command)?.end().await?;
    let summary = serde_json::from_str(&read(&path)?)
        .with_context(|| format!("read the summary of {name}"))?;
    Ok((used, summary))
}

/// Reads a file, with its name in the error.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

/// A command with no environment variable but `PATH`: a variable for another run must not change a figure.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// CPU time of all children that were waited for. One process is measured at a time, and Azurite is waited for last, so the
/// difference is that of the measured process.
fn children_cpu() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("ask for the children's CPU time")?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(micros.try_into()?))
}

/// `VmHWM` of a process's status (proc(5)), in KiB.
fn peak(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_read_from_a_status() {
        let own = std::fs::read_to_string("/proc/self/status").unwrap();
        assert!(peak(&own).unwrap() > 1_000);
        assert_eq!(peak("VmRSS:\t 5 kB\nVmHWM:\t    1234 kB\n"), Some(1_234));
    }
}
