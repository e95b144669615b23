//! Tests of advice and blame: each advised change is checked with the answer for changed settings.

use super::jobs::job;
use super::values::{annotated, ask, figure, file_text, finding};
use super::*;

/// KEDA's sample without any limits in its spec.
fn plain() -> NamedTempFile {
    file("  pollingInterval: 15\n  cooldownPeriod: 300", "")
}

/// With these rules for scale-out.
fn with_up(rules: &str) -> NamedTempFile {
    let up = format!(
        "  pollingInterval: 15
  advanced: {{horizontalPodAutoscalerConfig: {{behavior: {{scaleUp: {{{rules}}}}}}}}}"
    );
    file(&up, "")
}

/// 40 messages of 90 s, 5 for each of 8 replicas that take one at a time: the last waits for 4 x 90 s. With a target of one
/// message per replica there are 15 replicas, and the last waits for 2 x 90 s: less than the allowed 5 min, but more than half
/// of the first wait.
#[test]
fn a_change_with_which_nothing_is_found_helps_however_little_it_changes() {
    let load = "--shape burst --messages 40 --work fixed:90s --in-flight 1 --horizon 40m";
    let file = plain();
    let answer = ask(file.path(), load);
    let wait = finding(&answer, "messages-wait");
    assert_eq!(wait.field, "spec.triggers[0].metadata.queueLength");
    // The likely wait; the advice gives the worst of all phases, and the cost.
    let likely = figure(&answer, "longest wait");
    assert!(likely.starts_with("6 min 33 s "), "{likely}");
    let advice = "write queueLength: \"1\"; tried on the model, the longest wait then goes from 6 min 53 s to 4 min 8 s; all replicas \
                  together are then there for 2 h 18 min, not 1 h 22 min";
    assert_eq!(wait.mend, advice);
    let mended = file_text(&file, "queueLength: \"5\"", "queueLength: \"1\"");
    let mended = ask(mended.path(), load);
    assert!(!found(&mended.settings[0]).contains(&"messages-wait"));
    let likely = figure(&mended, "longest wait");
    assert!(likely.starts_with("3 min 4"), "{likely}");
    // A limit that the change does not meet: the wait is clearly shorter, and reported as still found.
    let answer = ask(file.path(), &format!("{load} --max-wait 1m"));
    let wait = finding(&answer, "messages-wait");
    assert!(
        wait.mend.contains(", which is less, and still too much"),
        "{}",
        wait.mend
    );
}

#[test]
fn two_changes_are_tried_together_where_neither_mends() {
    let disabled = with_up("selectPolicy: Disabled");
    let load = "--shape constant:30/s --horizon 30m";
    let answer = ask(disabled.path(), load);
    let behind = finding(&answer, "falls-behind");
    let (up, most) = (
        "take behavior.scaleUp away, so that its defaults hold",
        "write maxReplicaCount: 60",
    );
    assert!(
        behind
            .mend
            .starts_with(&format!("{up}, and {most}; tried on the model")),
        "{}",
        behind.mend
    );
    for field in ["scaleUp.selectPolicy and ", "spec.maxReplicaCount"] {
        assert!(behind.field.contains(field), "{}", behind.field);
    }
    let mended = file_text(&disabled, "{selectPolicy: Disabled}", "{}");
    let mended = file_text(&mended, "maxReplicaCount: 15", "maxReplicaCount: 60");
    let mended = ask(mended.path(), load);
    assert_eq!(found(&mended.settings[0]), [""; 0]);
}

#[test]
fn a_horizon_that_cuts_into_a_drain_is_told_and_no_finding() {
    let file = plain();
    let load = "--shape burst --messages 3000";
    let whole = ask(file.path(), &format!("{load} --horizon 20m"));
    assert!(!found(&whole.settings[0]).contains(&"falls-behind"));
    assert_eq!(whole.settings[0].cut, None);
    let drained = whole.settings[0].figures.time_to_drain_s.likely.unwrap();
    assert!((230.0..250.0).contains(&drained), "{drained}");

    let answer = ask(file.path(), &format!("{load} --horizon 3m"));
    let prospect = &answer.settings[0];
    assert_eq!(found(prospect), [""; 0]);
    let cut = prospect.cut.as_ref().expect("870 are left");
    assert!(cut.ends_with("--horizon 5m shows all of it"), "{cut}");
    assert!(text(&answer, false).contains("The horizon cuts into a drain"));
    assert!(page::page(&answer).contains("The horizon cuts into a drain"));
    // The advised horizon is enough.
    let longer = ask(file.path(), &format!("{load} --horizon 5m"));
    assert_eq!(longer.settings[0].figures.messages_left.most, Some(0.0));

    // A wait that becomes too long only after the horizon is found with the drain.
    let answer = ask(file.path(), "--shape burst --messages 6000 --horizon 5m");
    assert_eq!(found(&answer.settings[0]), ["messages-wait"]);
    assert!(answer.settings[0].cut.is_some());
    // More arrivals, or a drain of hours, do not count as cut by the horizon.
    for load in [
        "--shape constant:30/s --horizon 3m",
        "--shape burst --messages 90000 --horizon 3m",
        "--shape burst:3000/1m --messages 30000 --horizon 3m",
    ] {
        let answer = ask(file.path(), load);
        assert_eq!(answer.settings[0].cut, None, "{load}");
        assert!(found(&answer.settings[0]).contains(&"falls-behind"));
    }
    let answer = ask(
        job("").path(),
        "--shape burst --messages 60 --work fixed:1m --horizon 2m",
    );
    assert_eq!(found(&answer.settings[0]), [""; 0]);
    assert!(answer.settings[0].cut.is_some());
}

#[test]
fn the_field_is_to_blame_whose_change_mends() {
    let load = "--shape burst --messages 500 --age 1m";
    let answer = ask(
        with_up("stabilizationWindowSeconds: 300").path(),
        &format!("{load} --max-wait 4m"),
    );
    let wait = finding(&answer, "messages-wait");
    assert!(
        wait.field.ends_with("scaleUp.stabilizationWindowSeconds"),
        "{wait:?}"
    );
    assert!(
        wait.reason
            .starts_with("300 s: the HPA adds a replica only when")
    );
    assert!(
        wait.mend.starts_with("take behavior.scaleUp away"),
        "{wait:?}"
    );
    let slow = "policies: [{type: Pods, value: 1, periodSeconds: 300}]";
    let answer = ask(with_up(slow).path(), &format!("{load} --max-wait 2m"));
    let wait = finding(&answer, "messages-wait");
    assert!(wait.field.ends_with("scaleUp.policies"), "{wait:?}");
    let rare = file("  pollingInterval: 600\n  cooldownPeriod: 700", "");
    let answer = ask(rare.path(), load);
    let wait = finding(&answer, "messages-wait");
    assert_eq!(wait.field, "spec.pollingInterval");
    assert!(wait.mend.starts_with("write pollingInterval: 30; tried"));
}

#[test]
fn what_comes_at_the_very_horizon_is_not_left() {
    let load = "--shape burst --messages 15 --repeat 10m";
    for file in [plain(), job("")] {
        let at = ask(
            file.path(),
            &format!("{load} --horizon 30m --work fixed:5s"),
        );
        assert_eq!(figure(&at, "messages left"), "0");
        assert_eq!(figure(&at, "most messages"), "15");
        let after = ask(
            file.path(),
            &format!("{load} --horizon 1801s --work fixed:5s"),
        );
        assert_eq!(figure(&after, "messages left"), "15");
    }
}

#[test]
fn jobs_get_as_many_whole_messages_as_replicas() {
    let objects = annotated("  pollingInterval: 15", "paused: \"true\"");
    let jobs = job("");
    let jobs = file_text(
        &jobs,
        "{name: encoder}",
        "{name: encoder, annotations: {autoscaling.keda.sh/paused: \"true\"}}",
    );
    for (load, messages) in [
        ("", "6000"),
        ("--shape ramp:7/s..0/s:62s", "217"),
        ("--shape ramp:3/s..1/s:97s --messages 500", "500"),
        ("--shape constant:3/s --messages 100", "100"),
        ("--shape constant:0.29/s --horizon 100s", "29"),
        ("--shape constant:0.7/s --duration 90s", "63"),
    ] {
        for file in [&objects, &jobs] {
            let answer = ask(file.path(), load);
            let told = (
                figure(&answer, "most messages"),
                figure(&answer, "messages left"),
            );
            assert_eq!(told, (messages.to_owned(), messages.to_owned()), "{load}");
        }
    }
}

/// 60 messages every 3 min, for a workload with at least one replica, with these rules.
fn waves(up: &str, down: &str, least: u32, cooldown: u32) -> NamedTempFile {
    let rules = format!("scaleUp: {{{up}}}, scaleDown: {{{down}}}");
    let spec = format!(
        "  pollingInterval: 15
  cooldownPeriod: {cooldown}
  advanced: {{horizontalPodAutoscalerConfig: {{behavior: {{{rules}}}}}}}"
    );
    let least = format!("minReplicaCount: {least}");
    file_text(&file(&spec, ""), "minReplicaCount: 0", &least)
}

const WAVES: &str = "--shape burst:60/3m --horizon 1h --max-wait 30s";
const WINDOW: &str = "stabilizationWindowSeconds: 300";
const NO_WINDOW: &str = "stabilizationWindowSeconds: 0";

#[test]
fn what_a_change_makes_wrong_and_what_it_costs_is_told_beside_it() {
    let answer = ask(waves(WINDOW, NO_WINDOW, 1, 300).path(), WAVES);
    assert_eq!(found(&answer.settings[0]), ["messages-wait"]);
    let mend = "take behavior.scaleUp away, so that its defaults hold; tried on the model, the longest wait then goes from 55 s to \
                29 s; but thrash, which was not, is found then; all replicas together are then there for 1 h 35 min, not 1 h";
    assert_eq!(finding(&answer, "messages-wait").mend, mend);
    // The advice is right.
    let mended = ask(waves("", NO_WINDOW, 1, 300).path(), WAVES);
    assert_eq!(found(&mended.settings[0]), ["thrash"]);
}

/// The finding does not occur in the phases that are tried first.
#[test]
fn a_change_is_held_against_all_phases_that_are_simulated() {
    let answer = ask(waves(WINDOW, NO_WINDOW, 0, 10).path(), WAVES);
    let mend = &finding(&answer, "messages-wait").mend;
    let told = "the longest wait then goes from 1 min 19 s to 43 s, which is less, and still too much in 285 of 451 phases";
    assert!(mend.ends_with(told), "{mend}");
    let mended = ask(waves("", NO_WINDOW, 0, 10).path(), WAVES);
    let reason = &finding(&mended, "messages-wait").reason;
    assert!(reason.contains("(in 285 of 451 phases"), "{reason}");
}

#[test]
fn one_field_with_two_values_is_told_to_conflict() {
    let answer = ask(waves("", NO_WINDOW, 0, 10).path(), WAVES);
    let [fleet, thrash] = ["fleet-ended-at-once", "thrash"].map(|it| &finding(&answer, it).mend);
    for (mend, own, other) in [
        (
            fleet,
            "write cooldownPeriod: 300; ",
            "for thrash it is otherwise (",
        ),
        (
            thrash,
            "write behavior.scaleDown.stabilizationWindowSeconds: 1800 and cooldownPeriod: 1800; ",
            "for fleet-ended-at-once it is otherwise (write cooldownPeriod: 300), and on the model neither value of cooldownPeriod \
             mends both",
        ),
    ] {
        assert!(mend.starts_with(own) && mend.contains(other), "{mend}");
    }
}

/// 0 is what `activationTarget` is without a word, and nothing less is active either: the formula is what keeps replicas away.
#[test]
fn nothing_is_advised_that_is_written_already() {
    let spec = "  advanced: {scalingModifiers: {formula: 'max(a - 20, 0)', target: '5'}}";
    let named = |file: NamedTempFile| {
        file_text(
            &file,
            "- type: azure-queue",
            "- name: a\n      type: azure-queue",
        )
    };
    let load = "--shape burst --messages 10 --horizon 30m";
    let answer = ask(named(file(spec, "")).path(), load);
    let stranded = finding(&answer, "messages-stranded");
    assert_eq!(stranded.field, "spec.advanced.scalingModifiers.formula");
    assert!(
        stranded.mend.starts_with("write a formula that gives more"),
        "{}",
        stranded.mend
    );
    let spec = spec.replace("target: '5'", "target: '5', activationTarget: '3'");
    let spec = spec.replace("max(a - 20, 0)", "a");
    let load = "--shape burst --messages 3 --horizon 30m";
    let answer = ask(named(file(&spec, "")).path(), load);
    let stranded = finding(&answer, "messages-stranded");
    assert!(
        stranded.field.ends_with("activationTarget"),
        "{}",
        stranded.field
    );
    assert!(
        stranded.mend.starts_with("write \"0\"; tried"),
        "{}",
        stranded.mend
    );
}

fn named(file: &NamedTempFile) -> NamedTempFile {
    file_text(
        file,
        "- type: azure-queue",
        "- name: a\n      type: azure-queue",
    )
}

/// The last 10 of 40 messages are worked on for 10 min, and the cooldown of 5 min begins when no more than 20 are left.
#[test]
fn work_that_ends_for_an_inactive_trigger_names_the_threshold_that_counts() {
    let load = "--shape burst --messages 40 --work fixed:10m --in-flight 1 --grace 11m --max-wait 3h --horizon 60m";
    let quick = "  pollingInterval: 10\n  cooldownPeriod: 300";
    let by_queue = file(quick, ", activationQueueLength: \"20\"");
    let cron = "- type: cron
      metadata: {timezone: UTC, start: 0 8 * * *, end: 0 9 * * *, desiredReplicas: \"1\"}
    - type: azure-queue";
    let second = file_text(&by_queue, "- type: azure-queue", cron);
    let modifiers = "{scalingModifiers: {formula: a, target: '1', activationTarget: '20'}}";
    let by_formula = named(&file(&format!("{quick}\n  advanced: {modifiers}"), ""));
    let at_night = format!("{load} --at 2026-11-30T20:00:00Z");
    for (file, load, field, mend) in [
        (
            &by_queue,
            load,
            "spec.triggers[0].metadata.activationQueueLength",
            "write activationQueueLength: \"0\"; tried",
        ),
        (
            &second,
            &at_night,
            "spec.triggers[1].metadata.activationQueueLength",
            "write activationQueueLength: \"0\"; tried",
        ),
        (
            &by_formula,
            load,
            "spec.advanced.scalingModifiers.activationTarget",
            "write activationTarget: \"0\"; tried",
        ),
    ] {
        let answer = ask(file.path(), load);
        let ended = finding(&answer, "work-ended");
        assert_eq!(ended.field, field);
        assert!(ended.reason.starts_with("20: "), "{}", ended.reason);
        assert!(ended.mend.starts_with(mend), "{field}: {}", ended.mend);
    }
}

/// KEDA falls back with a whole target alone, and a simulated queue never fails: nothing else would show what a fraction costs.
#[test]
fn a_target_that_is_a_whole_number_stays_one() {
    let load = "--shape burst --messages 40 --work fixed:90s --in-flight 1 --horizon 40m";
    for (target, advised) in [
        ("5", Some("1")),
        ("10", Some("2")),
        ("5.0", Some("1.25")),
        ("1", None),
    ] {
        let spec = format!(
            "  pollingInterval: 15
  fallback: {{failureThreshold: 3, replicas: 6}}
  advanced: {{scalingModifiers: {{formula: a, target: '{target}'}}}}"
        );
        let answer = ask(named(&file(&spec, "")).path(), load);
        let all = &answer.settings[0].findings;
        let found = all.iter().map(|it| it.mend.as_str());
        let told: Vec<_> = found
            .filter(|mend| mend.contains("write target:"))
            .collect();
        match advised {
            Some(advised) => {
                let words = format!("write target: \"{advised}\"");
                assert!(
                    told.iter().any(|mend| mend.contains(&words)),
                    "{target}: {all:?}"
                );
            }
            None => assert!(told.is_empty(), "{told:?}"),
        }
    }
}
