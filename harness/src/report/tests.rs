//! Every report of a run shows the same outcome, for whole and for damaged logs.

mod consumers;
mod evidence;
mod pace;
mod wording;

use std::fs;
use std::path::Path;
use std::time::Duration;

use workflow::contract::{
    Message, MessageId, PayloadSize, Payloads, ResultRow, Seq, Stamp, StoredRow,
};

use super::*;
use crate::audit::{Auditor, Expectation, Judged as _};
use crate::events::{
    Event, EventLog, FILE, Measured, Resource, RunStarted, Sample, ScenarioEnd, ScenarioStarted,
    Selected,
};
use crate::measure::{Hop, Hops, LatencyLimit, Measure as _, Percentile, judge};
use crate::outcome::Outcome;
use crate::pace::Pace;

const HOSTILE: &str = "<script>alert(1)</script> | `x` & \"y\"";

const PAYLOADS: Payloads = Payloads {
    seed: 11,
    size: PayloadSize::Fixed(100),
};

/// A run of three messages whose `rows` were found, with every kind of event.
fn events(rows: &[StoredRow]) -> Vec<Event> {
    let run: workflow::contract::RunId = "r1".parse().unwrap();
    let mut auditor = Auditor::new(Expectation::new(run.clone(), PAYLOADS, 3)).unwrap();
    let mut hops = Hops::default();
    for row in rows {
        auditor.row(row);
        hops.record(row);
    }
    let audit = auditor.finish();
    let (outcome, reasons) = (audit.outcome(), audit.reasons());
    let sample = |sent| {
        Event::Sample(Sample {
            queue_depth: Some(3),
            in_hand: Some(2),
            consumers: Some(1),
            leaving: Some(0),
            sent: Some(sent),
            sent_at: None,
            hit: Some(sent),
        })
    };
    vec![
        Event::RunStarted(Box::new(RunStarted {
            run,
            title: HOSTILE.into(),
            seed: 11,
            environment: "local".into(),
            pace: Pace::PRODUCTION,
            command: "harness load --messages 3".into(),
            messages: Some(3),
            plan: vec![],
            limits: vec![],
            setting: vec![],
            versions: vec![],
            leeway: vec![],
        })),
        Event::Phase {
            name: HOSTILE.into(),
        },
        sample(1),
        Event::Fault {
            name: "SIGKILL".into(),
            target: HOSTILE.into(),
            lasts_ms: Some(1),
        },
        sample(3),
        Event::Audited(Box::new(audit)),
        Event::Measured(Box::new(Measured {
            hops,
            verdicts: vec![],
        })),
        Event::Finished {
            outcome,
            reasons,
            outcomes: vec![],
        },
    ]
}

fn good_rows() -> Vec<StoredRow> {
    (1..=3).map(good_row).collect()
}

fn good_row(seq: u64) -> StoredRow {
    let seq = Seq::new(seq).unwrap();
    let id = MessageId::new("r1".parse().unwrap(), seq);
    let src = Stamp::from_micros(1_795_435_200_000_000).plus(Duration::from_millis(10 * seq.get()));
    let sent = src.plus(Duration::from_micros(321));
    let message = Message::new(id, PAYLOADS.payload(seq), src, sent);
    let dequeued = sent.plus(Duration::from_millis(5));
    let mut row = ResultRow::of(message, dequeued, 1, "consumer-1", "node-1");
    row.date_stamp = dequeued.plus(Duration::from_millis(7));
    StoredRow {
        timestamp: Some(row.date_stamp),
        ..row.into()
    }
}

fn logged(events: Vec<Event>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let log = EventLog::open(dir.path()).unwrap();
    for (second, event) in (0..).zip(events) {
        log.append(Stamp::from_micros(second * 1_000_000), event)
            .unwrap();
    }
    dir
}

/// The outcome that each report shows.
fn shown(dir: &Path) -> [String; 5] {
    let (record, report) = write(dir).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&fs::read(report.json).unwrap()).unwrap();
    let html = fs::read_to_string(report.html).unwrap();
    let markdown = fs::read_to_string(report.markdown).unwrap();
    let banner = terminal(&record, false);
    let word = |text: &str| {
        let upper = |word: &&str| {
            Outcome::WORST_FIRST
                .iter()
                .any(|o| o.as_str().to_uppercase() == *word)
        };
        let mut words = text.split([' ', ':', '\n', '<', '>']);
        words.find(upper).unwrap_or("none").to_lowercase()
    };
    [
        record.verdict().outcome.to_string(),
        json["outcome"].as_str().unwrap().to_owned(),
        word(&html),
        word(&markdown),
        word(&banner),
    ]
}

#[test]
fn every_view_shows_the_same_verdict() {
    let whole = events(&good_rows());
    let cut_off = whole[..whole.len() - 1].to_vec();
    let lost = events(&good_rows()[1..]);
    for (events, outcome) in [(whole, "pass"), (lost, "fail"), (cut_off, "incomplete")] {
        let dir = logged(events);
        assert_eq!(shown(dir.path()), [outcome; 5].map(String::from));
    }
}

#[test]
fn a_verdict_is_never_better_than_a_part_whatever_the_run_stated() {
    let mut events = events(&good_rows()[1..]);
    events.pop();
    events.push(Event::Finished {
        outcome: Outcome::Pass,
        reasons: vec![],
        outcomes: vec![],
    });
    assert_eq!(shown(logged(events).path())[0], "fail");
}

#[test]
fn a_sweep_after_the_end_clears_what_was_left_and_makes_the_run_no_longer() {
    let queue = Resource {
        kind: "queue".into(),
        name: "edw-r1".into(),
        storage: "http://127.0.0.1:10001/devstoreaccount1".into(),
    };
    let mut events = events(&good_rows());
    events.insert(0, Event::ResourceCreated(queue.clone()));
    let left = RunRecord::read(logged(events.clone()).path()).unwrap();
    assert!(
        terminal(&left, false).contains("still there: queue edw-r1 at http://127.0.0.1:10001/")
    );
    events.push(Event::ResourceRemoved(queue));
    let swept = RunRecord::read(logged(events).path()).unwrap();
    assert!(!terminal(&swept, false).contains("still there"));
    assert_eq!(swept.ended, left.ended);
}

#[test]
fn a_missed_latency_limit_fails_the_run() {
    let mut events = events(&good_rows());
    let mut hops = Hops::default();
    for n in 0..2_000 {
        hops.record(&StoredRow {
            src_stamp: Some(Stamp::from_micros(0)),
            sent_stamp: Some(Stamp::from_micros(1)),
            dequeued_stamp: Some(Stamp::from_micros(5_000 + n)),
            date_stamp: Some(Stamp::from_micros(9_000 + n)),
            timestamp: Some(Stamp::from_micros(9_000 + n)),
            ..StoredRow::default()
        });
    }
    let limit = LatencyLimit::new(Hop::EndToEnd, Percentile::P99, Duration::from_millis(1));
    let verdicts = judge(&hops, &[limit]);
    events.insert(7, Event::Measured(Box::new(Measured { hops, verdicts })));
    let dir = logged(events);
    assert_eq!(shown(dir.path())[0], "fail");
    let markdown = fs::read_to_string(dir.path().join("summary.md")).unwrap();
    assert!(
        markdown.starts_with("## 🔴 FAIL: end to end p99 is 11.0 ms, limit 1.00 ms\n"),
        "{markdown}"
    );
    let html = fs::read_to_string(dir.path().join("report.html")).unwrap();
    let toned = |tone: &str| html.matches(&format!("class=\"tile {tone}\"")).count();
    assert_eq!((toned("fail"), toned("pass")), (2, 0));
}

#[test]
fn a_failed_scenario_fails_the_run_and_is_a_failure_in_junit() {
    let mut events = events(&good_rows());
    events.insert(
        1,
        Event::ScenarioFinished(ScenarioEnd {
            feature: "exactly once".into(),
            name: HOSTILE.into(),
            location: "features/exactly_once.feature:12".into(),
            outcome: Outcome::Fail,
            detail: Some(HOSTILE.into()),
            found: None,
            duration_ms: Some(1_250),
            run_dir: None,
            pace: Pace::PRODUCTION,
        }),
    );
    let dir = logged(events);
    assert_eq!(shown(dir.path())[0], "fail");
    let xml = fs::read_to_string(dir.path().join("junit.xml")).unwrap();
    let junit = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((junit.failures, junit.tests), (2, 2));
}

#[test]
fn a_killed_run_has_a_report_after_any_event() {
    let events = events(&good_rows());
    let most = events.len() - 1;
    for count in 1..=most {
        let dir = logged(events[..count].to_vec());
        let path = dir.path().join(FILE);
        let mut torn = fs::read(&path).unwrap();
        torn.extend(br#"{"v":1,"at":"2026"#);
        fs::write(&path, torn).unwrap();
        assert_eq!(shown(dir.path())[0], "incomplete", "after {count} events");
    }
}

#[test]
fn damage_in_the_middle_of_the_log_is_never_a_pass() {
    let dir = logged(events(&good_rows()));
    let path = dir.path().join(FILE);
    let text = fs::read_to_string(&path).unwrap();
    let damaged: Vec<&str> = (0..)
        .zip(text.lines())
        .map(|(n, line)| if n == 2 { &line[9..] } else { line })
        .collect();
    fs::write(&path, damaged.join("\n") + "\n").unwrap();
    assert_eq!(shown(dir.path())[0], "inconclusive");
}

#[test]
fn what_the_log_holds_cannot_become_markup() {
    let dir = logged(events(&good_rows()));
    let (_, report) = write(dir.path()).unwrap();
    let html = fs::read_to_string(report.html).unwrap();
    assert!(!html.contains("<script"), "the page must hold no script");
    assert!(
        !html.contains("http://") && !html.contains("https://"),
        "nor an outside resource"
    );
    let markdown = fs::read_to_string(report.markdown).unwrap();
    assert!(!markdown.contains("<script"), "{markdown}");
}

#[test]
fn exports_hold_every_sample_and_other_tools_can_read_them() {
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    let dir = logged(events(&good_rows()));
    let (_, report) = write(dir.path()).unwrap();
    let log = fs::read(dir.path().join("latency.hlog")).unwrap();
    let mut tags = Vec::new();
    for entry in IntervalLogIterator::new(&log) {
        if let LogEntry::Interval(interval) = entry.unwrap() {
            use base64::Engine as _;
            let engine = base64::engine::general_purpose::STANDARD;
            let bytes = engine.decode(interval.encoded_histogram()).unwrap();
            let histogram: hdrhistogram::Histogram<u64> = Deserializer::new()
                .deserialize(&mut bytes.as_slice())
                .unwrap();
            tags.push((interval.tag().unwrap().as_str().to_owned(), histogram.len()));
        }
    }
    let hops = [
        "schedule-lag",
        "queue-wait",
        "work",
        "store",
        "end-to-end",
        "end-to-end-naive",
    ];
    assert_eq!(tags, hops.map(|hop| (hop.to_owned(), 3)));
    assert_eq!(report.exports.len(), 1 + 2 * hops.len());
    let table = fs::read_to_string(dir.path().join("latency-work.hgrm")).unwrap();
    assert!(table.contains("Total count    =            3"), "{table}");
}

#[test]
fn writing_again_replaces_and_leaves_nothing_else() {
    let dir = logged(events(&good_rows()));
    let list = || {
        let mut names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    write(dir.path()).unwrap();
    let first = list();
    write(dir.path()).unwrap();
    assert_eq!(list(), first);
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error_that_names_the_file() {
    let dir = logged(events(&good_rows()));
    fs::create_dir(dir.path().join("report.html")).unwrap();
    let error = write(dir.path()).unwrap_err().to_string();
    assert!(error.contains("report.html"), "{error}");
}

#[test]
fn a_suite_that_was_cut_off_names_what_never_began_and_invents_no_time() {
    let selected = |name: &str, line| {
        Event::ScenarioSelected(Selected {
            feature: "f".into(),
            name: name.into(),
            location: format!("f.feature:{line}"),
        })
    };
    let Event::RunStarted(started) = events(&[]).remove(0) else {
        panic!("a run starts first");
    };
    let begun = Event::ScenarioStarted(ScenarioStarted {
        feature: "f".into(),
        name: "one that begins".into(),
        location: "f.feature:3".into(),
        run_dir: "r1".into(),
        pace: Pace::PRODUCTION,
    });
    let all = ["one that begins", "one that waits", "another that waits"];
    let selected = all.iter().zip(3..).map(|(name, line)| selected(name, line));
    let events = [Event::RunStarted(started)]
        .into_iter()
        .chain(selected)
        .chain([begun]);
    let dir = logged(events.collect());
    assert_eq!(shown(dir.path())[0], "incomplete");
    let record = RunRecord::read(dir.path()).unwrap();
    assert_eq!(record.scenario_counts(), ["1 incomplete", "2 never begun"]);
    let page = fs::read_to_string(dir.path().join("report.html")).unwrap();
    assert!(
        page.contains("0 / 3") && !page.contains("&lt; 1 ms"),
        "{page}"
    );
    let xml = fs::read_to_string(dir.path().join("junit.xml")).unwrap();
    let text = terminal(&record, false);
    for view in [&page, &xml, &text] {
        assert!(view.contains("another that waits"), "{view}");
    }
    assert!(text.contains("2 of 3 scenarios were never begun"), "{text}");
}
