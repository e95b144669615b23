//! The start: a wrong setting is refused with its own exit code, an unavailable storage is waited for.

use tokio::time::{Instant, sleep};
use workflow::exit::Exit;
use workflow::ports::{ErrorKind, WorkQueue as _};

use super::faults::{Fate, Op};
use super::{Rig, SECOND};
use crate::run::ConsumerEnd;

async fn refused(rig: &Rig) -> (ErrorKind, Exit) {
    let outcome = rig.start().await.unwrap();
    let ConsumerEnd::Refused(error) = &outcome else {
        panic!("{outcome:?}")
    };
    (error.kind(), outcome.exit())
}

#[tokio::test(start_paused = true)]
async fn a_missing_queue_is_refused() {
    let rig = Rig::bare();
    assert_eq!(
        refused(&rig).await,
        (ErrorKind::NoSuchResource, Exit::NoSuchResource)
    );
    assert!(rig.script.calls(Op::Create).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_missing_table_is_refused_and_what_was_received_is_handed_back() {
    let rig = Rig::bare();
    rig.queue.create().await.unwrap();
    rig.put(1..=5).await;
    assert_eq!(
        refused(&rig).await,
        (ErrorKind::NoSuchResource, Exit::NoSuchResource)
    );
    assert_eq!(rig.visible().await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_missing_queue_and_table_are_created_where_allowed() {
    let mut rig = Rig::bare();
    rig.settings.create = true;
    let consumer = rig.start();
    rig.until(|_| rig.shared.health.has_received()).await;
    rig.put(1..=5).await;
    rig.until_empty().await;
    rig.drain(consumer).await;
    assert_eq!(rig.rows().await, 5);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_created_that_is_there() {
    let mut rig = Rig::new().await;
    rig.settings.create = true;
    rig.put(1..=5).await;
    rig.run_until_empty().await;
    let created =
        [Op::Create, Op::CreateTable, Op::CreatePoison].map(|op| rig.script.calls(op).len());
    assert_eq!(created, [0; 3]);
}

#[tokio::test(start_paused = true)]
async fn denied_access_to_queue_or_table_is_refused() {
    for op in [Op::Receive, Op::Get] {
        let rig = Rig::new().await;
        rig.put(1..=5).await;
        rig.script.on(op, Fate::Fail(ErrorKind::Denied));
        assert_eq!(
            refused(&rig).await,
            (ErrorKind::Denied, Exit::Denied),
            "{op:?}"
        );
        assert_eq!(rig.left().await, 5 - rig.rows().await as u64, "{op:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn storage_that_is_away_at_the_start_is_waited_for() {
    let rig = Rig::new().await;
    rig.put(1..=5).await;
    rig.script.rule(|call| {
        if call.at < 100 * SECOND {
            Fate::Fail(ErrorKind::Unreachable)
        } else {
            Fate::Pass
        }
    });
    let consumer = rig.start();
    sleep(90 * SECOND).await;
    assert_eq!(rig.shared.health.unready(), Some("queue lost"));
    rig.until_empty().await;
    rig.drain(consumer).await;
    assert_eq!(rig.rows().await, 5);
}

#[tokio::test(start_paused = true)]
async fn storage_that_stays_away_at_the_start_is_given_up() {
    let rig = Rig::new().await;
    rig.script.rule(|_| Fate::Fail(ErrorKind::Unreachable));
    let begun = Instant::now();
    assert_eq!(
        refused(&rig).await,
        (ErrorKind::Unreachable, Exit::StorageUnavailable)
    );
    assert!(
        (120 * SECOND..135 * SECOND).contains(&begun.elapsed()),
        "{:?}",
        begun.elapsed()
    );
}

/// Unreachable, busy, or silent: `--start-timeout` applies to the table as to the queue.
#[tokio::test(start_paused = true)]
async fn a_table_that_stays_away_at_the_start_is_given_up() {
    for verdict in [
        Fate::Fail(ErrorKind::Unreachable),
        Fate::Fail(ErrorKind::Busy),
        Fate::Delay(1_000 * SECOND),
    ] {
        let mut rig = Rig::new().await;
        rig.settings.start_timeout = 10 * SECOND;
        rig.script.on(Op::Get, verdict);
        let begun = Instant::now();
        let (_, exit) = refused(&rig).await;
        assert_eq!(exit, Exit::StorageUnavailable);
        let took = begun.elapsed();
        assert!((10 * SECOND..21 * SECOND).contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_says_nothing_at_the_start_is_given_up_in_time() {
    let mut rig = Rig::new().await;
    rig.settings.start_timeout = 4 * SECOND;
    rig.script.on(Op::Receive, Fate::Delay(1_000 * SECOND));
    let begun = Instant::now();
    assert_eq!(
        refused(&rig).await,
        (ErrorKind::Interrupted, Exit::StorageUnavailable)
    );
    assert!(begun.elapsed() < 5 * SECOND, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn access_denied_later_is_waited_for() {
    let rig = Rig::new().await;
    let consumer = rig.start();
    rig.until(|_| rig.shared.health.has_received()).await;
    rig.script.on(Op::Receive, Fate::Fail(ErrorKind::Denied));
    rig.until(|_| rig.shared.health.unready() == Some("queue lost"))
        .await;
    sleep(60 * SECOND).await;
    assert!(!consumer.is_finished());
    rig.drain(consumer).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_request_is_the_first_receive() {
    let rig = Rig::new().await;
    let consumer = rig.start();
    rig.until(|_| rig.shared.health.has_received()).await;
    assert_eq!(
        rig.script.calls(Op::Receive)[0].at,
        std::time::Duration::ZERO
    );
    rig.drain(consumer).await;
}

#[tokio::test(start_paused = true)]
async fn ready_is_said_once_queue_and_table_have_answered_and_not_before() {
    let rig = Rig::new().await;
    rig.script.rule(|call| match call.op {
        Op::Receive if call.at < 10 * SECOND => Fate::Fail(ErrorKind::Busy),
        Op::Get if call.at < 100 * SECOND => Fate::Fail(ErrorKind::Unreachable),
        _ => Fate::Pass,
    });
    let begun = Instant::now();
    let consumer = rig.start();
    let unready = || rig.shared.health.unready();
    assert_eq!(unready(), Some("no receive answered yet"));
    rig.until(|_| rig.shared.health.has_received()).await;
    assert!(unready().is_some(), "the table has not answered");
    sleep(60 * SECOND).await;
    assert_eq!(unready(), Some("table lost"));
    rig.until(|_| unready().is_none()).await;
    assert!(begun.elapsed() >= 100 * SECOND, "{:?}", begun.elapsed());
    rig.drain(consumer).await;
}

#[tokio::test(start_paused = true)]
async fn an_insert_that_is_answered_shows_that_the_table_is_reached() {
    let rig = Rig::new().await;
    rig.put(1..=5).await;
    rig.script.on(Op::Get, Fate::Fail(ErrorKind::Unreachable));
    let consumer = rig.start();
    rig.until_empty().await;
    assert_eq!(rig.shared.health.unready(), None);
    rig.drain(consumer).await;
}

#[tokio::test(start_paused = true)]
async fn a_table_that_does_not_answer_holds_up_no_drain() {
    let rig = Rig::new().await;
    rig.script.on(Op::Get, Fate::Delay(1_000 * SECOND));
    let consumer = rig.start();
    rig.until(|_| rig.shared.health.has_received()).await;
    let begun = Instant::now();
    rig.drain(consumer).await;
    assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());
}
