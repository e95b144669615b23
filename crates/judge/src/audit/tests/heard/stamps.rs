//! Tests of stamps that come from the wire because rows lack them, and of messages that workers have put into the queue.

use super::super::own_with;
use super::*;

/// An auditor under the project's own description with these changes.
fn under(changes: &[(&str, &str)]) -> Auditor {
    let mut expectation = Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES);
    expectation.description = own_with(changes).into();
    Auditor::new(expectation).unwrap()
}

#[test]
fn a_row_without_columns_for_stamps_gets_those_that_the_wire_has_seen() {
    let seen = Seen::good();
    let mut auditor = under(&[(
        "    dequeuedStamp: \"{received}\"\n    dateStamp: \"{done}\"\n",
        "",
    )]);
    auditor.hear(seen.protocol(&auditor).finish());
    let whole = &seen.rows[6];
    let mut filled = StoredRow {
        dequeued_stamp: None,
        date_stamp: None,
        ..whole.clone()
    };
    auditor.fill_stamps(contract::Seq::new(7).unwrap(), &mut filled);
    assert_eq!(&filled, whole);
}

/// The wire's times of the put and of the delivery are used if neither message nor row has them, also for a message that was
/// deleted before its row.
#[test]
fn a_row_that_tells_no_time_at_all_gets_every_stamp_from_the_wire() {
    let mut seen = Seen::good();
    let delete = seen.of(7, Operation::DeleteMessage).clone();
    let delete = Crossing {
        began: seen.of(7, Operation::ReceiveMessages).ended,
        ended: seen.of(7, Operation::ReceiveMessages).ended,
        ..delete
    };
    seen.remove(7, Operation::DeleteMessage);
    let insert = seen
        .crossings
        .iter()
        .position(|it| it.rows.iter().any(|row| row.keys.row == "r1-7"));
    seen.crossings.insert(insert.unwrap(), delete);
    let mut auditor = under(&[(
        "    srcStamp: \"{intended}\"\n    sentStamp: \"{sent}\"\n    dequeuedStamp: \"{received}\"\n    dateStamp: \"{done}\"\n",
        "",
    )]);
    let protocol = seen.protocol(&auditor);
    assert_eq!(protocol.traffic().answers.unwrap().count, 4 * MESSAGES);
    auditor.hear(protocol.finish());
    let whole = &seen.rows[6];
    let mut filled = StoredRow {
        src_stamp: None,
        sent_stamp: None,
        dequeued_stamp: None,
        date_stamp: None,
        ..whole.clone()
    };
    auditor.fill_stamps(contract::Seq::new(7).unwrap(), &mut filled);
    // The wire cannot see the intended send time.
    assert_eq!(filled.src_stamp, None);
    filled.src_stamp = whole.src_stamp;
    assert_eq!(&filled, whole);
}

#[test]
fn a_message_that_a_worker_has_put_and_that_is_gone_was_not_taken_out_around_the_wire() {
    let mut seen = Seen::good();
    for n in ["b", "a"] {
        let mut put = seen.of(7, Operation::PutMessage).clone();
        "consumer-1".clone_into(&mut put.client);
        put.messages[0].queue_id = format!("copy-{n}");
        seen.crossings.push(put);
    }
    let audit = seen.audit();
    let found: Vec<_> = (audit.findings.iter().map(|it| (it.violation, it.count))).collect();
    assert_eq!(found, [(Violation::Meddled, 2)]);
    // One of the producer's messages as well.
    seen.remove(8, Operation::DeleteMessage);
    let audit = seen.audit();
    assert_eq!(audit.count(Violation::Meddled), 2);
    assert_eq!(audit.count(Violation::Unwitnessed), 1);
}
