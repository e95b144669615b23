//! Tests of names, in a manifest and in flags, of objects that exist, are elsewhere, or cannot exist.

use super::jobs::{job, refused};
use super::*;

/// An authentication with this name and these other lines of metadata.
fn authentication(kind: &str, name: &str, namespace: &str) -> String {
    format!(
        "---\napiVersion: keda.sh/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}{namespace}}}\nspec: {{podIdentity: \
         {{provider: azure-workload}}}}\n"
    )
}

/// `file` with `text` appended, and with `from` replaced by `to`.
fn changed(file: &NamedTempFile, [from, to]: [&str; 2], text: &str) -> String {
    let before = std::fs::read_to_string(file.path()).unwrap();
    assert!(before.contains(from), "{from}: {before}");
    let after = before.replace(from, to) + text;
    std::fs::write(file.path(), after).unwrap();
    file.path().display().to_string()
}

const LOAD: &str = "--shape burst --messages 5 --work fixed:1s --horizon 10m";

/// The warnings about the named authentication.
fn doubts(path: &str) -> Vec<String> {
    let words = std::iter::once(path).chain(LOAD.split_whitespace());
    let answer = simulate(&args(&words.collect::<Vec<_>>())).unwrap();
    let mut warnings = answer.settings.into_iter().next().unwrap().warnings;
    warnings.retain(|warning| warning.contains("authenticationRef"));
    warnings
}

/// Source: KEDA `scale_resolvers.go`, `getTriggerAuthSpec`, which looks in the namespace of the ScaledObject or ScaledJob.
#[test]
fn an_authentication_that_is_not_beside_what_names_it_is_doubtful() {
    let of_object = || {
        (
            sample(),
            "{name: aws2az-queue-scaleobj}",
            "keda-az-credentials",
        )
    };
    let of_job = || (job(""), "{name: encoder}", "queue");
    for make in [of_object as fn() -> _, of_job] {
        let doubts = |kind: &str, name: Option<&str>, namespace: &str| {
            let (file, metadata, named) = make();
            let placed = metadata.replace('}', ", namespace: orders}");
            let others = authentication(kind, name.unwrap_or(named), namespace);
            doubts(&changed(&file, [metadata, &placed], &others))
        };
        let own = "TriggerAuthentication";
        assert_eq!(doubts(own, None, ", namespace: orders"), [""; 0]);
        assert_eq!(doubts(own, None, ""), [""; 0]);
        let elsewhere = doubts(own, None, ", namespace: keda");
        assert!(
            elsewhere[0].contains("is in the namespace keda, and KEDA looks for it in orders"),
            "{elsewhere:?}"
        );
        for (kind, name) in [(own, Some("other")), ("ClusterTriggerAuthentication", None)] {
            let missing = doubts(kind, name, "");
            assert!(
                missing[0].contains("there is no TriggerAuthentication"),
                "{missing:?}"
            );
        }
        let (file, metadata, _) = make();
        let alone = changed(&file, [metadata, metadata], "");
        assert_eq!(
            super::references::doubts(&alone),
            [""; 0],
            "nobody gave any"
        );
    }
}

/// A plot of replicas for a queue whose name is invalid would be no answer.
#[test]
fn a_queue_that_cannot_be_there_is_not_simulated() {
    for name in ["Orders_1", "\"${QUEUE}\""] {
        let file = sample();
        changed(
            &file,
            ["queueName: orders", &format!("queueName: {name}")],
            "",
        );
        let told = refused(&file, LOAD);
        for part in [
            "ScaledObject/aws2az-queue-scaleobj",
            "spec.triggers[0].metadata.queueName",
            "storage refuses each read",
        ] {
            assert!(told.contains(part), "{part:?} is missing in {told}");
        }
    }
}

#[test]
fn messages_that_wait_in_a_queue_that_no_trigger_reads_are_refused() {
    for (flags, part) in [
        (
            "--waiting nowhere=5",
            "no azure-queue of the queue \"nowhere\"",
        ),
        ("--waiting orders=5", "the queue that the load comes into"),
    ] {
        let told = refused(&sample(), &format!("{LOAD} {flags}"));
        assert!(told.contains(part), "{told}");
    }
    let told = refused(&job(""), &format!("{LOAD} --waiting nowhere=5"));
    assert!(told.contains("no azure-queue of the queue"), "{told}");
}

#[test]
fn objects_of_one_name_are_chosen_by_their_file() {
    let file = sample();
    let twin = format!("---\n{}", std::fs::read_to_string(file.path()).unwrap());
    changed(&file, ["kind", "kind"], &twin);
    for flags in ["", "--scaled-object aws2az-queue-scaleobj"] {
        let told = refused(&file, &format!("{LOAD} {flags}"));
        assert!(
            told.contains("give the file that has only the one"),
            "{told}"
        );
        assert!(!told.contains("--scaled-object"), "{told}");
    }
}

/// A refusal of a ScaledJob names the ScaledJob and its Jobs.
#[test]
fn a_scaled_job_is_refused_by_its_own_name() {
    let always = job("");
    changed(
        &always,
        [
            "template: {spec: {",
            "template: {spec: {restartPolicy: Always, ",
        ],
        "",
    );
    let told = refused(&always, LOAD);
    assert!(
        told.contains("write Never or OnFailure (the API server refuses each Job that KEDA makes"),
        "{told}"
    );
    let told = refused(&job("  pollingInterval: 0"), LOAD);
    assert!(
        told.contains("(the API server refuses the ScaledJob)"),
        "{told}"
    );
}
