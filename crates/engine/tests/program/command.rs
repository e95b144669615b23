//! Tests of the program's flags, exit codes and end.

use std::{net::TcpListener, process::Output};

use crate::process::{Process, command};

fn run(flags: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command(flags).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_signal_ends_it_in_order() {
    assert_eq!(Process::start(&[]).terminate().code(), Some(0));
}

#[test]
fn the_first_lines_tell_both_addresses_and_a_connection_string() {
    let engine = Process::start(&[]);
    assert!(engine.queue_url.starts_with("http://127.0.0.1:"));
    assert!(engine.queue_url.ends_with("/devstoreaccount1"));
    for part in [
        "AccountName=devstoreaccount1;".to_owned(),
        format!("QueueEndpoint={};", engine.queue_url),
        format!("TableEndpoint={};", engine.table_url),
    ] {
        assert!(engine.connection_string.contains(&part), "{part}");
    }
}

#[test]
fn a_key_that_is_not_published_is_not_printed() {
    let engine = Process::start(&["--account", "mine", "--key", "c2VjcmV0"]);
    assert!(
        engine
            .connection_string
            .contains("AccountName=mine;AccountKey=...;")
    );
}

#[test]
fn a_port_in_use_is_a_missing_resource() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, said) = run(&["--queue-port", &port, "--table-port", "0"]);
    assert_eq!(code, Some(6), "{said}");
    assert!(
        said.contains(&format!("listen at 127.0.0.1:{port}")),
        "{said}"
    );
}

#[test]
fn a_directory_that_cannot_be_written_is_a_missing_resource() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let directory = file.path().join("below").display().to_string();
    let ports = ["--queue-port", "0", "--table-port", "0"];
    let (code, said) = run(&[&ports[..], &["--directory", &directory]].concat());
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains(&directory), "{said}");
}

#[test]
fn a_directory_that_another_engine_has_is_told_as_such() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().display().to_string();
    let _first = Process::start(&["--directory", &directory]);
    let ports = ["--queue-port", "0", "--table-port", "0"];
    let (code, said) = run(&[&ports[..], &["--directory", &directory]].concat());
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("another engine uses it"), "{said}");
}

#[test]
fn wrong_input_is_told_before_anything_starts() {
    for flags in [
        &["--key", "not base64!"][..],
        &["--account", "NOT A NAME"],
        &["--queue-port", "many"],
        &["--unknown"],
        &["--certificate", "/nonexistent"],
        &[
            "--certificate",
            "/nonexistent",
            "--certificate-key",
            "/nonexistent",
        ],
    ] {
        let ports = ["--table-port", "0"];
        let (code, said) = run(&[&ports[..], flags].concat());
        assert_eq!(code, Some(2), "{flags:?}: {said}");
    }
}
