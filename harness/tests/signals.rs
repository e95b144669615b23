//! `harness load`, asked to stop: it ends in order, says that it was cut off, and leaves no process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use harness::events::{Event, Log};
use harness::outcome::Outcome;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::{interval, timeout};

/// How long a load may take that is cut off after its first seconds; many times what it needs.
const DEADLINE: Duration = Duration::from_secs(60);

/// Between two looks into the log of the run.
const LOOK: Duration = Duration::from_millis(20);

fn events(dir: &Path) -> Vec<Event> {
    let log = Log::read(dir).expect("the log must be readable");
    log.entries.into_iter().map(|entry| entry.event).collect()
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(id.try_into().expect("a process id must fit"))
}

/// Starts a load of minutes, and sends `signal` to its process group, as a terminal does, once messages flow.
async fn a_load_is_cut_off_by(signal: Signal) {
    let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let mut load = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["load", "--messages=10000", "--shape=constant:50/s"])
        .args(["--consumers=2", "--out"])
        .arg(out.path())
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the harness must start");
    let group = pid(load.id().expect("it was not waited for"));
    let mut said = BufReader::new(load.stderr.take().expect("it is piped")).lines();
    let dir: PathBuf = loop {
        let line = said.next_line().await.expect("text");
        let line = line.expect("it must say where its evidence goes");
        if let Some(dir) = line.strip_prefix("evidence ") {
            break dir.into();
        }
    };
    let mut look = interval(LOOK);
    let flows = |event: &Event| matches!(event, Event::Sample(now) if now.sent > Some(0));
    while !events(&dir).iter().any(flows) {
        look.tick().await;
    }
    killpg(group, signal).expect("it must still run");
    let mut rest = String::new();
    let read = said.into_inner().read_to_string(&mut rest).await;
    read.expect("text");
    let status = load.wait().await.expect("it must end");
    assert_eq!(status.code(), Some(12), "{rest}");

    let (mut started, mut reasons) = (0, Vec::new());
    for event in events(&dir) {
        match event {
            Event::ProcessStarted { name, pid: id, .. } => {
                started += 1;
                assert_eq!(kill(pid(id), None), Err(Errno::ESRCH), "{name} is left");
            }
            Event::Audited(audit) => assert_eq!(audit.fates.lost, 0),
            Event::Finished {
                outcome,
                reasons: why,
            } => {
                assert_eq!(outcome, Outcome::Incomplete);
                reasons = why;
            }
            _ => {}
        }
    }
    assert_eq!(started, 3, "a producer and two consumers");
    assert!(
        reasons.iter().any(|why| why == "stopped by a signal"),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn ctrl_c_and_sigterm_end_a_load_in_order_and_leave_no_process() {
    let both = [Signal::SIGINT, Signal::SIGTERM].map(a_load_is_cut_off_by);
    timeout(DEADLINE, futures::future::join_all(both))
        .await
        .expect("both must end");
}
