//! Tests of advice for one finding that mends others, or makes them worse.

use super::jobs::job;
use super::values::{ask, file_text, finding};
use super::*;

/// Messages in work do not count, with at most 20 replicas.
fn visible(spec: &str) -> NamedTempFile {
    let file = file(spec, ", queueLengthStrategy: visibleonly");
    file_text(&file, "maxReplicaCount: 15", "maxReplicaCount: 20")
}

/// The advice for this finding.
fn mend<'a>(answer: &'a Forecast, name: &str) -> &'a str {
    &finding(answer, name).mend
}

/// Windows of 10 minutes would mend it too, but two of them.
#[test]
fn one_change_that_mends_several_findings_comes_before_two() {
    let load = "--shape burst --messages 100 --work fixed:10m --in-flight 5 --horizon 1h";
    let answer = ask(visible("  cooldownPeriod: 300").path(), load);
    let lost = mend(&answer, "work-cut-off");
    let grace = "give the Deployment terminationGracePeriodSeconds: 605; tried on the model, the number of messages whose work is lost \
                 then goes from 1000 to 0";
    assert!(lost.starts_with(grace), "{lost}");
    let thrash = mend(&answer, "thrash");
    assert!(!thrash.contains("stabilizationWindowSeconds"), "{thrash}");
    assert!(thrash.contains("then goes from 10 to 0"), "{thrash}");
}

/// A window of half an hour would mend it too, with nearly three times the replica time.
#[test]
fn the_cheapest_change_is_advised() {
    let spec = "  cooldownPeriod: 300
  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleDown: {stabilizationWindowSeconds: 0}}}}";
    let load = "--shape constant:2/s --duration 20m --work fixed:40s --in-flight 5 --horizon 40m";
    let answer = ask(visible(spec).path(), load);
    let mend = mend(&answer, "work-cut-off");
    assert!(
        mend.starts_with("give the Deployment terminationGracePeriodSeconds: 45; tried"),
        "{mend}"
    );
    assert!(
        mend.contains(" to 0") && !mend.contains("all replicas together"),
        "{mend}"
    );
}

#[test]
fn findings_that_different_fields_mend_do_not_conflict() {
    let spec = "  pollingInterval: 5\n  cooldownPeriod: 30";
    let load = "--shape burst:100/5m --duration 30m --work fixed:1m --in-flight 5 --grace 20s --horizon 40m";
    let answer = ask(visible(spec).path(), load);
    let lost = mend(&answer, "work-cut-off");
    assert!(
        lost.contains("the number of messages whose work is lost then goes from"),
        "{lost}"
    );
    assert!(lost.contains(" to 0"), "{lost}");
    for name in ["work-cut-off", "thrash"] {
        let mend = mend(&answer, name);
        assert!(!mend.contains("decide which"), "{mend}");
    }
}

const JOBS: &str = "--shape burst --messages 60 --work fixed:4m --horizon 40m";

/// With one message per job, and as many jobs as messages, no message waits for longer than a poll and a start.
#[test]
fn several_messages_in_one_job_are_to_blame_for_the_wait() {
    let several = file_text(&job(""), "queueLength: \"1\"", "queueLength: \"5\"");
    let answer = ask(several.path(), JOBS);
    let wait = finding(&answer, "messages-wait");
    assert!(
        wait.field
            .starts_with("spec.triggers[0].metadata.queueLength"),
        "{wait:?}"
    );
    assert!(
        wait.mend
            .starts_with("write queueLength: \"1\", and write maxReplicaCount: 60; tried"),
        "{wait:?}"
    );
}

/// KEDA `pkg/scaling/executor/scale_jobs.go`, `getScalingDecision`: the minimum is made anew with every poll.
#[test]
fn a_minimum_of_jobs_that_find_no_message_is_found() {
    let answer = ask(job("  minReplicaCount: 3").path(), JOBS);
    let vain = finding(&answer, "jobs-in-vain");
    assert_eq!(vain.field, "spec.minReplicaCount");
    assert!(
        vain.mend.starts_with("write minReplicaCount: 0; tried"),
        "{vain:?}"
    );
    assert!(vain.mend.contains("to 0"), "{vain:?}");
}

#[test]
fn what_advice_makes_worse_of_another_finding_is_told() {
    let custom = job(
        "  scalingStrategy: {strategy: custom, customScalingQueueLengthDeduction: 1, customScalingRunningJobPercentage: '0.5'}",
    );
    let answer = ask(custom.path(), JOBS);
    let vain = mend(&answer, "jobs-in-vain");
    assert!(vain.contains("; but the longest wait goes from"), "{vain}");
    let wait = mend(&answer, "messages-wait");
    assert!(
        !wait.contains("pollingInterval: 5")
            || wait.contains("; but the number of jobs in vain goes from"),
        "{wait}"
    );
}

/// The tail is stranded for the rest of the time, which hid that all others had waited for hours.
#[test]
fn what_is_stranded_at_the_end_hides_no_wait_before() {
    let load = "--shape burst --messages 27000 --work exponential:60s --in-flight 5 --horizon 10h";
    let sample = sample();
    let answer = ask(sample.path(), load);
    let found = found(&answer.settings[0]);
    for name in ["messages-stranded", "messages-wait"] {
        assert!(found.contains(&name), "{found:?}");
    }
    let stranded = finding(&answer, "messages-stranded");
    let warns = stranded.mend.contains("messages-wait, which was not");
    assert!(!warns, "{}", stranded.mend);
    // Nobody waits long for replicas here, only for others to come.
    let few = ask(sample.path(), "--shape burst --messages 15 --horizon 10h");
    let found = super::found(&few.settings[0]);
    assert!(found.contains(&"messages-stranded"), "{found:?}");
    assert!(!found.contains(&"messages-wait"), "{found:?}");
}
