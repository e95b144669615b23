//! Wrong input: exit code 2, a message that says what to do, and no run.

use std::process::Command;

const GOOD: &str = "http://127.0.0.1:1/devstoreaccount1";

/// Checks that `harness` with `arguments` in `environment` reports wrong input.
fn refused(arguments: &[&str], environment: &[(&str, &str)], texts: &[&str]) {
    ended(2, arguments, environment, texts);
}

/// Checks that `harness` with `arguments` in `environment` ends with `code`, prints `texts`, and leaves its `--out` empty.
fn ended(code: i32, arguments: &[&str], environment: &[(&str, &str)], texts: &[&str]) {
    let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    for name in ["SOURCE", "QUEUE_URL", "TABLE_URL", "BLOB_URL"] {
        command.env_remove(format!("EDW_AZURITE_{name}"));
    }
    let output = command
        .args(arguments)
        .env("EDW_OUT", out.path())
        .envs(environment.iter().copied())
        .output()
        .expect("the harness must start");
    let said = String::from_utf8_lossy(&output.stderr);
    let case = format!("{arguments:?} {environment:?}: {said}");
    assert_eq!(output.status.code(), Some(code), "{case}");
    for text in texts {
        assert!(said.contains(text), "{text:?} is missing in {case}");
    }
    for begun in ["Azurite is ready", "evidence "] {
        assert!(!said.contains(begun), "{case}");
    }
    let left = std::fs::read_dir(out.path())
        .expect("the directory")
        .count();
    assert_eq!(left, 0, "{case}");
}

#[test]
fn settings_of_azurite_that_make_no_sense_are_named() {
    let features = concat!(env!("CARGO_MANIFEST_DIR"), "/../features");
    let settings: [(&[(&str, &str)], &str); 4] = [
        (
            &[("EDW_AZURITE_SOURCE", "bogus")],
            "must be auto, address, docker or npm",
        ),
        (
            &[("EDW_AZURITE_SOURCE", "address")],
            "no EDW_AZURITE_QUEUE_URL and EDW_AZURITE_TABLE_URL given; set both",
        ),
        (
            &[("EDW_AZURITE_QUEUE_URL", GOOD)],
            "EDW_AZURITE_TABLE_URL is not; set both",
        ),
        (
            &[
                ("EDW_AZURITE_QUEUE_URL", "garbage"),
                ("EDW_AZURITE_TABLE_URL", GOOD),
            ],
            "it must look like http://127.0.0.1:10001/devstoreaccount1",
        ),
    ];
    for (environment, text) in settings {
        refused(&["load"], environment, &[text]);
        refused(&["run", "--features", features], environment, &[text]);
    }
}

#[test]
fn feature_files_that_cannot_run_are_refused() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let file = directory.path().join("a.feature");
    let path = file.to_str().expect("a path of text");
    refused(
        &["run", "--features", path],
        &[],
        &["find the feature files at", path, "No such file"],
    );
    let steps = |steps: &str| format!("Feature: f\n  Scenario: s\n{steps}");
    for (content, text) in [
        ("Feature f", "a.feature"),
        (
            &steps("    Given 1 consumer\n    When nonsense is done\n"),
            "a.feature:4: the step 'When nonsense is done' is not defined",
        ),
        (
            "Feature: f\n  Background:\n    Given nonsense\n  Scenario: s\n    Given 1 consumer\n",
            "a.feature:3: the step 'Given nonsense' is not defined",
        ),
        (
            &steps("    1 consumer\n"),
            "a.feature:2: the scenario \"s\" has no step",
        ),
        (
            "Feature: f\n  @aks\n  Scenario: s\n    Given 1 consumer\n",
            "1 not runnable here",
        ),
        (
            "Feature: f\n  @sreial\n  Scenario: s\n    Given 1 consumer\n",
            "unknown tag @sreial",
        ),
    ] {
        std::fs::write(&file, content).expect("a feature file");
        refused(
            &["run", "--features", path],
            &[],
            &["select the scenarios", text],
        );
    }
    std::fs::write(&file, steps("    Given 1 consumer\n")).expect("a feature file");
    refused(
        &["run", "--features", path, "other"],
        &[],
        &["1 left out by the filter"],
    );
}

#[test]
fn an_environment_on_aks_that_is_not_up_is_refused_with_the_command_that_brings_it_up() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let out = directory.path().to_str().expect("a path of text");
    let on_aks = ["load", "--env", "aks", "--aks-out", out];
    refused(&on_aks, &[], &["use an environment on AKS", "--aks-run"]);
    let named = [&on_aks[..], &["--aks-run", "n1a"]].concat();
    refused(&named, &[], &["environment.json", "run up --run n1a first"]);
}

#[test]
fn a_load_that_producer_or_consumers_would_refuse_is_refused() {
    for (flag, text) in [
        ("--shape=trace:/no/such.csv", "open trace /no/such.csv"),
        ("--shape=sine", "ramp:<rate>..<rate>:<duration>"),
        ("--work=bogus", "'fixed:<duration>'"),
        ("--concurrency=0", "1..=1024"),
        ("--concurrency=2000", "1..=1024"),
        ("--visibility=0s", "whole seconds, from 1s"),
        ("--messages=0", "from 1 to 1000000000"),
        ("--messages=1000000001", "split a larger load"),
        ("--messages=18446744073709551616", "split a larger load"),
        ("--consumers=257", "1..=256"),
        ("--duplicate-rate=2", "from 0 to 1"),
        ("--limit=nowhere p99 2s", "none of schedule lag"),
        ("--limit=work p101 2s", "below 100"),
        ("--limit=work p99 0s", "is zero"),
        ("--settle=0s", "is zero"),
        ("--seed=x", "--seed"),
        ("--consumer-command=", "the command is empty"),
        ("--consumer-command= ", "the command is empty"),
        (
            "--consumer-command=no-such-program --flag",
            "no program \"no-such-program\"",
        ),
        ("--consumer-command=echo 'x", "the shell cannot read it"),
    ] {
        refused(&["load", flag], &[], &[text]);
    }
}

#[test]
fn variables_that_producer_or_consumers_inherit_and_refuse_are_named() {
    let features = concat!(env!("CARGO_MANIFEST_DIR"), "/../features");
    for (variable, value, text) in [
        ("EDW_MAX_ATTEMPTS", "0", "--max-attempts"),
        ("EDW_INSERT_BATCH", "x", "--insert-batch"),
        ("EDW_TRIES", "0", "--tries"),
        ("EDW_RATE", "5", "--rate"),
        ("EDW_CONSUMER_COMMAND", "no-such-program", "no-such-program"),
    ] {
        refused(&["load"], &[(variable, value)], &[text]);
        refused(
            &["run", "--features", features],
            &[(variable, value)],
            &[text],
        );
    }
}

#[test]
fn a_directory_that_takes_no_run_is_a_local_resource() {
    let features = concat!(env!("CARGO_MANIFEST_DIR"), "/../features");
    // No user can create a directory in /proc, not even root.
    let texts = ["write to the directory /proc/runs", "--out"];
    ended(6, &["load", "--out=/proc/runs"], &[], &texts);
    ended(
        6,
        &["run", "--out=/proc/runs", "--features", features],
        &[],
        &texts,
    );
}

#[test]
fn a_directory_without_a_run_is_told_once() {
    let empty = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let path = empty.path().to_str().expect("a path of text");
    let text = format!("<run>: read the event log {path}/events.jsonl: No such file");
    refused(&["report", path], &[], &[&text]);
    std::fs::write(empty.path().join("events.jsonl"), "").expect("an empty log");
    refused(&["report", path], &[], &["its event log holds no event"]);
}

#[test]
fn a_negative_number_is_told_what_is_expected() {
    let numbers: [(&[&str], &str); 3] = [
        (&["load", "--messages", "-1"], "expected a number from 1 to"),
        (
            &["load", "--seed", "-1"],
            "expected a whole number from 0 to",
        ),
        (
            &["run", "--seed", "-1"],
            "expected a whole number from 0 to",
        ),
    ];
    for (arguments, text) in numbers {
        refused(arguments, &[], &[text, "'-1'"]);
    }
}

#[test]
fn a_list_of_nothing_is_refused_as_a_run_of_nothing_is() {
    for word in [vec!["run", "--list"], vec!["run"]] {
        let mut arguments = word;
        arguments.push("no scenario has this name");
        refused(
            &arguments,
            &[],
            &["left out by the filter", "--list shows all"],
        );
    }
}

#[test]
fn an_empty_variable_is_named() {
    let tip = "counts as a value: EDW_STORAGE; unset";
    refused(&["run", "--list"], &[("EDW_STORAGE", "")], &[tip]);
}

/// A shell reads the file at each start, so that an empty one must not look like success.
#[cfg(target_os = "linux")]
#[test]
fn completions_that_a_full_disk_does_not_take_are_no_success() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["completions", "bash"])
        .stdout(full.expect("a device of Linux"))
        .output()
        .expect("the harness must start");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("write the completions"), "{said}");
}

/// A cluster that cannot be asked was named wrongly, as it is for a run.
#[test]
fn a_cluster_that_does_not_answer_is_wrong_input_of_a_sweep() {
    let config = "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {server: 'http://127.0.0.1:1'}\n\
        users:\n- name: u\n  user: {}\ncontexts:\n- name: away\n  context: {cluster: c, user: u}\n";
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let file = dir.path().join("config");
    std::fs::write(&file, config).expect("a file");
    let kubeconfig = file.to_str().expect("a path of text");
    refused(
        &["sweep", "--context", "away"],
        &[("KUBECONFIG", kubeconfig)],
        &["list the nodes", "ask the cluster of the context away"],
    );
}

#[test]
fn without_any_azurite_the_storage_that_needs_nothing_is_named() {
    let bare = [
        ("PATH", "/nonexistent"),
        ("DOCKER_HOST", "unix:///nonexistent/docker.sock"),
    ];
    let texts = ["none of its three sources", "--storage engine"];
    ended(3, &["run", "An empty queue"], &bare, &texts);
}

/// `aks check` starts the consumer in a pod with these variables. One that it does not take would keep every night from being ready.
#[test]
fn the_consumer_takes_the_settings_of_the_probe_of_an_aks_environment() {
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["consumer", "--probe"])
        .env_clear()
        .envs(aks::probe_variables("account", "queue", "table"))
        .output()
        .expect("the harness must start");
    let said = String::from_utf8_lossy(&output.stderr);
    // It has read all of them, and misses those that a pod has from workload identity.
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("cannot start error=\"sign in with workload identity"),
        "{said}"
    );
}
