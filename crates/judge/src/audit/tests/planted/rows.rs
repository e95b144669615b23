//! Tests of planted violations in rows: lost, duplicated, misplaced, corrupted and conflicting ones.

use super::*;

#[test]
fn a_missing_row_is_lost() {
    let history = History::with(|h| drop(h.rows.remove(41)));
    let audit = caught(&history, &[(Violation::Lost, 1)], "r1-42");
    assert_eq!((audit.fates.lost, audit.fates.kept), (1, MESSAGES - 1));
    assert_eq!(audit.reasons(), ["1 message lost"]);
    let nowhere = "acknowledged, and nowhere: no row, not in the queue, not poisoned";
    assert_eq!(audit.findings[0].witnesses[0].detail, nowhere);
}

#[test]
fn a_second_row_under_fresh_keys_is_duplicated_and_misplaced() {
    let history = History::with(|h| {
        let mut again = row("r1", 42);
        again.partition_key = "0b0e6a5c-9d0c-4c61-b8a9-5a7e0f1d2c3b".into();
        again.row_key = "5d0c2f0e-1d1b-4b43-9a8e-3f1f5a9a3f10".into();
        h.rows.push(again);
    });
    let violations = [(Violation::Duplicated, 1), (Violation::Misplaced, 1)];
    caught(&history, &violations, "r1-42");
}

#[test]
fn a_second_row_in_a_partition_of_its_own_is_duplicated_and_misplaced() {
    let history = History::with(|h| {
        let mut again = row("r1", 42);
        again.partition_key = "r1.99".into();
        h.rows.push(again);
    });
    let violations = [(Violation::Duplicated, 1), (Violation::Misplaced, 1)];
    caught(&history, &violations, "r1-42");
}

#[test]
fn a_lone_row_at_foreign_keys_is_misplaced_and_not_lost() {
    let history = History::with(|h| h.row_mut(42).row_key = "42".into());
    caught(&history, &[(Violation::Misplaced, 1)], "r1-42");
}

#[test]
fn each_flaw_of_a_row_is_corrupted_and_named() {
    type Plant = fn(&mut StoredRow);
    let plants: [(&str, Plant); 12] = [
        (
            "differs from byte 20 on, 20 bytes stored, 100 sent",
            |row| {
                // Cut within the sample's text, which is ASCII.
                row.data.as_mut().unwrap().truncate(20);
            },
        ),
        ("`data` is missing", |row| row.data = None),
        ("`digest` is not", |row| {
            row.digest = Some(Digest::of("other"));
        }),
        ("`digest` is missing", |row| row.digest = None),
        ("`srcStamp`", |row| row.src_stamp = None),
        ("`sentStamp`", |row| row.sent_stamp = None),
        ("`dequeuedStamp`", |row| row.dequeued_stamp = None),
        ("`dateStamp`", |row| row.date_stamp = None),
        ("`attempt` is missing", |row| row.attempt = None),
        ("`attempt` is 0", |row| row.attempt = Some(0)),
        ("`consumer`", |row| row.consumer = None),
        ("`node`", |row| row.node = None),
    ];
    for (name, plant) in plants {
        let history = History::with(|h| plant(h.row_mut(42)));
        let audit = caught(&history, &[(Violation::Corrupted, 1)], "r1-42");
        let detail = &audit.findings[0].witnesses[0].detail;
        assert!(detail.contains(name), "{detail}");
    }
}

#[test]
fn data_and_digest_of_another_message_are_corrupted() {
    let history = History::with(|h| {
        let other = row("r1", 43);
        let row = h.row_mut(42);
        (row.data, row.digest) = (other.data, other.digest);
    });
    caught(&history, &[(Violation::Corrupted, 1)], "r1-42");
}

#[test]
fn a_right_and_a_wrong_row_are_conflicting() {
    let history = History::with(|h| {
        let mut wrong = row("r1", 42);
        wrong.digest = Some(Digest::of("other"));
        h.rows.push(wrong);
    });
    let violations = [
        (Violation::Duplicated, 1),
        (Violation::Corrupted, 1),
        (Violation::Conflicting, 1),
    ];
    caught(&history, &violations, "r1-42");
}
