//! Tests of rows and deletes of messages that the wire has handed to nobody.

use super::*;

/// Storage's own count of deliveries, or a peek, shows that nobody had received the message, over the wire or around it.
#[test]
fn a_row_of_a_message_that_nobody_has_received_is_told_as_that() {
    let stored = |peeks: bool, attempt: Option<u32>| {
        let mut told = Told::new();
        if peeks {
            told.step(Operation::PeekMessages, 200, |crossing| {
                crossing.messages.push(Handled {
                    queue_id: "m7".to_owned(),
                    id: Some("r1-7".to_owned()),
                    ..Handled::default()
                });
            });
        }
        told.row(InsertEntity, 201);
        if let Some(attempt) = attempt {
            told.receive(attempt);
            told.row(InsertEntity, 409);
            told.on_message(DeleteMessage, 204);
        }
        let findings = told.protocol.finish().findings;
        let witness = findings[0].witnesses.last().unwrap();
        (findings[0].violation, witness.detail.clone())
    };
    let unreceived = "consumer-1 stored a row of a message that it never received";
    let around = "consumer-1 stored the row of a message that nobody has received over the wire";
    for (peeks, attempt, found) in [
        (true, None, (Violation::Meddled, unreceived)),
        (true, Some(1), (Violation::Meddled, unreceived)),
        (false, Some(1), (Violation::Meddled, unreceived)),
        // The first delivery may have been around the wire.
        (false, Some(2), (Violation::Unwitnessed, around)),
        (false, None, (Violation::Unwitnessed, around)),
    ] {
        let (violation, detail) = stored(peeks, attempt);
        assert_eq!((violation, &*detail), found, "{peeks} {attempt:?}");
    }
}

/// A copy in the poison queue says nothing about who looked at the message in the queue.
#[test]
fn a_look_into_the_poison_queue_is_no_look_at_the_message() {
    let mut told = Told::new();
    told.step(Operation::PeekMessages, 200, |crossing| {
        "q-poison".clone_into(&mut crossing.resource);
        crossing.messages.push(Handled {
            queue_id: "m9".to_owned(),
            id: Some("r1-7".to_owned()),
            ..Handled::default()
        });
    });
    told.row(InsertEntity, 201);
    assert_eq!(told.violations(), [Violation::Unwitnessed]);
}

#[test]
fn what_was_not_received_over_the_wire_was_received_around_it() {
    // Stored or deleted without a receive.
    let mut row = Told::new();
    row.row(InsertEntity, 201);
    assert_eq!(row.violations(), [Violation::Unwitnessed]);
    let mut delete = Told::new();
    delete.on_message(DeleteMessage, 204);
    assert_eq!(delete.violations(), [Violation::Unwitnessed]);
    // A delete whose answer was lost may be repeated; a refused delete did nothing.
    let mut again = Told::new();
    again.receive(1);
    again.row(InsertEntity, 201);
    for status in [500, 204] {
        again.on_message(DeleteMessage, status);
    }
    assert_eq!(again.violations(), []);
    // A delete that did not happen leaves the message in the queue, and storage counts further deliveries.
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
    let mut unanswered = Told::new();
    unanswered.on_message(DeleteMessage, 500);
    assert_eq!(unanswered.violations(), []);
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
    // One receive with an unknown result explains one unseen hand-over.
    let mut unread = Told::new();
    unread.step(Operation::ReceiveMessages, 500, |_| {});
    unread.receive(2);
    unread.row(InsertEntity, 201);
    unread.on_message(DeleteMessage, 204);
    assert_eq!(unread.violations(), []);
}
