//! Tests that compare storage with the wire's history: a good history passes, and every way around the wire is found.

mod deletions;
mod keys;
mod poison;
mod stamps;

use contract::{Stamp, StoredRow};
use evidence::outcome::Outcome;
use evidence::{Answer, Claimed, Crossing, Handled, Keys, Operation, RowChange, fingerprint};

use super::planted::{PAYLOADS, message, row};
use super::sample_crossing;
use crate::audit::{Audit, Auditor, Expectation, Judged as _, Protocol, Violation};
use crate::measure::Ending;

const MESSAGES: u64 = 10;
const SECOND: i64 = 1_000_000;

/// The crossings of the wire, and the content of storage.
struct Seen {
    crossings: Vec<Crossing>,
    rows: Vec<StoredRow>,
    left: Vec<String>,
}

fn handled(seq: u64) -> Handled {
    Handled {
        queue_id: format!("m{seq}"),
        id: Some(format!("r1-{seq}")),
        attempt: Some(1),
        ..Handled::default()
    }
}

fn inserted(row: &StoredRow) -> RowChange {
    RowChange {
        operation: Operation::InsertEntity,
        keys: Keys {
            partition: row.partition_key.clone(),
            row: row.row_key.clone(),
        },
        part: None,
        digest: row.digest,
        delivery: Some(Claimed {
            dequeued: row.dequeued_stamp,
            date: row.date_stamp,
            attempt: row.attempt,
            consumer: row.consumer.clone(),
            node: row.node.clone(),
        }),
        print: Some(fingerprint(row)),
        id: None,
        holds: None,
        lacking: Vec::new(),
    }
}

impl Seen {
    fn good() -> Self {
        let rows: Vec<_> = (1..=MESSAGES).map(|seq| row("r1", seq)).collect();
        let mut crossings = Vec::new();
        for (seq, row) in (1..).zip(&rows) {
            let (dequeued, date) = (row.dequeued_stamp.unwrap(), row.date_stamp.unwrap());
            let at = |operation, stamp: Stamp| Crossing {
                began: stamp,
                ended: stamp,
                answer: Answer::Status(201, None),
                ..sample_crossing(operation)
            };
            crossings.push(Crossing {
                client: "producer".to_owned(),
                messages: vec![handled(seq)],
                ..at(Operation::PutMessage, row.sent_stamp.unwrap())
            });
            crossings.push(Crossing {
                messages: vec![handled(seq)],
                ..at(Operation::ReceiveMessages, dequeued)
            });
            crossings.push(Crossing {
                rows: vec![inserted(row)],
                ..at(Operation::InsertEntity, date)
            });
            crossings.push(Crossing {
                messages: vec![handled(seq)],
                ..at(Operation::DeleteMessage, date)
            });
        }
        Self {
            crossings,
            rows,
            left: vec![],
        }
    }

    /// The crossing of message `seq` with this operation.
    fn of(&mut self, seq: u64, operation: Operation) -> &mut Crossing {
        let row = format!("r1-{seq}");
        let mut crossings = self.crossings.iter_mut();
        let found = crossings.find(|crossing| {
            let about = crossing.rows.iter().any(|change| change.keys.row == row)
                || crossing
                    .messages
                    .iter()
                    .any(|it| it.id.as_ref() == Some(&row));
            about && crossing.operation == operation
        });
        found.unwrap()
    }

    fn remove(&mut self, seq: u64, operation: Operation) {
        let crossing = self.of(seq, operation).clone();
        self.crossings.retain(|each| *each != crossing);
    }

    fn auditor(&self) -> Auditor {
        let expectation = Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES);
        let mut auditor = Auditor::new(expectation).unwrap();
        auditor.hear(self.protocol(&auditor).finish());
        auditor
    }

    /// The judge of `auditor`'s run after all crossings.
    fn protocol(&self, auditor: &Auditor) -> Protocol {
        let mut protocol = auditor.protocol();
        for crossing in &self.crossings {
            protocol.crossing(crossing);
        }
        protocol
    }

    fn audit(&self) -> Audit {
        let mut auditor = self.auditor();
        for row in &self.rows {
            auditor.row(row);
        }
        for body in &self.left {
            auditor.left_in_queue(body);
        }
        auditor.finish()
    }
}

fn found(change: impl FnOnce(&mut Seen)) -> Vec<(Violation, u64)> {
    let mut seen = Seen::good();
    change(&mut seen);
    let audit = seen.audit();
    let findings = audit.findings.iter();
    findings.map(|each| (each.violation, each.count)).collect()
}

#[test]
fn what_came_over_the_wire_passes() {
    let audit = Seen::good().audit();
    assert_eq!((audit.outcome(), audit.reasons()), (Outcome::Pass, vec![]));
}

#[test]
fn a_row_that_no_insert_has_brought_is_unwitnessed() {
    // The wire has seen no row, but the delete of the message: in its view, a delete without a row.
    let around = found(|seen| seen.remove(7, Operation::InsertEntity));
    assert_eq!(
        around,
        [(Violation::Unsecured, 1), (Violation::Unwitnessed, 1)]
    );
    // The wire has seen another row: a client changed the row around the wire.
    let over = found(|seen| seen.rows[6].node = Some("elsewhere".to_owned()));
    assert_eq!(over, [(Violation::Unwitnessed, 1)]);
    // An insert without an answer may have been done.
    let unanswered = found(|seen| {
        seen.of(7, Operation::InsertEntity).answer = Answer::None("reset".to_owned());
        let mut again = seen.of(7, Operation::InsertEntity).clone();
        again.answer = Answer::Status(409, Some("EntityAlreadyExists".to_owned()));
        let at = seen
            .crossings
            .iter()
            .position(|it| !it.rows.is_empty() && it.rows == again.rows);
        seen.crossings.insert(at.unwrap() + 1, again);
    });
    assert_eq!(unanswered, []);
}

#[test]
fn a_message_that_was_taken_out_around_the_wire_is_unwitnessed() {
    assert_eq!(
        found(|seen| seen.remove(7, Operation::DeleteMessage)),
        [(Violation::Unwitnessed, 1)]
    );
    let still_there = found(|seen| {
        seen.remove(7, Operation::DeleteMessage);
        seen.left.push(message("r1", 7).encode());
    });
    assert_eq!(still_there, [(Violation::Undeleted, 1)]);
    // Recorded in another order than the requests happened.
    let overtaken = found(|seen| {
        let put = seen.of(7, Operation::PutMessage).clone();
        seen.remove(7, Operation::PutMessage);
        seen.crossings.push(put);
    });
    assert_eq!(overtaken, []);
}

#[test]
fn a_message_that_was_received_around_the_wire_is_unwitnessed() {
    let violations = found(|seen| seen.remove(7, Operation::ReceiveMessages));
    // Its row, and its delete.
    assert_eq!(violations, [(Violation::Unwitnessed, 2)]);
}

#[test]
fn what_was_not_understood_cannot_pass() {
    let mut seen = Seen::good();
    let insert = seen.of(7, Operation::InsertEntity);
    insert.operation = Operation::Other;
    insert.strange = Some("the header x-brew".to_owned());
    // The row that the request names is unknown too.
    insert.rows.clear();
    let audit = seen.audit();
    assert_eq!(audit.count(Violation::Unwitnessed), 0);
    let around_the_wire = found(|seen| {
        seen.of(7, Operation::InsertEntity).operation = Operation::Other;
        seen.of(7, Operation::Other).rows.clear();
    });
    assert!(
        around_the_wire.contains(&(Violation::Unwitnessed, 1)),
        "{around_the_wire:?}"
    );
    let reasons = audit.reasons();
    assert!(
        reasons.contains(&"1 request not understood: the header x-brew".to_owned()),
        "{reasons:?}"
    );
    let mut harmless = Seen::good();
    harmless.of(7, Operation::ReceiveMessages).strange = Some("the parameter \"x\"".to_owned());
    assert_eq!(harmless.audit().outcome(), Outcome::Inconclusive);
}

/// Time synchronisation may set the clock of a virtual machine back by some milliseconds, and the work of a message may be shorter.
#[test]
fn stamps_in_the_wrong_order_by_no_more_than_the_clock_went_back_are_not_corrupted() {
    for (back_us, by_us, excused) in [
        (8_000, 6_000, true),
        (8_000, 8_000, true),
        (8_000, 8_001, false),
        (0, 6_000, false),
    ] {
        let mut seen = Seen::good();
        let mut went_back = false;
        for crossing in &mut seen.crossings {
            went_back |= crossing.rows.iter().any(|row| row.keys.row == "r1-7");
            if went_back {
                crossing.clock_us = -back_us;
            }
        }
        let row = &mut seen.rows[6];
        let received = row.dequeued_stamp.unwrap().as_micros();
        row.date_stamp = Some(Stamp::from_micros(received - by_us));
        let change = inserted(&seen.rows[6]);
        seen.of(7, Operation::InsertEntity).rows = vec![change];
        let audit = seen.audit();
        let corrupted = audit.count(Violation::Corrupted);
        assert_eq!(corrupted, u64::from(!excused), "{back_us} {by_us}");
        assert_eq!(audit.reversed, u64::from(excused), "{back_us} {by_us}");
        if excused {
            let told = audit.reasons().join("; ");
            assert!(
                told.contains("the wall clock was corrected by some milliseconds"),
                "{told}"
            );
        }
    }
}

#[test]
fn a_wall_clock_that_was_set_makes_no_liars_and_no_corrupted_rows() {
    let mut seen = Seen::good();
    // The wall clock was set back by 10 s between the receive of message 7 and its row.
    let mut set = false;
    for crossing in &mut seen.crossings {
        set |= crossing.rows.iter().any(|row| row.keys.row == "r1-7");
        if set {
            crossing.clock_us = -10 * SECOND;
        }
    }
    for row in &mut seen.rows[6..] {
        let back = |stamp: Option<Stamp>| {
            stamp.map(|stamp| Stamp::from_micros(stamp.as_micros() - 10 * SECOND))
        };
        row.date_stamp = back(row.date_stamp);
        if row.row_key != "r1-7" {
            row.dequeued_stamp = back(row.dequeued_stamp);
        }
    }
    for at in 0..seen.rows.len() {
        let change = inserted(&seen.rows[at]);
        seen.of(at as u64 + 1, Operation::InsertEntity).rows = vec![change];
    }
    let audit = seen.audit();
    assert_eq!(audit.findings, []);
    assert_eq!(audit.outcome(), Outcome::Inconclusive);
    assert_eq!(audit.reversed, 1);
    let reasons = audit.reasons();
    assert!(
        reasons[0].contains("the wall clock was set by 10s in mid-run"),
        "{reasons:?}"
    );
    // A larger error than the change of the clock is a false claim.
    seen.rows[6].date_stamp = Some(Stamp::from_micros(0));
    let change = inserted(&seen.rows[6]);
    seen.of(7, Operation::InsertEntity).rows = vec![change];
    assert_eq!(seen.audit().count(Violation::Misreported), 0);
    let tomorrow = 86_400 * SECOND;
    let date = seen.rows[5].date_stamp.unwrap().as_micros();
    seen.rows[6].date_stamp = Some(Stamp::from_micros(date + tomorrow));
    let change = inserted(&seen.rows[6]);
    seen.of(7, Operation::InsertEntity).rows = vec![change];
    assert_eq!(seen.audit().count(Violation::Misreported), 1);
}

#[test]
fn stamps_in_the_wrong_order_are_excused_by_a_clock_that_was_set_and_by_nothing_else() {
    let reversed = found(|seen| {
        let row = &mut seen.rows[6];
        row.date_stamp = row
            .dequeued_stamp
            .map(|stamp| Stamp::from_micros(stamp.as_micros() - 1));
        let change = inserted(row);
        seen.of(7, Operation::InsertEntity).rows = vec![change];
    });
    assert_eq!(reversed, [(Violation::Corrupted, 1)]);
}

#[test]
fn messages_that_are_in_the_queue_were_taken_out_by_nobody_whether_they_are_to_be_seen_or_leased() {
    let mut seen = Seen::good();
    for seq in [7, 8] {
        seen.remove(seq, Operation::DeleteMessage);
    }
    let mut auditor = seen.auditor();
    for row in &seen.rows {
        auditor.row(row);
    }
    auditor.left_in_queue(&message("r1", 7).encode());
    auditor.left_unseen(1);
    let audit = auditor.finish();
    assert_eq!(audit.count(Violation::Unwitnessed), 0);
    assert_eq!(audit.count(Violation::Undeleted), 2);
}

#[test]
fn the_way_of_a_message_ends_with_storages_answer_to_its_insert() {
    let mut seen = Seen::good();
    let answered = Stamp::from_micros(seen.rows[6].date_stamp.unwrap().as_micros() + 80_000);
    seen.of(7, Operation::InsertEntity).ended = answered;
    let auditor = seen.auditor();
    let ending = auditor.ending(&seen.rows[6]);
    let expected = Ending {
        answered: Some(answered),
        in_hand_us: Some(
            seen.rows[6]
                .date_stamp
                .unwrap()
                .micros_since(seen.rows[6].dequeued_stamp.unwrap()),
        ),
        disturbed: false,
    };
    assert_eq!(ending, expected);
    let foreign = StoredRow::default();
    assert_eq!(auditor.ending(&foreign), Ending::default());
}

#[test]
fn a_row_that_was_under_way_while_storage_stood_still_is_disturbed() {
    let mut seen = Seen::good();
    let insert = seen.of(7, Operation::InsertEntity);
    insert.ended = Stamp::from_micros(insert.began.as_micros() + 4 * SECOND);
    let auditor = seen.auditor();
    assert!(auditor.ending(&seen.rows[6]).disturbed);
    let unplanned = StoredRow {
        src_stamp: None,
        ..seen.rows[6].clone()
    };
    assert!(auditor.ending(&unplanned).disturbed);
    let why = auditor.circumstances().disturbed.unwrap();
    assert!(
        why.contains("storage kept requests waiting for 3500ms"),
        "{why}"
    );
    let calm = Seen::good().auditor();
    assert_eq!(calm.circumstances().disturbed, None);
}
