//! The Python side of the interoperability tests: a script that runs one action with the Azure SDK.

use python::Python;
use serde_json::Value as Json;
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/azurite/python/interop.py"
);

/// The interpreter; `None` if none is available.
pub(crate) fn find() -> Option<&'static Python> {
    Python::of_tests(env!("CARGO_TARGET_TMPDIR"))
}

/// Runs the script, and returns its answer.
pub(crate) fn run(python: &Python, job: &Json) -> Json {
    let mut child = Command::new(python.interpreter())
        .arg(SCRIPT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(job.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}
