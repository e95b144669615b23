//! Workloads that are described: each shipped one at work, what is not judged and not run of it, and descriptions that are wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use harness::audit::Violation;
use harness::report::RunRecord;
use python::Python;

use crate::storage::shared_azurite;

static ALONE: Mutex<()> = Mutex::new(());

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

fn workload(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads");
    root.join(name)
}

/// What a command did that has ended.
struct Ended {
    code: Option<i32>,
    said: String,
    out: tempfile::TempDir,
}

impl Ended {
    /// `harness` with `arguments` and the workload in `file`, on `python`.
    fn of(python: &Python, file: &Path, arguments: &[&str]) -> Self {
        // One at a time: workers of Python and their storage take what two cores give.
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let azurite = shared_azurite();
        let output = Command::new(HARNESS)
            .env_remove("EDW_AZURITE_SOURCE")
            .env("EDW_AZURITE_QUEUE_URL", azurite.queue_url())
            .env("EDW_AZURITE_TABLE_URL", azurite.table_url())
            .env("PYTHON", python.interpreter())
            .args(arguments)
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

    fn loaded(python: &Python, file: &Path) -> Self {
        let load = [
            "load",
            "--messages=60",
            "--shape=constant:40/s",
            "--consumers=2",
            "--settle=60s",
        ];
        Self::of(python, file, &load)
    }

    /// The feature with these lines of a scenario.
    fn played(python: &Python, file: &Path, scenario: &str) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let path = dir.path().join("own.feature");
        let text = format!("Feature: own\n\n  Scenario: own\n{scenario}");
        fs::write(&path, text).expect("the feature must be writable");
        let features = format!("--features={}", path.display());
        Self::of(python, file, &["run", &features])
    }

    /// What the log of the only run below the directory says.
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
    let ended = Ended::loaded(python, &workload("sample/edw.yaml"));
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.says(&[
        "60 of 60 kept",
        "NOT JUDGED",
        "the description names no poison queue",
    ]);
    let unknown = [
        Violation::Misplaced,
        Violation::Restamped,
        Violation::Poisoned,
        Violation::Accepted,
    ];
    assert_eq!(ended.not_judged(), unknown);
    // The latency of every hop, though its rows have no column for most of them.
    let measured = ended.record().measured.expect("latencies");
    for hop in harness::measure::Hop::ALL {
        assert_eq!(measured.hops.samples(hop).count(), 60, "{hop}");
    }
    let junit = fs::read_dir(ended.out.path())
        .expect("the runs' directory")
        .next();
    let junit = junit
        .expect("a run")
        .expect("an entry")
        .path()
        .join("junit.xml");
    let junit = fs::read_to_string(junit).expect("a list of test results");
    assert!(
        junit.contains("not judged: the description names no poison queue"),
        "{junit}"
    );
}

/// Without a kill nothing comes twice; one that dies between the insert and the delete leaves a message whose next row has another key.
#[test]
fn the_sample_makes_two_rows_of_a_message_once_it_is_killed_before_its_delete() {
    let Some(python) = python() else { return };
    let file = workload("sample/edw.yaml");
    let kill = "\
    Given 2 consumers
    And 1 consumers die after an insert is stored, before they know it
    When 8 messages are sent at 8 per second, and consumers that die are replaced
    Then within 60 s every message has exactly one result
";
    let ended = Ended::played(python, &file, kill);
    assert_eq!(ended.code, Some(10), "{}", ended.said);
    ended.says(&["surplus row", "of a message stored before"]);
    let without = "\
    Given 2 consumers
    When 8 messages are sent at 8 per second
    Then within 60 s every message has exactly one result
";
    let ended = Ended::played(python, &file, without);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
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
    ended.says(&["1 not runnable here, none left"]);
    let ended = Ended::played(python, &workload("base64/edw.yaml"), leased);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
}

#[test]
fn a_worker_whose_messages_are_base64_passes_and_survives_kills() {
    let Some(python) = python() else { return };
    let file = workload("base64/edw.yaml");
    let ended = Ended::loaded(python, &file);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.says(&["60 of 60 kept"]);
    assert_eq!(ended.not_judged(), [Violation::Restamped]);
    let kill = "\
    Given 2 consumers
    And a lease lasts 3 s
    And 1 consumers die after an insert is stored, before they know it
    When 8 messages are sent at 8 per second, and consumers that die are replaced
    Then within 60 s every message has exactly one result
    And 1 consumers died
";
    let ended = Ended::played(python, &file, kill);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
}

/// The transport of kombu deletes a message as soon as it has received it, whatever `task_acks_late` says.
#[test]
fn celery_deletes_messages_before_their_rows_and_nothing_else_is_wrong() {
    let Some(python) = python() else { return };
    let ended = Ended::loaded(python, &workload("celery/edw.yaml"));
    assert_eq!(ended.code, Some(10), "{}", ended.said);
    let record = ended.record();
    assert_eq!(
        record.verdict().reasons,
        ["60 messages deleted before the row was confirmed"]
    );
    ended.says(&["60 of 60 kept"]);
}

/// The same worker with one text of it changed.
fn broken(python: &Python, name: &str, text: &str, by: &str) -> Ended {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    for file in ["edw.yaml", "worker.py"] {
        let read = fs::read_to_string(workload(name).join(file)).expect("a shipped workload");
        let changed = if file == "worker.py" {
            read.replace(text, by)
        } else {
            read.clone()
        };
        assert!(
            file != "worker.py" || changed != read,
            "there must be something to replace"
        );
        fs::write(dir.path().join(file), changed).expect("the copy must be writable");
    }
    Ended::loaded(python, &dir.path().join("edw.yaml"))
}

#[test]
fn what_breaks_a_promise_is_caught_under_a_description_too() {
    let Some(python) = python() else { return };
    let create = "table.create_entity(row_of(json.loads(message.content), message.dequeue_count))";
    for (name, text, by, told) in [
        ("base64", create, "pass", "60 lost"),
        (
            "base64",
            create,
            "queue.delete_message(message); continue",
            "60 lost",
        ),
        (
            "base64",
            "\"Note\": order[\"note\"]",
            "\"Note\": order[\"note\"].strip()",
            "60 corrupted",
        ),
        (
            "base64",
            "\"Number\": order[\"order\"][\"number\"]",
            "\"Number\": 7",
            "corrupted",
        ),
        (
            "base64",
            "\"Customer\": order[\"customer\"]",
            "\"Customer\": order[\"note\"]",
            "60 corrupted",
        ),
        (
            "base64",
            "\"Delivery\": delivery",
            "\"Delivery\": delivery + 1",
            "60 misreported",
        ),
        (
            "base64",
            "\"RowKey\": order[\"order\"][\"id\"]",
            "\"RowKey\": order[\"order\"][\"id\"][::-1]",
            "60 misplaced",
        ),
        (
            "base64",
            "table.create_entity",
            "table.upsert_entity",
            "60 overwritten",
        ),
        (
            "sample",
            "    table.create_entity({",
            "    queue.delete_message(message)\n    table.create_entity({",
            " unsecured",
        ),
    ] {
        let ended = broken(python, name, text, by);
        assert_eq!(ended.code, Some(10), "{by:?}: {}", ended.said);
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
