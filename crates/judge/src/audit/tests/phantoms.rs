//! Tests of rows and bodies of messages that were never sent, and of their witnesses; tests of the counts of sends by outcome.

use contract::StoredRow;

use super::planted::{PAYLOADS, envelope, message, row};
use crate::audit::{
    Audit, Auditor, Expectation, ExpectedPoison, Judged as _, SendCounts, Sends, Violation, Witness,
};
use evidence::outcome::Outcome;

const MESSAGES: u64 = 10;

fn expectation() -> Expectation {
    Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES)
}

/// The audit of `expectation` with all its rows, and what `change` adds.
fn audit(expectation: Expectation, change: impl FnOnce(&mut Auditor)) -> Audit {
    let mut auditor = Auditor::new(expectation).unwrap();
    for seq in 1..=MESSAGES {
        auditor.row(&row("r1", seq));
    }
    change(&mut auditor);
    auditor.finish()
}

/// The only witness of the only finding, which must be `violation`.
fn witness(audit: &Audit, violation: Violation) -> &Witness {
    assert_eq!(audit.outcome(), Outcome::Fail);
    let [finding] = audit.findings.as_slice() else {
        panic!("one finding, not {:?}", audit.findings)
    };
    assert_eq!((finding.violation, finding.count), (violation, 1));
    &finding.witnesses[0]
}

fn row_key(witness: &Witness) -> &str {
    &witness.row.as_ref().expect("a row").row_key
}

#[test]
fn a_body_beyond_the_messages_begun_is_a_phantom_in_either_queue() {
    let body = message("r1", MESSAGES + 1).encode();
    let left = audit(expectation(), |auditor| auditor.left_in_queue(&body));
    let given_up = audit(expectation(), |auditor| {
        auditor.poisoned(&envelope(&body, "q-11"));
    });
    for audit in [left, given_up] {
        let witness = witness(&audit, Violation::Phantom);
        assert!(witness.subject.starts_with("body "), "{witness:?}");
        assert!(witness.subject.contains("COUNT 11"), "{witness:?}");
        let detail = "message 11 was never sent: the last one begun is 10";
        assert_eq!(witness.detail, detail);
        assert_eq!((audit.other_runs, audit.fates.kept), (0, MESSAGES));
    }
}

#[test]
fn a_body_that_a_scenario_put_there_is_expected_beyond_the_messages_begun() {
    let expectation = Expectation {
        poison: ExpectedPoison {
            seqs: vec![12..=12],
            foreign: 0,
        },
        ..expectation()
    };
    let body = message("r1", 12).encode();
    let audit = audit(expectation, |auditor| {
        auditor.poisoned(&envelope(&body, "q-12"));
    });
    assert_eq!((audit.outcome(), audit.fates.set_aside), (Outcome::Pass, 1));
}

#[test]
fn a_witness_shows_the_row_that_speaks_against_the_worker() {
    let beyond = audit(expectation(), |auditor| {
        auditor.row(&row("r1", MESSAGES + 1));
    });
    let phantom = witness(&beyond, Violation::Phantom);
    assert_eq!(row_key(phantom), "r1-11");
    let detail = "message 11 was never sent: the last one begun is 10";
    assert_eq!(phantom.detail, detail);

    let again = audit(expectation(), |auditor| {
        auditor.row(&row("r1", 3));
    });
    let duplicated = witness(&again, Violation::Duplicated);
    assert_eq!(
        (duplicated.subject.as_str(), row_key(duplicated)),
        ("r1-3", "r1-3")
    );
}

#[test]
fn a_row_in_a_partition_of_the_run_is_judged_whatever_its_key_says() {
    let audit = audit(expectation(), |auditor| {
        auditor.row(&StoredRow {
            partition_key: row("r1", 3).partition_key,
            row_key: "r2-3".into(),
            ..StoredRow::default()
        });
    });
    let phantom = witness(&audit, Violation::Phantom);
    assert_eq!(row_key(phantom), "r2-3");
    assert_eq!((audit.other_runs, audit.rows), (0, MESSAGES + 1));
}

#[test]
fn an_envelope_that_cannot_be_read_is_counted_and_the_parts_that_wait_with_it() {
    let audit = audit(expectation(), |auditor| {
        for (id, part) in [("q-1", 3), ("q-1", 4), ("q-2", 1)] {
            auditor.poisoned(&contract::PoisonEnvelope {
                part,
                parts: 2,
                ..envelope("x", id)
            });
        }
    });
    assert_eq!(audit.unreadable_poison, 3);
}

#[test]
fn sends_add_up_to_the_messages_begun() {
    let expectation = Expectation {
        planned: 12,
        sends: Sends {
            unknown: vec![2..=3],
            failed: vec![8..=8],
            stopped: 1,
        },
        ..expectation()
    };
    let counts = SendCounts {
        acknowledged: 7,
        unknown: 2,
        failed: 1,
        stopped: 1,
    };
    assert_eq!(audit(expectation, |_| ()).sends, counts);
}

#[test]
fn a_row_of_several_messages_is_said_to_be_out_of_scope_before_anything_else() {
    let audit = audit(expectation(), |auditor| {
        auditor.row(&StoredRow {
            partition_key: "p".into(),
            row_key: "r1-1,r1-2".into(),
            ..StoredRow::default()
        });
    });
    assert_eq!(audit.rows_of_many, 1);
    let reason = &audit.reasons()[0];
    assert!(
        reason
            .starts_with("1 row names several messages; one row for many messages is out of scope"),
        "{reason}"
    );
}
