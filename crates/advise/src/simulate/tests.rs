//! Tests of answers for settings with known problems.

mod advice;
mod causes;
mod deployments;
mod jobs;
mod others;
mod references;
mod values;

use std::io::Write as _;
use std::path::Path;

use clap::Parser;
use tempfile::NamedTempFile;

use super::*;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: SimulateArgs,
}

fn args(words: &[&str]) -> SimulateArgs {
    Command::parse_from(["simulate"].iter().chain(words)).args
}

/// The sample's ScaledObject, with its `spec` replaced by these lines.
fn file(spec: &str, metadata: &str) -> NamedTempFile {
    let mut file = NamedTempFile::with_suffix(".yaml").unwrap();
    let text = format!(
        "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: aws2az-queue-scaleobj}}
spec:
  scaleTargetRef: {{name: aqs-app}}
  minReplicaCount: 0
  maxReplicaCount: 15
{spec}
  triggers:
    - type: azure-queue
      authenticationRef: {{name: keda-az-credentials}}
      metadata: {{queueName: orders, accountName: a, queueLength: \"5\"{metadata}}}
"
    );
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn sample() -> NamedTempFile {
    file(
        "  pollingInterval: 30\n  cooldownPeriod: 10",
        ", activationQueueLength: \"20\"",
    )
}

fn base() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/base");
    path.display().to_string()
}

fn answer(path: &Path, words: &[&str]) -> Forecast {
    let path = path.display().to_string();
    let words = [&[path.as_str()], words].concat();
    simulate(&args(&words)).unwrap()
}

fn found(prospect: &Prospect) -> Vec<&str> {
    prospect.findings.iter().map(|found| found.name).collect()
}

#[test]
fn the_samples_settings_strand_the_tail_and_end_fifteen_replicas_at_once() {
    let file = sample();
    let answer = answer(file.path(), &["--pods-per-node", "4"]);
    let prospect = &answer.settings[0];
    assert_eq!(
        found(prospect),
        ["messages-stranded", "fleet-ended-at-once", "thrash"]
    );
    let [stranded, fleet, _] = &prospect.findings[..] else {
        unreachable!("compared above");
    };
    assert!(stranded.field.ends_with("activationQueueLength"));
    assert!(
        stranded
            .reason
            .contains("20 messages or fewer is not active")
    );
    assert!(
        stranded
            .mend
            .starts_with("write \"0\"; tried on the model, ")
    );
    assert!(
        stranded.mend.contains(" to 0 s; all replicas together "),
        "{}",
        stranded.mend
    );
    assert_eq!(fleet.field, "spec.cooldownPeriod");
    for part in [
        "10 s, and pollingInterval is 30 s",
        "from 15 replicas to 0, ",
        "of them at work on",
        "done within the grace of 30 s",
        "whatever the phases",
    ] {
        assert!(fleet.reason.contains(part), "{part}: {}", fleet.reason);
    }
    let figures = &prospect.figures;
    assert_eq!(figures.time_to_drain_s.likely, None);
    let stranded = figures.stranded_messages.most.unwrap();
    assert!((1.0..=20.0).contains(&stranded), "{stranded}");
    assert!(figures.messages_interrupted.least.unwrap() >= 10.0);
}

#[test]
fn our_own_settings_do_neither_and_cost_what_their_nodes_do() {
    let answer = answer(Path::new(&base()), &["--band"]);
    let prospect = &answer.settings[0];
    assert_eq!(found(prospect), [""; 0]);
    assert_eq!(prospect.warnings, [""; 0]);
    assert_eq!(prospect.in_flight, 5, "of EDW_CONCURRENCY");
    let figures = &prospect.figures;
    assert_eq!(figures.stranded_messages.most, Some(0.0));
    assert_eq!(figures.messages_left.most, Some(0.0));
    let (full, max) = (figures.time_to_full_scale_s, figures.most_replicas);
    assert!(
        full.least <= full.likely && full.likely <= full.most,
        "{full:?}"
    );
    assert_eq!(max.likely, Some(15.0));
    let Cost::Known(priced) = &prospect.cost else {
        panic!("{:?}", prospect.cost);
    };
    // 100m and 64Mi each, on a node for 30 pods; spread over the hosts with a maxSkew of 5.
    assert_eq!((priced.replicas_per_node, priced.spread), (5, true));
    let price = priced.on_demand.likely.unwrap() / priced.node_hours.likely.unwrap();
    assert!((price - 0.2).abs() < 1e-9, "{price}");
    assert!(priced.spot.likely < priced.on_demand.likely);
}

#[test]
fn each_finding_has_its_cause() {
    let quick = "  pollingInterval: 10\n  cooldownPeriod: 300";
    let cases = [
        // Only the cooldown: all replicas end at once, and no messages are stranded.
        (
            file("  pollingInterval: 30\n  cooldownPeriod: 10", ""),
            &["--shape", "burst", "--messages", "500"][..],
            &["fleet-ended-at-once"][..],
        ),
        (
            file(quick, ", activationQueueLength: \"20\""),
            &["--shape", "burst", "--messages", "20"],
            &["messages-stranded"],
        ),
        // Replicas end while one message per second is still in work.
        (
            file(quick, ", queueLengthStrategy: visibleonly"),
            &["--shape", "constant:1/s"],
            &["work-ended"],
        ),
        (
            file(quick, ""),
            &["--shape", "constant:40/s"],
            &["falls-behind"],
        ),
        (file(quick, ""), &["--shape", "burst:500/7m"], &["thrash"]),
    ];
    for (file, words, expected) in cases {
        let answer = answer(file.path(), words);
        let prospect = &answer.settings[0];
        for name in expected {
            assert!(
                found(prospect).contains(name),
                "{name}: {:?}",
                prospect.findings
            );
        }
    }
    let steady = file(quick, "");
    let steady = answer(steady.path(), &["--shape", "constant:10/s"]);
    assert_eq!(found(&steady.settings[0]), [""; 0]);
}

#[test]
fn what_a_pause_does_is_told() {
    let paused = sample();
    let text = std::fs::read_to_string(paused.path()).unwrap();
    let annotated = "{name: a, annotations: {autoscaling.keda.sh/paused-replicas: \"3\"}}";
    let text = text.replace("{name: aws2az-queue-scaleobj}", annotated);
    std::fs::write(paused.path(), text).unwrap();
    let answer = answer(paused.path(), &["--band"]);
    assert_eq!(found(&answer.settings[0]), ["paused"]);
    let reason = &answer.settings[0].findings[0].reason;
    assert!(
        reason.contains("There are 3 replicas, the queue has up to 4"),
        "{reason}"
    );
    assert_eq!(answer.settings[0].replicas, [(0.0, 3)]);
    let range = answer.settings[0].replicas_possible[100];
    assert_eq!(range, (3.0, 3.0));
}

#[test]
fn every_view_has_the_figures_the_findings_and_whose_they_are() {
    let file = sample();
    let base = base();
    let answer = answer(file.path(), &["--compare", &base, "--band"]);
    let text = text(&answer, false);
    assert!(text.lines().all(|line| line.chars().count() < 80), "{text}");
    let html = page::page(&answer);
    for view in [&text, &html] {
        for part in [
            "model of KEDA and the HPA",
            "messages-stranded",
            "fleet-ended-at-once",
            "examples, not offers",
            "time to full scale",
        ] {
            let found = view.to_lowercase().contains(&part.to_lowercase());
            assert!(found, "{part:?} is missing in {view}");
        }
    }
    for part in ["FOUND with", ": nothing", "░ possible", "│"] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    assert!(!text.contains('\x1b') && super::text(&answer, true).contains('\x1b'));
    for external in ["<script", "src=", "<link", "url("] {
        assert!(!html.contains(external), "{external}");
    }
    assert_eq!(html.matches("class=\"possible ").count(), 4);
    let json = serde_json::to_value(&answer).unwrap();
    let first = &json["settings"][0];
    assert_eq!(json["answered_by"], "model of KEDA and the HPA");
    assert_eq!(first["findings"][0]["name"], "messages-stranded");
    assert!(first["figures"]["time_to_full_scale_s"]["likely"].is_f64());
    assert!(first["figures"]["time_to_drain_s"]["likely"].is_null());
    assert!(json["settings"][1]["cost"]["node_hours"]["most"].is_f64());
    assert!(
        first["cost"]["unknown"]
            .as_str()
            .unwrap()
            .contains("--pods-per-node")
    );
}

#[test]
fn without_a_band_no_view_shows_one() {
    let file = sample();
    let answer = answer(file.path(), &[]);
    assert!(!text(&answer, false).contains('░'));
    assert!(!page::page(&answer).contains("class=\"possible "));
}
