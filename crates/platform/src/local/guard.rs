//! The guard: ends what a harness leaves running that had no chance to end it itself.
//!
//! Nobody can act on a SIGKILL of their own, and a terminal that closes ends whoever does not listen. The children of a
//! harness that is gone would go on for ever, trying a storage that is gone too. So a harness starts, before any other
//! child, a second process of its own executable: `harness guard`. It lists the process groups that the harness tells it
//! of, `+<pid>` and `-<pid>` a line on its standard input, whose other end the harness alone holds. The kernel closes that
//! end however the harness ends; then the guard kills the groups still listed.
//!
//! A child whose harness is killed before it told of it is found too, by a mark in its environment, where there is a
//! `/proc` to look into. It cannot be missed: until it carries the mark, which is from its `exec` on, it holds a copy of
//! the harness's end itself.
//!
//! A guard that is killed itself is replaced by another, which is told of all that still runs: by whoever next has something
//! to tell it, or looks after it.
//!
//! `prctl(PR_SET_PDEATHSIG)` would do this for Linux, in code that is not safe, and not for what a child starts in turn.

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

/// The variable with the mark.
const MARK: &str = "EDW_GUARD";

/// The guard of this process's children. Clones share it; it ends with the last of them, and of what it watches.
#[derive(Debug, Clone)]
pub struct Guard(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    mark: String,
    program: Program,
    post: Mutex<Post>,
}

/// A guard on its post.
#[derive(Debug)]
struct Post {
    process: Child,
    /// What it watches, for another to take over.
    watched: BTreeSet<Pid>,
}

impl Guard {
    /// Starts `program` as the guard, with its mark as the last argument. It has a process group of its own, so that a
    /// signal of the terminal does not reach it.
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

    /// Sees to it that there is a guard: replaces one that has ended, and says so.
    pub fn check(&self) -> anyhow::Result<()> {
        let mut post = self.0.post.lock().unwrap_or_else(PoisonError::into_inner);
        match post.process.try_wait().context("look after the guard")? {
            None => Ok(()),
            Some(_) => self.0.replace(&mut post),
        }
    }

    /// The variable, name and value, that a child must carry from its start.
    pub fn mark(&self) -> (&'static str, &str) {
        (MARK, &self.0.mark)
    }

    /// Has the process group of `pid` killed if this process ends before the token is dropped.
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
            // The other is told of this one with the rest.
            Err(_) => self.replace(&mut post),
        }
    }

    /// Another guard for the one that is gone.
    fn replace(&self, post: &mut Post) -> anyhow::Result<()> {
        // It no longer listens; should it still run, it must not take the end of its pipe for that of the harness.
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
        // A harness may itself be the child of another, and its guard must outlive it.
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
    // One write: the kernel takes it whole or not at all.
    pipe.write_all(format!("{sign}{pid}\n").as_bytes())
}

impl Drop for Shared {
    /// Closes the pipe and sees the guard go, so that it is not left either. It waits for nothing on its way out.
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
        // A guard that is gone has nothing to forget.
        let _ = self.guard.0.tell('-', self.pid);
    }
}

/// The guard process: lists until its standard input ends, then kills what is still listed or carries `mark`.
pub fn main(mark: &str) {
    // Nothing but the end of the harness ends the guard. Blocked for good is as good as ignored.
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals
        .thread_block()
        .expect("a set of known signals must be blockable");
    // Killing fails for those that have just gone, which is what is wanted.
    for pid in listed(BufReader::new(io::stdin())) {
        let _ = killpg(pid, Signal::SIGKILL);
    }
    for pid in marked(mark) {
        let _ = kill(pid, Signal::SIGKILL);
    }
}

/// What is listed when `input` ends.
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
    /// One that watches nothing, where there is no `harness` executable.
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
        // With all that the shell has started.
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
