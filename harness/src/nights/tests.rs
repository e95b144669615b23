//! The page about nights, from suites on disk.

use super::*;
use crate::events::{Event, EventLog, NotRun, ScenarioEnd};
use crate::pace::Pace;
use workflow::contract::Stamp;

/// A suite that began at `second`, whose scenario has this outcome.
fn suite(dir: &Path, second: i64, outcome: Outcome) {
    std::fs::create_dir_all(dir).unwrap();
    let log = EventLog::open(dir).unwrap();
    let at = |more: i64| Stamp::from_micros((second + more) * 1_000_000);
    let missing = NotRun {
        feature: "f".into(),
        name: "elsewhere".into(),
        location: "f:2".into(),
        needs: "nodes".into(),
    };
    log.append(at(0), Event::ScenarioNotRun(missing)).unwrap();
    let ended = ScenarioEnd {
        feature: "f".into(),
        name: "<b>nothing</b> is lost".into(),
        location: "f:1".into(),
        outcome,
        detail: None,
        found: None,
        duration_ms: Some(1),
        run_dir: Some("run 1".into()),
        pace: Pace::PRODUCTION,
    };
    log.append(at(1), Event::ScenarioFinished(ended)).unwrap();
    let reasons = Vec::new();
    log.append(
        at(2),
        Event::Finished {
            outcome,
            reasons,
            outcomes: vec![],
        },
    )
    .unwrap();
}

fn page_of(args: &NightsArgs) -> (String, usize) {
    let (page, count) = write(args).unwrap();
    (std::fs::read_to_string(page).unwrap(), count)
}

#[test]
fn every_night_is_there_in_order_with_the_way_to_its_reports() {
    let dir = tempfile::tempdir().unwrap();
    // The order comes from the times, not from the names.
    suite(&dir.path().join("b-suite"), 1_000_000, Outcome::Pass);
    suite(&dir.path().join("a-suite"), 2_000_000, Outcome::Fail);
    let args = NightsArgs {
        dir: dir.path().to_owned(),
        page: None,
        last: 60,
    };
    let (page, count) = page_of(&args);
    assert_eq!(count, 2);
    let at = |text: &str| {
        page.find(text)
            .unwrap_or_else(|| panic!("{text} in {page}"))
    };
    // The list has the latest first, the courses go from left to right.
    assert!(at("1970-01-24") < at("1970-01-12"));
    assert!(at("b-suite/run%201/report.html") < at("a-suite/run%201/report.html"));
    assert!(page.contains("1 of 2"), "{page}");
    assert!(
        page.contains("&lt;b&gt;nothing"),
        "markup of a scenario's name must stay text"
    );
    assert!(page.contains("1 pass") && page.contains("1 fail"), "{page}");
}

#[test]
fn only_the_last_are_shown_and_a_page_elsewhere_finds_them() {
    let dir = tempfile::tempdir().unwrap();
    for day in 1..=3 {
        suite(
            &dir.path().join(format!("nights/{day}-suite")),
            day * 86_400,
            Outcome::Pass,
        );
    }
    let elsewhere = dir.path().join("pages");
    std::fs::create_dir(&elsewhere).unwrap();
    let args = NightsArgs {
        dir: dir.path().join("nights"),
        page: Some(elsewhere.join("all.html")),
        last: 2,
    };
    let (page, count) = page_of(&args);
    assert_eq!(count, 2);
    assert!(!page.contains("1-suite/report.html"), "{page}");
    let way = format!("{}/nights/3-suite/report.html", dir.path().display());
    assert!(page.contains(&way), "{way} in {page}");
}
