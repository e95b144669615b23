//! A disk that is full, that fills up during a run, or that is read-only: the error says what to do, and the run never passes.
//!
//! The disk is a real, small tmpfs in a mount namespace of the command under test.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::storage::{contents, shared_engine};

const FEATURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../features");

/// How long a guard may take to end the processes that its harness has left; many times what it needs.
const DEADLINE: Duration = Duration::from_secs(30);

/// `load` and `run`, both with a load that writes more than the small disks here hold.
const COMMANDS: [&[&str]; 2] = [
    &["load", "--messages=600", "--shape=burst", "--consumers=2"],
    &["run", "--features", FEATURES, "A burst arrives all at once"],
];

/// Whether this user may mount a file system in a namespace of its own.
fn can_mount() -> bool {
    let mount = ["-rm", "mount", "-t", "tmpfs", "none", "/tmp"];
    let tried = Command::new("unshare").args(mount).output();
    tried.is_ok_and(|output| output.status.success())
}

/// Runs `harness` with `arguments` and its runs on a disk of `kib` KiB, after the shell has run `before` there. Checks that it ends
/// with code 6, prints `texts`, and leaves no process. Returns its output.
fn ends(kib: u32, before: &str, arguments: &[&str], texts: &[&str]) -> String {
    let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let mount = format!("mount -t tmpfs -o size={kib}k none \"$EDW_OUT\"");
    let engine = shared_engine();
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c"])
        .arg(format!("{mount} && {before} && exec \"$0\" \"$@\""))
        .arg(env!("CARGO_BIN_EXE_harness"))
        .args(arguments)
        .env_remove("EDW_AZURITE_SOURCE")
        .env("EDW_AZURITE_QUEUE_URL", engine.queue_url())
        .env("EDW_AZURITE_TABLE_URL", engine.table_url())
        .env("EDW_OUT", out.path())
        .output()
        .expect("unshare must start");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let case = format!("{arguments:?} on {kib} KiB, {before}: {said}");
    assert_eq!(output.status.code(), Some(6), "{case}");
    for text in texts {
        assert!(said.contains(text), "{text:?} is missing in {case}");
    }
    for pass in ["PASS", "1 passed"] {
        assert!(!said.contains(pass), "{case}");
    }
    let since = Instant::now();
    while is_anybody_left(out.path()) {
        assert!(since.elapsed() < DEADLINE, "a process is left: {case}");
        std::thread::yield_now();
    }
    said
}

/// Whether a process has `out` in its environment, as all processes of the harness have.
fn is_anybody_left(out: &Path) -> bool {
    let variable = format!("EDW_OUT={}", out.display()).into_bytes();
    let entries = fs::read_dir("/proc")
        .expect("a list of processes")
        .flatten();
    let environments = entries.filter_map(|entry| fs::read(entry.path().join("environ")).ok());
    let has = |environment: Vec<u8>| {
        environment
            .split(|byte| *byte == 0)
            .any(|each| each == variable)
    };
    environments.into_iter().any(has)
}

#[test]
fn a_full_disk_is_told_before_anything_begins() {
    if !can_mount() {
        eprintln!("disk: a full disk NOT RUN: unshare(1) may not mount a tmpfs here");
        return;
    }
    for command in COMMANDS {
        let texts = [
            "write to the directory",
            "check that the disk has room",
            "--out",
            "No space left",
        ];
        let said = ends(200, "true", command, &texts);
        assert!(!said.contains("evidence "), "{said}");
    }
}

#[test]
fn a_disk_that_takes_nothing_is_told_before_anything_begins() {
    if !can_mount() {
        eprintln!("disk: a read-only disk NOT RUN: unshare(1) may not mount a tmpfs here");
        return;
    }
    for command in COMMANDS {
        let texts = [
            "write to the directory",
            "the directory is writable",
            "--out",
            "Read-only file system",
        ];
        let said = ends(1_000, "mount -o remount,ro \"$EDW_OUT\"", command, &texts);
        assert!(!said.contains("evidence "), "{said}");
    }
}

#[test]
fn a_disk_that_fills_up_in_the_middle_ends_a_load_and_a_suite_without_a_pass() {
    if !can_mount() {
        eprintln!("disk: a disk that fills up NOT RUN: unshare(1) may not mount a tmpfs here");
        return;
    }
    // Leaves room for the beginning of a run, and little more.
    let fill = "head -c 36K /dev/zero > \"$EDW_OUT/fill\"";
    for command in COMMANDS {
        let said = ends(300, fill, command, &["room", "No space left on device"]);
        let evidence = said.lines().find_map(|line| line.strip_prefix("evidence "));
        let run = evidence
            .and_then(|dir| dir.rsplit('/').next())
            .expect("a run");
        let contents = Runtime::new()
            .expect("a runtime")
            .block_on(contents(shared_engine()));
        assert!(
            !contents.contains(run),
            "{run} is left in {contents}: {said}"
        );
    }
}
