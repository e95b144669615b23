//! Regression tests: questions with known answers that were once answered wrongly.

use std::time::Duration;

use super::*;

/// The figures of the first settings, without lines that the terminal cuts.
pub(super) fn figure(answer: &Forecast, name: &str) -> String {
    let rows = terminal::rows(answer, &answer.settings[0]);
    let row = rows.into_iter().find(|(row, _)| *row == name);
    row.expect("a figure of this name").1
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

pub(super) fn ask(path: &Path, line: &str) -> Forecast {
    answer(path, &words(line))
}

/// Settings without problems except those that a test adds.
pub(super) const CAREFUL: &str = "  pollingInterval: 10
  cooldownPeriod: 300
  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleDown: {policies: [{type: Percent, value: 25, periodSeconds: 60}]}}}}";

pub(super) fn annotated(spec: &str, annotation: &str) -> NamedTempFile {
    let plain = file(spec, "");
    let text = std::fs::read_to_string(plain.path()).unwrap();
    let with = format!("{{name: a, annotations: {{autoscaling.keda.sh/{annotation}}}}}");
    let text = text.replace("{name: aws2az-queue-scaleobj}", &with);
    std::fs::write(plain.path(), text).unwrap();
    plain
}

pub(super) fn finding<'a>(answer: &'a Forecast, name: &str) -> &'a Finding {
    let findings = &answer.settings[0].findings;
    let found = findings.iter().find(|found| found.name == name);
    found.unwrap_or_else(|| panic!("{name} is not in {findings:?}"))
}

/// At 0 replicas the HPA recommends nothing (Kubernetes `horizontal.go`, `reconcileAutoscaler`: `ScalingDisabled`), so an
/// upward window has no history, unless the HPA has just been created: its first sync records the replicas that it finds
/// (`recordInitialRecommendation`).
#[test]
fn an_upward_window_costs_nothing_at_rest_and_its_whole_length_after_the_creation() {
    let up = "  pollingInterval: 10
  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleUp: {stabilizationWindowSeconds: 300}}}}";
    let file = file(up, "");
    let load = "--shape burst --messages 500 --horizon 1h";
    let rested = ask(file.path(), load);
    assert!(figure(&rested, "time to full scale").starts_with("48 s "));
    // The first sync is 15 s after the creation, and the window ends 300 s later.
    let load_of_new = load.replace("500", "1000");
    let new = ask(file.path(), &format!("{load_of_new} --age 0s"));
    let full = figure(&new, "time to full scale");
    assert!(full.starts_with("5 min 56 s "), "{full}");
    assert!(text(&rested, false).contains("at rest when the load begins"));
    assert!(text(&new, false).contains("are 0 s old"));
    // With a permanent replica, the HPA has recommended the minimum in every sync.
    let one = file_text(&file, "minReplicaCount: 0", "minReplicaCount: 1");
    let held = ask(one.path(), load);
    let full = held.settings[0].figures.time_to_full_scale_s.likely;
    assert!(full.is_none_or(|full| full > 290.0), "{full:?}");
}

pub(super) fn file_text(file: &NamedTempFile, from: &str, to: &str) -> NamedTempFile {
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert!(text.contains(from), "{text}");
    let mut other = NamedTempFile::with_suffix(".yaml").unwrap();
    other.write_all(text.replace(from, to).as_bytes()).unwrap();
    other
}

#[test]
fn fixed_work_takes_its_time_and_is_not_cut_off() {
    let base = base();
    let once = "--shape burst --messages 75 --work fixed:10m --in-flight 5 --horizon 1h";
    let once = ask(Path::new(&base), once);
    assert!(figure(&once, "time to drain").starts_with("10 min 48 s "));
    let again = "--shape burst:15/30m --work fixed:10m --in-flight 5 --horizon 6h";
    let again = ask(Path::new(&base), again);
    for answer in [&once, &again] {
        assert_eq!(figure(answer, "ended with work in flight"), "0");
        assert_eq!(figure(answer, "not done in their grace"), "0");
        // 35 s in the base's Deployment.
        assert_eq!(found(&answer.settings[0]), ["grace-shorter-than-work"]);
        assert_eq!(answer.settings[0].work, "fixed:600s");
        let reason = &answer.settings[0].findings[0].reason;
        assert!(
            reason.starts_with("35 s, and each message takes 10 min"),
            "{reason}"
        );
    }
    assert_eq!(figure(&again, "time to drain"), "none, the load goes on");
    assert!(text(&again, false).contains("none, the load goes on"));
}

/// KEDA removes the replicas 60 s after each burst: the cause is the cooldown, not the HPA's rules.
#[test]
fn thrash_is_blamed_on_who_scaled_in_and_its_advice_was_tried() {
    let keda = file(
        &CAREFUL.replace("cooldownPeriod: 300", "cooldownPeriod: 60"),
        "",
    );
    let answer = ask(keda.path(), "--shape burst:500/4m --horizon 1h");
    let thrash = finding(&answer, "thrash");
    assert_eq!(thrash.field, "spec.cooldownPeriod");
    assert!(thrash.reason.contains("by KEDA itself") && thrash.reason.contains("14 times"));
    let advice = "write cooldownPeriod: 300; tried on the model, the number of such scale-outs then goes from 14 to ";
    assert!(thrash.mend.starts_with(advice), "{}", thrash.mend);
    // The advice is right.
    let mended = file_text(&keda, "cooldownPeriod: 60", "cooldownPeriod: 300");
    let mended = ask(mended.path(), "--shape burst:500/4m --horizon 1h");
    let most = mended.settings[0].figures.thrash_count.most.unwrap();
    assert!(
        thrash
            .mend
            .contains(&format!(" to {most:.0}; all replicas together ")),
        "{most}: {}",
        thrash.mend
    );

    let none = "scaleDown: {stabilizationWindowSeconds: 0, ";
    let hpa = file(
        &CAREFUL
            .replace("scaleDown: {", none)
            .replace("value: 25", "value: 100"),
        "",
    );
    let answer = ask(hpa.path(), "--shape burst:500/4m --horizon 1h");
    let thrash = finding(&answer, "thrash");
    assert!(thrash.field.ends_with("behavior.scaleDown"), "{thrash:?}");
    let advice = "write behavior.scaleDown.stabilizationWindowSeconds: 300; tried on the model";
    assert!(thrash.mend.starts_with(advice), "{}", thrash.mend);
}

#[test]
fn what_happens_in_other_phases_only_is_found_too() {
    // 45 s without messages: whether a poll sees this depends on the phases.
    let file = file(
        &CAREFUL.replace("cooldownPeriod: 300", "cooldownPeriod: 20"),
        "",
    );
    let answer = ask(
        file.path(),
        "--shape burst:10/1m --horizon 1h --work fixed:5s --in-flight 5",
    );
    let range = answer.settings[0].figures.thrash_count;
    assert!(range.most > Some(0.0), "{range:?}");
    let thrash = finding(&answer, "thrash");
    let (least, most) = (range.least.unwrap(), range.most.unwrap());
    if least < most {
        let part = format!("({least:.0} to {most:.0} in other phases)");
        assert!(thrash.reason.contains(&part), "{}", thrash.reason);
    }
}

#[test]
fn what_is_left_and_what_waits_for_long_is_found_with_what_holds_it_back() {
    let careful = file(CAREFUL, "");
    let answer = ask(careful.path(), "--shape constant:45/s --horizon 30m");
    let behind = finding(&answer, "falls-behind");
    assert_eq!(behind.field, "spec.maxReplicaCount");
    assert!(
        behind.mend.starts_with("write maxReplicaCount: 60; tried"),
        "{}",
        behind.mend
    );

    // A backlog of half an hour, which is finished in the end.
    let answer = ask(
        careful.path(),
        "--shape burst --messages 27000 --horizon 1h",
    );
    let waits = finding(&answer, "messages-wait");
    assert_eq!(waits.field, "spec.maxReplicaCount");
    assert!(
        waits.reason.contains("in a queue of up to 27000"),
        "{}",
        waits.reason
    );
    let short = ask(
        careful.path(),
        "--shape burst --messages 27000 --horizon 1h --max-wait 1h",
    );
    assert_eq!(found(&short.settings[0]), [""; 0]);

    let scale_up = "behavior: {scaleUp: {selectPolicy: Disabled}, ";
    let disabled = file(&CAREFUL.replace("behavior: {", scale_up), "");
    let answer = ask(disabled.path(), "--shape burst --messages 10000");
    assert_eq!(figure(&answer, "messages left"), "8815 (8810 to 8820)");
    let behind = finding(&answer, "falls-behind");
    // In some phases, the drain with 15 replicas also takes longer than the horizon.
    assert!(behind.field.contains("scaleUp.selectPolicy"), "{behind:?}");
    assert!(
        behind.mend.starts_with("take behavior.scaleUp away"),
        "{}",
        behind.mend
    );
}

#[test]
fn a_horizon_that_cuts_into_a_burst_is_no_falling_behind() {
    let careful = file(CAREFUL, "");
    let load = "--shape burst:2000/10m --horizon 1230s";
    let answer = ask(careful.path(), load);
    let left = answer.settings[0].figures.messages_left.likely.unwrap();
    assert!(left > 1_000.0, "{left}");
    // Between two bursts, replicas are removed that the next one needs; nothing falls behind.
    assert_eq!(found(&answer.settings[0]), ["thrash"]);
}

#[test]
fn a_scale_in_by_the_hpa_that_cuts_work_off_is_found() {
    let none = "scaleDown: {stabilizationWindowSeconds: 0, ";
    let hasty = file(&CAREFUL.replace("scaleDown: {", none), "");
    let line = "--shape burst --messages 300 --work uniform:30s..2m --horizon 1h";
    let answer = ask(hasty.path(), line);
    let cut = finding(&answer, "work-cut-off");
    assert!(cut.field.ends_with("behavior.scaleDown"), "{cut:?}");
    assert!(
        cut.reason.starts_with("the HPA takes away replicas"),
        "{}",
        cut.reason
    );
    assert!(
        cut.mend.ends_with(" to 0") && cut.mend.contains("terminationGracePeriodSeconds: 125;"),
        "{}",
        cut.mend
    );
    // With a grace period as long as the work, nothing is lost.
    let answer = ask(hasty.path(), &format!("{line} --grace 2m"));
    assert_eq!(figure(&answer, "not done in their grace"), "0");
    let names = found(&answer.settings[0]);
    assert!(!names.contains(&"work-cut-off") && !names.contains(&"grace-shorter-than-work"));
}

#[test]
fn what_is_paused_lets_the_queue_grow_and_says_so() {
    for (annotation, name) in [
        ("paused: \"true\"", "paused"),
        ("paused-replicas: \"0\"", "paused"),
        ("paused-scale-out: \"true\"", "paused-scale-out"),
    ] {
        let answer = ask(annotated(CAREFUL, annotation).path(), "");
        let prospect = &answer.settings[0];
        assert_eq!(found(prospect), [name], "{annotation}");
        assert_eq!(figure(&answer, "most messages"), "6000", "{annotation}");
        assert_eq!(figure(&answer, "messages left"), "6000", "{annotation}");
        assert!(
            finding(&answer, name)
                .reason
                .contains("There is no replica")
        );
        // A decreasing ramp: half of its messages have arrived after 176 s.
        let at = |seconds: f64| {
            let mut until = prospect.messages.iter().filter(|(at, _)| *at <= seconds);
            until.next_back().unwrap().1
        };
        assert!(
            (at(176.0) - 3_000.0).abs() < 300.0,
            "{annotation}: {}",
            at(176.0)
        );
        assert!((at(600.0) - 6_000.0).abs() < 30.0, "{annotation}");
        assert!(prospect.messages.len() > 50, "{annotation}");
    }
    let drawn = ask(annotated(CAREFUL, "paused: \"true\"").path(), "");
    assert!(text(&drawn, false).contains("  6000 │"));
}

#[test]
fn a_paused_deployment_has_the_replicas_that_it_says() {
    let paused = annotated(CAREFUL, "paused: \"true\"");
    let deployment = "apiVersion: apps/v1
kind: Deployment
metadata: {name: aqs-app}
spec:
  replicas: 4
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec:
      terminationGracePeriodSeconds: 20
      containers: [{name: consumer, image: c}]
";
    let text = std::fs::read_to_string(paused.path()).unwrap();
    std::fs::write(paused.path(), format!("{text}---\n{deployment}")).unwrap();
    let answer = ask(paused.path(), "--shape constant:1/s --work fixed:10m");
    assert_eq!(answer.settings[0].replicas, [(0.0, 4)]);
    let grace = finding(&answer, "grace-shorter-than-work");
    assert!(
        grace
            .reason
            .starts_with("20 s, and each message takes 10 min"),
        "{}",
        grace.reason
    );
    assert!(grace.mend.starts_with("write 605"), "{}", grace.mend);
}

/// Karpenter `pkg/controllers/provisioning/scheduling/topologygroup.go`, `nextDomainTopologySpread`: "Because Karpenter can always
/// create a new domain for hostname, we assume the global minimum is always zero".
#[test]
fn a_spread_over_hosts_takes_as_many_nodes_as_its_skew_makes() {
    let base = base();
    let answer = ask(Path::new(&base), "--shape burst --messages 500");
    assert_eq!(figure(&answer, "most nodes"), "3");
    assert!(terminal::cost_note(&answer.settings[0]).contains("no more than maxSkew"));
    let answer = ask(
        Path::new(&base),
        "--shape burst --messages 500 --pods-per-node 30",
    );
    assert_eq!(figure(&answer, "most nodes"), "1");
}

#[test]
fn a_load_that_stays_in_one_phase_is_told_by_the_median_of_all() {
    let careful = file(CAREFUL, "");
    let answer = ask(careful.path(), "--shape burst:100/4m --horizon 1h");
    let why = answer.one_phase.as_ref().expect("4 min are 16 syncs");
    assert!(why.contains("a multiple of the 15s"), "{why}");
    assert!(text(&answer, false).contains("medians of all runs"));
    let wait = answer.settings[0].figures.longest_wait_s;
    let told = figure(&answer, "longest wait");
    let median = views::clock::words(Duration::from_secs_f64(wait.median.unwrap()));
    assert!(told.starts_with(&median), "{told}: {wait:?}");
    let other = ask(careful.path(), "--shape burst:100/247s --horizon 1h");
    assert_eq!(other.one_phase, None);
    let once = ask(careful.path(), "");
    assert_eq!(once.one_phase, None);
}

#[test]
fn a_scale_down_policy_of_all_replicas_is_as_abrupt_as_none() {
    let pods = "policies: [{type: Pods, value: 200, periodSeconds: 60}]";
    let percent = "policies: [{type: Percent, value: 25, periodSeconds: 60}]";
    let text = CAREFUL.replace(percent, pods);
    let unlimited = file_text(
        &file(&text, ""),
        "maxReplicaCount: 15",
        "maxReplicaCount: 200",
    );
    let answer = ask(unlimited.path(), "--shape burst --messages 500");
    let found = finding(&answer, "scale-down-unlimited");
    assert!(
        found
            .reason
            .starts_with("200 pods in 60 s, and there are at most 200 replicas")
    );
    assert!(
        found.mend.starts_with("write 25 percent in 60 s"),
        "{}",
        found.mend
    );
}

#[test]
fn work_that_the_model_does_not_know_is_refused() {
    let parse = |work: &str| {
        let words = ["simulate", "settings.yaml", "--work", work];
        Command::try_parse_from(words)
            .err()
            .map(|error| error.to_string())
    };
    for (work, part) in [
        ("cpu:20ms", "give fixed, uniform or exponential"),
        ("none", "give fixed, uniform or exponential"),
        ("fixed:0s", "give more than 0"),
        ("fixed", "exponential:<mean>"),
    ] {
        let said = parse(work).expect("must be refused");
        assert!(said.contains(part), "{work}: {said}");
    }
    assert_eq!(parse("uniform:1s..2s"), None);
}
