//! Tests of how long a worker has a message in hand.

use super::*;

#[test]
fn a_message_is_in_hand_from_its_receive_until_the_first_try_to_store_its_row() {
    let (mut deliveries, seq) = deliveries();
    let insert = crossing("consumer-2", Operation::InsertEntity, 50);
    let row = claimed("consumer-2", 2, 49, 42);
    let held = |deliveries: &Deliveries, row: Option<&Claimed>, activity: &Activity| {
        deliveries.in_hand_us(seq, &insert, row, (activity, 0))
    };
    let silent = Activity::default();
    // Independent of what the row claims about both times.
    assert_eq!(held(&deliveries, Some(&row), &silent), Some(10 * SECOND));
    assert_eq!(held(&deliveries, None, &silent), Some(10 * SECOND));
    let other = crossing("consumer-3", Operation::InsertEntity, 50);
    assert_eq!(deliveries.in_hand_us(seq, &other, None, (&silent, 0)), None);
    // Its other write from 41 s to 45 s delayed the row, which was ready at 42 s.
    let mut busy = Activity::default();
    let mut write = crossing("consumer-2", Operation::InsertEntity, 41);
    write.ended = Stamp::from_micros(45 * SECOND);
    busy.crossing(&write, false);
    assert_eq!(held(&deliveries, Some(&row), &busy), Some(7 * SECOND));
    assert_eq!(held(&deliveries, None, &busy), Some(10 * SECOND));
    // The client received the message again: the delivery that the row names counts.
    let again = Handled {
        attempt: Some(3),
        ..Handled::default()
    };
    deliveries.add(
        seq,
        &crossing("consumer-2", Operation::ReceiveMessages, 48),
        &again,
    );
    assert_eq!(held(&deliveries, Some(&row), &silent), Some(10 * SECOND));
    assert_eq!(held(&deliveries, None, &silent), Some(2 * SECOND));
}

/// Any other request could be sent before the work, to hide how long it takes.
#[test]
fn only_a_request_that_could_have_stored_the_row_ends_the_time_in_hand() {
    use evidence::Answer::{NotAsked, Status};
    let (none, seq) = deliveries();
    let insert = crossing("consumer-2", Operation::InsertEntity, 50);
    let coded = |code: &str| Some(code.to_owned());
    for (answer, blamed, in_hand) in [
        (Status(400, None), None, 10),
        (Status(401, None), None, 10),
        (Status(403, None), None, 10),
        (Status(404, None), None, 10),
        (Status(405, None), None, 10),
        (Status(406, None), None, 10),
        (Status(408, None), None, 10),
        (Status(411, None), None, 10),
        (Status(412, None), None, 10),
        (Status(413, None), None, 10),
        (Status(415, coded("AtomFormatNotSupported")), None, 10),
        (Status(501, None), None, 10),
        (Status(409, coded("TableBeingDeleted")), None, 10),
        (Status(409, coded("EntityAlreadyExists")), Some(0), 10),
        (Status(409, coded("EntityAlreadyExists")), Some(1), 9),
        (Status(409, coded("EntityAlreadyExists")), None, 9),
        (Status(201, None), None, 9),
        (Status(429, None), None, 9),
        (Status(500, None), None, 9),
        (Status(503, None), None, 9),
        (NotAsked, None, 9),
        (evidence::Answer::None("reset".to_owned()), None, 9),
    ] {
        let tried = Crossing {
            answer: answer.clone(),
            failed_part: blamed,
            ..crossing("consumer-2", Operation::InsertEntity, 49)
        };
        let mut deliveries = none.clone();
        deliveries.tried(seq, &tried, blamed.map(|_| 1));
        let held = deliveries.in_hand_us(seq, &insert, None, (&Activity::default(), 0));
        assert_eq!(held, Some(in_hand * SECOND), "{answer:?} {blamed:?}");
        // Other rows do not wait for such a request either.
        let mut activity = Activity::default();
        let earlier = Crossing {
            began: Stamp::from_micros(42 * SECOND),
            ..tried
        };
        activity.crossing(&earlier, false);
        let writing = activity.writing_us("consumer-2", Stamp::default(), insert.began);
        let is_able = in_hand == 9 || blamed == Some(0);
        assert_eq!(writing > 0, is_able, "{answer:?}");
    }
}
