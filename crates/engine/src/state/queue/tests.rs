//! Tests of a queue's messages, on a clock that only the test moves.

use super::*;
use crate::state::store::NoStore;

const START: Moment = Moment::from_ticks(1_795_889_024 * 10_000_000);

fn queue() -> Messages {
    Messages::new(1, Naming::new(42), 0)
}

fn put(queue: &mut Messages, text: &str, now: Moment) -> Sequence {
    let never = Moment::NEVER;
    let put = queue.put(&NoStore, text.into(), now, now, never);
    put.unwrap().0
}

fn receive(queue: &mut Messages, now: Moment, seconds: u64) -> Vec<Delivered> {
    let until = now.plus_seconds(seconds);
    queue.receive(&NoStore, 32, now, until).unwrap()
}

fn texts(messages: &[Delivered]) -> Vec<&str> {
    messages.iter().map(|message| &*message.text).collect()
}

#[test]
fn messages_are_received_in_the_order_of_their_puts() {
    let mut queue = queue();
    for text in ["a", "b", "c"] {
        put(&mut queue, text, START);
    }
    assert_eq!(texts(&receive(&mut queue, START, 30)), ["a", "b", "c"]);
    assert!(receive(&mut queue, START, 30).is_empty());
}

#[test]
fn a_message_comes_back_when_its_visibility_timeout_ends_and_not_before() {
    let mut queue = queue();
    put(&mut queue, "a", START);
    receive(&mut queue, START, 30);
    let before = Moment::from_ticks(START.plus_seconds(30).ticks() - 1);
    assert!(receive(&mut queue, before, 30).is_empty());
    let again = receive(&mut queue, START.plus_seconds(30), 30);
    assert_eq!(again[0].lease.deliveries, 2);
}

#[test]
fn a_message_that_comes_back_is_behind_those_that_were_visible_before_it() {
    let mut queue = queue();
    put(&mut queue, "first", START);
    receive(&mut queue, START, 10);
    put(&mut queue, "second", START.plus_seconds(5));
    let both = receive(&mut queue, START.plus_seconds(10), 30);
    assert_eq!(texts(&both), ["second", "first"]);
}

#[test]
fn a_delayed_message_is_counted_and_not_visible() {
    let mut queue = queue();
    let visible = START.plus_seconds(5);
    let put = queue.put(&NoStore, "a".into(), START, visible, Moment::NEVER);
    put.unwrap();
    assert_eq!(queue.len(), 1);
    assert!(queue.peek(&NoStore, 32, START).unwrap().is_empty());
    assert_eq!(queue.peek(&NoStore, 32, visible).unwrap().len(), 1);
}

#[test]
fn an_expired_message_is_gone_for_every_operation() {
    let mut queue = queue();
    let expires = START.plus_seconds(10);
    let put = queue.put(&NoStore, "a".into(), START, START, expires);
    let (sequence, lease) = put.unwrap();
    assert_eq!(queue.peek(&NoStore, 1, START).unwrap().len(), 1);
    assert!(receive(&mut queue, expires, 30).is_empty());
    let deleted = queue.delete(&NoStore, sequence, Some(lease.receipt), expires);
    assert!(matches!(deleted, Err(LeaseError::NotFound)));
    assert_eq!(queue.len(), 0);
}

#[test]
fn no_expired_message_is_seen_while_many_wait_to_be_removed() {
    let mut queue = queue();
    let expires = START.plus_seconds(10);
    for _ in 0..3 * EXPIRED_AT_ONCE {
        let put = queue.put(&NoStore, "x".into(), START, START, expires);
        put.unwrap();
    }
    assert!(receive(&mut queue, expires, 30).is_empty());
    assert_eq!(queue.len(), 2 * EXPIRED_AT_ONCE);
    assert!(queue.remove_expired(&NoStore, expires).unwrap());
    queue.remove_expired(&NoStore, expires).unwrap();
    assert_eq!(queue.len(), 0);
}

#[test]
fn a_receipt_is_good_until_the_next_delivery_also_after_its_time() {
    let mut queue = queue();
    put(&mut queue, "a", START);
    let first = receive(&mut queue, START, 1).remove(0);
    let late = START.plus_seconds(60);
    let second = receive(&mut queue, late, 1).remove(0);
    let delete = |queue: &mut Messages, receipt| queue.delete(&NoStore, 0, Some(receipt), late);
    assert!(matches!(
        delete(&mut queue, first.lease.receipt),
        Err(LeaseError::ReceiptMismatch)
    ));
    // The message is visible again by now, and was not received since.
    let later = late.plus_seconds(60);
    queue
        .delete(&NoStore, 0, Some(second.lease.receipt), later)
        .unwrap();
}

#[test]
fn an_update_changes_receipt_text_and_visibility_and_keeps_the_count() {
    let mut queue = queue();
    let sequence = put(&mut queue, "a", START);
    let first = receive(&mut queue, START, 30).remove(0);
    let until = START.plus_seconds(90);
    let updated = queue.update(
        &NoStore,
        sequence,
        Some(first.lease.receipt),
        Some("b".into()),
        START,
        until,
    );
    let updated = updated.unwrap();
    assert_ne!(updated.receipt, first.lease.receipt);
    assert!(receive(&mut queue, START.plus_seconds(89), 30).is_empty());
    let again = receive(&mut queue, until, 30).remove(0);
    assert_eq!((&*again.text, again.lease.deliveries), ("b", 2));
}

/// A store that refuses every write.
#[derive(Debug)]
struct Full;

impl Store for Full {
    fn write(&self, _: &[Change<'_>]) -> Result<(), StoreError> {
        Err(StoreError("no space left".into()))
    }
}

#[test]
fn what_the_store_refuses_has_not_happened() {
    let mut queue = queue();
    assert!(
        queue
            .put(&Full, "a".into(), START, START, Moment::NEVER)
            .is_err()
    );
    assert_eq!(queue.len(), 0);
    let sequence = put(&mut queue, "b", START);
    assert!(queue.receive(&Full, 1, START, START).is_err());
    let delivered = receive(&mut queue, START, 30).remove(0);
    assert_eq!(delivered.lease.deliveries, 1);
    assert!(
        queue
            .delete(&Full, sequence, Some(delivered.lease.receipt), START)
            .is_err()
    );
    assert_eq!(queue.len(), 1);
}
