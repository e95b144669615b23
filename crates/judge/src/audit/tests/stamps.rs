//! Tests that time stamps other than those of the messages are caught, however they were made.

use std::time::Duration;

use contract::{Stamp, StoredRow};

use super::planted::{PAYLOADS, row, stamp_sums};
use crate::audit::{Audit, Auditor, Expectation, Judged as _, Sends, StampBlocks, Violation};
use evidence::outcome::Outcome;

/// Two whole blocks, and one of half the size.
const MESSAGES: u64 = 2_500;

fn expectation() -> Expectation {
    Expectation {
        stamp_sums: Some(stamp_sums(MESSAGES, |_| false)),
        ..Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES)
    }
}

/// The audit of `expectation`, with each row as `change` leaves it; `false` removes the row. The last row comes first.
fn audit(expectation: Expectation, change: impl Fn(u64, &mut StoredRow) -> bool) -> Audit {
    let mut auditor = Auditor::new(expectation).unwrap();
    for n in (1..=MESSAGES).rev() {
        let mut row = row("r1", n);
        if change(n, &mut row) {
            auditor.row(&row);
        }
    }
    auditor.finish()
}

fn changed(change: impl Fn(u64, &mut StoredRow)) -> Audit {
    audit(expectation(), |n, row| {
        change(n, row);
        true
    })
}

fn found(audit: &Audit) -> Vec<(Violation, u64)> {
    let findings = audit.findings.iter();
    findings.map(|f| (f.violation, f.count)).collect()
}

const fn blocks(judged: u64, unjudged: u64) -> StampBlocks {
    StampBlocks {
        judged,
        unjudged,
        suspected: 0,
    }
}

#[test]
fn stamps_as_they_came_pass() {
    let audit = changed(|_, _| {});
    assert_eq!(audit.outcome(), Outcome::Pass, "{:?}", audit.reasons());
    assert_eq!(audit.stamps, Some(blocks(3, 0)));
}

#[test]
fn four_stamps_of_now_are_restamped_in_every_block() {
    let now = Some(Stamp::from_micros(1_795_500_000_000_000));
    let audit = changed(|_, row| {
        (row.src_stamp, row.sent_stamp) = (now, now);
        (row.dequeued_stamp, row.date_stamp) = (now, now);
    });
    assert_eq!(found(&audit), [(Violation::Restamped, 3)]);
    assert_eq!(audit.outcome(), Outcome::Fail);
    let subjects = audit.findings[0].witnesses.iter().map(|w| &w.subject);
    let expected = [
        "messages r1-1 to r1-1000",
        "messages r1-1001 to r1-2000",
        "messages r1-2001 to r1-2500",
    ];
    assert_eq!(subjects.collect::<Vec<_>>(), expected);
    let detail = &audit.findings[0].witnesses[2].detail;
    assert!(detail.contains("one of 500 rows"), "{detail}");
    // The count is of blocks; the detail is about rows.
    let reason = &audit.reasons()[0];
    let told =
        "up to 2500 rows, in 3 blocks of messages, with a srcStamp or sentStamp that did not";
    assert!(reason.starts_with(told), "{reason}");
}

#[test]
fn one_stamp_that_is_a_microsecond_off_is_restamped_in_its_block_alone() {
    let later = |stamp: Option<Stamp>| stamp.map(|stamp| stamp.plus(Duration::from_micros(1)));
    let sources = changed(|n, row| {
        if n == 1_001 {
            row.src_stamp = later(row.src_stamp);
        }
    });
    let sends = changed(|n, row| {
        if n == 2_000 {
            row.sent_stamp = later(row.sent_stamp);
        }
    });
    for audit in [sources, sends] {
        assert_eq!(found(&audit), [(Violation::Restamped, 1)]);
        let subject = &audit.findings[0].witnesses[0].subject;
        assert_eq!(subject, "messages r1-1001 to r1-2000");
    }
}

#[test]
fn stamps_cut_to_milliseconds_are_restamped() {
    let cut = |stamp: Option<Stamp>| {
        stamp.map(|stamp| Stamp::from_micros(stamp.as_micros() / 1_000 * 1_000))
    };
    let audit = changed(|_, row| {
        (row.src_stamp, row.sent_stamp) = (cut(row.src_stamp), cut(row.sent_stamp));
    });
    assert_eq!(found(&audit), [(Violation::Restamped, 3)]);
}

#[test]
fn stamps_of_another_message_are_restamped() {
    let audit = changed(|n, row| {
        let other = match n {
            41 => super::planted::row("r1", 42),
            42 => super::planted::row("r1", 41),
            _ => return,
        };
        (row.src_stamp, row.sent_stamp) = (other.src_stamp, other.sent_stamp);
    });
    assert_eq!(found(&audit), [(Violation::Restamped, 1)]);
}

#[test]
fn swapped_stamps_are_corrupted_since_the_intended_send_is_never_after_the_send() {
    let audit = changed(|n, row| {
        if n == 42 {
            std::mem::swap(&mut row.src_stamp, &mut row.sent_stamp);
        }
    });
    assert_eq!(found(&audit), [(Violation::Corrupted, 1)]);
    let detail = &audit.findings[0].witnesses[0].detail;
    assert!(detail.starts_with("`srcStamp` is later than `sentStamp`"));
    assert_eq!(audit.stamps, Some(blocks(2, 1)));
}

#[test]
fn work_that_ends_before_its_receive_is_corrupted() {
    let audit = changed(|n, row| {
        if n == 42 {
            std::mem::swap(&mut row.dequeued_stamp, &mut row.date_stamp);
        }
    });
    assert_eq!(found(&audit), [(Violation::Corrupted, 1)]);
    let detail = &audit.findings[0].witnesses[0].detail;
    assert!(detail.starts_with("`dequeuedStamp` is later than `dateStamp`"));
}

#[test]
fn a_block_with_a_lost_row_is_not_judged() {
    let now = Some(Stamp::from_micros(1_795_500_000_000_000));
    let audit = audit(expectation(), |n, row| {
        (row.src_stamp, row.sent_stamp) = (now, now);
        n != 42
    });
    let violations = [(Violation::Lost, 1), (Violation::Restamped, 2)];
    assert_eq!(found(&audit), violations);
    // Rows of the blocks that were compared.
    let suspected = StampBlocks {
        suspected: 1_500,
        ..blocks(2, 1)
    };
    assert_eq!(audit.stamps, Some(suspected));
}

#[test]
fn a_block_with_a_second_row_is_not_judged() {
    let mut auditor = Auditor::new(expectation()).unwrap();
    for n in 1..=MESSAGES {
        auditor.row(&row("r1", n));
    }
    auditor.row(&StoredRow {
        row_key: "fresh".into(),
        ..row("r1", 42)
    });
    let audit = auditor.finish();
    let violations = [(Violation::Duplicated, 1), (Violation::Misplaced, 1)];
    assert_eq!(found(&audit), violations);
    assert_eq!(audit.stamps, Some(blocks(2, 1)));
}

#[test]
fn rows_of_sends_without_an_acknowledgement_are_not_compared() {
    let is_unknown = |n: u64| (100..=1_200).contains(&n);
    let expectation = Expectation {
        sends: Sends {
            unknown: vec![100..=1_200],
            failed: vec![],
            stopped: 0,
        },
        stamp_sums: Some(stamp_sums(MESSAGES, is_unknown)),
        ..expectation()
    };
    let audit = audit(expectation, |n, row| {
        if is_unknown(n) {
            row.src_stamp = row.src_stamp.map(|_| Stamp::default());
        }
        n % 2 == 0 || !is_unknown(n)
    });
    assert_eq!(found(&audit), []);
    assert_eq!(audit.stamps, Some(blocks(3, 0)));
}

#[test]
fn without_the_producers_sums_no_stamp_is_judged() {
    let without = Expectation {
        stamp_sums: None,
        ..expectation()
    };
    let audit = audit(without, |_, row| {
        row.src_stamp = Some(Stamp::default());
        true
    });
    assert_eq!((audit.outcome(), audit.stamps), (Outcome::Pass, None));
}
