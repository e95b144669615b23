//! Compares runs on disk, as the command does.

use std::path::Path;
use std::time::Duration;

use clap::Parser;
use workflow::contract::{
    Message, MessageId, PayloadSize, Payloads, ResultRow, RunId, Seq, Stamp, StoredRow,
};

use super::*;
use crate::audit::{Auditor, Expectation, Judged as _};
use crate::events::{
    Bottleneck, BottleneckPart, Event, EventLog, Fact, Measured, RateFound, RunStarted, ScenarioEnd,
};
use crate::measure::{Hop, Hops, LatencyLimit, Measure as _, Percentile};
use crate::pace::Pace;

const PAYLOADS: Payloads = Payloads {
    seed: 11,
    size: PayloadSize::Fixed(100),
};

/// Enough for a p90.
const MESSAGES: u64 = 400;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: CompareArgs,
}

/// A load whose consumer takes `work` milliseconds.
struct Night {
    work: u64,
    environment: &'static str,
    version: &'static str,
    /// Rows that are lost.
    lost: u64,
}

impl Night {
    fn of(work: u64) -> Self {
        Self {
            work,
            environment: "local",
            version: "1",
            lost: 0,
        }
    }

    fn row(&self, seq: u64) -> StoredRow {
        let seq = Seq::new(seq).unwrap();
        let id = MessageId::new("r1".parse().unwrap(), seq);
        let src =
            Stamp::from_micros(1_795_435_200_000_000).plus(Duration::from_millis(10 * seq.get()));
        let sent = src.plus(Duration::from_micros(300));
        let message = Message::new(id, PAYLOADS.payload(seq), src, sent);
        let dequeued = sent.plus(Duration::from_millis(5));
        let mut row = ResultRow::of(message, dequeued, 1, "consumer-1", "node-1");
        // The messages of a run differ a little.
        row.date_stamp = dequeued.plus(Duration::from_micros(self.work * 1_000 + seq.get() % 50));
        StoredRow {
            timestamp: Some(row.date_stamp.plus(Duration::from_millis(2))),
            ..row.into()
        }
    }

    fn write(&self, dir: &Path) {
        let run: RunId = "r1".parse().unwrap();
        let expectation = Expectation::new(run.clone(), PAYLOADS, MESSAGES);
        let mut auditor = Auditor::new(expectation).unwrap();
        let mut hops = Hops::default();
        for seq in 1..=MESSAGES - self.lost {
            let row = self.row(seq);
            auditor.row(&row);
            hops.record(&row);
        }
        let audit = auditor.finish();
        let (outcome, reasons) = (audit.outcome(), audit.reasons());
        let started = RunStarted {
            run,
            title: "load".into(),
            seed: 11,
            environment: self.environment.into(),
            pace: Pace::PRODUCTION,
            command: "harness load".into(),
            messages: Some(MESSAGES),
            plan: vec![Fact::new("arrivals", "constant:100/s")],
            limits: vec![],
            setting: vec![],
            versions: vec![Fact::new("consumer", self.version)],
            leeway: vec![],
        };
        let measured = Measured {
            hops,
            verdicts: vec![],
        };
        let events = [
            Event::RunStarted(Box::new(started)),
            Event::Audited(Box::new(audit)),
            Event::Measured(Box::new(measured)),
            Event::Finished {
                outcome,
                reasons,
                outcomes: vec![],
            },
        ];
        log(dir, events);
    }
}

fn log(dir: &Path, events: impl IntoIterator<Item = Event>) {
    std::fs::create_dir_all(dir).unwrap();
    let log = EventLog::open(dir).unwrap();
    for (second, event) in (0..).zip(events) {
        log.append(Stamp::from_micros(second * 1_000_000), event)
            .unwrap();
    }
}

/// Directories `base` and `new` with a run for each.
fn nights(base: &[Night], new: &[Night]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (side, nights) in [("base", base), ("new", new)] {
        for (at, night) in (1..).zip(nights) {
            night.write(&dir.path().join(side).join(format!("night-{at}")));
        }
    }
    dir
}

fn compared(dir: &tempfile::TempDir, flags: &[&str]) -> anyhow::Result<Comparison> {
    let path = |side: &str| dir.path().join(side).display().to_string();
    let mut line = vec!["compare".to_owned(), path("base"), path("new")];
    line.extend(flags.iter().map(|flag| (*flag).to_owned()));
    compare(&Line::parse_from(line).args)
}

fn changed(answer: &Comparison, name: &str) -> Change {
    let mut figures = answer.subjects.iter().flat_map(|it| &it.figures);
    let found = figures.find(|it| it.figure.name() == name);
    let told = || format!("{name} in {}", text(answer));
    found
        .unwrap_or_else(|| panic!("{}", told()))
        .difference
        .change
}

/// Nights whose consumer takes about as long, a little more or less each time.
fn about(work: u64) -> Vec<Night> {
    let off = [0, 2, 1, 3, 0, 1, 2];
    off.iter().map(|off| Night::of(work + off)).collect()
}

#[test]
fn a_consumer_that_takes_a_fifth_longer_is_worse_in_its_own_hop_and_in_no_other() {
    let answer = compared(&nights(&about(200), &[Night::of(241)]), &[]).unwrap();
    assert_eq!(changed(&answer, "work p50"), Change::Worse);
    assert_eq!(changed(&answer, "queue wait p50"), Change::Alike);
    assert_eq!(answer.outcome(), Outcome::Fail);
    let told = text(&answer);
    assert!(
        told.contains("work p50") && told.contains("worse"),
        "{told}"
    );
    // In the other direction it is better, and nothing is worse.
    let answer = compared(&nights(&about(240), &[Night::of(200)]), &[]).unwrap();
    assert_eq!(changed(&answer, "work p50"), Change::Better);
    assert_eq!(answer.outcome(), Outcome::Pass);
}

#[test]
fn the_same_load_is_alike() {
    let answer = compared(&nights(&about(200), &about(200)), &[]).unwrap();
    assert_eq!(
        answer.count(Change::Worse) + answer.count(Change::CannotTell),
        0,
        "{}",
        text(&answer)
    );
    assert_eq!(answer.outcome(), Outcome::Pass);
}

#[test]
fn a_promise_that_is_broken_now_is_worse_after_a_single_night() {
    let broken = Night {
        lost: 1,
        ..Night::of(200)
    };
    let answer = compared(&nights(&about(200), &[broken]), &[]).unwrap();
    assert_eq!(
        answer.subjects[0].outcome,
        Change::Worse,
        "{}",
        text(&answer)
    );
    assert_eq!(answer.outcome(), Outcome::Fail);
}

#[test]
fn runs_of_another_kind_are_refused_by_name_and_other_versions_are_named() {
    let elsewhere = Night {
        environment: "cluster",
        ..Night::of(200)
    };
    let dir = nights(&about(200), &[elsewhere]);
    let error = format!("{:#}", compared(&dir, &[]).unwrap_err());
    assert!(error.contains("environment: local | cluster"), "{error}");
    assert!(error.contains("--anyway"), "{error}");
    let answer = compared(&dir, &["--anyway"]).unwrap();
    assert!(text(&answer).contains("environment: local | cluster"));

    let newer = Night {
        version: "2",
        ..Night::of(200)
    };
    let answer = compared(&nights(&about(200), &[newer]), &[]).unwrap();
    assert!(
        text(&answer).contains("consumer: 1 | 2"),
        "{}",
        text(&answer)
    );
}

#[test]
fn the_last_runs_of_a_directory_are_those_with_the_latest_names() {
    let mut base = about(900);
    base.extend(about(200).into_iter().take(2));
    // `night-8` and `night-9` are the last two of nine.
    let answer = compared(&nights(&base, &[Night::of(200)]), &["--last", "2"]).unwrap();
    assert_eq!(answer.base.len(), 2);
    assert_ne!(changed(&answer, "work p50"), Change::Better);
}

#[test]
fn a_directory_without_a_run_is_told() {
    let dir = nights(&[], &[Night::of(200)]);
    std::fs::create_dir(dir.path().join("base")).unwrap();
    let error = format!("{:#}", compared(&dir, &[]).unwrap_err());
    assert!(error.contains("find a run in"), "{error}");
}

#[test]
fn scenarios_are_compared_by_name_and_those_of_one_side_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let scenario = |name: &str, outcome| {
        Event::ScenarioFinished(ScenarioEnd {
            feature: "f".into(),
            name: name.into(),
            location: format!("features/f.feature:{}", name.len()),
            outcome,
            detail: None,
            found: None,
            duration_ms: Some(1),
            run_dir: None,
            pace: Pace::PRODUCTION,
        })
    };
    let suite =
        |side: &str, scenarios: Vec<Event>| log(&dir.path().join(side).join("s-suite"), scenarios);
    let (pass, fail) = (Outcome::Pass, Outcome::Fail);
    suite(
        "base",
        vec![
            scenario("same", pass),
            scenario("broken", pass),
            scenario("gone", pass),
        ],
    );
    suite(
        "new",
        vec![
            scenario("same", pass),
            scenario("broken", fail),
            scenario("added", pass),
        ],
    );
    let answer = compared(&dir, &[]).unwrap();
    let outcomes: Vec<_> = answer
        .subjects
        .iter()
        .map(|it| (it.name.as_str(), it.outcome))
        .collect();
    assert_eq!(
        outcomes,
        [("same", Change::Alike), ("broken", Change::Worse)]
    );
    assert_eq!(answer.one_sided.len(), 2);
    assert!(
        text(&answer).contains("added: new, not in the base"),
        "{}",
        text(&answer)
    );
}

/// A search for the highest rate whose p99 end to end is at most `limit` milliseconds.
fn search(dir: &Path, limit: u64, kept: f64, broken: Option<f64>) {
    let limit = Duration::from_millis(limit);
    let limit = LatencyLimit::new(Hop::EndToEnd, Percentile::P99, limit);
    let started = RunStarted {
        run: "s1".parse().unwrap(),
        title: "find the highest rate: 2 consumers".into(),
        seed: 11,
        environment: "local".into(),
        pace: Pace::PRODUCTION,
        command: "harness load --find-rate".into(),
        messages: None,
        plan: vec![Fact::new("each rate", "10s")],
        limits: vec![limit],
        setting: vec![],
        versions: vec![],
        leeway: vec![],
    };
    let found = RateFound {
        rate_per_s: Some(kept),
        broken_at_per_s: broken,
        untold_at_per_s: None,
        bottleneck: Bottleneck {
            part: BottleneckPart::Storage,
            why: "slow".into(),
        },
    };
    let (outcome, reasons) = (Outcome::Pass, vec![]);
    let outcomes = vec![];
    log(
        dir,
        [
            Event::RunStarted(Box::new(started)),
            Event::RateFound(found),
            Event::Finished {
                outcome,
                reasons,
                outcomes,
            },
        ],
    );
}

#[test]
fn searches_are_compared_by_the_rate_that_they_found() {
    let dir = tempfile::tempdir().unwrap();
    search(&dir.path().join("base"), 50, 4_000.0, Some(4_300.0));
    search(&dir.path().join("new"), 50, 2_000.0, Some(2_200.0));
    let answer = compared(&dir, &[]).unwrap();
    assert_eq!(
        changed(&answer, "rate that keeps the limits"),
        Change::Worse
    );
    assert_eq!(answer.outcome(), Outcome::Fail);
    let told = text(&answer);
    assert!(
        told.contains(
            "  rate that keeps the limits  4000/s  2000/s   -50 %  -53 % to -45 %  worse"
        ),
        "{told}"
    );
    assert!(
        told.contains("a rate is known to the steps of its search"),
        "{told}"
    );
}

#[test]
fn searches_with_different_limits_are_not_compared_unless_asked() {
    let dir = tempfile::tempdir().unwrap();
    let (base, new) = (dir.path().join("base"), dir.path().join("new"));
    search(&base, 50, 4_000.0, Some(4_300.0));
    search(&new, 100, 8_000.0, Some(8_700.0));
    let refused = compared(&dir, &[]).unwrap_err();
    let differ = "limits: end to end p99 at most 50.0 ms | end to end p99 at most 100 ms";
    assert!(format!("{refused:#}").contains(differ), "{refused:#}");
    let answer = compared(&dir, &["--anyway"]).unwrap();
    assert_eq!(answer.unlike[0].to_string(), differ);
    assert_eq!(
        changed(&answer, "rate that keeps the limits"),
        Change::Better
    );
}

#[test]
fn a_search_is_not_compared_with_a_load() {
    let dir = nights(&[Night::of(20)], &[]);
    search(&dir.path().join("new"), 50, 4_000.0, None);
    let refused = format!("{:#}", compared(&dir, &[]).unwrap_err());
    assert!(
        refused.contains("no load, no search and no scenario in common"),
        "{refused}"
    );
}
