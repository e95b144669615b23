//! Tests of consumers that touch resources or messages that are not theirs.

use super::*;

const ANOTHER: &str = "consumer-2";

/// A message was received, with a body whose fingerprint is 7, and its row was stored.
fn stored() -> Told {
    let mut told = Told::new();
    told.step(Operation::ReceiveMessages, 200, |crossing| {
        crossing.messages.push(Handled {
            queue_id: "m7".to_owned(),
            id: Some("r1-7".to_owned()),
            attempt: Some(1),
            print: Some(7),
            ..Handled::default()
        });
    });
    told.row(InsertEntity, 201);
    told
}

/// `client` requests `operation` on the message, with a body of this fingerprint.
fn on_message(told: &mut Told, client: &str, operation: Operation, print: Option<u64>) {
    told.step(operation, 204, |crossing| {
        client.clone_into(&mut crossing.client);
        crossing.messages.push(Handled {
            queue_id: "m7".to_owned(),
            print,
            ..Handled::default()
        });
    });
}

#[test]
fn a_renewal_leaves_the_body_as_it_is() {
    for (print, found) in [
        (None, vec![]),
        (Some(7), vec![]),
        (Some(8), vec![Violation::Meddled]),
    ] {
        let mut told = stored();
        on_message(&mut told, "consumer-1", UpdateMessage, print);
        on_message(&mut told, "consumer-1", DeleteMessage, None);
        assert_eq!(told.violations(), found, "{print:?}");
    }
}

#[test]
fn a_message_is_deleted_by_one_that_has_received_it() {
    let mut other = stored();
    on_message(&mut other, ANOTHER, DeleteMessage, None);
    assert_eq!(other.violations(), [Violation::Meddled]);
    // Both have received the message, the first one long ago.
    let mut both = stored();
    both.step(Operation::ReceiveMessages, 200, |crossing| {
        ANOTHER.clone_into(&mut crossing.client);
        crossing.messages.push(Handled {
            queue_id: "m7".to_owned(),
            id: Some("r1-7".to_owned()),
            attempt: Some(2),
            ..Handled::default()
        });
    });
    on_message(&mut both, "consumer-1", DeleteMessage, None);
    assert_eq!(both.violations(), []);
    // One receive has an unreadable answer, which may have handed over this message.
    let mut unread = stored();
    unread.step(Operation::ReceiveMessages, 500, |crossing| {
        ANOTHER.clone_into(&mut crossing.client);
    });
    on_message(&mut unread, ANOTHER, DeleteMessage, None);
    assert_eq!(unread.violations(), []);
}

#[test]
fn queues_and_tables_of_others_are_left_alone() {
    let names = StorageNames {
        queues: vec!["q".to_owned()],
        table: Some("T".to_owned()),
    };
    let resources = [
        ("q", vec![Violation::Meddled]),
        ("q-poison", vec![]),
        ("other-poison", vec![Violation::Meddled]),
    ];
    for (resource, found) in resources {
        let mut told = Told::new();
        told.protocol = told.protocol.of(names.clone());
        told.step(Operation::PutMessage, 201, |crossing| {
            resource.clone_into(&mut crossing.resource);
        });
        assert_eq!(told.violations(), found, "{resource}");
    }
    for table in ["T", "other"] {
        let mut told = Told::new();
        told.protocol = told.protocol.of(names.clone());
        told.step(Operation::DeleteTable, 204, |crossing| {
            table.clone_into(&mut crossing.resource);
        });
        assert_eq!(told.violations(), [Violation::Meddled], "{table}");
    }
}

#[test]
fn what_holds_for_a_whole_queue_is_not_changed_and_no_other_queue_is_created() {
    let names = StorageNames {
        queues: vec!["q".to_owned()],
        table: Some("T".to_owned()),
    };
    for (operation, resource, is_found) in [
        // The run's own queue may not exist yet.
        (Operation::CreateQueue, "q", false),
        (Operation::CreateQueue, "q-poison", false),
        (Operation::CreateQueue, "other", true),
        (Operation::ChangeQueue, "q", true),
        (Operation::ChangeQueue, "q-poison", true),
        (Operation::ChangeQueue, "other", true),
        (Operation::ChangeQueue, "", true),
        (Operation::DeleteQueue, "other", true),
        (Operation::ClearMessages, "other", true),
        (Operation::CreateTable, "t", false),
        (Operation::CreateTable, "other", true),
        (Operation::ChangeTable, "T", true),
        (Operation::ChangeTable, "other", true),
        (Operation::ChangeTable, "", true),
    ] {
        for (status, may_be_done) in [(201, true), (500, true), (403, false)] {
            let mut told = Told::new();
            told.protocol = told.protocol.of(names.clone());
            told.step(operation, status, |crossing| {
                resource.clone_into(&mut crossing.resource);
            });
            let found = told.violations() == [Violation::Meddled];
            // The run's own queue and table are not changed because storage refuses it.
            let is_own = ["q", "q-poison", "T"].contains(&resource);
            let is_tried =
                is_own && matches!(operation, Operation::ChangeQueue | Operation::ChangeTable);
            assert_eq!(
                found,
                is_found && (may_be_done || is_tried),
                "{operation} {resource:?} {status}"
            );
        }
    }
}

#[test]
fn a_change_that_storage_refused_says_so() {
    for (status, says) in [
        (
            403,
            "; it was refused (no code), and would be done with other permissions",
        ),
        (201, "which all consumers share"),
        (500, "which all consumers share"),
    ] {
        let mut told = Told::new();
        told.step(Operation::ChangeQueue, status, |_| {});
        let findings = told.protocol.finish().findings;
        let detail = &findings[0].witnesses[0].detail;
        assert!(detail.ends_with(says), "{status}: {detail}");
    }
}

/// A consumer that puts back a message whose row it has stored: the other consumers would take it for a redelivery.
#[test]
fn only_the_producer_puts_messages_into_the_queue() {
    for (client, status, found) in [
        ("producer", 201, vec![]),
        (ANOTHER, 201, vec![Violation::Meddled]),
        (ANOTHER, 500, vec![Violation::Meddled]),
        (ANOTHER, 403, vec![]),
    ] {
        let mut told = stored();
        told.step(Operation::PutMessage, status, |crossing| {
            client.clone_into(&mut crossing.client);
            crossing.messages.push(Handled {
                queue_id: "m8".to_owned(),
                id: Some("r1-7".to_owned()),
                ..Handled::default()
            });
        });
        on_message(&mut told, "consumer-1", DeleteMessage, None);
        assert_eq!(told.violations(), found, "{client} {status}");
    }
}

/// If storage cannot be read, the judge uses the history alone, and names the consumer.
#[test]
fn what_the_history_proves_alone_names_who_did_what() {
    let proven = |operation, resource: &str| {
        let mut told = stored();
        told.step(operation, 204, |crossing| {
            resource.clone_into(&mut crossing.resource);
        });
        told.protocol.finish().proven().join("; ")
    };
    for (operation, resource, says) in [
        (
            Operation::DeleteTable,
            "t",
            "1 request to a message, queue or table that is not the consumer's: delete-table to t: consumer-1 sent delete-table to \"t\", which all \
             consumers share",
        ),
        (
            Operation::DeleteQueue,
            "q-poison",
            "1 message deleted before the row was confirmed: delete-queue to q-poison: consumer-1 sent delete-queue to \
             \"q-poison\", the poison queue, where messages have to stay",
        ),
        (Operation::QueryEntities, "t", ""),
    ] {
        assert_eq!(proven(operation, resource), says);
    }
    // An incomplete history may lack the crossings that explain these.
    let mut cut_off = Told::new();
    cut_off.row(InsertEntity, 201);
    assert_eq!(cut_off.protocol.finish().proven(), Vec::<String>::new());
}
