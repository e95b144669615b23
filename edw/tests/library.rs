//! The library judges a load in a test as the program does.

use std::path::Path;

use edw::{Hop, Load, Outcome, Percentile, Violation};
use tempfile::TempDir;

fn load(out: &Path) -> Load {
    Load::of(60)
        .shape("constant:60/s")
        .consumers(2)
        .storage("engine")
        .program(env!("CARGO_BIN_EXE_edw"))
        .out(out)
}

fn directory() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")
}

#[test]
fn a_good_load_passes_and_tells_its_latencies_and_where_its_evidence_is() {
    let out = directory();
    let verdict = load(out.path())
        .work("fixed:20ms")
        .judge()
        .expect("a verdict");
    assert!(verdict.is_pass(), "{verdict}");
    assert_eq!(
        (
            verdict.kept(),
            verdict.reasons().len(),
            verdict.findings().len()
        ),
        (60, 0, 0)
    );
    let work = verdict
        .latency(Hop::Work, Percentile::P50)
        .expect("a latency");
    let whole = verdict
        .latency(Hop::EndToEnd, Percentile::P50)
        .expect("a latency");
    assert!(
        work.as_millis() >= 20 && whole > work,
        "{work:?} of {whole:?}"
    );
    assert!(verdict.directory().join("report.html").is_file());
    assert!(
        verdict
            .to_string()
            .contains("60 messages stored exactly once"),
        "{verdict}"
    );
}

/// The library also works within a tokio runtime, in which many tests run.
#[tokio::test]
async fn a_worker_that_deletes_what_it_has_not_stored_fails_by_name() {
    let out = directory();
    let worker = out.path().join("worker.py");
    std::fs::write(&worker, include_str!("library/loses.py")).expect("a worker");
    let command = format!("python3 '{}'", worker.display());
    let verdict = load(out.path())
        .command(&command)
        .judge()
        .expect("a verdict");
    assert_eq!(verdict.outcome(), Outcome::Fail, "{verdict}");
    assert_eq!(verdict.count(Violation::Lost), 60);
    let finding = &verdict.findings()[0];
    assert!(finding.witnesses[0].detail.contains("nowhere"), "{verdict}");
}

#[test]
fn what_is_wrong_with_a_load_is_told_before_anything_starts() {
    let out = directory();
    let told = |load: Load| load.judge().unwrap_err().to_string();
    let limit = told(load(out.path()).limit("soon"));
    assert!(limit.contains("'soon' for '--limit"), "{limit}");
    let nowhere = told(load(out.path()).program("no/such/edw"));
    assert!(nowhere.contains("start no/such/edw"), "{nowhere}");
    let other = told(load(out.path()).program("/bin/true"));
    assert!(other.contains("needs \"edw 0."), "{other}");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}
