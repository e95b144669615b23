//! `harness load` with consumers that are not the project's own.

use std::process::Command;

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

/// The exit code of a small load, and all that was said.
fn load(consumer: &str) -> (Option<i32>, String) {
    let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let output = Command::new(HARNESS)
        .args([
            "load",
            "--messages=40",
            "--consumers=2",
            "--shape=constant:40/s",
        ])
        .args(["--consumer-command", consumer, "--out"])
        .arg(out.path())
        .output()
        .expect("the harness must start");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn a_command_that_keeps_the_contract_passes_and_is_named_in_the_evidence() {
    let command = format!("'{HARNESS}' consumer");
    let (code, said) = load(&command);
    assert_eq!(code, Some(0), "{said}");
    let repeat = format!("--consumer-command ''\\''{HARNESS}'\\'' consumer'");
    for text in [
        "40 of 40 kept",
        &format!("the consumer `{command}`"),
        &repeat,
    ] {
        assert!(said.contains(text), "{text} is missing in: {said}");
    }
}

#[test]
fn a_command_that_ends_at_once_fails_and_what_it_said_is_shown() {
    let (code, said) = load("sh -c 'echo no such queue >&2; exit 3'");
    assert_eq!(code, Some(10), "{said}");
    assert!(
        said.contains("exit status: 3") && said.contains("no such queue"),
        "{said}"
    );
}
