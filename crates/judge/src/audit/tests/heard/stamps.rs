//! Stamps that rows do not tell are those that the wire has seen.

use super::*;

#[test]
fn a_row_without_columns_for_stamps_gets_those_that_the_wire_has_seen() {
    let seen = Seen::good();
    let mut expectation = Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES);
    let text = contract::workload::OWN
        .replace("    dequeuedStamp: \"{received}\"\n", "")
        .replace("    dateStamp: \"{done}\"\n", "");
    let description = contract::workload::Description::read(&text).unwrap();
    expectation.description = description.into();
    let mut auditor = Auditor::new(expectation).unwrap();
    let mut protocol = auditor.protocol();
    for crossing in &seen.crossings {
        protocol.crossing(crossing);
    }
    auditor.hear(protocol.finish());
    let whole = &seen.rows[6];
    let mut filled = StoredRow {
        dequeued_stamp: None,
        date_stamp: None,
        ..whole.clone()
    };
    auditor.fill_stamps(contract::Seq::new(7).unwrap(), &mut filled);
    assert_eq!(&filled, whole);
}

/// What the wire has seen of the put and of the delivery counts where neither message nor row tells of them, a message that was
/// deleted before its row included.
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
    let mut expectation = Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES);
    let text = [
        "srcStamp: \"{intended}\"",
        "sentStamp: \"{sent}\"",
        "dequeuedStamp: \"{received}\"",
        "dateStamp: \"{done}\"",
    ];
    let rows = contract::workload::OWN.find("row:").unwrap();
    let (message, row) = contract::workload::OWN.split_at(rows);
    let row = text.iter().fold(row.to_owned(), |row, column| {
        row.replace(&format!("    {column}\n"), "")
    });
    let description = contract::workload::Description::read(&(message.to_owned() + &row)).unwrap();
    expectation.description = description.into();
    let mut auditor = Auditor::new(expectation).unwrap();
    let mut protocol = auditor.protocol();
    for crossing in &seen.crossings {
        protocol.crossing(crossing);
    }
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
    // When it was meant to be sent, nobody has seen.
    assert_eq!(filled.src_stamp, None);
    filled.src_stamp = whole.src_stamp;
    assert_eq!(&filled, whole);
}
