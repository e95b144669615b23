//! Tests of `ScaledJob`s, several triggers and the time of day.

use super::*;

/// A ScaledJob for messages of ten minutes, with these lines in `spec`.
pub(super) fn job(spec: &str) -> NamedTempFile {
    let mut file = NamedTempFile::with_suffix(".yaml").unwrap();
    let text = format!(
        "apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: {{name: encoder}}
spec:
  jobTargetRef:
    template: {{spec: {{containers: [{{name: encode, image: encode, resources: {{requests: {{cpu: 1, memory: 1Gi}}}}}}]}}}}
  maxReplicaCount: 20
  successfulJobsHistoryLimit: 3
{spec}
  triggers:
    - type: azure-queue
      authenticationRef: {{name: queue}}
      metadata: {{queueName: videos, accountName: a, queueLength: \"1\"}}
"
    );
    file.write_all(text.as_bytes()).unwrap();
    file
}

const LOAD: &str = "--shape burst --work fixed:10m --horizon 1h --max-wait 15m";

fn ask(file: &NamedTempFile, line: &str) -> Forecast {
    answer(file.path(), &line.split_whitespace().collect::<Vec<_>>())
}

pub(super) fn refused(file: &NamedTempFile, line: &str) -> String {
    let path = file.path().display().to_string();
    let words = std::iter::once(path.as_str()).chain(line.split_whitespace());
    let error = simulate(&args(&words.collect::<Vec<_>>())).unwrap_err();
    format!("{error:#}")
}

/// The likely poll is at 15 s and creates 20 Jobs, which work from 25 s to 625 s; the one at 645 s creates the others, which
/// work from 655 s to 1,255 s: 20 min 55 s. 40 Jobs of 10 min 10 s are 6.78 h.
#[test]
fn a_scaled_job_makes_a_job_for_each_message_as_far_as_its_maximum_goes() {
    let answer = ask(&job(""), &format!("{LOAD} --messages 40"));
    let prospect = &answer.settings[0];
    assert_eq!((prospect.kind, prospect.max_replicas), ("ScaledJob", 20));
    assert_eq!(found(prospect), Vec::<&str>::new());
    let jobs = prospect.jobs.as_ref().unwrap();
    let likely = [
        jobs.jobs_made,
        jobs.jobs_in_vain,
        jobs.jobs_kept,
        prospect.figures.most_replicas,
        prospect.figures.time_to_drain_s,
        prospect.figures.longest_wait_s,
    ];
    let likely = likely.map(|range| range.likely.unwrap());
    let likely = likely.map(|figure| figure.to_string());
    assert_eq!(likely, ["40", "0", "3", "20", "1255", "655"]);
    let hours = prospect.figures.replica_hours.likely.unwrap();
    assert!((hours - 40.0 * 610.0 / 3_600.0).abs() < 1e-9, "{hours}");
    // A poll at once, or nearly 30 s later.
    assert_eq!(prospect.figures.time_to_drain_s.least, Some(1_240.0));
    let shown = text(&answer, false);
    for part in [
        "JOBS, encoder",
        "a job works on one message and ends",
        "jobs in vain",
    ] {
        assert!(shown.contains(part), "{part:?} is missing in {shown}");
    }
    assert!(!shown.contains("thrash"), "no job is taken away: {shown}");
    assert!(page::page(&answer).contains("jobs in vain"));
}

/// The strategy `accurate` counts messages in work as new ones: 12 Jobs at the first poll, 8 more for the same messages at the
/// next.
#[test]
fn jobs_in_vain_are_found_with_the_strategy_that_mends_them() {
    let accurate = job("  scalingStrategy: {strategy: accurate}");
    let answer = ask(&accurate, &format!("{LOAD} --messages 12"));
    let prospect = &answer.settings[0];
    assert_eq!(found(prospect), ["jobs-in-vain"]);
    let finding = &prospect.findings[0];
    assert_eq!(finding.field, "spec.scalingStrategy.strategy");
    assert!(
        finding.mend.starts_with("write strategy: default; tried"),
        "{finding:?}"
    );
    assert!(finding.mend.ends_with("to 0"), "{finding:?}");
}

#[test]
fn a_scaled_job_stands_beside_a_scaled_object() {
    let (object, job) = (sample(), job(""));
    let path = job.path().display().to_string();
    let line = format!("{LOAD} --messages 40 --compare {path} --pods-per-node 4");
    let answer = ask(&object, &line);
    let kinds = answer.settings.iter().map(|it| it.kind);
    assert_eq!(kinds.collect::<Vec<_>>(), ["ScaledObject", "ScaledJob"]);
    let shown = text(&answer, false);
    let row = |name: &str| {
        let mut lines = shown.lines().map(str::trim);
        let line = lines.find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].trim().to_owned()
    };
    assert_eq!(row("jobs made"), "40", "the other column is empty");
    assert!(row("thrash").split_whitespace().count() >= 1);
}

#[test]
fn what_is_paused_or_not_active_or_too_slow_is_found() {
    let with = |text: &str, new: &str| {
        let file = job("  pollingInterval: 60");
        let written = std::fs::read_to_string(file.path())
            .unwrap()
            .replace(text, new);
        std::fs::write(file.path(), written).unwrap();
        file
    };
    let annotation = "{name: encoder, annotations: {autoscaling.keda.sh/paused: \"true\"}}";
    let paused = with("{name: encoder}", annotation);
    let inactive = with(
        "queueLength: \"1\"",
        "queueLength: \"1\", activationQueueLength: \"9\"",
    );
    let never = with("queueLength: \"1\"", "queueLength: \"0\"");
    for (file, messages, expected) in [
        (paused, 40, "paused"),
        (inactive, 9, "messages-stranded"),
        (never, 9, "no-job-ever"),
        (
            with("maxReplicaCount: 20", "maxReplicaCount: 2"),
            40,
            "falls-behind",
        ),
        (
            with("maxReplicaCount: 20", "maxReplicaCount: 10"),
            30,
            "messages-wait",
        ),
    ] {
        let answer = ask(&file, &format!("{LOAD} --messages {messages}"));
        let found = found(&answer.settings[0]);
        assert_eq!(found.first(), Some(&expected), "{found:?}");
    }
}

fn with_cron() -> NamedTempFile {
    let file = file("  pollingInterval: 30", "");
    let mut text = std::fs::read_to_string(file.path()).unwrap();
    text.push_str(
        "    - type: azure-queue
      authenticationRef: {name: keda-az-credentials}
      metadata: {queueName: mails, accountName: a, queueLength: \"10\"}
    - type: cron
      metadata: {timezone: Europe/Berlin, start: 0 8 * * 1-5, end: 0 18 * * 1-5, desiredReplicas: \"6\"}
",
    );
    std::fs::write(file.path(), text).unwrap();
    file
}

/// 30 November 2026 is a Monday. No message comes; the simulation begins five minutes before eight.
#[test]
fn cron_goes_by_the_clock_that_is_given() {
    let file = with_cron();
    let load = "--shape burst --messages 1 --work fixed:1s --horizon 10m";
    let refusal = refused(&file, load);
    assert!(
        refusal.contains("--at 2026-11-30T07:55:00+01:00"),
        "{refusal}"
    );
    let most = |at: &str| {
        let answer = ask(&file, &format!("{load} --at {at}"));
        answer.settings[0].figures.most_replicas.likely.unwrap()
    };
    assert!((most("2026-11-30T07:55:00+01:00") - 6.0).abs() < 1e-9);
    assert!(
        (most("2026-11-29T07:55:00+01:00") - 1.0).abs() < 1e-9,
        "a Sunday"
    );
}

/// 80 messages in the other queue, 10 per replica, need 8 replicas; 80 in the main one, 5 per replica, would need 16, and the
/// maximum is 15.
#[test]
fn the_load_comes_into_the_queue_that_is_asked_about() {
    let file = with_cron();
    let load =
        "--shape burst --messages 1 --service-rate 1/s --horizon 20m --at 2026-11-29T12:00:00Z";
    let most = |more: &str| {
        let answer = ask(&file, &format!("{load} {more}"));
        answer.settings[0].figures.most_replicas.likely.unwrap()
    };
    assert!((most("--waiting mails=80") - 8.0).abs() < 1e-9);
    assert!((most("--queue mails --waiting orders=80") - 15.0).abs() < 1e-9);
    let refusal = refused(&file, &format!("{load} --queue invoices"));
    assert!(
        refusal.contains("has no azure-queue of the queue \"invoices\""),
        "{refusal}"
    );
}

#[test]
fn jobs_take_no_more_messages_than_can_be_simulated_one_by_one() {
    let refusal = refused(&job(""), "--shape constant:1000/s --horizon 1h");
    assert!(refusal.contains("jobs take single messages"), "{refusal}");
    let refusal = refused(&job(""), "--in-flight 5");
    assert!(refusal.contains("leave --in-flight away"), "{refusal}");
}
