//! What reports say about the pace of scenarios, and about scenarios that were not run.

use super::*;
use crate::events::NotRun;

/// The text of every report of a run with these events.
fn texts(events: Vec<Event>) -> Vec<String> {
    let dir = logged(events);
    let (record, report) = write(dir.path()).unwrap();
    let files = [report.html, report.markdown, report.json, report.junit];
    let mut texts: Vec<_> = files.map(|file| fs::read_to_string(file).unwrap()).into();
    texts.push(terminal(&record, false));
    texts
}

#[test]
fn every_view_states_the_pace_of_a_run_unless_it_is_1() {
    let pace = "pace 30: every duration divided by 30";
    for (times, stated) in [(30, true), (1, false)] {
        let mut events = events(&good_rows());
        if let Event::RunStarted(run) = &mut events[0] {
            run.pace = Pace::new(times).unwrap();
        }
        for text in texts(events) {
            assert_eq!(text.contains(pace), stated, "{text}");
        }
    }
}

#[test]
fn every_view_of_a_suite_states_the_paces_of_its_scenarios_and_what_those_needed_that_did_not_run()
{
    let mut events = events(&good_rows());
    for times in [1, 30] {
        events.insert(
            1,
            Event::ScenarioFinished(ScenarioEnd {
                feature: "scaling".into(),
                name: format!("pace {times}"),
                location: format!("features/scale_out.feature:{times}"),
                outcome: Outcome::Pass,
                detail: None,
                found: None,
                duration_ms: Some(1_250),
                run_dir: None,
                pace: Pace::new(times).unwrap(),
            }),
        );
    }
    events.insert(
        1,
        Event::ScenarioNotRun(NotRun {
            feature: "faults".into(),
            name: "zombie".into(),
            location: "features/faults.feature:9".into(),
            needs: "consumers that can be frozen".into(),
        }),
    );
    for text in texts(events) {
        for said in [
            "pace 30: every duration divided by 30, in 1 of 2 scenarios",
            "consumers that can be frozen",
        ] {
            assert!(text.contains(said), "{said:?} is not in {text}");
        }
    }
}
