//! Receives: no more messages than there is room for, few polls of an empty queue, waits in an outage.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use workflow::ports::{ErrorKind, WorkQueue as _};

use super::faults::{Fate, Op};
use super::{Rig, SECOND};
use crate::work::Work;

#[tokio::test(start_paused = true)]
async fn a_receive_never_exceeds_the_free_slots() {
    let mut rig = Rig::new().await;
    rig.settings.concurrency = 5;
    rig.settings.work = Work::Uniform(SECOND / 100, SECOND);
    rig.put(1..=100).await;
    let metrics = Arc::clone(&rig.shared.metrics);
    rig.script.rule(move |call| {
        if call.op == Op::Receive {
            let asked: i64 = call.keys[0].parse().unwrap();
            let held = metrics.in_flight.get();
            assert!(
                asked >= 1 && asked + held <= 5,
                "{asked} asked for while {held} are held"
            );
        }
        Fate::Pass
    });
    rig.run_until_empty().await;
    assert_eq!(rig.rows().await, 100);
}

#[tokio::test(start_paused = true)]
async fn a_busy_consumer_receives_in_batches_and_without_pause() {
    let mut rig = Rig::new().await;
    rig.settings.concurrency = 64;
    rig.settings.work = Work::Fixed(SECOND / 10);
    rig.put(1..=1_280).await;
    let begun = Instant::now();
    rig.run_until_empty().await;
    // 20 rounds of 64, 100 ms each, and a little.
    assert!(
        begun.elapsed() < Duration::from_millis(2_300),
        "{:?}",
        begun.elapsed()
    );
    let receives = rig.script.calls(Op::Receive).len();
    assert!(receives <= 1_280 / 32 + 5, "{receives} receives");
}

#[tokio::test(start_paused = true)]
async fn slow_work_leaves_no_slot_empty_while_messages_wait() {
    let mut rig = Rig::new().await;
    rig.settings.concurrency = 32;
    rig.settings.work = Work::Uniform(SECOND, 60 * SECOND);
    rig.put(1..=64).await;
    let consumer = rig.start();
    rig.until(|metrics| metrics.in_flight.get() == 32).await;
    // At times one slot is free; half of the slots would be free only after half a minute.
    rig.until(|metrics| metrics.deleted.get() >= 1).await;
    let freed = Instant::now();
    rig.until(|metrics| metrics.received.get() >= 33).await;
    assert!(freed.elapsed() < SECOND / 10, "{:?}", freed.elapsed());
    rig.until_empty().await;
    rig.drain(consumer).await;
}

#[tokio::test(start_paused = true)]
async fn idle_polls_back_off_and_work_resets_them() {
    let rig = Rig::new().await;
    let consumer = rig.start();
    sleep(60 * SECOND).await;
    let polls: Vec<_> = rig
        .script
        .calls(Op::Receive)
        .iter()
        .map(|call| call.at)
        .collect();
    // At least half of 5 s between later polls: up to 20 more after the first six.
    assert!(
        (12..=30).contains(&polls.len()),
        "{} polls in a minute",
        polls.len()
    );
    let waits: Vec<_> = polls
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]))
        .collect();
    assert!(waits[0] <= SECOND / 10, "{waits:?}");
    assert!(
        waits[8..]
            .iter()
            .all(|wait| (SECOND * 5 / 2..=SECOND * 501 / 100).contains(wait)),
        "{waits:?}"
    );

    rig.put(1..=1).await;
    rig.until_empty().await;
    let before = rig.script.calls(Op::Receive).len();
    sleep(SECOND / 4).await;
    assert!(
        rig.script.calls(Op::Receive).len() > before,
        "polls are frequent again after work"
    );
    rig.drain(consumer).await;
}

#[tokio::test(start_paused = true)]
async fn a_storage_outage_is_ridden_out() {
    let rig = Rig::new().await;
    rig.put(1..=10).await;
    let consumer = rig.start();
    rig.until_empty().await;
    let lost = rig.script.calls(Op::Receive).len();
    rig.script
        .on(Op::Receive, Fate::Fail(ErrorKind::Unreachable));
    rig.until(|_| rig.shared.health.unready() == Some("queue lost"))
        .await;
    sleep(600 * SECOND).await;
    assert!(!consumer.is_finished());
    let tries = rig.script.calls(Op::Receive).len() - lost;
    assert!(tries < 600 / 5 + 10, "{tries} tries in ten minutes");

    rig.script.on(Op::Receive, Fate::Pass);
    rig.put(11..=20).await;
    rig.until_empty().await;
    assert_eq!((rig.rows().await, rig.shared.health.unready()), (20, None));
    rig.drain(consumer).await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_vanishes_is_waited_for() {
    let rig = Rig::new().await;
    let consumer = rig.start();
    rig.until(|_| rig.shared.health.has_received()).await;
    rig.queue.delete_queue().await.unwrap();
    rig.until(|_| rig.shared.health.unready() == Some("queue lost"))
        .await;
    rig.queue.create().await.unwrap();
    rig.put(1..=3).await;
    rig.until_empty().await;
    rig.drain(consumer).await;
    assert_eq!(rig.rows().await, 3);
    assert!(
        rig.script.calls(Op::Create).is_empty(),
        "whoever deleted it may have meant it"
    );
}

#[tokio::test(start_paused = true)]
async fn a_receive_that_hangs_is_given_up_and_repeated() {
    let rig = Rig::new().await;
    rig.put(1..=3).await;
    rig.script
        .first(Op::Receive, 1, Fate::Delay(3_600 * SECOND));
    let begun = Instant::now();
    rig.run_until_empty().await;
    assert!(begun.elapsed() < 40 * SECOND, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_empty_queue_is_not_left_before_the_table_has_answered() {
    let mut rig = Rig::new().await;
    rig.settings.exit_when_idle = Some(SECOND);
    rig.script.first(Op::Get, 1, Fate::Delay(5 * SECOND));
    let outcome = rig.start().await.unwrap();
    assert!(
        matches!(outcome, crate::run::ConsumerEnd::Drained),
        "{outcome:?}"
    );
    assert!(rig.shared.health.table.is_reached());
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_may_exits_when_the_queue_has_been_empty_for_long_enough() {
    let mut rig = Rig::new().await;
    rig.settings.exit_when_idle = Some(3 * SECOND);
    rig.settings.work = Work::Fixed(10 * SECOND);
    rig.put(1..=5).await;
    let begun = Instant::now();
    let outcome = rig.start().await.unwrap();
    assert!(
        matches!(outcome, crate::run::ConsumerEnd::Drained),
        "{outcome:?}"
    );
    assert_eq!(rig.rows().await, 5);
    // 10 s of work; the first empty poll after it may come 5 s later; 3 s idle.
    let took = begun.elapsed();
    assert!((13 * SECOND..19 * SECOND).contains(&took), "{took:?}");
}
