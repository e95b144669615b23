//! `harness simulate`: which input it refuses, and which files it writes.

mod more;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const K8S: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../k8s");

const SAMPLE: &str = "\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: aws2az-queue-scaleobj}
spec:
  scaleTargetRef: {name: aqs-app}
  minReplicaCount: 0
  maxReplicaCount: 15
  pollingInterval: 30
  cooldownPeriod: 10
  triggers:
    - type: azure-queue
      authenticationRef: {name: keda-az-credentials}
      metadata: {queueName: aws2azmsgs, accountName: a, queueLength: \"5\", activationQueueLength: \"20\"}
";

fn directory() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")
}

/// Runs the simulation of `settings`, which writes its answer to `out`.
fn simulate(settings: &Path, out: &Path, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let command = command.arg("simulate").arg(settings).arg("--out").arg(out);
    let output = command.args(flags).output();
    output.expect("the harness must start")
}

/// Checks that `settings`, as text, are refused with exit code 2, and that nothing is written.
fn refused(settings: &str, flags: &[&str], texts: &[&str]) {
    let directory = directory();
    let file = directory.path().join("scaledobject.yaml");
    std::fs::write(&file, settings).expect("a file");
    let out = directory.path().join("out");
    let output = simulate(&file, &out, flags);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{flags:?}: {said}");
    for text in texts {
        assert!(said.contains(text), "{text:?} is missing in {said}");
    }
    assert!(output.stdout.is_empty() && !out.exists(), "{flags:?}");
}

#[test]
fn the_settings_of_the_sample_are_answered_in_words() {
    let directory = directory();
    let file = directory.path().join("scaledobject.yaml");
    std::fs::write(&file, SAMPLE).expect("a file");
    let out = directory.path().join("new/out");
    let output = simulate(&file, &out, &["--compare", &format!("{K8S}/base")]);
    let said = String::from_utf8_lossy(&output.stdout);
    // Findings do not change the exit code.
    assert_eq!(output.status.code(), Some(0), "{said}");
    for text in [
        "MODEL of KEDA and the HPA, not the real ones",
        "spec.triggers[0].metadata.activationQueueLength (messages-stranded)",
        "spec.cooldownPeriod (fleet-ended-at-once)",
        "15 replicas to 0",
        "k8s/base: nothing",
    ] {
        assert!(said.contains(text), "{text:?} is missing in {said}");
    }
    let page = std::fs::read_to_string(out.join("simulate.html")).expect("the page");
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    let figures = std::fs::read(out.join("simulate.json")).expect("the figures");
    let figures: serde_json::Value = serde_json::from_slice(&figures).expect("JSON");
    assert_eq!(
        figures["settings"][0]["findings"][1]["name"],
        "fleet-ended-at-once"
    );
    assert_eq!(figures["settings"][1]["findings"], serde_json::json!([]));
}

/// A number is 15 if Go reads it as 15 (`sigs.k8s.io/yaml`, `yamlToJSON`).
#[test]
fn a_number_that_is_whole_is_a_whole_number() {
    let directory = directory();
    let file = directory.path().join("scaledobject.yaml");
    let settings = SAMPLE.replace("maxReplicaCount: 15", "maxReplicaCount: 15.0");
    std::fs::write(&file, settings).expect("a file");
    let output = simulate(&file, directory.path(), &[]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(said.contains("15 replicas to 0"), "{said}");
}

#[test]
fn settings_come_from_standard_input_too() {
    let directory = directory();
    let mut harness = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["simulate", "-", "--out"])
        .arg(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the harness must start");
    // As `kubectl get -o yaml` prints it, and as PowerShell writes it to a file.
    let items = SAMPLE.replace('\n', "\n  ");
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {items}\n");
    let bytes: Vec<u8> = list.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut input = harness.stdin.take().expect("a pipe");
    input
        .write_all(&[&[0xff, 0xfe], bytes.as_slice()].concat())
        .expect("the settings");
    drop(input);
    let output = harness.wait_with_output().expect("the harness must end");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("of standard input"), "{said}");
    refused(SAMPLE, &["--compare=-"], &["no document in it has a kind"]);
}

#[test]
fn overlays_are_rendered_by_kubectl() {
    let out = directory();
    let overlay = |name: &str| {
        let path = format!("{K8S}/overlays/{name}");
        simulate(Path::new(&path), out.path(), &[])
    };
    let sample = overlay("sample");
    let error = String::from_utf8_lossy(&sample.stderr);
    if error.contains("find kubectl") {
        assert_eq!(sample.status.code(), Some(2), "{error}");
        assert_ne!(
            std::env::var("EDW_REQUIRE_KUBECTL").as_deref(),
            Ok("1"),
            "{error}"
        );
        writeln!(
            std::io::stderr(),
            "overlays_are_rendered_by_kubectl: NOT RUN: {error}"
        )
        .expect("standard error");
        return;
    }
    let said = String::from_utf8_lossy(&sample.stdout);
    assert_eq!(sample.status.code(), Some(0), "{error}");
    for text in [
        "(messages-stranded)",
        "(fleet-ended-at-once)",
        "cost on Spot",
    ] {
        assert!(said.contains(text), "{text:?} is missing in {said}");
    }
    for own in ["aks", "aks-spot", "local"] {
        let output = overlay(own);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{own}");
        assert!(
            said.contains("FOUND: nothing") && !said.contains("DOUBTFUL"),
            "{own}: {said}"
        );
    }
}

/// Changes of the sample, each with the texts of the refusal.
const REFUSED: &[(&str, &str, &[&str])] = &[
    (
        "maxReplicaCount: 15",
        "maxReplicaCount: 0",
        &[
            "spec.maxReplicaCount: is 0, must be 1",
            "the API server refuses",
        ],
    ),
    (
        "minReplicaCount: 0",
        "minReplicaCount: 16",
        &[
            "spec.minReplicaCount: is 16, must not be more than",
            "KEDA refuses it",
        ],
    ),
    (
        "pollingInterval: 30",
        "pollingInterval: \"30\"",
        &[
            "ScaledObject/aws2az-queue-scaleobj",
            "spec.pollingInterval",
            "is \"30\", must be a whole number; leave the quotes away",
        ],
    ),
    (
        "cooldownPeriod",
        "coolDownPeriod",
        &["spec.coolDownPeriod", "unknown field"],
    ),
    (
        "queueLength: \"5\"",
        "queueLength: \"0\"",
        &[
            "spec.triggers[0].metadata.queueLength: is 0",
            "KEDA never scales anything",
        ],
    ),
    (
        "type: azure-queue",
        "type: kafka",
        &["spec.triggers[0].type", "the model does not cover it"],
    ),
    (
        "      authenticationRef: {name: keda-az-credentials}\n",
        "",
        &[
            "spec.triggers[0]: names no way to the queue",
            "KEDA refuses it",
        ],
    ),
    (
        "kind: ScaledObject",
        "kind: ScaledJob",
        &[
            "read ScaledJob/aws2az-queue-scaleobj",
            "spec.cooldownPeriod",
        ],
    ),
    (
        "keda.sh/v1alpha1",
        "keda.sh/v2",
        &["write \"keda.sh/v1alpha1\""],
    ),
    ("spec:", "spec: [", &["as YAML"]),
    // Kubernetes `objectmeta.go`, `ValidateObjectMetaAccessor`
    (
        "name: aws2az-queue-scaleobj",
        "name: SO_1",
        &[
            "metadata.name: is \"SO_1\", must be small letters",
            "such as \"so-1\" (the API server refuses",
        ],
    ),
    (
        "maxReplicaCount: 15",
        "maxReplicaCount: 15.5",
        &[
            "spec.maxReplicaCount",
            "is the number 15.5, must be a whole number",
        ],
    ),
    (
        "maxReplicaCount: 15",
        "maxReplicaCount: ${MAX}",
        &[
            "spec.maxReplicaCount",
            "a placeholder; write a value there first",
        ],
    ),
    (
        "kind: ScaledObject",
        "kind: scaledobject",
        &["names of kinds have their case; write \"kind: ScaledObject\""],
    ),
];

#[test]
fn what_a_cluster_refuses_is_refused_with_field_and_reason() {
    for (from, to, texts) in REFUSED {
        refused(&SAMPLE.replacen(from, to, 1), &[], texts);
    }
}

#[test]
fn one_scaled_object_is_chosen_by_its_name() {
    refused("", &[], &["find a ScaledObject"]);
    let two = format!(
        "{SAMPLE}---\n{}",
        SAMPLE.replace("aws2az-queue-scaleobj", "other")
    );
    refused(
        &two,
        &[],
        &["aws2az-queue-scaleobj, other; name one with --scaled-object"],
    );
    refused(
        &two,
        &["--scaled-object=other"],
        &["Deployment/aqs-app, which ScaledObject/aws2az-queue-scaleobj scales too"],
    );
    refused(
        &two,
        &["--scaled-object=third"],
        &["find ScaledObject/third", "other"],
    );
}

#[test]
fn flags_that_make_no_sense_are_named() {
    for (flags, text) in [
        (&["--shape=burst"][..], "needs --messages"),
        (&["--shape=sine"], "ramp:<rate>..<rate>:<duration>"),
        (&["--shape=trace:/no/such.csv"], "open trace /no/such.csv"),
        (&["--service-rate=0/s"], "never ends a backlog"),
        (&["--in-flight=0"], "--in-flight"),
        (&["--horizon=101d"], "--horizon"),
        (&["--horizon=2401h"], "at most 100 days"),
        (&["--pods-per-node=0"], "--pods-per-node"),
        (&["--prices=/no/such.yaml"], "read prices /no/such.yaml"),
        (&["--node=huge"], "find node \"huge\""),
        (&["--compare=/no/such.yaml"], "read /no/such.yaml"),
    ] {
        refused(SAMPLE, flags, &[text]);
    }
}

#[test]
fn a_directory_that_takes_no_answer_is_a_local_resource() {
    let base = format!("{K8S}/base");
    // No user can create a directory in /proc, not even root.
    let output = simulate(Path::new(&base), Path::new("/proc/answers"), &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("--out"), "{said}");
}
