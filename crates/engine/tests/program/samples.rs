//! Runs typical uses of the Azure SDK for Python: a script after its public samples for queues and tables.

use std::process::Command;

use python::Python;

use crate::process::Process;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/program/samples.py");

#[test]
fn the_samples_of_the_azure_sdk_for_python_run() {
    let Some(python) = Python::of_tests(env!("CARGO_TARGET_TMPDIR")) else {
        return;
    };
    let engine = Process::start(&[]);
    let output = Command::new(python.interpreter())
        .arg(SCRIPT)
        .arg(&engine.connection_string)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "queues\ntables\n");
}
