//! Tests of whether each promise was shown to be kept, and of the reasons of an outcome other than pass.

use std::collections::BTreeMap;

use super::planted::{PAYLOADS, row};
use crate::audit::{
    AtWork, Audit, Auditor, Expectation, Finding, Judged as _, NotJudged, Shown, StampBlocks,
    StorageTime, Traffic, Violation, Witness,
};
use evidence::outcome::Outcome;

const MESSAGES: u64 = 10;

/// The audit of a good run, seen over the wire, after `change` has modified it.
fn audit(change: impl FnOnce(&mut Audit)) -> Audit {
    let expectation = Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES);
    let mut auditor = Auditor::new(expectation).unwrap();
    for seq in 1..=MESSAGES {
        auditor.row(&row("r1", seq));
    }
    let mut audit = auditor.finish();
    audit.not_judged.clear();
    audit.traffic = Some(Traffic::default());
    audit.stamps = Some(StampBlocks {
        judged: 1,
        unjudged: 0,
        suspected: 0,
    });
    change(&mut audit);
    audit
}

fn finding(violation: Violation) -> Finding {
    Finding {
        violation,
        count: 1,
        witnesses: vec![Witness::new("r1-1", "planted")],
    }
}

/// Checks that every promise is shown as `others`, except for those in `expected`.
fn shown(audit: &Audit, expected: &[(Violation, Option<Shown>)], others: Shown) {
    for violation in Violation::ALL {
        let found = audit.shown(violation);
        let planted = expected.iter().find(|(of, _)| *of == violation);
        let expected = planted.map_or(Some(others), |(_, shown)| *shown);
        assert_eq!(found, expected, "{violation:?}");
    }
}

#[test]
fn a_good_run_that_was_seen_shows_every_promise_kept() {
    let good = audit(|_| ());
    shown(&good, &[], Shown::Kept);
    assert_eq!(good.outcome(), Outcome::Pass);
    assert_eq!(good.reasons(), Vec::<String>::new());
}

#[test]
fn what_was_not_judged_is_not_shown_unless_it_was_found_all_the_same() {
    let unseen = audit(|audit| {
        audit.traffic = None;
        audit.stamps = None;
        audit.not_judged = vec![NotJudged {
            violation: Violation::Misplaced,
            why: "no keys".to_owned(),
        }];
    });
    let mut untold: Vec<_> = Violation::ALL
        .into_iter()
        .filter(|violation| violation.needs_history())
        .map(|violation| (violation, None))
        .collect();
    untold.extend([(Violation::Misplaced, None), (Violation::Restamped, None)]);
    shown(&unseen, &untold, Shown::Kept);

    let mut found = unseen;
    let violations = [
        Violation::Misplaced,
        Violation::Restamped,
        Violation::Unsecured,
    ];
    found.findings = violations.map(finding).to_vec();
    for violation in violations {
        assert_eq!(found.shown(violation), Some(Shown::Broken), "{violation:?}");
    }
}

#[test]
fn each_cause_leaves_its_promises_untold() {
    type Change = fn(&mut Audit);
    let strange = |audit: &mut Audit| {
        let strange = [("a verb".to_owned(), 4), ("a header".to_owned(), 1)];
        audit.traffic.as_mut().unwrap().strange = BTreeMap::from(strange);
    };
    let cases: [(Change, &[(Violation, Shown)]); 9] = [
        (
            |audit| audit.complete = false,
            &[
                (Violation::Unfinished, Shown::CutOff),
                (Violation::Undeleted, Shown::CutOff),
            ],
        ),
        (
            |audit| audit.fates.undecidable = 1,
            &[(Violation::Lost, Shown::Undecidable)],
        ),
        (
            |audit| audit.stamps.as_mut().unwrap().unjudged = 1,
            &[(Violation::Restamped, Shown::StampsUntold { cut_off: false })],
        ),
        (
            |audit| audit.reversed = 2,
            &[(Violation::Corrupted, Shown::Uncompared(2))],
        ),
        (
            |audit| audit.unattributed_rows = 3,
            &[(Violation::Phantom, Shown::Uncompared(3))],
        ),
        (
            |audit| audit.traffic.as_mut().unwrap().untold_claims = 4,
            &[(Violation::Misreported, Shown::Uncompared(4))],
        ),
        (
            |audit| audit.traffic.as_mut().unwrap().starved_claims = 5,
            &[(Violation::Misreported, Shown::Uncompared(5))],
        ),
        (
            strange,
            &[
                (Violation::Overwritten, Shown::Uncompared(5)),
                (Violation::Unwitnessed, Shown::Uncompared(5)),
            ],
        ),
        (
            |audit| {
                audit.at_work = Some(AtWork::Changing);
                audit.findings = [Violation::Undeleted, Violation::Duplicated]
                    .map(finding)
                    .to_vec();
            },
            &[
                (Violation::Undeleted, Shown::Excused),
                (Violation::Duplicated, Shown::Broken),
            ],
        ),
    ];
    for (change, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|(of, it)| (*of, Some(*it))).collect();
        shown(&audit(change), &expected, Shown::Kept);
    }
    let cut_off = audit(|audit| {
        audit.complete = false;
        audit.stamps.as_mut().unwrap().unjudged = 1;
    });
    let stamps = Shown::StampsUntold { cut_off: true };
    assert_eq!(cut_off.shown(Violation::Restamped), Some(stamps));
}

#[test]
fn what_is_shown_has_an_outcome() {
    for (shown, outcome) in [
        (Shown::Kept, Outcome::Pass),
        (Shown::Broken, Outcome::Fail),
        (Shown::CutOff, Outcome::Incomplete),
        (Shown::StampsUntold { cut_off: true }, Outcome::Incomplete),
        (
            Shown::StampsUntold { cut_off: false },
            Outcome::Inconclusive,
        ),
        (Shown::Excused, Outcome::Inconclusive),
        (Shown::Undecidable, Outcome::Inconclusive),
        (Shown::Uncompared(1), Outcome::Inconclusive),
    ] {
        assert_eq!(shown.outcome(), outcome, "{shown:?}");
    }
}

#[test]
fn each_cause_of_an_outcome_is_told() {
    type Change = fn(&mut Audit);
    let cases: [(Change, Outcome, &str); 9] = [
        (
            |audit| audit.planned = 12,
            Outcome::Incomplete,
            "only 10 of 12 planned messages were begun",
        ),
        (
            |audit| {
                audit.complete = false;
                audit.fates.unfinished = 3;
            },
            Outcome::Incomplete,
            "the run was cut off with 3 messages unfinished",
        ),
        (
            |audit| audit.fates.kept = 0,
            Outcome::Inconclusive,
            "none of 10 planned messages arrived",
        ),
        (
            |audit| audit.fates.undecidable = 2,
            Outcome::Inconclusive,
            "2 sends have no known outcome and left nothing: never sent, or lost",
        ),
        (
            |audit| audit.unreadable_poison = 2,
            Outcome::Inconclusive,
            "2 poison messages could not be read whole",
        ),
        (
            |audit| audit.fates.not_sent = 2,
            Outcome::Inconclusive,
            "2 of 10 messages were not sent, since storage did not take them: of them nothing is proven",
        ),
        (
            |audit| {
                let strange = [("a verb".to_owned(), 1)];
                audit.traffic.as_mut().unwrap().strange = BTreeMap::from(strange);
            },
            Outcome::Inconclusive,
            "1 request not understood: a verb",
        ),
        (
            |audit| {
                let strange = [("a verb".to_owned(), 2)];
                audit.traffic.as_mut().unwrap().strange = BTreeMap::from(strange);
            },
            Outcome::Inconclusive,
            "2 requests not understood: a verb",
        ),
        (
            |audit| {
                audit.reversed = 3;
                let traffic = audit.traffic.as_mut().unwrap();
                (traffic.untold_claims, traffic.clock_set_us) = (4, -2_000_000);
            },
            Outcome::Inconclusive,
            "the stamps of 7 rows could not be compared: the wall clock was set by 2s in mid-run",
        ),
    ];
    for (change, outcome, reason) in cases {
        let audit = audit(change);
        assert_eq!(audit.reasons(), [reason]);
        assert_eq!(audit.outcome(), outcome, "{reason}");
        assert_eq!(audit.outcome_of_rows(), outcome, "{reason}");
    }
}

#[test]
fn rows_that_could_not_be_compared_for_the_clock_of_another_node_say_so() {
    let apart = audit(|audit| {
        let traffic = audit.traffic.as_mut().unwrap();
        (traffic.untold_claims, traffic.clocks_apart_us) = (4, 5_000_000);
    });
    assert_eq!(
        apart.reasons(),
        [
            "the stamps of 4 rows could not be compared: the clock of a node is far off, or was corrected in mid-run"
        ]
    );
}

#[test]
fn what_consumers_did_with_messages_of_unread_answers_is_left_untold() {
    let unread =
        |messages: u64| audit(|audit| audit.traffic.as_mut().unwrap().unread_messages = messages);
    let left = [
        Violation::Misreported,
        Violation::Meddled,
        Violation::Phantom,
        Violation::Unwitnessed,
    ];
    let expected = left.map(|violation| (violation, Some(Shown::Uncompared(6))));
    shown(&unread(6), &expected, Shown::Kept);
    for (messages, these) in [
        (1, "1 message could not be judged: it"),
        (6, "6 messages could not be judged: they"),
    ] {
        let audit = unread(messages);
        let reason = format!(
            "what consumers did with up to {these} may have been in an answer to a receive that could not be read"
        );
        assert_eq!(audit.reasons(), [reason]);
        assert_eq!(audit.outcome(), Outcome::Inconclusive);
    }
}

#[test]
fn rows_that_a_machine_without_time_has_sent_late_are_told_apart_from_a_clock_that_was_set() {
    let audit = audit(|audit| {
        let traffic = audit.traffic.as_mut().unwrap();
        (traffic.starved_claims, traffic.storage.paused_ms) = (2, 3_000);
    });
    let reason = "the stamps of 2 rows could not be compared: before they were sent, the machine stood still or storage did not answer; the harness stood still for 3s in all";
    assert_eq!(audit.reasons(), [reason]);
    assert_eq!(audit.outcome(), Outcome::Inconclusive);
}

#[test]
fn something_arrived_if_anything_is_where_it_belongs() {
    type Change = fn(&mut Audit);
    let arrived: [Change; 3] = [
        |audit| audit.fates.kept = 1,
        |audit| audit.fates.set_aside = 1,
        |audit| audit.foreign_poison = 1,
    ];
    for change in arrived {
        let audit = audit(|audit| {
            audit.fates.kept = 0;
            change(audit);
        });
        assert_eq!(audit.outcome(), Outcome::Pass, "{:?}", audit.reasons());
    }
    let nothing_to_do = audit(|audit| {
        (audit.planned, audit.begun, audit.fates.kept) = (0, 0, 0);
    });
    assert_eq!(nothing_to_do.outcome(), Outcome::Pass);
}

#[test]
fn a_broken_promise_of_the_way_says_nothing_of_the_rows() {
    let on_the_way = audit(|audit| audit.findings = vec![finding(Violation::Stubborn)]);
    assert_eq!(on_the_way.outcome(), Outcome::Fail);
    assert_eq!(on_the_way.outcome_of_rows(), Outcome::Pass);
    let starved = audit(|audit| {
        audit.findings = vec![finding(Violation::Unfinished)];
        audit.traffic.as_mut().unwrap().storage = StorageTime {
            starved_ms: 6_000,
            paused_ms: 0,
            observed_ms: 10_000,
        };
    });
    assert_eq!(starved.outcome(), Outcome::Inconclusive);
    assert_eq!(starved.shown(Violation::Unfinished), Some(Shown::Excused));
}

#[test]
fn a_promise_that_could_not_be_judged_is_left_open_unless_it_is_broken_all_the_same() {
    let open = |broken: &[Violation]| {
        let audit = audit(|audit| {
            audit.not_judged = [Violation::Corrupted, Violation::Misreported]
                .map(|violation| NotJudged {
                    violation,
                    why: String::new(),
                })
                .to_vec();
            audit.findings = broken.iter().copied().map(finding).collect();
        });
        audit.left_open().map(|it| it.violation).collect::<Vec<_>>()
    };
    let (content, claims) = (Violation::Corrupted, Violation::Misreported);
    assert_eq!(open(&[]), [content, claims]);
    assert_eq!(open(&[claims]), [content]);
    assert_eq!(open(&[content, claims]), []);
}

#[test]
fn rows_are_judged_by_what_is_wrong_with_them_alone() {
    let of = |violation| {
        let audit = audit(|audit| audit.findings = vec![finding(violation)]);
        let broken: Vec<_> = audit.broken_of_rows().collect();
        (audit.outcome_of_rows(), broken)
    };
    assert_eq!(of(Violation::Lost), (Outcome::Fail, vec![Violation::Lost]));
    assert_eq!(of(Violation::Unsecured), (Outcome::Pass, vec![]));
}

/// The first reason is the cause: rows that were deleted are lost.
#[test]
fn rows_that_were_removed_come_before_the_losses_that_follow_from_it() {
    let order = |lost| {
        let base = audit(|audit| {
            audit.findings = vec![finding(Violation::Lost)];
            audit.removals.lost = lost;
        });
        let heard = vec![finding(Violation::Overwritten)];
        let audit = crate::audit::verdict::with_history(base, Traffic::default(), heard);
        let kinds = audit.findings.iter().map(|it| it.violation);
        kinds.collect::<Vec<_>>()
    };
    let (lost, removed) = (Violation::Lost, Violation::Overwritten);
    assert_eq!(order(0), [lost, removed]);
    assert_eq!(order(1), [removed, lost]);
}
