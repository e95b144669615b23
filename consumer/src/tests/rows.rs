//! Rows: one a message, never overwritten, grouped by partition.

use std::collections::HashSet;

use workflow::contract::{Message, PoisonReason, ResultRow, Stamp};
use workflow::ports::{ErrorKind, ResultTable as _, WorkQueue as _};

use super::faults::{Fate, Op};
use super::{Rig, SECOND, message};
use crate::work::Work;

fn row(message: Message) -> ResultRow {
    ResultRow::of(message, Stamp::now(), 1, "another", "elsewhere")
}

#[tokio::test(start_paused = true)]
async fn every_message_has_one_row_and_the_queue_is_empty() {
    let rig = Rig::new().await;
    rig.put(1..=500).await;
    rig.run_until_empty().await;
    assert_eq!(rig.rows().await, 500);
    let row = rig.row(77).await.unwrap();
    assert_eq!(row.data.as_deref(), Some("Scale Test Message : COUNT 77"));
    assert_eq!(
        (row.consumer.as_deref(), row.node.as_deref()),
        (Some("consumer-1"), Some("node-1"))
    );
    assert!(row.sent_stamp <= row.dequeued_stamp && row.dequeued_stamp <= row.date_stamp);
    assert_eq!(
        (rig.metrics().inserted.get(), rig.metrics().deleted.get()),
        (500, 500)
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_delivery_deletes_without_a_second_row() {
    let rig = Rig::new().await;
    rig.table.insert(&[row(message(1))]).await.unwrap();
    rig.put(1..=1).await;
    rig.run_until_empty().await;
    assert_eq!(
        (
            rig.metrics().inserted.get(),
            rig.metrics().already_done.get()
        ),
        (0, 1)
    );
    assert_eq!(
        rig.row(1).await.unwrap().consumer.as_deref(),
        Some("another")
    );
    assert_eq!(rig.metrics().deleted.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_sent_twice_has_one_row_and_both_copies_are_deleted() {
    let rig = Rig::new().await;
    rig.put(1..=20).await;
    rig.put(1..=20).await;
    rig.run_until_empty().await;
    assert_eq!((rig.rows().await, rig.metrics().deleted.get()), (20, 40));
    assert_eq!(
        (
            rig.metrics().inserted.get(),
            rig.metrics().already_done.get()
        ),
        (20, 20)
    );
}

#[tokio::test(start_paused = true)]
async fn an_insert_whose_answer_was_lost_is_repeated_without_harm() {
    let rig = Rig::new().await;
    rig.put(1..=5).await;
    rig.script
        .first(Op::Insert, 1, Fate::PassThenFail(ErrorKind::Interrupted));
    rig.run_until_empty().await;
    assert_eq!((rig.rows().await, rig.metrics().deleted.get()), (5, 5));
    assert_eq!(
        rig.metrics().received.get(),
        5,
        "no message needed a second delivery"
    );
}

#[tokio::test(start_paused = true)]
async fn an_insert_error_keeps_the_message() {
    let mut rig = Rig::new().await;
    rig.settings.max_attempts = 1_000;
    rig.put(1..=1).await;
    rig.script.on(Op::Insert, Fate::Fail(ErrorKind::Rejected));
    let consumer = rig.start();
    rig.until(|metrics| metrics.received.get() == 3).await;
    assert_eq!((rig.left().await, rig.rows().await), (1, 0));
    assert!(rig.script.calls(Op::Delete).is_empty());
    rig.drain(consumer).await;
}

#[tokio::test(start_paused = true)]
async fn a_table_outage_is_ridden_out_without_spending_attempts() {
    let rig = Rig::new().await;
    rig.put(1..=40).await;
    rig.script.rule(|call| match call.op {
        Op::Insert if call.at < 300 * SECOND => Fate::Fail(ErrorKind::NoSuchResource),
        _ => Fate::Pass,
    });
    let consumer = rig.start();
    rig.until(|_| rig.shared.health.unready() == Some("table lost"))
        .await;
    rig.until_empty().await;
    assert_eq!(rig.shared.health.unready(), None);
    rig.drain(consumer).await;
    assert_eq!((rig.rows().await, rig.metrics().received.get()), (40, 40));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_row_takes_no_others_with_it() {
    let mut rig = Rig::new().await;
    rig.settings.max_attempts = 2;
    rig.put(1..=20).await;
    let bad = message(7).id.to_string();
    rig.script.rule(move |call| match call.op {
        Op::Insert if call.keys.contains(&bad) => Fate::Fail(ErrorKind::Rejected),
        _ => Fate::Pass,
    });
    rig.run_until_empty().await;
    assert_eq!((rig.rows().await, rig.row(7).await), (19, None));
    assert_eq!(
        rig.envelopes().await[0].reason,
        PoisonReason::TooManyAttempts
    );
    assert_eq!(
        rig.metrics().received.get(),
        20 + 2,
        "only the bad one is delivered again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_row_too_large_for_the_table_is_poison_at_once() {
    let rig = Rig::new().await;
    rig.put(1..=1).await;
    rig.script.on(Op::Insert, Fate::Fail(ErrorKind::TooLarge));
    rig.run_until_empty().await;
    assert_eq!(rig.envelopes().await[0].reason, PoisonReason::Oversized);
    assert_eq!(rig.metrics().received.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_never_overwritten_and_its_message_is_kept_as_poison() {
    let rig = Rig::new().await;
    let other = Message::new(
        message(1).id,
        "something else".into(),
        Stamp::now(),
        Stamp::now(),
    );
    rig.table.insert(&[row(other)]).await.unwrap();
    rig.put(1..=1).await;
    rig.run_until_empty().await;
    assert_eq!(
        rig.row(1).await.unwrap().data.as_deref(),
        Some("something else")
    );
    let envelope = &rig.envelopes().await[0];
    assert_eq!(envelope.reason, PoisonReason::Conflict);
    assert_eq!(Message::decode(&envelope.body).unwrap().msg, message(1).msg);
    assert_eq!(
        (
            rig.metrics().conflicts.get(),
            rig.metrics().poisoned_count()
        ),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn rows_that_are_ready_together_share_a_write() {
    let rig = Rig::new().await;
    rig.put(64..=95).await;
    rig.run_until_empty().await;
    let writes = rig.script.calls(Op::Insert);
    assert_eq!(
        writes.len(),
        1,
        "32 consecutive messages are of one partition: {writes:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_holds_one_partition_and_each_row_once() {
    let rig = Rig::new().await;
    rig.script.on(Op::Insert, Fate::Delay(SECOND / 20));
    for _ in 0..2 {
        rig.put(1..=200).await;
    }
    rig.run_until_empty().await;
    let writes = rig.script.calls(Op::Insert);
    assert!(writes.len() < 100, "{} writes", writes.len());
    for write in writes {
        let rows: HashSet<_> = write.keys.iter().collect();
        let partitions: HashSet<_> = write.partitions.iter().collect();
        assert_eq!(
            (rows.len(), partitions.len()),
            (write.keys.len(), 1),
            "{write:?}"
        );
    }
    assert_eq!(rig.rows().await, 200);
}

#[tokio::test(start_paused = true)]
async fn the_limits_of_the_writer_are_kept() {
    let mut rig = Rig::new().await;
    (rig.settings.limits.rows, rig.settings.limits.writes) = (1, 2);
    rig.script.on(Op::Insert, Fate::Delay(SECOND));
    rig.put(1..=10).await;
    rig.run_until_empty().await;
    let writes = rig.script.calls(Op::Insert);
    assert!(writes.iter().all(|write| write.keys.len() == 1));
    // Two at a time, a second each.
    let begun: Vec<_> = writes.iter().map(|write| write.at.as_secs()).collect();
    assert_eq!(begun, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_message_from_the_future_is_counted_and_processed() {
    let mut rig = Rig::new().await;
    rig.settings.work = Work::None;
    let mut early = message(1);
    early.sent_stamp = Stamp::now().plus(3_600 * SECOND);
    rig.queue.send(&early.encode()).await.unwrap();
    rig.put(2..=2).await;
    rig.run_until_empty().await;
    assert_eq!((rig.metrics().clock_skew.get(), rig.rows().await), (1, 2));
    let stored = rig.row(1).await.unwrap();
    assert!(
        stored.sent_stamp > stored.dequeued_stamp,
        "evidence is not corrected"
    );
}
