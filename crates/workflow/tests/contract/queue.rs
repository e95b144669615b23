//! Tests of work queues.

use std::collections::HashSet;
use std::time::Duration;

use workflow::contract::MAX_MESSAGE_BYTES;
use workflow::ports::{Delivery, Effect, ErrorKind, MAX_RECEIVE, WorkQueue};

use crate::backend::eventually;

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

crate::facts!(crate::backend::memory_queue(), crate::backend::azurite_queue(), crate::backend::engine_queue();
    a_sent_message_is_delivered_once_while_leased,
    bodies_survive_unchanged,
    an_empty_queue_gives_nothing_and_no_error,
    one_receive_gives_at_most_32,
    a_lease_that_runs_out_delivers_again_with_the_next_attempt,
    a_renewed_lease_keeps_the_message_hidden_and_has_a_new_receipt,
    the_receipt_from_before_a_renewal_is_lost,
    a_released_message_is_delivered_at_once,
    a_late_delete_succeeds_while_nobody_has_received_again,
    a_delete_after_another_delivery_is_a_lost_lease,
    a_second_delete_is_a_lost_lease,
    counting_includes_leased_messages_and_peeking_does_not,
    creating_twice_is_no_error_and_deleting_twice_neither,
    a_missing_queue_is_named_as_such,
    a_body_over_64_kib_is_too_large,
);

async fn only(queue: &impl WorkQueue, visibility: Duration) -> Delivery {
    let mut deliveries = queue.receive(MAX_RECEIVE, visibility).await.unwrap();
    assert_eq!(deliveries.len(), 1, "one message must be visible");
    deliveries.remove(0)
}

async fn redelivered(queue: &impl WorkQueue) -> Delivery {
    eventually(async || queue.receive(1, MINUTE).await.unwrap().pop()).await
}

async fn lost(queue: &impl WorkQueue, delivery: &Delivery) {
    let deleted = queue.delete(&delivery.lease).await.unwrap_err();
    assert_eq!(deleted.kind(), ErrorKind::LeaseLost, "{deleted}");
    let renewed = queue.renew(&delivery.lease, MINUTE).await.unwrap_err();
    assert_eq!(renewed.kind(), ErrorKind::LeaseLost, "{renewed}");
    assert!(!deleted.is_transient() && deleted.effect() == Effect::None);
}

async fn a_sent_message_is_delivered_once_while_leased(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    queue.send("hello").await.unwrap();
    let delivery = only(&queue, MINUTE).await;
    assert_eq!((delivery.body.as_str(), delivery.attempt), ("hello", 1));
    assert!(queue.receive(MAX_RECEIVE, MINUTE).await.unwrap().is_empty());
    queue.delete(&delivery.lease).await.unwrap();
    assert_eq!(queue.approximate_count().await.unwrap(), 0);
}

async fn bodies_survive_unchanged(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    let bodies = [
        r#"{"msg":"quotes \" and <tags> & ampersands; ]]>"}"#,
        "Zürich €uro 😀 \u{10FFFF}",
        "line\nbreak and\ttab",
        "  leading and trailing  ",
        "&amp; &#65; %41 +",
    ];
    for body in bodies {
        queue.send(body).await.unwrap();
    }
    let received = queue.receive(MAX_RECEIVE, MINUTE).await.unwrap();
    let received: HashSet<_> = received.iter().map(|d| d.body.as_str()).collect();
    assert_eq!(received, HashSet::from(bodies));
}

async fn an_empty_queue_gives_nothing_and_no_error(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    assert_eq!(queue.receive(MAX_RECEIVE, MINUTE).await.unwrap(), []);
    assert_eq!(queue.peek(MAX_RECEIVE).await.unwrap(), []);
    assert_eq!(queue.approximate_count().await.unwrap(), 0);
}

async fn one_receive_gives_at_most_32(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    for n in 0..40 {
        queue.send(&n.to_string()).await.unwrap();
    }
    assert_eq!(queue.receive(MAX_RECEIVE, MINUTE).await.unwrap().len(), 32);
    assert_eq!(queue.receive(5, MINUTE).await.unwrap().len(), 5);
    assert_eq!(queue.receive(MAX_RECEIVE, MINUTE).await.unwrap().len(), 3);
    let error = queue.receive(33, MINUTE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
}

async fn a_lease_that_runs_out_delivers_again_with_the_next_attempt(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    queue.send("again").await.unwrap();
    let first = only(&queue, SECOND).await;
    let second = redelivered(&queue).await;
    assert_eq!((second.body.as_str(), second.attempt), ("again", 2));
    assert_eq!(second.lease.message_id, first.lease.message_id);
    assert_ne!(second.lease.pop_receipt, first.lease.pop_receipt);
}

async fn a_renewed_lease_keeps_the_message_hidden_and_has_a_new_receipt(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    queue.send("long work").await.unwrap();
    let delivery = only(&queue, SECOND).await;
    let renewed = queue.renew(&delivery.lease, MINUTE).await.unwrap();
    assert_ne!(renewed.pop_receipt, delivery.lease.pop_receipt);
    // Another message, leased for a second after this one, becomes visible: by then this one would too, if it were not renewed.
    queue.send("clock").await.unwrap();
    only(&queue, SECOND).await;
    let back = redelivered(&queue).await;
    assert_eq!(back.body, "clock");
    assert!(queue.receive(1, MINUTE).await.unwrap().is_empty());
    queue.delete(&renewed).await.unwrap();
}

async fn the_receipt_from_before_a_renewal_is_lost(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    queue.send("x").await.unwrap();
    let delivery = only(&queue, MINUTE).await;
    let renewed = queue.renew(&delivery.lease, MINUTE).await.unwrap();
    lost(&queue, &delivery).await;
    queue.delete(&renewed).await.unwrap();
}

async fn a_released_message_is_delivered_at_once(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    queue.send("x").await.unwrap();
    let delivery = only(&queue, MINUTE).await;
    queue.renew(&delivery.lease, Duration::ZERO).await.unwrap();
    assert_eq!(redelivered(&queue).await.attempt, 2);
}

async fn a_late_delete_succeeds_while_nobody_has_received_again(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    queue.send("late").await.unwrap();
    let delivery = only(&queue, SECOND).await;
    eventually(async || queue.peek(1).await.unwrap().pop()).await;
    queue.delete(&delivery.lease).await.unwrap();
    assert_eq!(queue.approximate_count().await.unwrap(), 0);
}

async fn a_delete_after_another_delivery_is_a_lost_lease(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    queue.send("x").await.unwrap();
    let first = only(&queue, SECOND).await;
    let second = redelivered(&queue).await;
    lost(&queue, &first).await;
    queue.delete(&second.lease).await.unwrap();
}

async fn a_second_delete_is_a_lost_lease(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    queue.send("x").await.unwrap();
    let delivery = only(&queue, MINUTE).await;
    queue.delete(&delivery.lease).await.unwrap();
    lost(&queue, &delivery).await;
}

async fn counting_includes_leased_messages_and_peeking_does_not(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    for body in ["a", "b", "c"] {
        queue.send(body).await.unwrap();
    }
    queue.receive(2, MINUTE).await.unwrap();
    assert_eq!(queue.approximate_count().await.unwrap(), 3);
    let peeked = queue.peek(MAX_RECEIVE).await.unwrap();
    assert_eq!(peeked.len(), 1);
    assert_eq!(peeked[0].attempt, 0);
    assert_eq!(
        queue.peek(MAX_RECEIVE).await.unwrap(),
        peeked,
        "peeking must change nothing"
    );
}

async fn creating_twice_is_no_error_and_deleting_twice_neither(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    queue.create().await.unwrap();
    queue.delete_queue().await.unwrap();
    queue.delete_queue().await.unwrap();
}

async fn a_missing_queue_is_named_as_such(queue: impl WorkQueue) {
    let errors = [
        queue.send("x").await.unwrap_err(),
        queue.receive(1, MINUTE).await.unwrap_err(),
        queue.peek(1).await.unwrap_err(),
        queue.approximate_count().await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NoSuchResource, "{error}");
        assert!(error.to_string().contains(queue.name()), "{error}");
        assert!(
            error
                .advice()
                .is_some_and(|advice| advice.contains("--create"))
        );
    }
}

async fn a_body_over_64_kib_is_too_large(queue: impl WorkQueue) {
    queue.create().await.unwrap();
    queue.send(&"x".repeat(MAX_MESSAGE_BYTES)).await.unwrap();
    let error = queue
        .send(&"x".repeat(MAX_MESSAGE_BYTES + 1))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::TooLarge, Effect::None),
        "{error}"
    );
}
