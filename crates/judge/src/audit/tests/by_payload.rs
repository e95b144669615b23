//! Tests of rows that are known by their payload, because no key or column of them has an id.

use contract::workload::Description;
use contract::{Payloads, Seq, StoredRow};

use super::own_with;
use super::planted::PAYLOADS;
use crate::audit::{Audit, Auditor, Expectation, Violation};

/// A worker that stores nothing of a message but its text.
fn texts() -> Description {
    let text = "version: 1
name: texts
message: { body: { text: '{payload}' } }
row: { columns: { Text: '{payload}' } }
worker: { command: worker, variables: { Q: '{queue}', T: '{table}', STORAGE: '{connection-string}' } }
";
    Description::read(text).unwrap()
}

fn row(text: &str) -> StoredRow {
    StoredRow {
        partition_key: "p".into(),
        row_key: "2f0e".into(),
        data: Some(text.to_owned()),
        ..StoredRow::default()
    }
}

/// The message to which `row` is said to belong, and the audit.
fn audited(own_table: bool, description: Description, row: &StoredRow) -> (Option<u64>, Audit) {
    let expectation = Expectation {
        own_table,
        description: description.into(),
        ..Expectation::new("r1".parse().unwrap(), PAYLOADS, 10)
    };
    let mut auditor = Auditor::new(expectation).unwrap();
    let seq = auditor.row(row).map(Seq::get);
    (seq, auditor.finish())
}

#[test]
fn in_a_shared_table_only_the_whole_payload_tells_and_others_are_of_other_runs() {
    let third = Seq::new(3).unwrap();
    let (right, others) = (
        PAYLOADS.payload(third),
        Payloads {
            seed: PAYLOADS.seed + 1,
            ..PAYLOADS
        }
        .payload(third),
    );
    for (own_table, text, seq, other_runs, phantoms) in [
        (true, &right, Some(3), 0, 0),
        (false, &right, Some(3), 0, 0),
        // The number in the payload is right, and the rest of it is not.
        (true, &others, Some(3), 0, 0),
        (false, &others, None, 1, 0),
        (true, &"no payload".to_owned(), None, 0, 1),
        (false, &"no payload".to_owned(), None, 0, 1),
    ] {
        let (found, audit) = audited(own_table, texts(), &row(text));
        let phantom = audit.count(Violation::Phantom);
        assert_eq!(
            (found, audit.other_runs, phantom),
            (seq, other_runs, phantoms),
            "{own_table} {text}"
        );
    }
}

/// A row that should have an id and does not may hold a part of another run's payload.
#[test]
fn a_row_that_lacks_its_id_is_known_by_its_whole_payload_alone() {
    let third = Seq::new(3).unwrap();
    let other = Payloads {
        seed: PAYLOADS.seed + 1,
        ..PAYLOADS
    };
    for (text, seq) in [
        (PAYLOADS.payload(third), Some(3)),
        (other.payload(third), None),
    ] {
        let (found, audit) = audited(true, own_with(&[]), &row(&text));
        assert_eq!(found, seq);
        assert_eq!(audit.count(Violation::Phantom) == 0, seq.is_some());
    }
}
