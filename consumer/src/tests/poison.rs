//! Poison: sent whole before the delete, or kept.

use workflow::contract::{MAX_MESSAGE_BYTES, Message, PoisonReason, ResultRow, Stamp};
use workflow::ports::{ErrorKind, ResultTable as _, WorkQueue as _};

use super::faults::{Fate, Op};
use super::{Rig, SECOND, message};

async fn with_body(body: &str) -> Rig {
    let rig = Rig::new().await;
    rig.queue.send(body).await.unwrap();
    rig
}

#[tokio::test(start_paused = true)]
async fn poison_is_sent_before_the_delete() {
    let rig = with_body("not json").await;
    rig.run_until_empty().await;
    assert_eq!(rig.script.order(), [Op::SendPoison, Op::Delete]);
    let envelope = &rig.envelopes().await[0];
    assert_eq!(
        (envelope.reason, envelope.attempt),
        (PoisonReason::NotJson, 1)
    );
    assert_eq!(
        (envelope.body.as_str(), envelope.consumer.as_str()),
        ("not json", "consumer-1")
    );
    assert_eq!(rig.rows().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_failed_poison_send_keeps_the_message() {
    let rig = with_body("not json").await;
    rig.script.on(Op::SendPoison, Fate::Fail(ErrorKind::Denied));
    let consumer = rig.start();
    rig.until(|metrics| metrics.received.get() == 3).await;
    assert_eq!(rig.left().await, 1);
    assert!(rig.script.calls(Op::Delete).is_empty());
    assert_eq!(rig.metrics().poisoned_count(), 0);
    rig.drain(consumer).await;
}

#[tokio::test(start_paused = true)]
async fn a_poison_send_is_tried_again_through_an_outage() {
    let rig = with_body("not json").await;
    rig.script
        .first(Op::SendPoison, 5, Fate::Fail(ErrorKind::Unreachable));
    rig.run_until_empty().await;
    assert_eq!(
        (rig.envelopes().await.len(), rig.metrics().received.get()),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_too_large_for_one_envelope_is_sent_in_all_its_parts_before_the_delete() {
    let body = "\"".repeat(MAX_MESSAGE_BYTES);
    let rig = with_body(&body).await;
    rig.run_until_empty().await;
    let order = rig.script.order();
    let (last, parts) = order.split_last().unwrap();
    assert_eq!(*last, Op::Delete);
    assert!(
        parts.len() > 1 && parts.iter().all(|op| *op == Op::SendPoison),
        "{order:?}"
    );
    let joined: String = rig
        .envelopes()
        .await
        .iter()
        .map(|part| part.body.as_str())
        .collect();
    assert_eq!(joined, body);
}

#[tokio::test(start_paused = true)]
async fn a_missing_poison_queue_is_created() {
    let rig = Rig::bare();
    rig.queue.create().await.unwrap();
    rig.table.create().await.unwrap();
    rig.queue.send("not json").await.unwrap();
    rig.run_until_empty().await;
    assert_eq!(
        rig.script.order(),
        [Op::SendPoison, Op::CreatePoison, Op::SendPoison, Op::Delete]
    );
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_bad_body_is_poison_with_its_reason_at_the_first_delivery() {
    let rig = Rig::new().await;
    let mut json: serde_json::Value = serde_json::from_str(&message(1).encode()).unwrap();
    json["msg"] = "tampered".into();
    let oversized = Message::new(
        message(2).id,
        "x".repeat(40_000),
        Stamp::now(),
        Stamp::now(),
    );
    for body in [
        "not json",
        "{}",
        "[]",
        &json.to_string(),
        &oversized.encode(),
    ] {
        rig.queue.send(body).await.unwrap();
    }
    rig.run_until_empty().await;
    let mut reasons: Vec<_> = rig
        .envelopes()
        .await
        .iter()
        .map(|envelope| envelope.reason)
        .collect();
    reasons.sort_unstable();
    let expected = [
        PoisonReason::NotJson,
        PoisonReason::MissingField,
        PoisonReason::BadField,
        PoisonReason::Oversized,
        PoisonReason::DigestMismatch,
    ];
    assert_eq!(
        (reasons.as_slice(), rig.metrics().redelivered.get()),
        (expected.as_slice(), 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_delivered_too_often_is_poison() {
    let mut rig = Rig::new().await;
    rig.settings.max_attempts = 2;
    rig.put(1..=1).await;
    for _ in 0..2 {
        rig.queue.receive(1, SECOND).await.unwrap();
        tokio::time::sleep(SECOND).await;
    }
    rig.run_until_empty().await;
    let envelope = &rig.envelopes().await[0];
    assert_eq!(
        (envelope.reason, envelope.attempt),
        (PoisonReason::TooManyAttempts, 3)
    );
    assert_eq!((rig.rows().await, rig.metrics().inserted.get()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_last_allowed_attempt_is_worked_on() {
    let mut rig = Rig::new().await;
    rig.settings.max_attempts = 2;
    rig.put(1..=1).await;
    rig.queue.receive(1, SECOND).await.unwrap();
    tokio::time::sleep(SECOND).await;
    rig.run_until_empty().await;
    assert_eq!(
        (
            rig.row(1).await.unwrap().attempt,
            rig.envelopes().await.len()
        ),
        (Some(2), 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_delivered_too_often_whose_row_is_there_is_finished_and_no_poison() {
    let mut rig = Rig::new().await;
    rig.settings.max_attempts = 1;
    rig.put(1..=1).await;
    let row = ResultRow::of(message(1), Stamp::now(), 1, "another", "elsewhere");
    rig.table.insert(&[row]).await.unwrap();
    rig.queue.receive(1, SECOND).await.unwrap();
    tokio::time::sleep(SECOND).await;
    rig.run_until_empty().await;
    assert_eq!(
        (
            rig.metrics().already_done.get(),
            rig.envelopes().await.len()
        ),
        (1, 0)
    );
}
