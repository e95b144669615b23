//! Tests of requests to the wrong place: another table, the poison queue, around the wire.

use super::*;
use crate::audit::Finding;

/// The detail for a delete after the row went into another table: the run's table has no row.
#[test]
fn a_row_in_another_table_secures_nothing() {
    let names = StorageNames {
        queues: vec!["q".to_owned()],
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
        // A later insert of a remembered message.
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
fn clearing_one_of_several_queues_deletes_nothing_of_the_others() {
    let names = StorageNames {
        queues: vec!["q1".to_owned(), "q2".to_owned()],
        table: None,
    };
    for (cleared, found) in [
        ("q1", &[Violation::Unsecured, Violation::Meddled][..]),
        ("q2", &[Violation::Meddled]),
    ] {
        let mut told = Told::new();
        told.protocol = told.protocol.of(names.clone());
        told.step(Operation::ReceiveMessages, 200, |crossing| {
            "q1".clone_into(&mut crossing.resource);
            crossing.messages.push(Handled {
                queue_id: "m7".to_owned(),
                id: Some("r1-7".to_owned()),
                attempt: Some(1),
                ..Handled::default()
            });
        });
        told.step(Operation::ClearMessages, 204, |crossing| {
            cleared.clone_into(&mut crossing.resource);
        });
        told.step(Operation::QueryEntities, 200, |crossing| {
            "t".clone_into(&mut crossing.resource);
        });
        let queues = told.protocol.traffic().queues;
        assert_eq!(queues["q1"].deliveries, 1);
        let names: Vec<_> = queues.keys().map(String::as_str).collect();
        assert!(!names.contains(&"t"), "{names:?}");
        assert_eq!(told.violations(), found, "{cleared}");
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
        (Operation::CreateQueue, "q-low", false),
        (Operation::ChangeQueue, "q-low", false),
        (Operation::DeleteQueue, "q-low", false),
        (Operation::DeleteTable, "Tlog", false),
        (Operation::DeleteTable, "Tother", true),
        (InsertEntity, "Tlog", false),
        (InsertEntity, "tLOG", false),
        (InsertEntity, "Tother", true),
    ] {
        let lens = Lens::new(description.clone().into(), "r1".parse().unwrap());
        let mut told = Told::new();
        told.protocol = Protocol::new(lens, 10).of(StorageNames {
            queues: vec!["q".to_owned()],
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

/// A receive from another queue is no delivery of the run, and a delete there removes nothing from the poison queue.
#[test]
fn other_queues_have_no_part_in_the_run() {
    let names = StorageNames {
        queues: vec!["q".to_owned()],
        table: None,
    };
    let in_queue = |told: &mut Told, operation, queue: &str| {
        told.step(operation, 200, |crossing| {
            queue.clone_into(&mut crossing.resource);
            crossing.messages.push(Handled {
                queue_id: "m7".to_owned(),
                id: Some("r1-7".to_owned()),
                attempt: Some(1),
                ..Handled::default()
            });
        });
    };
    for (queue, found) in [("q", vec![]), ("other", vec![Violation::Unwitnessed])] {
        let mut told = Told::new();
        told.protocol = told.protocol.of(names.clone());
        in_queue(&mut told, Operation::ReceiveMessages, queue);
        told.row(InsertEntity, 201);
        assert_eq!(told.violations(), found, "received from {queue}");
    }
    for (queue, found) in [
        ("other", vec![]),
        ("q-poison", vec![Violation::Unsecured]),
        ("q", vec![Violation::Unwitnessed]),
    ] {
        let mut told = Told::new();
        told.protocol = told.protocol.of(names.clone());
        in_queue(&mut told, DeleteMessage, queue);
        assert_eq!(told.violations(), found, "deleted in {queue}");
    }
}

/// A worker puts the original text into the poison queue, without an envelope that names the message.
#[test]
fn a_text_in_the_poison_queue_sets_the_message_of_the_same_text_aside() {
    for (print, found) in [
        (Some(5), vec![]),
        (Some(6), vec![Violation::Phantom, Violation::Unsecured]),
        (None, vec![Violation::Phantom, Violation::Unsecured]),
    ] {
        let mut told = Told::new();
        let handled = |print| Handled {
            queue_id: "m7".to_owned(),
            attempt: Some(1),
            print,
            ..Handled::default()
        };
        told.step(Operation::ReceiveMessages, 200, |crossing| {
            crossing.messages.push(handled(Some(5)));
        });
        told.step(Operation::PutMessage, 201, |crossing| {
            "q-poison".clone_into(&mut crossing.resource);
            crossing.messages.push(Handled {
                queue_id: "p1".to_owned(),
                print,
                ..Handled::default()
            });
        });
        told.on_message(DeleteMessage, 204);
        assert_eq!(told.violations(), found, "{print:?}");
    }
}

/// On several machines, a row's stamps may come from a wrong clock, and latencies are uncertain by the same amount.
#[test]
fn clocks_apart_are_measured_where_clients_are_on_several_machines() {
    let told_of = |are_apart: bool, ahead: i64| {
        let mut told = Told::new();
        if are_apart {
            told.protocol = told.protocol.with_clocks_apart();
        }
        told.receive(1);
        let had = told.clock + 1;
        told.step(InsertEntity, 201, |crossing| {
            let stamp = |at: i64| Some(Stamp::from_micros(at));
            crossing.rows.push(RowChange {
                part: None,
                delivery: Some(evidence::Claimed {
                    dequeued: stamp(had + ahead),
                    date: stamp(crossing.began.as_micros() + ahead),
                    attempt: Some(1),
                    consumer: Some("consumer-1".to_owned()),
                    node: None,
                }),
                ..row_of(7, 0)
            });
        });
        told.protocol.traffic()
    };
    let apart = told_of(true, 300_000);
    assert_eq!((apart.clocks_apart_us, apart.untold_claims), (300_000, 0));
    assert_eq!(told_of(false, 300_000).clocks_apart_us, 0);
    // No synchronised clock is wrong by so much: the clock or the row may be false.
    assert_eq!(told_of(true, 5_000_000).untold_claims, 1);
}

/// A message of another run, or an unreadable one, is named by its message id in the queue.
#[test]
fn a_message_without_an_id_is_named_by_its_queue() {
    let received = |attempt| {
        let mut told = Told::new();
        told.step(Operation::ReceiveMessages, 200, |crossing| {
            crossing.messages.push(Handled {
                queue_id: "m7".to_owned(),
                attempt: Some(attempt),
                ..Handled::default()
            });
        });
        told
    };
    let subjects = |told: Told| {
        let findings = told.protocol.finish().findings;
        let witnesses = findings
            .into_iter()
            .map(|it| it.witnesses[0].subject.clone());
        witnesses.collect::<Vec<_>>()
    };
    let mut deleted = received(1);
    deleted.on_message(DeleteMessage, 204);
    assert_eq!(subjects(deleted), ["queue message m7"]);
    let mut cleared = received(1);
    cleared.step(Operation::ClearMessages, 204, |_| {});
    assert_eq!(subjects(cleared)[0], "queue message m7");
    assert_eq!(subjects(received(3)), ["queue message m7"]);
    let mut ours = Told::new();
    ours.receive(1);
    ours.on_message(DeleteMessage, 204);
    assert_eq!(subjects(ours), ["r1-7"]);
}
