//! The outcome of each scenario with each shipped worker, compared with the tables of `workloads/README.md`.
//!
//! Not part of `cargo test` (Cargo.toml has `test = false`), since it starts Python a hundred times. CI runs it by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use python::Python;
use serde_json::Value;

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What the table of one worker promises.
#[derive(Debug, Default)]
struct Promised {
    features: BTreeSet<String>,
    /// The outcome of each scenario: `pass`, or `fail: ` and a part of the finding.
    ends: BTreeMap<String, String>,
}

/// The tables of the README, by the worker in their headings.
fn promised() -> BTreeMap<String, Promised> {
    let path = Path::new(ROOT).join("workloads/README.md");
    let text = fs::read_to_string(path).expect("the README of the workloads");
    let mut all: BTreeMap<String, Promised> = BTreeMap::new();
    let mut worker = String::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            heading.clone_into(&mut worker);
            continue;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, feature, scenario, ends, _, _] = cells[..] else {
            continue;
        };
        if feature == "feature" || feature.starts_with('-') {
            continue;
        }
        let of_worker = all.entry(worker.clone()).or_default();
        of_worker.features.insert(feature.to_owned());
        let before = of_worker.ends.insert(scenario.to_owned(), ends.to_owned());
        assert_eq!(before, None, "{worker}: {scenario} stands there twice");
    }
    all
}

/// The outcome and the finding of each scenario that ran with the worker.
fn played(python: &Python, worker: &str, features: &BTreeSet<String>) -> Vec<[String; 3]> {
    let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let mut harness = Command::new(HARNESS);
    harness
        .current_dir(ROOT)
        .env("PYTHON", python.interpreter())
        .args(["run", "--storage=engine", "--workload"])
        .arg(format!("workloads/{worker}/edw.yaml"))
        .arg("--out")
        .arg(out.path());
    for feature in features {
        harness.arg(format!("--features=features/{feature}.feature"));
    }
    let output = harness.output().expect("the harness must start");
    let suite = fs::read_dir(out.path())
        .expect("the runs' directory")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.to_string_lossy().ends_with("-suite"))
        .unwrap_or_else(|| panic!("{worker}: there is no suite: {output:?}"));
    let summary = fs::read(suite.join("summary.json")).expect("a summary");
    let summary: Value = serde_json::from_slice(&summary).expect("JSON");
    let scenarios = summary["scenarios"].as_array().expect("scenarios");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let ended = scenarios.iter().map(|scenario| {
        [
            text(&scenario["name"]),
            text(&scenario["outcome"]),
            text(&scenario["detail"]),
        ]
    });
    ended.collect()
}

#[test]
fn every_scenario_ends_as_the_readme_says() {
    let python = Python::of_tests(env!("CARGO_TARGET_TMPDIR"));
    let python = python.expect("the workers need Python, and the packages of the Azure SDK");
    let promised = promised();
    let workers: Vec<&str> = promised.keys().map(String::as_str).collect();
    assert_eq!(workers, ["base64", "celery", "sample"]);
    let mut wrong = Vec::new();
    for (worker, Promised { features, mut ends }) in promised {
        for [scenario, outcome, detail] in played(python, &worker, &features) {
            let found = format!("{outcome}: {detail}");
            let is_as_promised = match ends.remove(&scenario).as_deref() {
                Some("pass") => outcome == "pass",
                Some(fail) => fail
                    .strip_prefix("fail: ")
                    .is_some_and(|words| outcome == "fail" && detail.contains(words)),
                None => false,
            };
            if !is_as_promised {
                wrong.push(format!("{worker}: {scenario}: {found}"));
            }
        }
        wrong.extend(
            ends.into_keys()
                .map(|it| format!("{worker}: {it}: not run")),
        );
    }
    assert!(
        wrong.is_empty(),
        "workloads/README.md says otherwise:\n{}",
        wrong.join("\n")
    );
}
