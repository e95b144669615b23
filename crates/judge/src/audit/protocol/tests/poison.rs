//! Tests of puts into the poison queue, allowed and not.

use super::*;

/// A client puts `message` into the poison queue.
fn put(told: &mut Told, message: Handled) {
    told.step(Operation::PutMessage, 201, |crossing| {
        "q-poison".clone_into(&mut crossing.resource);
        crossing.messages.push(message);
    });
}

fn stored() -> Told {
    let mut told = Told::new();
    told.receive(1);
    told.row(InsertEntity, 201);
    told
}

/// For example Base64 without an envelope, or an envelope that names an unknown message: storage may hide it, or let it expire.
#[test]
fn what_is_no_message_of_the_queue_is_found_though_nobody_can_read_it() {
    for message in [
        Handled::default(),
        Handled {
            print: Some(9),
            ..Handled::default()
        },
        Handled {
            poisons: Some("none".to_owned()),
            ..Handled::default()
        },
        Handled {
            poisons_in_part: Some("none".to_owned()),
            ..Handled::default()
        },
    ] {
        let mut told = stored();
        put(&mut told, message.clone());
        told.on_message(DeleteMessage, 204);
        assert_eq!(told.violations(), [Violation::Phantom], "{message:?}");
        // One receive has an unknown result.
        let mut unread = stored();
        unread.step(Operation::ReceiveMessages, 500, |_| {});
        put(&mut unread, message);
        assert_eq!(unread.violations(), []);
    }
}

/// The last part may never follow.
#[test]
fn the_first_part_of_a_good_message_gives_it_up_already() {
    let part = |poisons_in_part: Option<&str>, poisons: Option<&str>| {
        let mut told = stored();
        put(
            &mut told,
            Handled {
                poisons: poisons.map(str::to_owned),
                poisons_in_part: poisons_in_part.map(str::to_owned),
                ..Handled::default()
            },
        );
        told.on_message(DeleteMessage, 204);
        let testimony = told.protocol.finish();
        assert_eq!(testimony.findings, []);
        let seqs = testimony.given_up.iter().map(|it| it.seq.get());
        seqs.collect::<Vec<_>>()
    };
    assert_eq!(part(Some("m7"), None), [7]);
    assert_eq!(part(None, Some("m7")), [7]);
}

/// Two consumers had the message on its last delivery.
#[test]
fn a_message_that_was_set_aside_and_deleted_may_be_put_there_once_more() {
    for (named, print) in [(Some("m7".to_owned()), None), (None, Some(5))] {
        let mut told = Told::new();
        told.step(Operation::ReceiveMessages, 200, |crossing| {
            crossing.messages.push(Handled {
                queue_id: "m7".to_owned(),
                attempt: Some(1),
                print: Some(5),
                ..Handled::default()
            });
        });
        let message = Handled {
            poisons: named,
            print,
            ..Handled::default()
        };
        put(&mut told, message.clone());
        told.on_message(DeleteMessage, 204);
        put(&mut told, message);
        assert_eq!(told.violations(), []);
    }
}

/// Storage removes a message when its time to live is over, so that no person would see it in the poison queue.
#[test]
fn what_does_not_stay_in_the_poison_queue_is_not_safe_there() {
    const WEEK: u64 = 604_800;
    let mended = (Some("m7"), None);
    for (parts, is_found) in [
        (vec![(Some("m7"), None)], false),
        (vec![(Some("m7"), Some(WEEK))], false),
        (vec![(Some("m7"), Some(WEEK - 1))], true),
        (vec![(None, Some(60)), (Some("m7"), None)], true),
        // Put there again, without an early expiry.
        (vec![(None, Some(60)), (Some("m7"), None), mended], false),
        (vec![(Some("m7"), Some(60)), mended], false),
    ] {
        let mut told = Told::new();
        told.receive(1);
        for (whole, lives_s) in parts.clone() {
            let part = whole.is_none().then(|| "m7".to_owned());
            let message = Handled {
                poisons: whole.map(str::to_owned),
                poisons_in_part: part,
                lives_s,
                ..Handled::default()
            };
            put(&mut told, message);
        }
        told.on_message(DeleteMessage, 204);
        let findings = told.protocol.finish().findings;
        let told = findings.first().map(|it| it.witnesses[0].detail.clone());
        let names_it = told.is_some_and(|detail| detail.contains("s only (messagettl)"));
        assert_eq!(names_it, is_found, "{parts:?}");
        assert_eq!(!findings.is_empty(), is_found, "{parts:?}");
    }
}
