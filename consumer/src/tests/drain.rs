//! The drain: nothing is lost, nothing is hidden longer than needed, and a panic is never a success.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::faults::{Fate, Op};
use super::{Rig, SECOND};
use crate::run::{ConsumerEnd, Shared};
use crate::work::Work;

#[tokio::test(start_paused = true)]
async fn drain_finishes_what_is_in_flight() {
    let mut rig = Rig::new().await;
    rig.settings.work = Work::Fixed(10 * SECOND);
    rig.put(1..=50).await;
    let consumer = rig.start();
    rig.until(|metrics| metrics.in_flight.get() == 32).await;
    let begun = Instant::now();
    rig.drain(consumer).await;
    assert!(begun.elapsed() < 11 * SECOND);
    assert_eq!((rig.rows().await, rig.metrics().deleted.get()), (32, 32));
    // The other messages have not even been received.
    assert_eq!(rig.visible().await, [0; 18]);
}

#[tokio::test(start_paused = true)]
async fn drain_hands_back_unstarted() {
    let rig = Rig::new().await;
    rig.put(1..=3).await;
    rig.script.on(Op::Receive, Fate::Delay(SECOND));
    let consumer = rig.start();
    sleep(SECOND / 2).await;
    rig.drain(consumer).await;
    assert_eq!(
        rig.visible().await,
        [1; 3],
        "received while the drain began, and visible again at once"
    );
    assert_eq!((rig.metrics().released.get(), rig.rows().await), (3, 0));
}

/// As docs/WORKLOAD.md says about `--max-attempts`: storage counts every receive, and handing back does not reduce the count.
#[tokio::test(start_paused = true)]
async fn five_hand_backs_give_up_a_message_that_nobody_worked_on_and_four_do_not() {
    for (hand_backs, rows, given_up) in [(4, 1, 0), (5, 0, 1)] {
        let mut rig = Rig::new().await;
        rig.put(1..=1).await;
        rig.script
            .first(Op::Receive, hand_backs, Fate::Delay(SECOND));
        for _ in 0..hand_backs {
            let consumer = rig.start();
            sleep(SECOND / 2).await;
            rig.drain(consumer).await;
            assert_eq!(rig.metrics().released.get(), 1);
            rig.shared = Shared::default();
        }
        rig.run_until_empty().await;
        assert_eq!(
            (rig.rows().await, rig.envelopes().await.len()),
            (rows, given_up),
            "after {hand_backs}"
        );
    }
}

#[tokio::test]
async fn work_that_waits_for_a_core_is_handed_back() {
    let mut rig = Rig::new().await;
    let cores = std::thread::available_parallelism().unwrap().get();
    let messages = cores as u64 + 4;
    rig.settings.work = Work::Cpu(SECOND / 4);
    rig.settings.concurrency = cores + 4;
    rig.put(1..=messages).await;
    let consumer = rig.start();
    while rig.metrics().in_flight.get() < i64::try_from(messages).unwrap() {
        tokio::task::yield_now().await;
    }
    rig.drain(consumer).await;
    assert_eq!(
        (rig.rows().await, rig.metrics().deleted.get()),
        (cores, cores as u64)
    );
    assert_eq!(rig.visible().await, [1; 4]);
}

#[tokio::test(start_paused = true)]
async fn what_exceeds_the_grace_period_is_handed_back() {
    let mut rig = Rig::new().await;
    rig.settings.work = Work::Fixed(100 * SECOND);
    rig.put(1..=5).await;
    let consumer = rig.start();
    rig.until(|metrics| metrics.in_flight.get() == 5).await;
    let begun = Instant::now();
    rig.shared.drain.cancel();
    let outcome = consumer.await.unwrap();
    assert!(matches!(outcome, ConsumerEnd::GraceExceeded), "{outcome:?}");
    assert_eq!(begun.elapsed().as_secs(), 25);
    assert_eq!((rig.visible().await, rig.rows().await), (vec![1; 5], 0));
}

/// Node auto-provisioning leaves a pod one second once the end of its node is announced: none of the 20 s of grace may be used.
#[tokio::test(start_paused = true)]
async fn a_signal_in_the_drain_of_a_notice_hands_back_at_once() {
    let mut rig = Rig::new().await;
    rig.settings.work = Work::Fixed(10 * SECOND);
    rig.put(1..=5).await;
    let consumer = rig.start();
    rig.until(|metrics| metrics.in_flight.get() == 5).await;
    rig.shared.noticed.cancel();
    rig.shared.drain.cancel();
    sleep(3 * SECOND).await;
    assert_eq!(
        rig.metrics().released.get(),
        0,
        "a notice alone leaves time to finish"
    );
    let told = Instant::now();
    rig.shared.signalled("SIGTERM");
    let outcome = consumer.await.unwrap();
    assert!(matches!(outcome, ConsumerEnd::Drained), "{outcome:?}");
    assert!(told.elapsed() < SECOND, "{:?}", told.elapsed());
    assert_eq!((rig.visible().await, rig.rows().await), (vec![1; 5], 0));
}

#[tokio::test(start_paused = true)]
async fn a_signal_without_a_notice_leaves_time_to_finish() {
    let mut rig = Rig::new().await;
    rig.settings.work = Work::Fixed(10 * SECOND);
    rig.put(1..=5).await;
    let consumer = rig.start();
    rig.until(|metrics| metrics.in_flight.get() == 5).await;
    rig.shared.signalled("SIGTERM");
    // A later notice changes nothing: this drain was not begun by a notice.
    rig.shared.noticed.cancel();
    let outcome = consumer.await.unwrap();
    assert!(matches!(outcome, ConsumerEnd::Drained), "{outcome:?}");
    assert_eq!((rig.rows().await, rig.metrics().released.get()), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn a_hand_back_that_hangs_does_not_outlast_the_pods_grace_period() {
    let mut rig = Rig::new().await;
    rig.settings.work = Work::Fixed(100 * SECOND);
    rig.put(1..=5).await;
    rig.script.on(Op::Release, Fate::Delay(3_600 * SECOND));
    let consumer = rig.start();
    rig.until(|metrics| metrics.in_flight.get() == 5).await;
    let begun = Instant::now();
    rig.shared.drain.cancel();
    assert!(matches!(
        consumer.await.unwrap(),
        ConsumerEnd::GraceExceeded
    ));
    assert!(
        begun.elapsed() <= Duration::from_millis(28_100),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn the_drain_takes_readiness_away() {
    let mut rig = Rig::new().await;
    rig.settings.work = Work::Fixed(10 * SECOND);
    rig.put(1..=1).await;
    let consumer = rig.start();
    rig.until(|metrics| metrics.in_flight.get() == 1).await;
    assert_eq!(rig.shared.health.unready(), None);
    rig.shared.drain.cancel();
    rig.until(|_| rig.shared.health.unready() == Some("draining"))
        .await;
    rig.drain(consumer).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_message_task_drains_and_is_no_success() {
    let mut rig = Rig::new().await;
    rig.settings.concurrency = 4;
    rig.put(1..=4).await;
    rig.script.first(Op::Delete, 1, Fate::Panic);
    let outcome = rig.start().await.unwrap();
    assert!(matches!(outcome, ConsumerEnd::Panicked), "{outcome:?}");
    assert_eq!(
        (rig.metrics().panics.get(), rig.metrics().in_flight.get()),
        (1, 0)
    );
    assert_eq!(
        (rig.metrics().deleted.get(), rig.left().await),
        (3, 1),
        "the others were finished"
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_writer_is_no_success() {
    let rig = Rig::new().await;
    rig.put(1..=4).await;
    rig.script.first(Op::Insert, 1, Fate::Panic);
    let outcome = rig.start().await.unwrap();
    assert!(matches!(outcome, ConsumerEnd::Panicked), "{outcome:?}");
    assert_eq!((rig.metrics().deleted.get(), rig.left().await), (0, 4));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_receive_loop_is_no_success() {
    let rig = Rig::new().await;
    rig.script.first(Op::Receive, 1, Fate::Panic);
    let outcome = rig.start().await.unwrap();
    assert!(matches!(outcome, ConsumerEnd::Panicked), "{outcome:?}");
}
