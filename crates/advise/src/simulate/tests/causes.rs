//! Tests of causes that are named: a finding is about the field that makes it, and advice changes that one.

use super::jobs::job;
use super::values::{annotated, ask, figure, file_text, finding};
use super::*;

const AT_LEAST_THREE: &str = "  pollingInterval: 30\n  cooldownPeriod: 300";

/// Nobody has said how long a message takes: the model's guess is no reason to change a Deployment.
#[test]
fn a_guess_of_the_work_is_no_finding_about_the_grace() {
    let hundred = file_text(&file("", ""), "queueLength: \"5\"", "queueLength: \"100\"");
    let grace = |flags: &str| {
        let answer = ask(hundred.path(), flags);
        found(&answer.settings[0]).contains(&"grace-shorter-than-work")
    };
    assert!(!grace(""));
    assert!(grace("--work fixed:100s"));
    assert!(grace("--in-flight 100"));
}

/// Both are asked about the same replicas.
#[test]
fn settings_that_are_compared_have_the_same_replicas() {
    let five = file("", "");
    let one = file_text(&five, "queueLength: \"5\"", "queueLength: \"1\"");
    let other = one.path().display().to_string();
    let answer = ask(five.path(), &format!("--compare {other}"));
    let of = answer
        .settings
        .iter()
        .map(|it| (it.in_flight, it.work.clone()));
    let five_at_once = (5, "fixed:5s".to_owned());
    assert_eq!(of.collect::<Vec<_>>(), [five_at_once.clone(), five_at_once]);
}

/// 15 messages are too few to be active, and wait until the next 15 come: stranded, and found as that alone.
#[test]
fn a_wait_for_the_activation_is_one_finding() {
    let load = "--shape burst:15/8m --horizon 30m";
    let objects = file(AT_LEAST_THREE, ", activationQueueLength: \"20\"");
    let answer = ask(objects.path(), load);
    let names = found(&answer.settings[0]);
    assert!(
        names.contains(&"messages-stranded") && !names.contains(&"messages-wait"),
        "{names:?}"
    );
    let jobs = file_text(
        &job(""),
        "queueLength: \"1\"",
        "queueLength: \"1\", activationQueueLength: \"20\"",
    );
    let jobs = file_text(&jobs, "maxReplicaCount: 20", "maxReplicaCount: 40");
    let answer = ask(jobs.path(), load);
    let names = found(&answer.settings[0]);
    assert_eq!(names, ["messages-stranded"]);
}

/// A burst of 27,000 takes 15 replicas 6 hours, whether its last messages are stranded or not.
#[test]
fn a_wait_of_hours_is_found_beside_stranded_messages() {
    let load = "--shape burst --messages 27000 --work exponential:60s --in-flight 5 --horizon 10h";
    let answer = ask(sample().path(), load);
    let wait = finding(&answer, "messages-wait");
    assert_eq!(wait.field, "spec.maxReplicaCount");
    assert!(
        wait.reason.contains("waits for up to 6 h before"),
        "{wait:?}"
    );
    // Which was found before.
    let stranded = finding(&answer, "messages-stranded");
    assert!(
        stranded.mend.starts_with("write \"0\"; tried") && !stranded.mend.contains("which was not"),
        "{stranded:?}"
    );
    // 20 jobs do 20 messages every 10 minutes, and the last 20 are too few.
    let jobs = file_text(
        &job(""),
        "queueLength: \"1\"",
        "queueLength: \"1\", activationQueueLength: \"20\"",
    );
    let load = "--shape burst --messages 200 --work fixed:10m --horizon 4h";
    let answer = ask(jobs.path(), load);
    let names = found(&answer.settings[0]);
    assert_eq!(names, ["messages-stranded", "messages-wait"]);
    let wait = finding(&answer, "messages-wait");
    assert_eq!(wait.field, "spec.maxReplicaCount");
}

/// KEDA goes to 1 with every poll (`scale_scaledobjects.go`, `scaleToZeroOrIdle`), and the HPA back to 3 (`horizontal.go`,
/// `reconcileAutoscaler`: below the minimum).
#[test]
fn replicas_that_come_and_go_when_idle_are_blamed_on_the_idle_count() {
    let idle = file_text(
        &file(AT_LEAST_THREE, ""),
        "minReplicaCount: 0",
        "minReplicaCount: 3\n  idleReplicaCount: 1",
    );
    let answer = ask(idle.path(), "--shape burst --messages 100");
    let thrash = finding(&answer, "thrash");
    assert_eq!(thrash.field, "spec.idleReplicaCount");
    assert!(
        thrash.reason.starts_with("1: while the queue is idle"),
        "{thrash:?}"
    );
    assert!(
        thrash.mend.starts_with("write idleReplicaCount: 0; tried"),
        "{thrash:?}"
    );
}

/// A ScaledObject that was never active has no cooldown, but an initial one (`scaleToZeroOrIdle`).
#[test]
fn a_new_scaled_object_is_scaled_in_by_its_initial_cooldown() {
    let least = base();
    let answer = ask(Path::new(&least), "--age 0s --shape ramp:0/s..20/s:5m");
    let thrash = finding(&answer, "thrash");
    assert_eq!(thrash.field, "spec.initialCooldownPeriod");
    assert!(
        thrash
            .reason
            .starts_with("0 s: KEDA takes the replicas away"),
        "{thrash:?}"
    );
    assert!(
        thrash
            .mend
            .starts_with("write initialCooldownPeriod: 300; tried"),
        "{thrash:?}"
    );
}

#[test]
fn a_wait_for_the_first_poll_is_blamed_on_it() {
    let load = "--shape burst --messages 10 --max-wait 15s";
    let answer = ask(file(AT_LEAST_THREE, "").path(), load);
    let wait = finding(&answer, "messages-wait");
    let fields = ["spec.pollingInterval", "spec.minReplicaCount"];
    assert!(fields.contains(&wait.field.as_str()), "{wait:?}");
    assert!(!wait.mend.contains("nothing that was tried"), "{wait:?}");
}

/// KEDA keeps a replica for it at all times: `force-activation` in `scale_handler.go`, and a queue that has always more messages
/// than a negative number.
#[test]
fn what_is_always_active_has_a_replica_when_the_load_begins() {
    let load = "--shape burst --messages 5";
    let forced = annotated("  pollingInterval: 30", "force-activation: \"true\"");
    let negative = file("  pollingInterval: 30", ", activationQueueLength: \"-1\"");
    for always in [forced, negative] {
        let answer = ask(always.path(), load);
        assert_eq!(answer.settings[0].replicas[0], (0.0, 1));
        assert_eq!(figure(&answer, "longest wait"), "0 s");
    }
}

#[test]
fn jobs_for_other_triggers_are_not_blamed_on_the_strategy() {
    let cron = "- type: cron\n      metadata: {timezone: UTC, start: 0 8 * * *, end: 0 9 * * *, desiredReplicas: \"5\"}\n    ";
    let both = file_text(
        &job(""),
        "- type: azure-queue",
        &format!("{cron}- type: azure-queue"),
    );
    let load = "--shape burst --messages 5 --at 2026-11-30T08:00:00Z --work fixed:10s";
    let answer = ask(both.path(), load);
    let vain = finding(&answer, "jobs-in-vain");
    assert_eq!(vain.field, "spec.triggers[0]");
    assert!(
        vain.reason.starts_with("a cron trigger asks for jobs"),
        "{vain:?}"
    );
}

#[test]
fn no_further_finding_is_made_of_a_queue_without_jobs() {
    let none = file_text(&job(""), "queueLength: \"1\"", "queueLength: \"0\"");
    let answer = ask(none.path(), "--shape burst --messages 9");
    assert_eq!(found(&answer.settings[0]), ["no-job-ever"]);
}

/// Of a job that was said to take five messages, advice says nothing else.
#[test]
fn a_job_keeps_the_length_that_it_was_given() {
    let five = file_text(&job(""), "queueLength: \"1\"", "queueLength: \"5\"");
    let load = "--shape burst --messages 60 --work fixed:4m --horizon 40m";
    let given = ask(five.path(), &format!("{load} --messages-per-job 5"));
    let follows = ask(five.path(), load);
    let [given, follows] = [given, follows].map(|it| finding(&it, "messages-wait").mend.clone());
    assert_ne!(given, follows);
}

/// The annotation keeps them waiting, whatever the threshold is.
#[test]
fn what_a_pause_keeps_waiting_is_not_stranded() {
    let paused = annotated("  pollingInterval: 30", "paused-scale-out: \"true\"");
    let paused = file_text(
        &paused,
        "queueLength: \"5\"",
        "queueLength: \"5\", activationQueueLength: \"20\"",
    );
    let answer = ask(paused.path(), "--shape burst --messages 15");
    assert_eq!(found(&answer.settings[0]), ["paused-scale-out"]);
}
