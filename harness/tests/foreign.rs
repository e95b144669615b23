//! `harness load` with consumers that are not the project's own.

use std::process::Command;

use harness::report::RunRecord;

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

/// A small load that has ended.
struct Loaded {
    code: Option<i32>,
    said: String,
    dir: tempfile::TempDir,
}

impl Loaded {
    fn new(consumer: &str) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let output = Command::new(HARNESS)
            .args([
                "load",
                "--messages=40",
                "--consumers=2",
                "--shape=constant:40/s",
            ])
            .args(["--consumer-command", consumer, "--out"])
            .arg(dir.path())
            .output()
            .expect("the harness must start");
        let said = [output.stdout, output.stderr].concat();
        Self {
            code: output.status.code(),
            said: String::from_utf8_lossy(&said).into_owned(),
            dir,
        }
    }

    fn record(&self) -> RunRecord {
        let mut runs = std::fs::read_dir(self.dir.path()).expect("the runs' directory");
        let run = runs.next().expect("a run").expect("its directory");
        RunRecord::read(&run.path()).expect("its event log")
    }
}

#[test]
fn a_command_that_keeps_the_contract_passes_and_is_named_in_the_evidence() {
    let command = format!("'{HARNESS}' consumer");
    let loaded = Loaded::new(&command);
    let (code, said) = (loaded.code, &loaded.said);
    assert_eq!(code, Some(0), "{said}");
    let repeat = format!("--consumer-command ''\\''{HARNESS}'\\'' consumer'");
    for text in [
        "40 of 40 kept",
        "ends when asked to, and in order         2 of 2\n",
        &format!("the consumer `{command}`"),
        &repeat,
    ] {
        assert!(said.contains(text), "{text} is missing in: {said}");
    }
    let processes = loaded.record().processes;
    let ends = processes.iter().map(|process| {
        let exit = process.exit.as_ref().expect("an end in the log");
        (process.name.as_str(), exit.status.as_str(), exit.expected)
    });
    let names = ["consumer-1", "consumer-2", "producer"];
    let expected = names.map(|name| (name, "exit status: 0", true));
    assert_eq!(ends.collect::<Vec<_>>(), expected);
}

#[test]
fn a_command_that_ends_at_once_fails_and_what_it_said_is_shown_apart_from_the_reason() {
    let loaded = Loaded::new("sh -c 'echo no such queue >&2; exit 3'");
    let (code, said) = (loaded.code, &loaded.said);
    assert_eq!(code, Some(10), "{said}");
    assert!(
        said.contains("LAST LINES of consumer-1\n  no such queue\n"),
        "{said}"
    );
    let reasons = loaded.record().verdict().reasons;
    let ended = "consumer-1 ended unasked: exit status: 3; 1 more did not end as asked";
    assert_eq!(reasons[0], ended);
    assert!(
        reasons
            .iter()
            .all(|reason| !reason.contains("no such queue")),
        "{reasons:?}"
    );
}

#[test]
fn a_command_that_ends_at_once_and_says_nothing_is_said_to_have_said_nothing() {
    let loaded = Loaded::new("sh -c 'exit 0'");
    assert_eq!(loaded.code, Some(10), "{}", loaded.said);
    assert!(
        loaded.said.contains("  none: its log is empty\n"),
        "{}",
        loaded.said
    );
}
