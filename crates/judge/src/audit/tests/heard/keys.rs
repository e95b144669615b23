//! Rows at wrong keys, and rows that name no message, as the wire has seen them.

use super::*;

/// Stores message 7 at the key `x7` too, or only there.
fn at_other_key(seen: &mut Seen, is_surplus: bool) {
    let mut row = seen.rows[6].clone();
    "x7".clone_into(&mut row.row_key);
    let change = RowChange {
        id: Some("r1-7".to_owned()),
        ..inserted(&row)
    };
    let insert = seen.of(7, Operation::InsertEntity);
    if is_surplus {
        let again = Crossing {
            rows: vec![change],
            ..insert.clone()
        };
        let all = &mut seen.crossings;
        let at = all
            .iter()
            .position(|it| it.rows.iter().any(|row| row.keys.row == "r1-7"));
        all.insert(at.unwrap() + 1, again);
        seen.rows.push(row);
    } else {
        insert.rows = vec![change];
        seen.rows[6] = row;
    }
}

#[test]
fn a_row_at_wrong_keys_is_misplaced_and_nothing_else() {
    let only = found(|seen| at_other_key(seen, false));
    assert_eq!(only, [(Violation::Misplaced, 1)]);
    let surplus = found(|seen| at_other_key(seen, true));
    assert_eq!(
        surplus,
        [(Violation::Duplicated, 1), (Violation::Misplaced, 1)]
    );
}

#[test]
fn a_row_that_names_no_message_is_told_with_the_consumer_that_wrote_it() {
    let mut seen = Seen::good();
    let row = StoredRow {
        partition_key: "audit".to_owned(),
        row_key: "log".to_owned(),
        ..StoredRow::default()
    };
    let insert = seen.of(7, Operation::InsertEntity).clone();
    seen.crossings.push(Crossing {
        rows: vec![inserted(&row)],
        ..insert
    });
    let of_others = StoredRow {
        row_key: "else".to_owned(),
        ..row.clone()
    };
    seen.rows.extend([row, of_others]);
    let audit = seen.audit();
    let further = audit.further_rows.as_ref().unwrap();
    assert_eq!((further.rows, further.client.as_str()), (1, "consumer-1"));
    let [finding] = audit.findings.as_slice() else {
        panic!("one finding, not {:?}", audit.findings)
    };
    assert_eq!((finding.violation, finding.count), (Violation::Phantom, 2));
    let details: Vec<_> = finding
        .witnesses
        .iter()
        .map(|it| it.detail.as_str())
        .collect();
    let nobody = "neither its keys nor its data name a message";
    assert_eq!(
        details,
        [format!("consumer-1 wrote it; {nobody}").as_str(), nobody]
    );
}
