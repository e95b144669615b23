//! Tests that the log survives cuts and damage.

use std::fs;
use std::io::Write as _;

use contract::Stamp;

use super::*;
use crate::audit::{Fates, Finding, SendCounts, Violation, Witness};
use crate::latency::Hop;
use crate::pace::Pace;

fn audit(run: RunId) -> Audit {
    Audit {
        run,
        planned: 3,
        begun: 3,
        complete: true,
        not_judged: vec![],
        sends: SendCounts {
            acknowledged: 3,
            ..SendCounts::default()
        },
        rows: 0,
        other_runs: 0,
        hidden: 0,
        unattributed: 0,
        unattributed_rows: 0,
        rows_of_many: 0,
        further_rows: None,
        foreign: None,
        at_work: None,
        fates: Fates {
            lost: 3,
            ..Fates::default()
        },
        foreign_poison: 0,
        poison_repeats: 0,
        unreadable_poison: 0,
        stamps: None,
        reversed: 0,
        removals: crate::audit::Removals::default(),
        findings: vec![Finding {
            violation: Violation::Lost,
            count: 3,
            witnesses: vec![Witness::new("r1-1", "it is nowhere")],
        }],
        traffic: None,
    }
}

fn usage() -> Usage {
    Usage {
        phase: "load".into(),
        lasted_ms: 1_000,
        messages: 4_000,
        cores: 2,
        machine_busy_ms: Some(1_900),
        parts: vec![PartUsage {
            name: "storage".into(),
            processes: 1,
            cpu_ms: 300,
            busiest_cpu_ms: 300,
            peak_kib: 64_000,
        }],
    }
}

fn rate_step() -> RateStep {
    RateStep {
        rate_per_s: 4_000.0,
        stored_per_s: Some(3_999.5),
        messages: 4_000,
        run_dir: "r1-1".into(),
        outcome: Outcome::Pass,
        reasons: vec![],
        reason_outcomes: vec![],
        verdicts: vec![],
        hops: vec![HopLatency {
            hop: Hop::EndToEnd,
            samples: 4_000,
            p50_us: Some(4_000),
            p90_us: Some(5_000),
            p99_us: Some(9_000),
            p99_9_us: Some(12_000),
            max_us: Some(13_000),
        }],
        measured: StepMeasured {
            lateness_us_p99: Some(900),
            usage: Some(usage()),
            ..StepMeasured::default()
        },
        bottleneck: Bottleneck {
            part: BottleneckPart::Processor,
            why: "1.9 of 2 cores were busy".into(),
        },
    }
}

fn resource() -> Resource {
    Resource {
        kind: "queue".into(),
        name: "aws2azmsgs".into(),
        storage: "http://127.0.0.1:10001/devstoreaccount1".into(),
    }
}

/// One event of every kind.
pub(crate) fn one_of_each() -> Vec<Event> {
    let run: RunId = "r1".parse().unwrap();
    let audit = audit(run.clone());
    let resource = resource();
    let begun = vec![
        Event::RunStarted(Box::new(RunStarted {
            run,
            title: "load".into(),
            seed: u64::MAX,
            environment: "local".into(),
            pace: Pace::PRODUCTION,
            command: "harness load".into(),
            messages: Some(3),
            plan: vec![Fact::new("rate", "200/s")],
            limits: vec![],
            setting: vec![],
            versions: vec![],
            leeway: vec![],
        })),
        Event::ResourceCreated(resource.clone()),
        Event::ResourceRemoved(resource),
        Event::ProcessStarted {
            name: "consumer-1".into(),
            role: "consumer".into(),
            pid: Some(42),
        },
        Event::ProcessExited {
            name: "consumer-1".into(),
            pid: Some(42),
            status: "exit code 3".into(),
            expected: false,
            last_lines: Some("no such\nqueue".into()),
            restarted: false,
            end: Some(End::Exited(3)),
            cause: Some(Cause::Unasked),
        },
        Event::Phase {
            name: "load".into(),
        },
        Event::Fault {
            name: "SIGSTOP".into(),
            target: "consumer-1".into(),
            lasts_ms: Some(900),
        },
    ];
    let finished = vec![Event::Finished {
        outcome: Outcome::Fail,
        reasons: vec!["3 messages lost".into()],
        outcomes: vec![],
    }];
    // In the order in which the kinds are listed.
    let all = [
        begun,
        of_scaling(),
        of_a_run(audit),
        of_a_search(),
        finished,
        of_a_suite(),
    ];
    all.concat()
}

fn of_a_run(audit: Audit) -> Vec<Event> {
    vec![
        Event::Sample(Sample {
            queue_depth: Some(9),
            ..Sample::default()
        }),
        Event::Note {
            text: "a \"quoted\"\nline".into(),
        },
        Event::Audited(Box::new(audit)),
        Event::Measured(Box::new(Measured {
            hops: Hops::default(),
            verdicts: vec![],
        })),
        Event::Usage(usage()),
    ]
}

fn of_a_search() -> Vec<Event> {
    vec![
        Event::RateStep(Box::new(rate_step())),
        Event::RateFound(RateFound {
            rate_per_s: Some(4_000.0),
            broken_at_per_s: None,
            untold_at_per_s: Some(8_000.0),
            bottleneck: rate_step().bottleneck,
        }),
    ]
}

fn of_scaling() -> Vec<Event> {
    vec![
        Event::Scaled(Scaled {
            by: "model of KEDA".into(),
            from: 0,
            to: 1,
            reason: "r".into(),
            queue: None,
        }),
        Event::Allowed(Box::default()),
        Event::Node(NodeEvent {
            node: "n".into(),
            change: NodeChange::Gone {
                stopped: true,
                killed: vec!["consumer-1".into()],
            },
        }),
    ]
}

fn of_a_suite() -> Vec<Event> {
    vec![
        Event::ScenarioStarted(ScenarioStarted {
            feature: "f".into(),
            name: "s".into(),
            location: "features/f.feature:3".into(),
            run_dir: "r1".into(),
            pace: Pace::PRODUCTION,
        }),
        Event::StorageLost { how: "h".into() },
        Event::ScenarioSelected(Selected {
            feature: "f".into(),
            name: "s".into(),
            location: "features/f.feature:3".into(),
        }),
        Event::ScenarioNotRun(NotRun {
            feature: "f".into(),
            name: "n".into(),
            location: "features/f.feature:9".into(),
            needs: "@aks".into(),
        }),
        Event::Step(Step {
            sentence: "Given 1 consumer".into(),
            outcome: Outcome::Pass,
            detail: None,
            duration_ms: 1,
        }),
        Event::ScenarioFinished(ScenarioEnd {
            feature: "f".into(),
            name: "s".into(),
            location: "features/f.feature:3".into(),
            outcome: Outcome::Fail,
            detail: None,
            found: None,
            duration_ms: Some(12),
            run_dir: None,
            pace: Pace::PRODUCTION,
        }),
    ]
}

fn written(events: &[Event]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let log = EventLog::open(dir.path()).unwrap();
    for event in events {
        log.append(Stamp::from_micros(1), event.clone()).unwrap();
    }
    dir
}

fn append_raw(dir: &tempfile::TempDir, bytes: &[u8]) {
    let path = dir.path().join(FILE);
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn every_kind_of_event_is_read_back_as_it_was() {
    let events = one_of_each();
    let log = Log::read(written(&events).path()).unwrap();
    let read: Vec<Event> = log.entries.into_iter().map(|entry| entry.event).collect();
    assert_eq!(read, events);
    assert!(!log.torn && log.damaged.is_empty() && log.unknown.is_empty());
}

#[test]
fn a_log_cut_anywhere_keeps_every_whole_line() {
    let dir = written(&one_of_each());
    let path = dir.path().join(FILE);
    let whole = fs::read(&path).unwrap();
    // Every 97th byte: many kinds of places, without long tests on histograms.
    for cut in (0..whole.len()).step_by(97) {
        fs::write(&path, &whole[..cut]).unwrap();
        let log = Log::read(dir.path()).unwrap();
        let ended = whole[..cut].split(|byte| *byte == b'\n').count() - 1;
        assert!(log.damaged.is_empty() && log.unknown.is_empty());
        assert!(log.entries.len() >= ended, "cut at {cut}");
    }
}

#[test]
fn a_torn_last_line_is_told_apart_from_damage() {
    let dir = written(&one_of_each()[..6]);
    append_raw(&dir, br#"{"v":1,"at":"2026-11-2"#);
    let log = Log::read(dir.path()).unwrap();
    assert_eq!((log.entries.len(), log.torn), (6, true));
    assert!(log.damaged.is_empty());
}

#[test]
fn writing_goes_on_after_a_torn_line_and_the_loss_is_told() {
    let dir = written(&one_of_each()[..6]);
    append_raw(&dir, b"{\"v\":1,\"at\":\"20\xff");
    let log = EventLog::open(dir.path()).unwrap();
    let note = Event::Note {
        text: "on".to_string(),
    };
    log.append(Stamp::from_micros(2), note).unwrap();
    let log = Log::read(dir.path()).unwrap();
    assert_eq!((log.entries.len(), log.torn), (7, false));
    assert_eq!(log.damaged, [7]);
}

#[test]
fn events_of_a_newer_version_are_counted_and_not_damage() {
    let dir = written(&one_of_each()[..1]);
    append_raw(
        &dir,
        b"{\"v\":1,\"at\":\"2026-11-23 13:14:15.678901\",\"event\":\"comet\"}\n{\"v\":2,\"event\":\"note\"}\n",
    );
    let log = Log::read(dir.path()).unwrap();
    assert_eq!((log.unknown, log.damaged), (vec![2, 3], vec![]));
}

#[test]
fn every_kind_of_event_is_listed_as_known() {
    let kinds = one_of_each().into_iter().map(|event| {
        let json = serde_json::to_value(event).unwrap();
        json["event"].as_str().unwrap().to_owned()
    });
    assert_eq!(kinds.collect::<Vec<_>>(), read::KNOWN);
}

#[test]
fn clones_of_a_log_never_mix_their_lines() {
    let dir = tempfile::tempdir().unwrap();
    let log = EventLog::open(dir.path()).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let log = log.clone();
            scope.spawn(move || {
                for n in 0..100 {
                    let text = format!("{writer} {n} {}", "x".repeat(5_000));
                    log.append(Stamp::from_micros(n), Event::Note { text })
                        .unwrap();
                }
            });
        }
    });
    let log = Log::read(dir.path()).unwrap();
    assert_eq!((log.entries.len(), log.damaged.len()), (400, 0));
}

#[test]
fn a_log_is_held_by_one_writer_for_as_long_as_it_lives() {
    let dir = tempfile::tempdir().unwrap();
    let log = EventLog::open(dir.path()).unwrap();
    assert!(EventLog::is_held(dir.path()).unwrap());
    EventLog::open(dir.path()).unwrap_err();
    let clone = log.clone();
    drop(log);
    assert!(EventLog::is_held(dir.path()).unwrap());
    drop(clone);
    assert!(!EventLog::is_held(dir.path()).unwrap());
    EventLog::open(dir.path()).unwrap();
}

#[test]
fn a_missing_log_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let error = Log::read(dir.path()).unwrap_err().to_string();
    assert!(error.contains(FILE), "{error}");
}
