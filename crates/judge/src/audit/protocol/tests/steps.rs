//! Tests of the requests that store a row: an insert, the last of several steps, a read that finds it.

use super::*;
use crate::audit::tests::own_with;

/// A history under the project's own description, with each first text replaced by the second.
pub(super) fn under(changes: &[(&str, &str)]) -> Told {
    let lens = Lens::new(own_with(changes).into(), "r1".parse().unwrap());
    Told {
        protocol: Protocol::new(lens, 10),
        clock: 0,
    }
}

/// The change for rows that are written in several steps.
const UPDATED: (&str, &str) = ("row:\n", "row:\n  written: updated\n");
/// The changes for keys that do not name the message.
const KEYLESS: [(&str, &str); 2] = [
    ("    PartitionKey: \"{run}.{bucket}\"\n", ""),
    ("    RowKey: \"{id}\"\n", "    Id: \"{id}\"\n"),
];

/// A write of the row of message `seq` at the row key `key`, without the columns in `lacking`.
fn write(
    told: &mut Told,
    operation: Operation,
    status: u16,
    (seq, key): (u64, &str),
    lacking: &[&str],
) {
    told.step(operation, status, |crossing| {
        let row = row_of(seq, 0);
        crossing.rows.push(RowChange {
            operation,
            part: None,
            keys: Keys {
                row: key.to_owned(),
                ..row.keys
            },
            id: Some(format!("r1-{seq}")),
            lacking: lacking.iter().map(|it| (*it).to_owned()).collect(),
            ..row
        });
    });
}

#[test]
fn a_row_that_comes_about_in_steps_is_stored_with_the_step_that_makes_it_whole() {
    const ROW: (u64, &str) = (7, "r1-7");
    let after = |steps: &[(Operation, &[&str])]| {
        let mut told = under(&[UPDATED]);
        told.receive(1);
        for (operation, lacking) in steps {
            write(&mut told, *operation, 204, ROW, lacking);
        }
        told.on_message(DeleteMessage, 204);
        told.violations()
    };
    let update = Operation::UpdateEntity;
    assert_eq!(after(&[(InsertEntity, &[])]), []);
    assert_eq!(after(&[(InsertEntity, &["data"])]), [Violation::Unsecured]);
    assert_eq!(
        after(&[(InsertEntity, &["data"]), (update, &["digest"])]),
        []
    );
    assert_eq!(
        after(&[(InsertEntity, &["data"]), (update, &["data"])]),
        [Violation::Unsecured]
    );
    // An insert finds no earlier row that it could complete.
    let anew: [(Operation, &[&str]); 2] = [(InsertEntity, &["data"]), (InsertEntity, &["digest"])];
    assert_eq!(after(&anew), [Violation::Unsecured]);
    // A row that a read finds may be incomplete.
    assert_eq!(
        after(&[(Operation::GetEntity, &[])]),
        [Violation::Unsecured]
    );
}

#[test]
fn a_row_that_may_be_updated_may_not_be_deleted() {
    let after = |operation| {
        let mut told = under(&[UPDATED]);
        told.receive(1);
        told.row(InsertEntity, 201);
        told.row(operation, 204);
        told.violations()
    };
    assert_eq!(after(Operation::UpdateEntity), []);
    assert_eq!(after(DeleteEntity), [Violation::Overwritten]);
    let mut unreceived = under(&[UPDATED]);
    unreceived.row(DeleteEntity, 204);
    let findings = unreceived.protocol.finish().findings;
    let [finding] = findings.as_slice() else {
        panic!("one finding, not {findings:?}")
    };
    assert_eq!(finding.violation, Violation::Overwritten);
    // The witness's detail must not name promises that the description never made.
    let detail = &finding.witnesses[0].detail;
    assert!(
        detail.contains("lets rows be changed, not deleted"),
        "{detail}"
    );
}

#[test]
fn a_look_that_finds_the_row_is_enough_and_one_that_deletes_it_is_not() {
    let after = |operation, status| {
        let mut told = Told::new();
        told.receive(1);
        told.row(operation, status);
        told.on_message(DeleteMessage, 204);
        told.violations()
    };
    assert_eq!(after(Operation::GetEntity, 200), []);
    assert_eq!(after(Operation::GetEntity, 404), [Violation::Unsecured]);
    assert_eq!(
        after(DeleteEntity, 204),
        [Violation::Unsecured, Violation::Overwritten]
    );
}

#[test]
fn looks_and_upserts_are_no_inserts() {
    for (operation, found) in [
        (Operation::GetEntity, vec![]),
        (UpsertEntity, vec![Violation::Overwritten]),
        (InsertEntity, vec![Violation::Unwitnessed]),
    ] {
        let mut told = Told::new();
        told.row(operation, 200);
        assert_eq!(told.violations(), found, "{operation}");
    }
}

#[test]
fn what_an_insert_claims_counts_where_it_was_done() {
    for (status, found) in [(201, vec![Violation::Misreported]), (409, vec![])] {
        let mut told = Told::new();
        told.receive(1);
        told.step(InsertEntity, status, |crossing| {
            crossing.rows.push(RowChange {
                part: None,
                delivery: Some(evidence::Claimed {
                    dequeued: None,
                    date: None,
                    attempt: Some(9),
                    consumer: None,
                    node: None,
                }),
                ..row_of(7, 0)
            });
        });
        assert_eq!(told.violations(), found, "{status}");
    }
}

#[test]
fn a_refused_insert_proves_the_row_of_its_own_message_alone() {
    for (key, found) in [("a", vec![]), ("b", vec![Violation::Unsecured])] {
        let mut told = under(&KEYLESS);
        told.receive(1);
        for (seq, key) in [(7, "a"), (8, "b")] {
            // The answer to the insert of message 7 was lost; message 8 was stored, although no receive of it was seen.
            write(
                &mut told,
                InsertEntity,
                if seq == 7 { 500 } else { 201 },
                (seq, key),
                &[],
            );
        }
        write(&mut told, InsertEntity, 409, (7, key), &[]);
        told.on_message(DeleteMessage, 204);
        let mut violations = told.violations();
        // No client has received message 8.
        violations.retain(|it| *it != Violation::Unwitnessed);
        assert_eq!(violations, found, "{key}");
    }
}

#[test]
fn a_row_is_named_by_its_message_or_else_by_its_key() {
    let subject = |key: &str| {
        let mut told = Told::new();
        told.step(Operation::UpdateEntity, 204, |crossing| {
            let row = row_of(7, 0);
            crossing.rows.push(RowChange {
                operation: Operation::UpdateEntity,
                part: None,
                keys: Keys {
                    row: key.to_owned(),
                    ..row.keys
                },
                ..row
            });
        });
        let findings = told.protocol.finish().findings;
        findings[0].witnesses[0].subject.clone()
    };
    assert_eq!(subject("r1-7"), "r1-7");
    assert_eq!(subject("of nobody"), "of nobody");
}
