//! A load that is killed at any step of its ledger leaves only resources that a sweep finds. The time of the kill is exact: the
//! forwarder kills the load at a request, or the kernel at a byte of the event log.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::PoisonError;

use engine::Engine;
use futures::StreamExt as _;
use harness::events::{Event, Log};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;
use tokio::time::timeout;

use super::forwarder::{Cut, Forwarder, Moment, Seen, Step};
use super::sweep::sweep;
use super::{DEADLINE, pid};
use crate::storage::{contents, shared_engine};

/// Loads that run at the same time.
const AT_A_TIME: usize = 4;

/// How a load ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// SIGKILL, immediately.
    Killed,
    /// The kernel ends the load (`RLIMIT_FSIZE`, setrlimit(2)) when it writes more than this many further lines of the ledger, each
    /// of the length in `Lines`; half a line more if it is torn.
    AfterLines { whole: usize, torn: bool },
}

const fn after(whole: usize) -> End {
    End::AfterLines { whole, torn: false }
}

const fn torn_after(whole: usize) -> End {
    End::AfterLines { whole, torn: true }
}

use End::{AfterLines, Killed};
use Moment::{After, Before};
use Step::{Create, Other, Put, Remove};

/// The kill happens at the `nth` request of `step`; the last two numbers are the resources that storage then holds, and those in
/// the ledger.
struct Case(Step, usize, Moment, End, usize, usize);

/// This case ends before anything is created, and measures the lengths of lines.
const FIRST: Case = Case(Create, 1, Before, Killed, 0, 3);

const CASES: [Case; 17] = [
    // Before the ledger begins.
    Case(Other, 1, Before, Killed, 0, 0),
    // While the ledger is written.
    Case(Other, 1, After, after(0), 0, 0),
    Case(Other, 1, After, after(1), 0, 1),
    Case(Other, 1, After, torn_after(1), 0, 1),
    Case(Other, 1, After, after(2), 0, 2),
    // Once everything is created: the next line records that the run begins.
    Case(Other, 1, After, after(3), 3, 3),
    // While resources are created.
    Case(Create, 1, After, Killed, 1, 3),
    Case(Create, 2, After, Killed, 2, 3),
    Case(Create, 3, After, Killed, 3, 3),
    // While messages are sent.
    Case(Put, 10, After, Killed, 3, 3),
    // While resources are removed.
    Case(Remove, 1, Before, Killed, 3, 3),
    Case(Remove, 1, After, Killed, 2, 3),
    Case(Remove, 2, After, Killed, 1, 3),
    Case(Remove, 3, After, Killed, 0, 3),
    // While the removal is recorded.
    Case(Remove, 3, After, after(1), 0, 2),
    Case(Remove, 3, After, torn_after(1), 0, 2),
    // With all removals recorded: the next step is the report.
    Case(Remove, 3, After, after(3), 0, 0),
];

/// The lengths in bytes of the first three lines of a ledger. They are the same in all ledgers, because ids, times and ports have
/// the same lengths. Each case checks that its ledger has the lines that it expects.
type Lines = [u64; 3];

impl Case {
    /// The size of the file in bytes at which the kernel ends the load.
    fn limit(&self, lines: &Lines, log: u64) -> Option<u64> {
        let AfterLines { whole, torn } = self.3 else {
            return None;
        };
        let half = if torn { lines[whole] / 2 } else { 0 };
        Some(log + lines[..whole].iter().sum::<u64>() + half)
    }

    /// Runs the case to its end, sweeps, and returns the lengths of the lines in its ledger.
    async fn holds(&self, engine: &Engine, lines: &Lines) -> Vec<u64> {
        let Self(step, nth, moment, end, exist, written) = *self;
        let name = format!("{step:?} {nth}, {moment:?}, {end:?}");
        let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let forwarder = Forwarder::bind().await;
        let variables = forwarder.variables();
        let mut load = Command::new(env!("CARGO_BIN_EXE_harness"))
            .args(["load", "--messages=20", "--shape=burst", "--consumers=1"])
            .arg("--out")
            .arg(out.path())
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the harness must start");
        let harness = pid(load.id().expect("it was not waited for"));
        let (parent, own, lines) = (
            out.path().to_owned(),
            Self(step, nth, moment, end, exist, written),
            *lines,
        );
        let strike = move || {
            let size = log_of(&parent).and_then(|log| Some(log.metadata().ok()?.len()));
            match own.limit(&lines, size.unwrap_or(0)) {
                None => kill(harness, Signal::SIGKILL).expect("it must still run"),
                Some(bytes) => limit(harness, bytes),
            }
        };
        let strike = Box::new(strike);
        let cut = Cut {
            step,
            nth,
            moment,
            strike,
        };
        let seen = forwarder.open(engine, cut);
        let status = load.wait().await.expect("it must end");
        let signal = if end == Killed {
            Signal::SIGKILL
        } else {
            Signal::SIGXFSZ
        };
        assert_eq!(status.signal(), Some(signal as i32), "{name}: {status}");

        assert_eq!(ledger(out.path()), written, "{name}: the ledger");
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let there = contents(engine).await;
        assert_eq!(
            existing(&there, &seen),
            exist,
            "{name}: what storage holds, after {seen:?}: {there}"
        );
        let lengths = log_of(out.path()).map(|log| std::fs::read(log).expect("a log"));
        sweep_up(out.path(), &variables, written, &name).await;
        let there = contents(engine).await;
        assert_eq!(
            existing(&there, &seen),
            0,
            "{name}: what is left of {seen:?}"
        );
        let lengths = lengths.unwrap_or_default();
        let lines = lengths.split_inclusive(|byte| *byte == b'\n');
        lines.map(|line| line.len() as u64).collect()
    }
}

/// A sweep removes the `written` resources of the ledger below `out`, and a second sweep finds nothing.
async fn sweep_up(out: &Path, variables: &[(&'static str, String)], written: usize, name: &str) {
    let removed = match written {
        0 => vec!["nothing".to_owned()],
        _ => vec!["removed".to_owned(); written],
    };
    for says in [removed, vec!["nothing".to_owned()]] {
        let (out, variables) = (out.to_owned(), variables.to_vec());
        // On another thread, since the forwarder must go on meanwhile.
        #[expect(clippy::disallowed_methods, reason = "it is awaited at once")]
        let swept = tokio::task::spawn_blocking(move || sweep(&out, &[], &variables));
        assert_eq!(swept.await.expect("a sweep"), (Some(0), says), "{name}");
    }
}

/// The event log of the only run below `out`.
fn log_of(out: &Path) -> Option<PathBuf> {
    let mut entries = std::fs::read_dir(out).expect("a directory").flatten();
    entries.next().map(|run| run.path().join("events.jsonl"))
}

/// How many resources the ledger below `out` holds.
fn ledger(out: &Path) -> usize {
    let Some(log) = log_of(out) else { return 0 };
    let read = Log::read(log.parent().expect("a directory")).expect("a log");
    let events = read.entries.into_iter().map(|entry| entry.event);
    events.fold(0, |held, event| match event {
        Event::ResourceCreated(_) => held + 1,
        Event::ResourceRemoved(_) => held - 1,
        _ => held,
    })
}

/// How many of the created resources are in a list of storage's contents.
fn existing(contents: &str, seen: &Seen) -> usize {
    let created = seen.created.iter();
    created.filter(|name| contents.contains(*name)).count()
}

/// Limits the size of files that `process` writes from now on to `bytes` bytes.
fn limit(process: Pid, bytes: u64) {
    let status = std::process::Command::new("prlimit")
        .args([
            &format!("--pid={process}"),
            "--core=0",
            &format!("--fsize={bytes}"),
        ])
        .status();
    assert!(
        status.expect("prlimit").success(),
        "limit what {process} may write"
    );
}

fn can_limit() -> bool {
    let version = std::process::Command::new("prlimit")
        .arg("--version")
        .output();
    version.is_ok_and(|output| output.status.success())
}

async fn nothing_is_left(can_limit: bool) {
    let engine = shared_engine();
    let holds = async |case: &Case, lines| {
        let held = timeout(DEADLINE, Box::pin(case.holds(engine, lines)));
        held.await.expect("it must end")
    };
    let lines = holds(&FIRST, &[0; 3]).await;
    let lines: Lines = lines.try_into().expect("three resources, and nothing else");
    let cases = CASES.iter();
    let cases = cases.filter(|case| can_limit || case.3 == Killed);
    let held = futures::stream::iter(cases).map(|case| holds(case, &lines));
    held.buffer_unordered(AT_A_TIME).count().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_load_that_is_killed_at_any_step_of_its_ledger() {
    let can_limit = can_limit();
    if !can_limit {
        eprintln!("ledger: the steps between two lines of it NOT RUN: no prlimit(1) here");
    }
    nothing_is_left(can_limit).await;
}
