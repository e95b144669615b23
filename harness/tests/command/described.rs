//! Described workloads: each shipped worker at work, the promises that are not judged and the scenarios that are not run with it,
//! and wrong descriptions.
//!
//! `testing/fuzz/tests/described` breaks each promise that a description makes; here are a few with real processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::audit::Violation;
use harness::report::{RunRecord, promises};
use python::Python;

use crate::storage::shared_azurite;

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

fn workload(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads");
    root.join(name)
}

/// The result of a command.
struct Ended {
    code: Option<i32>,
    said: String,
    out: tempfile::TempDir,
}

/// The storage of a test's workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Storage {
    /// The engine of this project, which starts immediately.
    Engine,
    Azurite,
}

impl Ended {
    /// Runs `harness` with `arguments` and the workload in `file`, on `python`.
    fn of(python: &Python, file: &Path, storage: Storage, arguments: &[&str]) -> Self {
        let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let mut harness = Command::new(HARNESS);
        harness.env_remove("EDW_AZURITE_SOURCE").args(arguments);
        match storage {
            Storage::Engine => harness.arg("--storage=engine"),
            Storage::Azurite => {
                let azurite = shared_azurite();
                harness
                    .env("EDW_AZURITE_QUEUE_URL", azurite.queue_url())
                    .env("EDW_AZURITE_TABLE_URL", azurite.table_url())
            }
        };
        let output = harness
            .env("PYTHON", python.interpreter())
            .arg("--workload")
            .arg(file)
            .arg("--out")
            .arg(out.path())
            .output()
            .expect("the harness must start");
        let said = [output.stdout, output.stderr].concat();
        Self {
            code: output.status.code(),
            said: String::from_utf8_lossy(&said).into_owned(),
            out,
        }
    }

    fn loaded(python: &Python, file: &Path, storage: Storage) -> Self {
        let load = [
            "load",
            "--messages=60",
            "--shape=constant:40/s",
            "--consumers=2",
        ];
        Self::of(python, file, storage, &load)
    }

    /// Runs a feature with these lines of a scenario.
    fn played(python: &Python, file: &Path, scenario: &str) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let path = dir.path().join("own.feature");
        let text = format!("Feature: own\n\n  Scenario: own\n{scenario}");
        fs::write(&path, text).expect("the feature must be writable");
        let features = format!("--features={}", path.display());
        Self::of(python, file, Storage::Engine, &["run", &features])
    }

    /// The record of the only run below the directory.
    fn record(&self) -> RunRecord {
        let run = fs::read_dir(self.out.path()).expect("the runs' directory");
        let run = run.map(|entry| entry.expect("an entry").path()).next();
        RunRecord::read(&run.expect("a run")).expect("its event log")
    }

    fn not_judged(&self) -> Vec<Violation> {
        let audit = self.record().audit.expect("an audit");
        audit.not_judged.iter().map(|each| each.violation).collect()
    }

    #[track_caller]
    fn says(&self, texts: &[&str]) {
        for text in texts {
            assert!(
                self.said.contains(text),
                "{text:?} is missing in: {}",
                self.said
            );
        }
    }
}

fn python() -> Option<&'static Python> {
    Python::of_tests(env!("CARGO_TARGET_TMPDIR"))
}

#[test]
fn the_sample_passes_by_its_payload_alone_and_what_it_does_not_tell_is_not_judged() {
    let Some(python) = python() else { return };
    let ended = Ended::loaded(python, &workload("sample/edw.yaml"), Storage::Engine);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.says(&[
        "60 of 60 kept",
        "NOT JUDGED",
        "the description names no poison queue",
        "SIGTERM does not make the worker drain (worker.drains: false)",
        "a worker that ends by itself is started again (worker.exit: restart); none did here",
    ]);
    let unknown = [
        Violation::Misplaced,
        Violation::Restamped,
        Violation::Poisoned,
        Violation::Accepted,
    ];
    assert_eq!(ended.not_judged(), unknown);
    let record = ended.record();
    let kept = promises(&record);
    let of_ends = kept
        .iter()
        .find(|each| each.promised.contains("consumer ends"));
    assert_eq!(of_ends, None, "how they end is not judged, and not kept");
    // Every hop has a latency, although the rows have no column for most of them.
    let measured = record.measured.expect("latencies");
    for hop in harness::measure::Hop::ALL {
        assert_eq!(measured.hops.samples(hop).count(), 60, "{hop}");
    }
    let run = fs::read_dir(ended.out.path()).expect("the runs' directory");
    let run = run.map(|entry| entry.expect("an entry").path()).next();
    let junit = run.expect("a run").join("junit.xml");
    let junit = fs::read_to_string(junit).expect("a list of test results");
    assert!(
        junit.contains("not judged: the description names no poison queue"),
        "{junit}"
    );
}

/// Without a kill, nothing comes twice, as above; a worker that dies between the insert and the delete leaves a message whose next
/// row has another key.
#[test]
fn the_sample_makes_two_rows_of_a_message_once_it_is_killed_before_its_delete() {
    let Some(python) = python() else { return };
    let kill = "\
    Given 2 consumers
    And 1 consumers die after an insert is stored, before they know it
    When 20 messages are sent at 20 per second, and consumers that die are replaced
    Then within 60 s every message has exactly one result
";
    let ended = Ended::played(python, &workload("sample/edw.yaml"), kill);
    assert_eq!(ended.code, Some(10), "{}", ended.said);
    ended.says(&["1 surplus row"]);
}

#[test]
fn a_scenario_that_needs_a_setting_which_the_worker_lacks_is_not_run_and_never_a_pass() {
    let Some(python) = python() else { return };
    let leased = "\
    Given 2 consumers
    And a lease lasts 4 s
    When 10 messages are sent at once
    Then within 60 s every message has exactly one result
";
    let ended = Ended::played(python, &workload("sample/edw.yaml"), leased);
    assert_eq!(ended.code, Some(2), "{}", ended.said);
    let needs = "not run here: own (needs a setting of the worker for its lease ({lease} in worker.variables))";
    ended.says(&["1 not runnable here, none left", needs]);
    let listed = ["run", "--list", "--features"];
    let features = Path::new(env!("CARGO_MANIFEST_DIR")).join("../features");
    let features = features.to_str().expect("a path of text");
    let listed = [&listed[..], &[features, "Work that takes longer"]].concat();
    let ended = Ended::of(
        python,
        &workload("sample/edw.yaml"),
        Storage::Engine,
        &listed,
    );
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.says(&[
        "not run here: Work that takes longer than a lease",
        "{lease}",
    ]);
}

#[test]
fn a_worker_whose_messages_are_base64_passes_against_the_official_emulator() {
    let Some(python) = python() else { return };
    let ended = Ended::loaded(python, &workload("base64/edw.yaml"), Storage::Azurite);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.says(&[
        "60 of 60 kept",
        "every consumer ends when asked to, and in order",
    ]);
    assert_eq!(
        ended.not_judged(),
        [Violation::Restamped, Violation::Accepted]
    );
}

#[test]
fn a_worker_whose_rows_have_keys_of_their_messages_survives_kills() {
    let Some(python) = python() else { return };
    let kill = "\
    Given 2 consumers
    And a lease lasts 3 s
    And 2 consumers die after an insert is stored, before they know it
    When 20 messages are sent at 20 per second, and consumers that die are replaced
    Then within 60 s every message has exactly one result
    And 2 consumers died
";
    let ended = Ended::played(python, &workload("base64/edw.yaml"), kill);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
}

/// The transport of kombu deletes a message as soon as it has received it, whatever `task_acks_late` is.
#[test]
fn celery_deletes_messages_before_their_rows_and_nothing_else_is_wrong() {
    let Some(python) = python() else { return };
    let ended = Ended::loaded(python, &workload("celery/edw.yaml"), Storage::Azurite);
    assert_eq!(ended.code, Some(10), "{}", ended.said);
    assert_eq!(
        ended.record().verdict().reasons,
        ["60 messages deleted before the row was confirmed"]
    );
    ended.says(&["60 of 60 kept"]);
}

/// Runs the same worker with some of its text replaced.
fn broken(python: &Python, name: &str, changes: &[(&str, &str)]) -> Ended {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    for file in ["edw.yaml", "worker.py"] {
        let mut read = fs::read_to_string(workload(name).join(file)).expect("a shipped workload");
        if file == "worker.py" {
            for (text, by) in changes {
                assert!(read.contains(text), "there must be something to replace");
                read = read.replace(text, by);
            }
        }
        fs::write(dir.path().join(file), read).expect("the copy must be writable");
    }
    Ended::loaded(python, &dir.path().join("edw.yaml"), Storage::Engine)
}

#[test]
fn what_breaks_a_promise_is_caught_under_a_description_too() {
    let Some(python) = python() else { return };
    let create = "table.create_entity(row_of(json.loads(message.content), message.dequeue_count))";
    let delete = "    queue.delete_message(message)\n";
    let delete_first = format!("{delete}    table.create_entity({{");
    let cases = [
        ("base64", vec![(create, "pass")], "60 lost"),
        (
            "base64",
            vec![("table.create_entity", "table.upsert_entity")],
            "60 overwritten",
        ),
        // Storage would refuse a second delete, and the worker would end at every message.
        (
            "sample",
            vec![(delete, ""), ("    table.create_entity({", &*delete_first)],
            "60 deleted too early",
        ),
    ];
    for (name, changes, told) in cases {
        let ended = broken(python, name, &changes);
        assert_eq!(ended.code, Some(10), "{changes:?}: {}", ended.said);
        ended.says(&[told]);
    }
}

#[test]
fn a_description_that_is_wrong_is_refused_with_its_line_before_anything_starts() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let path = dir.path().join("edw.yaml");
    let good = fs::read_to_string(workload("sample/edw.yaml")).expect("a shipped workload");
    fs::write(
        &path,
        good.replace("data: \"{payload}\"", "data: \"{paylod}\""),
    )
    .expect("a file");
    for command in ["lint", "load", "run"] {
        let mut harness = Command::new(HARNESS);
        harness.arg(command).current_dir(dir.path());
        if command == "lint" {
            harness.arg("edw.yaml");
        }
        let output = harness.output().expect("the harness must start");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        let told = "{paylod} is no placeholder; do you mean {payload}?";
        assert!(
            said.contains(told) && said.contains("11"),
            "{command}: {said}"
        );
    }
}

#[test]
fn every_shipped_description_is_right() {
    for name in [
        "own.yaml",
        "sample/edw.yaml",
        "base64/edw.yaml",
        "celery/edw.yaml",
    ] {
        let output = Command::new(HARNESS)
            .arg("lint")
            .arg(workload(name))
            .output();
        let output = output.expect("the harness must start");
        assert!(output.status.success(), "{name}: {output:?}");
    }
}

#[test]
fn a_first_description_is_written_from_files() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    };
    let messages = write(
        "messages.jsonl",
        "{\"orderId\": \"A-1\", \"text\": \"the first text\"}\n{\"orderId\": \"A-2\", \"text\": \"another text\"}\n",
    );
    let rows = write(
        "rows.jsonl",
        "{\"PartitionKey\": \"p\", \"RowKey\": \"A-1\", \"result\": \"the first text\"}\n",
    );
    let output = Command::new(HARNESS)
        .args(["init", "--messages"])
        .arg(&messages)
        .arg("--rows")
        .arg(&rows)
        .output()
        .expect("the harness must start");
    assert!(output.status.success(), "{output:?}");
    let found = dir.path().join("edw.yaml");
    fs::write(&found, &output.stdout).expect("a file");
    let lint = Command::new(HARNESS)
        .arg("lint")
        .arg(&found)
        .output()
        .expect("a check");
    assert!(lint.status.success(), "{lint:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    for part in [
        "\"orderId\": \"{id}\"",
        "\"result\": \"{payload}\"",
        "NOT TOLD",
    ] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
}
