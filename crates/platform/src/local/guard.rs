//! The guard process: kills the child processes of a harness that was ended before it could end them itself.
//!
//! A process cannot react to SIGKILL, and closing a terminal ends every process that does not handle SIGHUP. The children of an
//! ended harness would run for ever, and retry against a storage that is gone too. So before any other child, a harness starts
//! a second process of its own executable: `harness guard`. The harness writes the process groups of its children to the
//! guard's standard input, one `+<pid>` or `-<pid>` a line. Only the harness holds the other end of this pipe. The kernel
//! closes that end however the harness ends; then the guard kills the groups that are still listed.
//!
//! If the harness is killed before it reported a child, the guard finds the child by a mark in its environment, on systems with
//! `/proc`. The guard cannot miss it: the child carries the mark from its `exec` on, and until then it holds a copy of the
//! harness's end of the pipe itself, so the guard still waits.
//!
//! If the guard itself is killed, it is replaced at the next report or check, and the new guard gets the list of all groups
//! that still run.
//!
//! On Linux, `prctl(PR_SET_PDEATHSIG)` would do this, but it needs unsafe code, and does not cover the children's own children.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::unistd::Pid;

use super::process::Program;

/// The environment variable with the mark.
const MARK: &str = "EDW_GUARD";

/// Handle of the guard of this process's children. Clones share it; the guard ends with the last clone and the last
/// [`GuardedGroup`].
#[derive(Debug, Clone)]
pub struct Guard(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    mark: String,
    program: Program,
    post: Mutex<Post>,
}

/// A running guard process.
#[derive(Debug)]
struct Post {
    process: Child,
    /// The process groups that it watches, for its successor.
    watched: BTreeSet<Pid>,
}

impl Guard {
    /// Starts `program` as the guard, with its mark as the last argument. The guard gets its own process group, so that the
    /// terminal's signals do not reach it.
    pub fn start(program: &Program) -> anyhow::Result<Self> {
        let mark = format!("{:032x}", rand::random::<u128>());
        let process = spawn(program, &mark)?;
        Ok(Self(Arc::new(Shared {
            mark,
            program: program.clone(),
            post: Mutex::new(Post {
                process,
                watched: BTreeSet::new(),
            }),
        })))
    }

    /// Replaces the guard if it has ended, and logs that.
    pub fn check(&self) -> anyhow::Result<()> {
        let mut post = self.0.post.lock().unwrap_or_else(PoisonError::into_inner);
        match post.process.try_wait().context("look after the guard")? {
            None => Ok(()),
            Some(_) => self.0.replace(&mut post),
        }
    }

    /// The environment variable, name and value, that every child must get at its start.
    pub fn mark(&self) -> (&'static str, &str) {
        (MARK, &self.0.mark)
    }

    /// Makes the guard kill the process group of `pid` if this process ends before the returned value is dropped.
    pub fn watch(&self, pid: Pid) -> anyhow::Result<GuardedGroup> {
        self.0
            .tell('+', pid)
            .context("tell the guard of a child process")?;
        Ok(GuardedGroup {
            guard: self.clone(),
            pid,
        })
    }
}

impl Shared {
    fn tell(&self, sign: char, pid: Pid) -> anyhow::Result<()> {
        let mut post = self.post.lock().unwrap_or_else(PoisonError::into_inner);
        if sign == '+' {
            post.watched.insert(pid);
        } else {
            post.watched.remove(&pid);
        }
        match write(&mut post.process, sign, pid) {
            Ok(()) => Ok(()),
            // The new guard gets this group with all others.
            Err(_) => self.replace(&mut post),
        }
    }

    /// Starts a new guard in place of one that has ended.
    fn replace(&self, post: &mut Post) -> anyhow::Result<()> {
        // The old guard no longer reads its pipe; if it still runs, it must not mistake the pipe's end for the end of the
        // harness.
        let _ = post.process.kill();
        let ended = post.process.wait().context("see the guard off")?;
        tracing::warn!("the guard of the child processes has ended ({ended}); another takes over");
        post.process = spawn(&self.program, &self.mark)?;
        for pid in &post.watched {
            write(&mut post.process, '+', *pid).context("tell another guard of the children")?;
        }
        Ok(())
    }
}

fn spawn(program: &Program, mark: &str) -> anyhow::Result<Child> {
    Command::new(&program.executable)
        .args(&program.arguments)
        .arg(mark)
        // A harness may be the child of another harness, and its guard must outlive it.
        .env_remove(MARK)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .with_context(|| {
            let executable = program.executable.display();
            format!("start the guard of the child processes ({executable})")
        })
}

fn write(guard: &mut Child, sign: char, pid: Pid) -> io::Result<()> {
    let pipe = guard.stdin.as_mut().expect("standard input must be piped");
    // One write, because the kernel accepts a short write to a pipe whole or not at all.
    pipe.write_all(format!("{sign}{pid}\n").as_bytes())
}

impl Drop for Shared {
    /// Closes the pipe and waits for the guard to end, which it does without waiting for anything.
    fn drop(&mut self) {
        let post = self.post.get_mut();
        let _ = post.unwrap_or_else(PoisonError::into_inner).process.wait();
    }
}

/// A process group that the guard watches. Drop it when the group is gone.
#[derive(Debug)]
#[must_use = "the guard forgets the group when this is dropped"]
pub struct GuardedGroup {
    guard: Guard,
    pid: Pid,
}

impl Drop for GuardedGroup {
    fn drop(&mut self) {
        // If the guard has ended, there is no list to remove the group from.
        let _ = self.guard.0.tell('-', self.pid);
    }
}

/// The guard process: reads its standard input to the end, then kills the processes that are still listed or carry `mark`.
pub fn main(mark: &str) {
    // Only the end of the harness may end the guard. Blocking these signals has the same effect as ignoring them.
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals
        .thread_block()
        .expect("a set of known signals must be blockable");
    // Killing fails for processes that have just ended, which is fine.
    for pid in listed(BufReader::new(io::stdin())) {
        let _ = killpg(pid, Signal::SIGKILL);
    }
    for pid in marked(mark) {
        let _ = kill(pid, Signal::SIGKILL);
    }
}

/// The process groups that are listed at the end of `input`.
fn listed(input: impl BufRead) -> BTreeSet<Pid> {
    let mut listed = BTreeSet::new();
    for line in input.lines().map_while(Result::ok) {
        let pid = |digits: &str| {
            digits
                .parse()
                .ok()
                .filter(|pid| *pid > 1)
                .map(Pid::from_raw)
        };
        if let Some(pid) = line.strip_prefix('+').and_then(pid) {
            listed.insert(pid);
        } else if let Some(pid) = line.strip_prefix('-').and_then(pid) {
            listed.remove(&pid);
        }
    }
    listed
}

/// The processes that carry `mark`.
fn marked(mark: &str) -> impl Iterator<Item = Pid> {
    let variable = format!("{MARK}={mark}").into_bytes();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let environment = fs::read(entry.path().join("environ")).ok()?;
        let carries = environment
            .split(|byte| *byte == 0)
            .any(|each| each == variable);
        carries.then(|| Pid::from_raw(pid))
    })
}

#[cfg(test)]
impl Guard {
    /// A guard that does nothing, for tests without a `harness` executable.
    pub fn idle() -> Self {
        Self::start(&Program::new("sh", ["-c", "cat"])).expect("a shell must start")
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_is_gone_again_is_not_listed() {
        let input = "+12\n+34\n+56\n-34\n-78\n+0\n+1\n+\n+x\n12\n";
        let pids = [12, 56].map(Pid::from_raw);
        assert_eq!(listed(input.as_bytes()), BTreeSet::from(pids));
        assert_eq!(listed(&b""[..]), BTreeSet::new());
    }

    #[test]
    fn the_guard_is_told_of_every_child_and_of_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("told");
        let program = Program::new("sh", ["-c", "cat > \"$0\"", path.to_str().unwrap()]);
        let guard = Guard::start(&program).unwrap();
        let [one, other] = [12, 34].map(|pid| guard.watch(Pid::from_raw(pid)).unwrap());
        drop(guard);
        drop(one);
        drop(other);
        assert_eq!(fs::read_to_string(path).unwrap(), "+12\n+34\n-12\n-34\n");
    }

    #[test]
    fn a_guard_that_was_killed_is_replaced_by_one_that_knows_what_still_runs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("told");
        let program = Program::new("sh", ["-c", "cat > \"$0\"", path.to_str().unwrap()]);
        let guard = Guard::start(&program).unwrap();
        let [one, other] = [12, 34].map(|pid| guard.watch(Pid::from_raw(pid)).unwrap());
        drop(one);
        let id = || guard.0.post.lock().unwrap().process.id();
        let killed = id();
        // Includes all processes that the shell has started.
        killpg(Pid::from_raw(killed.try_into().unwrap()), Signal::SIGKILL).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while id() == killed && Instant::now() < deadline {
            guard.check().unwrap();
        }
        assert_ne!(id(), killed);
        let third = guard.watch(Pid::from_raw(56)).unwrap();
        drop(guard);
        drop((other, third));
        assert_eq!(fs::read_to_string(path).unwrap(), "+34\n+56\n-34\n-56\n");
    }

    #[test]
    fn a_guard_that_cannot_start_is_an_error_that_says_so() {
        let error = Guard::start(&Program::new("/no/such/harness", ["guard"])).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.starts_with("start the guard of the child processes (/no/such/harness): "),
            "{text}"
        );
    }
}
