//! A harness that is killed, and so cannot end its children, still leaves no process.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use harness::events::Event;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;
use tokio::time::{interval, timeout};

use super::load::Running;
use super::{DEADLINE, LOOK, pid};

/// The parent of a process; `None` if the process has ended, whether or not its parent has waited for it.
fn parent(process: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name comes first, in brackets, and may contain any character.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (state != "Z").then(|| Pid::from_raw(parent))
}

/// The children of `harness`, each with its command line.
pub(super) fn children(harness: Pid) -> Vec<(Pid, String)> {
    let entries = fs::read_dir("/proc")
        .expect("a list of processes")
        .flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = pids
        .map(Pid::from_raw)
        .filter(|pid| parent(*pid) == Some(harness));
    let command = |pid| fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    children.map(|pid| (pid, command(pid))).collect()
}

fn is(command: &str, subcommand: &str) -> bool {
    command.split('\0').nth(1) == Some(subcommand)
}

async fn all_end(children: &[(Pid, String)]) {
    let mut look = interval(LOOK);
    while children.iter().any(|(pid, _)| parent(*pid).is_some()) {
        look.tick().await;
    }
}

async fn a_killed_load_leaves_no_process() {
    let mut load = Running::start(&[]).await;
    load.flows().await;
    let children = children(load.pid());
    for (subcommand, count) in [("guard", 1), ("consumer", 2), ("producer", 1)] {
        let found = children
            .iter()
            .filter(|(_, command)| is(command, subcommand));
        assert_eq!(found.count(), count, "{subcommand} in {children:?}");
    }
    let guard = children.iter().find(|(_, command)| is(command, "guard"));
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        kill(guard.expect("a guard").0, signal).expect("nothing but the harness's end ends it");
    }
    load.signal(Signal::SIGKILL);
    let (status, _) = load.end().await;
    assert_eq!(status.signal(), Some(9));
    all_end(&children).await;
}

async fn an_interrupted_suite_leaves_no_process() {
    let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let mut suite = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["run", "--features"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../features"))
        .env("EDW_OUT", out.path())
        .process_group(0)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the harness must start");
    let harness = pid(suite.id().expect("it was not waited for"));
    let mut look = interval(LOOK);
    let children = loop {
        let children = children(harness);
        if children.iter().any(|(_, command)| is(command, "consumer")) {
            break children;
        }
        look.tick().await;
    };
    // SIGTERM, because a suite in the background of a shell and its children ignore SIGINT.
    kill(harness, Signal::SIGTERM).expect("it must still run");
    let status = suite.wait().await.expect("it must end");
    assert_eq!(status.code(), Some(12));
    all_end(&children).await;
}

#[tokio::test]
async fn a_harness_that_ends_without_a_chance_leaves_no_process() {
    let both = async {
        tokio::join!(
            a_killed_load_leaves_no_process(),
            an_interrupted_suite_leaves_no_process()
        )
    };
    timeout(DEADLINE, both).await.expect("all must end");
}

/// The only generator of a load is killed in the middle of it.
async fn a_load_that_loses_its_only_generator_is_audited() {
    let mut load = Running::start(&[]).await;
    load.flows().await;
    let children = children(load.pid());
    let producer = children.iter().find(|(_, command)| is(command, "producer"));
    kill(producer.expect("a producer").0, Signal::SIGKILL).expect("it must run");
    let (status, said) = load.end().await;
    assert_eq!(status.code(), Some(11), "{said}");
    let (mut audited, mut stated) = (None, None);
    for event in load.events() {
        match event {
            Event::Audited(audit) => audited = Some(audit),
            Event::Finished { reasons, .. } => stated = Some(reasons),
            _ => {}
        }
    }
    let audit = audited.expect("what was sent must be audited");
    // What was sent has its row; of the rest it is unknown whether it was sent.
    assert!(audit.fates.kept > 0, "{:?}", audit.fates);
    assert_eq!(audit.fates.kept + audit.fates.undecidable, audit.planned);
    assert_eq!(audit.findings, []);
    let reasons = stated.expect("it must state its outcome");
    let lost = "producer ended with signal";
    assert!(reasons.iter().any(|it| it.starts_with(lost)), "{reasons:?}");
}

#[tokio::test]
async fn what_a_lost_generator_has_sent_is_audited_also_if_it_is_the_only_one() {
    let ended = a_load_that_loses_its_only_generator_is_audited();
    timeout(DEADLINE, ended).await.expect("it must end");
}
