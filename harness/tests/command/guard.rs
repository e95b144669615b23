//! The guard process: which processes it ends, and which it spares.

use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};

/// A child that would live for a minute, in a process group of its own.
fn sleeper(mark: Option<&str>) -> Child {
    let mut command = Command::new("sleep");
    command.arg("60").process_group(0).stdin(Stdio::null());
    command.envs(mark.map(|mark| ("EDW_GUARD", mark)));
    command.spawn().expect("a child must start")
}

/// Runs a guard of children with the mark `mine`, sends it `said`, and closes its input.
fn guarded(said: &str) {
    let mut guard = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["guard", "mine"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the guard must start");
    let pipe = guard.stdin.as_mut().expect("it is piped");
    pipe.write_all(said.as_bytes()).expect("it must listen");
    assert!(guard.wait().expect("it must end").success());
}

fn killed_by(mut child: Child) -> Option<i32> {
    child.wait().expect("it must end").signal()
}

#[test]
fn a_guard_ends_what_is_listed_or_marked_and_spares_what_has_ended_in_order() {
    let (listed, gone, other) = (sleeper(None), sleeper(None), sleeper(Some("another's")));
    let marked = cfg!(target_os = "linux").then(|| sleeper(Some("mine")));
    guarded(&format!(
        "+{}\n+{}\n-{}\n",
        listed.id(),
        gone.id(),
        gone.id()
    ));
    assert_eq!(killed_by(listed), Some(9));
    if let Some(marked) = marked {
        assert_eq!(killed_by(marked), Some(9));
    }
    for mut spared in [gone, other] {
        assert_eq!(spared.try_wait().expect("a child"), None);
        spared.kill().expect("it must still run");
        spared.wait().expect("it must end");
    }
}
