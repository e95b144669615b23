//! What reports say about a finding: how many messages it concerns, what the description promised, and what to do next.

use ::evidence::departures::{Cause, End};

use super::*;
use crate::audit::{Audit, Finding, Foreign, NotJudged, Removals, StampBlocks, Violation};
use crate::events::Leeway;

/// A run with correct rows, and its audit changed by `change`.
fn changed(change: impl Fn(&mut Audit)) -> (tempfile::TempDir, RunRecord) {
    let mut events = events(&good_rows());
    for event in &mut events {
        if let Event::Audited(audit) = event {
            change(audit);
        }
    }
    let dir = logged(events);
    write(dir.path()).unwrap();
    let record = RunRecord::read(dir.path()).unwrap();
    (dir, record)
}

fn finding(violation: Violation, count: u64) -> Finding {
    Finding {
        violation,
        count,
        witnesses: vec![],
    }
}

/// The finding about the promise that begins with `words`.
fn found(record: &RunRecord, words: &str) -> String {
    let mut promises = promises(record).into_iter();
    let promise = promises.find(|each| each.promised.starts_with(words));
    promise.map_or_else(String::new, |promise| promise.found)
}

const RIGHT_ROW: &str = "every message has exactly one right row";

#[test]
fn stamps_that_were_not_compared_are_no_kept_promise() {
    let stated = |stamps: Option<StampBlocks>| {
        let mut events = events(&good_rows());
        for event in &mut events {
            if let Event::Audited(audit) = event {
                audit.stamps = stamps;
            }
        }
        let record = RunRecord::read(logged(events).path()).unwrap();
        let promises = promises(&record).into_iter();
        promises
            .filter(|promise| promise.promised == Violation::Restamped.promise())
            .map(|promise| (promise.found, promise.outcome))
            .next()
    };
    let blocks = |judged, unjudged| {
        Some(StampBlocks {
            judged,
            unjudged,
            suspected: 0,
        })
    };
    assert_eq!(stated(None), None);
    assert_eq!(stated(blocks(3, 0)), Some(("0".into(), Outcome::Pass)));
    let untold = (
        "1 of 3 blocks of messages could not be compared".into(),
        Outcome::Inconclusive,
    );
    assert_eq!(stated(blocks(2, 1)), Some(untold));
}

#[test]
fn the_figure_of_right_rows_says_what_is_wrong_beside_them() {
    let (_, record) = changed(|audit| audit.findings = vec![finding(Violation::Phantom, 3)]);
    assert_eq!(found(&record, RIGHT_ROW), "3 of 3 kept, 3 never sent");
    let (_, record) = changed(|audit| {
        audit.findings = vec![finding(Violation::Restamped, 1)];
        audit.stamps = Some(StampBlocks {
            judged: 1,
            unjudged: 0,
            suspected: 3,
        });
    });
    assert_eq!(
        found(&record, RIGHT_ROW),
        "3 of 3 kept, up to 3 with other times"
    );
    assert_eq!(found(&record, "srcStamp"), "up to 3 with other times");
    let headline = record.verdict().headline;
    assert!(
        headline.starts_with("up to 3 rows, in 1 block of messages, with a srcStamp"),
        "{headline}"
    );
    let (_, record) = changed(|_| {});
    assert_eq!(found(&record, RIGHT_ROW), "3 of 3 kept");
}

#[test]
fn right_rows_are_no_failure_of_another_promise_and_nothing_hangs_after_a_semicolon() {
    let (dir, _) = changed(|audit| audit.findings = vec![finding(Violation::Stubborn, 1)]);
    let page = fs::read_to_string(dir.path().join("report.html")).unwrap();
    let plain = "<div class=\"tile \"><div class=\"figure\">3 / 3</div><div class=\"name\">messages with exactly one right row";
    assert!(page.contains(plain), "{page}");
    let junit = fs::read_to_string(dir.path().join("junit.xml")).unwrap();
    assert!(
        junit.contains("message=\"found 1 repeated after a refusal\""),
        "{junit}"
    );
}

#[test]
fn what_was_found_is_not_listed_as_not_judged() {
    let open = |findings: Vec<Finding>| {
        let (dir, record) = changed(|audit| {
            audit.findings.clone_from(&findings);
            audit.not_judged = vec![NotJudged {
                violation: Violation::Corrupted,
                why: "no column of the row holds {payload} or {digest}".into(),
            }];
        });
        let junit = fs::read_to_string(dir.path().join("junit.xml")).unwrap();
        let cases = junit
            .matches("name=\"every row holds what was sent\"")
            .count();
        (unjudged(&record).len(), cases)
    };
    assert_eq!(open(vec![]), (1, 1));
    assert_eq!(open(vec![finding(Violation::Corrupted, 1)]), (0, 1));
}

#[test]
fn next_names_the_line_of_the_description_that_would_allow_what_a_worker_does() {
    let next = |violation, updates: Option<bool>| {
        let (_, record) = changed(|audit| {
            audit.findings = vec![finding(violation, 1)];
            audit.foreign = updates.map(|updates| Foreign { updates });
        });
        record.verdict().next_steps[0].clone()
    };
    for (violation, updates, told) in [
        (Violation::Overwritten, Some(false), "row.written: updated"),
        (
            Violation::Overwritten,
            Some(true),
            "lets rows be changed, and not deleted",
        ),
        (
            Violation::Overwritten,
            None,
            "does the consumer use Insert Entity, and no upsert?",
        ),
        (
            Violation::Corrupted,
            Some(false),
            "insert instead of overwrite",
        ),
        (
            Violation::Corrupted,
            Some(true),
            "write every column as the description says",
        ),
        (
            Violation::Lost,
            Some(true),
            "was the message deleted before its row was stored",
        ),
    ] {
        let step = next(violation, updates);
        assert!(step.contains(told), "{step}");
    }
    let (_, deleting) = changed(|audit| {
        audit.findings = vec![finding(Violation::Overwritten, 1)];
        audit.removals = Removals { rows: 1, lost: 1 };
        audit.foreign = Some(Foreign { updates: false });
    });
    let step = &deleting.verdict().next_steps[0];
    assert!(
        step.contains("what deletes a row that is stored?"),
        "{step}"
    );
    let updated = next(Violation::Corrupted, Some(true));
    assert!(!updated.contains("overwrite"), "{updated}");
}

#[test]
fn one_row_for_many_messages_comes_first_in_what_to_do() {
    let (_, record) = changed(|audit| {
        audit.findings = vec![finding(Violation::Lost, 2), finding(Violation::Phantom, 1)];
        audit.rows_of_many = 1;
    });
    let verdict = record.verdict();
    assert!(verdict.next_steps[0].contains("one row for many messages is out of scope"));
    let misleading = verdict
        .next_steps
        .iter()
        .any(|step| step.contains("deleted before"));
    assert!(!misleading, "{:?}", verdict.next_steps);
    assert!(
        verdict
            .reasons
            .iter()
            .any(|it| it.starts_with("1 row names several messages"))
    );
}

#[test]
fn next_names_how_a_worker_may_end_where_its_description_leaves_nothing_open() {
    let next = |end: Option<(End, Cause)>, leeway: Vec<Leeway>, is_foreign: bool| {
        let mut events = events(&good_rows());
        for event in &mut events {
            match event {
                Event::RunStarted(started) => started.leeway.clone_from(&leeway),
                Event::Audited(audit) => {
                    audit.foreign = is_foreign.then_some(Foreign { updates: false });
                }
                _ => {}
            }
        }
        let name = "consumer-1".to_owned();
        let started = Event::ProcessStarted {
            name: name.clone(),
            role: "consumer".into(),
            pid: None,
        };
        let exited = Event::ProcessExited {
            name,
            pid: None,
            status: end.map_or(String::new(), |(end, _)| end.to_string()),
            expected: false,
            last_lines: None,
            restarted: false,
            end: end.map(|(end, _)| end),
            cause: end.map(|(_, cause)| cause),
        };
        events.splice(2..2, [started, exited]);
        let steps = RunRecord::read(logged(events).path())
            .unwrap()
            .verdict()
            .next_steps;
        let mut steps = steps.into_iter();
        let says = ["worker.drains: false", "worker.exit: restart"];
        steps.find(|step| says.iter().any(|it| step.contains(it)))
    };
    let killed = Some((End::Signalled(15), Cause::Told));
    let step = next(killed, vec![], true).expect("a step");
    assert!(!step.contains("worker.exit"), "{step}");
    let by_itself = Some((End::Exited(1), Cause::Unasked));
    let step = next(by_itself, vec![], true).expect("a step");
    assert!(!step.contains("worker.drains"), "{step}");
    // An end in order, but too early or too late, or a log of an earlier version.
    for other in [Some((End::Exited(1), Cause::Told)), None] {
        let step = next(other, vec![], true).expect("a step");
        assert!(step.contains("worker.drains: false"), "{step}");
        assert!(step.contains("worker.exit: restart"), "{step}");
    }
    assert_eq!(next(killed, vec![], false), None, "ours drains");
    assert_eq!(
        next(killed, vec![Leeway::Drain], true),
        None,
        "it may already"
    );
}

/// For a worker whose messages do not hold their intended time.
#[test]
fn hops_without_a_plan_are_told_by_name_in_every_view() {
    let planless: Vec<_> = good_rows()
        .into_iter()
        .map(|row| workflow::contract::StoredRow {
            src_stamp: None,
            ..row
        })
        .collect();
    let views = |rows: &[workflow::contract::StoredRow]| {
        let dir = logged(events(rows));
        let (record, report) = write(dir.path()).unwrap();
        let read = |path: &Path| {
            let text = fs::read_to_string(path).unwrap();
            let text = text.replace("&quot;", "\"").replace("&#34;", "\"");
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let terminal = terminal(&record, false);
        [
            terminal.split_whitespace().collect::<Vec<_>>().join(" "),
            read(&report.markdown),
            read(&report.html),
            read(&dir.path().join("junit.xml")),
        ]
    };
    let why = "neither messages nor rows tell when a message was to be sent; add {intended} to message.body";
    let [terminal, markdown, html, junit] = views(&planless);
    for text in [terminal, markdown, html] {
        for hop in ["schedule lag", "end to end"] {
            let told = format!("{hop}: no figure, since {why}");
            assert!(text.contains(&told), "{told}: {text}");
        }
    }
    for hop in ["schedule lag", "end to end"] {
        assert!(
            junit.contains(&format!("name=\"latency of {hop}\"")),
            "{junit}"
        );
    }
    assert!(
        junit.contains(&format!("not measured: no figure, since {why}")),
        "{junit}"
    );
    assert!(
        views(&good_rows())
            .iter()
            .all(|text| !text.contains("no figure"))
    );
}

#[test]
fn a_run_that_is_cut_off_says_how_far_it_had_come() {
    let headline = |count: usize| {
        let dir = logged(events(&good_rows())[..count].to_vec());
        RunRecord::read(dir.path()).unwrap().verdict().headline
    };
    let nothing_seen = "the run was cut off: what it shows is not the whole";
    assert_eq!(headline(2), nothing_seen);
    let seen = "the run was cut off: when last seen, 1 of 3 messages were sent, 3 in the queue";
    assert_eq!(headline(3), seen);
    // Its audit tells more.
    assert_eq!(headline(6), nothing_seen);
}
