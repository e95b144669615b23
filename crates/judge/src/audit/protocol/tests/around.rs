//! What is done elsewhere than where it should be: in another table, in the poison queue, around the wire.

use super::*;
use crate::audit::Finding;

/// What a delete says where the row went into another table: it is in no table of the run's.
#[test]
fn a_row_in_another_table_secures_nothing() {
    let names = Resources {
        queue: Some("q".to_owned()),
        table: Some("T".to_owned()),
    };
    for (table, found) in [
        ("T", vec![]),
        ("t", vec![]),
        ("other", vec![Violation::Unsecured, Violation::Meddled]),
    ] {
        let mut told = Told::new();
        told.protocol = told.protocol.of(names.clone());
        let mut step = |operation, resource: &str, fill: fn(&mut Crossing)| {
            told.step(operation, 201, |crossing| {
                resource.clone_into(&mut crossing.resource);
                fill(crossing);
            });
        };
        step(Operation::ReceiveMessages, "q", |crossing| {
            crossing.messages.push(Handled {
                queue_id: "m7".to_owned(),
                id: Some("r1-7".to_owned()),
                attempt: Some(1),
                ..Handled::default()
            });
        });
        step(InsertEntity, table, |crossing| {
            crossing.rows.push(RowChange {
                part: None,
                ..row_of(7, 0)
            });
        });
        step(DeleteMessage, "q", |crossing| {
            crossing.messages.push(Handled {
                queue_id: "m7".to_owned(),
                ..Handled::default()
            });
        });
        // Later, from memory.
        step(InsertEntity, "T", |crossing| {
            crossing.rows.push(RowChange {
                part: None,
                ..row_of(7, 0)
            });
        });
        let findings = told.protocol.finish().findings;
        let violations: Vec<_> = findings.iter().map(|each| each.violation).collect();
        assert_eq!(violations, found, "{table}");
        let unsecured = |it: &&Finding| it.violation == Violation::Unsecured;
        if let Some(finding) = findings.iter().find(unsecured) {
            let detail = &finding.witnesses[0].detail;
            assert!(detail.contains("in the table \"other\""), "{detail}");
        }
    }
}

#[test]
fn clearing_the_queue_deletes_what_is_not_yet_stored() {
    for operation in [Operation::ClearMessages, Operation::DeleteQueue] {
        let mut told = Told::new();
        told.receive(1);
        told.step(operation, 204, |_| {});
        let both = [Violation::Unsecured, Violation::Meddled];
        assert_eq!(told.violations(), both, "{operation}");
        let mut stored = Told::new();
        stored.receive(1);
        stored.row(InsertEntity, 201);
        stored.step(operation, 204, |_| {});
        assert_eq!(stored.violations(), [Violation::Meddled], "{operation}");
    }
}

#[test]
fn nothing_is_taken_out_of_the_poison_queue() {
    let mut told = Told::new();
    told.receive(1);
    told.poison(201);
    told.on_message(DeleteMessage, 204);
    told.step(DeleteMessage, 204, |crossing| {
        "q-poison".clone_into(&mut crossing.resource);
        crossing.messages.push(Handled::default());
    });
    assert_eq!(told.violations(), [Violation::Unsecured]);
}

#[test]
fn what_was_not_received_over_the_wire_was_received_around_it() {
    // Stored, or deleted, without a receive.
    let mut row = Told::new();
    row.row(InsertEntity, 201);
    assert_eq!(row.violations(), [Violation::Unwitnessed]);
    let mut delete = Told::new();
    delete.on_message(DeleteMessage, 204);
    assert_eq!(delete.violations(), [Violation::Unwitnessed]);
    // A delete whose answer was lost may be answered once more; one that was refused did nothing.
    let mut again = Told::new();
    again.receive(1);
    again.row(InsertEntity, 201);
    for status in [500, 204] {
        again.on_message(DeleteMessage, status);
    }
    assert_eq!(again.violations(), []);
    // One that did not happen leaves the message where it is, and storage counts its deliveries on.
    for (attempt, found) in [(2, vec![]), (3, vec![Violation::Unwitnessed])] {
        let mut undone = Told::new();
        undone.receive(1);
        undone.row(InsertEntity, 201);
        undone.on_message(DeleteMessage, 500);
        undone.receive(attempt);
        undone.row(InsertEntity, 409);
        undone.on_message(DeleteMessage, 204);
        assert_eq!(undone.violations(), found, "{attempt}");
    }
    let mut refused = Told::new();
    refused.on_message(DeleteMessage, 404);
    assert_eq!(refused.violations(), []);
    // Storage counts the receives.
    for (attempts, found) in [(&[1, 2][..], false), (&[2], true), (&[1, 3], true)] {
        let mut told = Told::new();
        for attempt in attempts {
            told.receive(*attempt);
        }
        let violations = told.violations();
        assert_eq!(
            violations == [Violation::Unwitnessed],
            found,
            "{attempts:?}"
        );
    }
    // One of which nobody knows what it handed over explains one.
    let mut unread = Told::new();
    unread.step(Operation::ReceiveMessages, 500, |_| {});
    unread.receive(2);
    unread.row(InsertEntity, 201);
    unread.on_message(DeleteMessage, 204);
    assert_eq!(unread.violations(), []);
}

#[test]
fn what_is_not_understood_is_counted_by_name_where_it_may_have_done_something() {
    let mut told = Told::new();
    for (status, text) in [
        (200, "the header x"),
        (503, "the header x"),
        (404, "the header y"),
    ] {
        told.step(Operation::Other, status, |crossing| {
            crossing.strange = Some(text.to_owned());
        });
    }
    let strange = told.protocol.finish().traffic.strange;
    assert_eq!(
        strange.into_iter().collect::<Vec<_>>(),
        [("the header x".to_owned(), 2)]
    );
}

#[test]
fn what_a_description_has_a_worker_use_beside_its_own_is_no_meddling() {
    let beside = "beside: { queues: [\"{queue}-low\"], tables: [\"{table}log\"] }";
    let text = format!("{}\n{beside}\n", contract::workload::OWN);
    let description = contract::workload::Description::read(&text).unwrap();
    for (operation, resource, is_found) in [
        (Operation::PutMessage, "q-low", false),
        (Operation::PutMessage, "q-other", true),
        (InsertEntity, "Tlog", false),
        (InsertEntity, "tLOG", false),
        (InsertEntity, "Tother", true),
    ] {
        let lens = Lens::new(description.clone().into(), "r1".parse().unwrap());
        let mut told = Told::new();
        told.protocol = Protocol::new(lens, 10).of(Resources {
            queue: Some("q".to_owned()),
            table: Some("T".to_owned()),
        });
        told.step(operation, 201, |crossing| {
            resource.clone_into(&mut crossing.resource);
            if operation == InsertEntity {
                crossing.rows.push(row_of(7, 0));
            } else {
                crossing.messages.push(Handled::default());
            }
        });
        let findings = told.protocol.finish().findings;
        let found = findings.iter().any(|it| it.violation == Violation::Meddled);
        assert_eq!(found, is_found, "{operation} to {resource}");
    }
}
