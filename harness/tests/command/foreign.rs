//! `harness load` with consumers of other projects.

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::report::RunRecord;
use python::{Python, REQUIREMENTS};

use crate::storage::shared_azurite;

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

/// The example of `docs/CONSUMER.md`.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/consumer.py");

/// The result of a small load.
struct Loaded {
    code: Option<i32>,
    said: String,
    dir: tempfile::TempDir,
}

impl Loaded {
    fn new(consumers: u8, consumer: &str) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let azurite = shared_azurite();
        let output = Command::new(HARNESS)
            .env_remove("EDW_AZURITE_SOURCE")
            .env("EDW_AZURITE_QUEUE_URL", azurite.queue_url())
            .env("EDW_AZURITE_TABLE_URL", azurite.table_url())
            .args([
                "load",
                "--messages=50",
                "--shape=constant:50/s",
                &format!("--consumers={consumers}"),
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
    let loaded = Loaded::new(2, &command);
    let (code, said) = (loaded.code, &loaded.said);
    assert_eq!(code, Some(0), "{said}");
    let repeat = format!("--consumer-command \"'{HARNESS}' consumer\"");
    for text in [
        "50 of 50 kept",
        "ends when asked to, and in order  2 of 2\n",
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
fn where_the_harness_finds_storage_is_not_told_to_a_consumer() {
    let loaded = Loaded::new(1, "sh -c 'env | grep EDW_AZURITE >&2; exit 3'");
    assert_eq!(loaded.code, Some(10), "{}", loaded.said);
    assert!(!loaded.said.contains("EDW_AZURITE_"), "{}", loaded.said);
}

#[test]
fn a_command_that_ends_at_once_fails_and_what_it_said_is_shown_apart_from_the_reason() {
    let loaded = Loaded::new(2, "sh -c 'echo no such queue >&2; exit 3'");
    let (code, said) = (loaded.code, &loaded.said);
    assert_eq!(code, Some(10), "{said}");
    assert!(
        said.contains("LAST LINES of consumer-1\n  no such queue\n"),
        "{said}"
    );
    let reasons = loaded.record().verdict().reasons;
    let ended = "consumer-1 ended unasked: exit status: 3; 3 more did not end as asked";
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
    let loaded = Loaded::new(2, "sh -c 'exit 0'");
    assert_eq!(loaded.code, Some(10), "{}", loaded.said);
    assert!(
        loaded.said.contains("  none: its log is empty\n"),
        "{}",
        loaded.said
    );
}

/// The same with a script as the only consumer: the load then ends after the script has begun to listen for SIGTERM.
fn load_by_script(python: &Python, script: &Path) -> Loaded {
    let interpreter = python.interpreter().display();
    Loaded::new(1, &format!("'{interpreter}' '{}'", script.display()))
}

#[test]
fn the_documented_example_passes_on_the_packages_that_it_names() {
    let Some(python) = Python::of_tests(env!("CARGO_TARGET_TMPDIR")) else {
        return;
    };
    let script = fs::read_to_string(EXAMPLE).expect("the example must be readable");
    let (_, packages) = script.split_once("pip install ").expect("what to install");
    for package in packages.lines().next().expect("a line").split(' ') {
        let pinned = REQUIREMENTS.lines().any(|line| line == package);
        assert!(pinned, "{package} is not what is tested");
    }
    let Loaded { code, said, .. } = load_by_script(python, Path::new(EXAMPLE));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("50 of 50 kept"), "{said}");
}

/// The same with the example, one text of it replaced; `None` if there is no Python.
fn load_by_broken_example(text: &str, by: &str) -> Option<Loaded> {
    let python = Python::of_tests(env!("CARGO_TARGET_TMPDIR"))?;
    let script = fs::read_to_string(EXAMPLE).expect("the example must be readable");
    let broken = script.replace(text, by);
    assert_ne!(broken, script, "there must be something to replace");
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let path = dir.path().join("consumer.py");
    fs::write(&path, broken).expect("the script must be writable");
    Some(load_by_script(python, &path))
}

#[test]
fn the_documented_example_without_its_insert_fails_for_lost_rows() {
    let Some(loaded) = load_by_broken_example("table.create_entity(row)", "pass") else {
        return;
    };
    assert_eq!(loaded.code, Some(10), "{}", loaded.said);
    assert!(loaded.said.contains("50 lost"), "{}", loaded.said);
}

#[test]
fn the_documented_example_with_stamps_of_its_own_fails_for_them_alone() {
    let as_they_came = r#""srcStamp": body["srcStamp"], "sentStamp": body["sentStamp"]"#;
    let invented = r#""srcStamp": dequeued, "sentStamp": dequeued"#;
    let Some(loaded) = load_by_broken_example(as_they_came, invented) else {
        return;
    };
    assert_eq!(loaded.code, Some(10), "{}", loaded.said);
    let reasons = loaded.record().verdict().reasons;
    let restamped = "up to 50 rows, in 1 block of messages, with a srcStamp or sentStamp that did not come with them";
    assert_eq!(reasons, [restamped], "{}", loaded.said);
}
