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
    busy.crossing(&write);
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
    // A request that storage rejects as malformed does not count.
    for (status, in_hand) in [(400, 10), (413, 10), (503, 9)] {
        let tried = Crossing {
            answer: evidence::Answer::Status(status, None),
            ..crossing("consumer-2", Operation::InsertEntity, 49)
        };
        deliveries.tried(seq, &tried);
        assert_eq!(
            held(&deliveries, Some(&row), &silent),
            Some(in_hand * SECOND),
            "{status}"
        );
    }
}
