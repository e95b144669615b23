//! Tests of a run that shares its storage: rows and messages of others are neither judged nor counted as the run's, and
//! messages that a consumer still holds are not called left behind.

use contract::{Stamp, StoredRow};

use super::planted::{PAYLOADS, envelope, message, row};
use crate::audit::{AtWork, Audit, Auditor, Expectation, Judged as _, Shown, Violation};
use evidence::outcome::Outcome;

const MESSAGES: u64 = 10;

fn auditor() -> Auditor {
    let expectation = Expectation {
        shared_storage: true,
        ..Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES)
    };
    Auditor::new(expectation).unwrap()
}

/// The audit of the run with the first `rows` of its rows, and what `change` adds.
fn audit(rows: u64, change: impl FnOnce(&mut Auditor)) -> Audit {
    let mut auditor = auditor();
    for seq in 1..=rows {
        auditor.row(&row("r1", seq));
    }
    change(&mut auditor);
    auditor.finish()
}

#[test]
fn only_results_of_its_messages_belong_to_the_run() {
    let mut auditor = auditor();
    let seq_of = |auditor: &mut Auditor, row| auditor.row(&row).map(contract::Seq::get);
    let at_other_keys = StoredRow {
        partition_key: "5d0c".into(),
        row_key: "2f0e".into(),
        ..row("r1", 3)
    };
    for (row, seq) in [
        (row("r1", 2), Some(2)),
        (at_other_keys, Some(3)),
        (row("r2", 2), None),
        (row("r1", MESSAGES + 1), None),
        (StoredRow::default(), None),
    ] {
        assert_eq!(seq_of(&mut auditor, row.clone()), seq, "{row:?}");
    }
}

#[test]
fn what_could_not_be_looked_at_may_be_of_other_runs() {
    let audit_of = |rows| audit(rows, |auditor| auditor.left_unseen(3));
    let all = audit_of(MESSAGES);
    assert_eq!(
        (all.outcome(), all.unattributed),
        (Outcome::Inconclusive, 3)
    );
    assert!(all.findings.is_empty(), "{:?}", all.findings);
    let reason = "3 messages in the queue could not be looked at: they are of other runs, or finished and not deleted";
    assert_eq!(all.reasons(), [reason]);

    // Three of the five missing messages may be in the queue, two are not.
    let some = audit_of(MESSAGES - 5);
    assert_eq!((some.outcome(), some.unattributed), (Outcome::Fail, 0));
    assert_eq!(
        (
            some.count(Violation::Lost),
            some.count(Violation::Unfinished)
        ),
        (2, 3)
    );
}

#[test]
fn bodies_without_an_id_are_not_judged() {
    let audit = audit(MESSAGES, |auditor| {
        auditor.left_in_queue("not json");
        auditor.poisoned(&envelope("not json either", "q-1"));
    });
    assert_eq!((audit.outcome(), audit.other_runs), (Outcome::Pass, 2));
}

#[test]
fn what_may_still_be_finished_cannot_be_told_and_what_is_lost_is_lost_all_the_same() {
    let at_work = |rows| {
        audit(rows, |auditor| {
            auditor.left_in_queue(&message("r1", 1).encode());
            auditor.left_unseen(3);
            auditor.at_work(AtWork::Leased(3));
        })
    };
    let leased = at_work(MESSAGES - 3);
    assert_eq!(leased.outcome(), Outcome::Inconclusive);
    assert_eq!(leased.outcome_of_rows(), Outcome::Inconclusive);
    let held = "3 messages in the queue were leased to consumers when it was read";
    let reasons = [
        format!("3 messages left unfinished in the queue, but {held}"),
        format!("1 finished message left in the queue, but {held}"),
    ];
    assert_eq!(leased.reasons(), reasons);

    let lost = at_work(MESSAGES - 4);
    assert_eq!(
        (lost.outcome(), lost.count(Violation::Lost)),
        (Outcome::Fail, 1)
    );
}

/// A shared table with rows under random keys. The service's own `Timestamp` shows which rows existed before the run; a later
/// row may be the run's or another client's.
#[test]
fn rows_of_nobody_that_were_there_before_the_run_are_left_out_of_a_shared_table() {
    let at = |seconds: i64| Stamp::from_micros(1_767_600_000_000_000 + seconds * 1_000_000);
    let audit = |own_table: bool, stored| {
        let expectation = Expectation {
            own_table,
            shared_storage: !own_table,
            begun_at: Some(at(0)),
            ..Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES)
        };
        let mut auditor = Auditor::new(expectation).unwrap();
        for seq in 1..=MESSAGES {
            // The run's own row counts whenever it was stored.
            let timestamp = Some(at(-3_600));
            auditor.row(&StoredRow {
                timestamp,
                ..row("r1", seq)
            });
        }
        auditor.row(&StoredRow {
            partition_key: "5d0c".into(),
            row_key: "2f0e".into(),
            data: Some("of the sample".into()),
            timestamp: stored,
            ..StoredRow::default()
        });
        auditor.finish()
    };
    let older = audit(false, Some(at(-61)));
    assert_eq!(
        (older.outcome(), older.other_runs, older.rows),
        (Outcome::Pass, 1, MESSAGES)
    );
    for stored in [Some(at(-60)), Some(at(-59)), Some(at(5)), None] {
        let audit = audit(false, stored);
        let seen = (audit.outcome(), audit.unattributed_rows, audit.other_runs);
        assert_eq!(seen, (Outcome::Inconclusive, 1, 0), "{stored:?}");
        let reason = "1 row of the table names no message of any run: it is somebody else's, or made up by a consumer of this run; \
                      give the run a table of its own to know";
        assert_eq!(audit.reasons(), [reason]);
        let shown = audit.shown(Violation::Phantom);
        assert_eq!(shown, Some(Shown::Uncompared(1)), "{stored:?}");
    }
    let own = audit(true, Some(at(-3_600)));
    assert_eq!(
        (own.outcome(), own.count(Violation::Phantom)),
        (Outcome::Fail, 1)
    );
}
