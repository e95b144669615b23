//! Leases: renewed while a message is held, never crossed by the delete, and lost without harm.

use std::time::Duration;

use workflow::ports::ErrorKind;

use super::faults::{Fate, Op};
use super::{Rig, SECOND};
use crate::work::Work;

async fn one_message(visibility: u32, work: Duration) -> Rig {
    let mut rig = Rig::new().await;
    rig.settings.visibility = visibility * SECOND;
    rig.settings.work = Work::Fixed(work);
    rig.put(1..=1).await;
    rig
}

#[tokio::test(start_paused = true)]
async fn renews_while_working() {
    let rig = one_message(4, 21 * SECOND).await;
    rig.run_until_empty().await;
    let renewals: Vec<_> = rig
        .script
        .calls(Op::Renew)
        .iter()
        .map(|call| call.at.as_secs())
        .collect();
    assert_eq!(renewals, [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
    assert_eq!(rig.row(1).await.unwrap().attempt, Some(1));
    assert_eq!(
        (rig.metrics().renewed.get(), rig.metrics().received.get()),
        (10, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn delete_uses_the_renewed_receipt() {
    let rig = one_message(4, 7 * SECOND).await;
    rig.run_until_empty().await;
    // The in-process queue refuses the receipt of the receive once a renewal has replaced it.
    assert_eq!(
        (rig.metrics().deleted.get(), rig.metrics().lease_lost.get()),
        (1, 0)
    );
    assert_eq!(rig.script.calls(Op::Delete).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_under_way_when_the_work_ends_is_awaited_before_the_delete() {
    let rig = one_message(4, Duration::from_millis(2_100)).await;
    rig.script
        .on(Op::Renew, Fate::Delay(Duration::from_millis(500)));
    rig.run_until_empty().await;
    let (renewal, delete) = (
        &rig.script.calls(Op::Renew)[0],
        &rig.script.calls(Op::Delete)[0],
    );
    assert!(
        delete.at >= renewal.at + Duration::from_millis(500),
        "{renewal:?} {delete:?}"
    );
    assert_eq!(
        (rig.metrics().deleted.get(), rig.metrics().lease_lost.get()),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_stops_the_work() {
    let rig = one_message(4, 3 * SECOND).await;
    rig.script
        .first(Op::Renew, 1, Fate::Fail(ErrorKind::LeaseLost));
    let consumer = rig.start();
    rig.until(|metrics| metrics.lease_lost.get() == 1).await;
    assert_eq!((rig.rows().await, rig.left().await), (0, 1));
    assert_eq!(rig.script.order(), [Op::Renew], "neither insert nor delete");
    rig.until_empty().await;
    rig.drain(consumer).await;
    assert_eq!(rig.row(1).await.unwrap().attempt, Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_failed_renewal_is_tried_again_before_the_lease_ends() {
    let rig = one_message(8, 10 * SECOND).await;
    rig.script.first(Op::Renew, 3, Fate::Fail(ErrorKind::Busy));
    rig.run_until_empty().await;
    assert_eq!(rig.row(1).await.unwrap().attempt, Some(1));
    assert_eq!(rig.metrics().lease_lost.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_is_given_up_in_time_for_another() {
    let rig = one_message(8, 10 * SECOND).await;
    rig.script.first(Op::Renew, 1, Fate::Delay(3_600 * SECOND));
    rig.run_until_empty().await;
    assert_eq!(rig.row(1).await.unwrap().attempt, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_answered_late_keeps_the_lease() {
    // Renewed after 4 s of 8 s, with a second try after 3 s more.
    for late in [2 * SECOND, 5 * SECOND] {
        let rig = one_message(8, 10 * SECOND).await;
        rig.script.first(Op::Renew, 1, Fate::PassThenDelay(late));
        rig.run_until_empty().await;
        assert_eq!(rig.row(1).await.unwrap().attempt, Some(1));
        let lost = rig.metrics().lease_lost.get();
        assert_eq!((rig.metrics().deleted.get(), lost), (1, 0), "{late:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_answer_never_comes_loses_the_lease() {
    let rig = one_message(8, 10 * SECOND).await;
    let hour = 3_600 * SECOND;
    rig.script.first(Op::Renew, 1, Fate::PassThenDelay(hour));
    rig.run_until_empty().await;
    assert_eq!(rig.metrics().lease_lost.get(), 1);
    assert_eq!(rig.row(1).await.unwrap().attempt, Some(2));
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_outlasts_the_lease_ends_the_work_and_the_next_delivery_does_it() {
    let rig = one_message(4, 6 * SECOND).await;
    rig.script.rule(|call| match call.op {
        Op::Renew if call.at < 9 * SECOND => Fate::Fail(ErrorKind::Unreachable),
        _ => Fate::Pass,
    });
    rig.run_until_empty().await;
    assert!(rig.metrics().lease_lost.get() >= 1);
    assert_eq!(rig.rows().await, 1);
    assert!(rig.row(1).await.unwrap().attempt > Some(1));
}

#[tokio::test(start_paused = true)]
async fn renewal_goes_on_while_the_insert_waits() {
    let rig = one_message(4, Duration::ZERO).await;
    rig.script.rule(|call| match call.op {
        Op::Insert if call.at < 60 * SECOND => Fate::Fail(ErrorKind::Busy),
        _ => Fate::Pass,
    });
    rig.run_until_empty().await;
    assert_eq!(rig.row(1).await.unwrap().attempt, Some(1));
    assert!(
        rig.metrics().renewed.get() >= 29,
        "{}",
        rig.metrics().renewed.get()
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_lost_at_the_delete_is_counted_and_no_error() {
    let rig = one_message(60, Duration::ZERO).await;
    rig.script
        .first(Op::Delete, 1, Fate::Fail(ErrorKind::LeaseLost));
    rig.run_until_empty().await;
    assert_eq!(
        (rig.metrics().lease_lost.get(), rig.metrics().deleted.get()),
        (1, 1)
    );
    assert_eq!(
        (
            rig.metrics().inserted.get(),
            rig.metrics().already_done.get()
        ),
        (1, 1)
    );
    assert!(
        !rig.metrics()
            .encode()
            .contains("consumer_storage_errors_total{")
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_delete_is_tried_again_while_the_lease_holds() {
    let rig = one_message(60, Duration::ZERO).await;
    rig.script
        .first(Op::Delete, 4, Fate::Fail(ErrorKind::Unreachable));
    rig.run_until_empty().await;
    assert_eq!(
        (rig.metrics().received.get(), rig.metrics().deleted.get()),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_keeps_failing_leaves_the_message_to_its_next_delivery() {
    let rig = one_message(4, Duration::ZERO).await;
    rig.script.rule(|call| match call.op {
        Op::Delete if call.at < 10 * SECOND => Fate::Fail(ErrorKind::Unreachable),
        _ => Fate::Pass,
    });
    rig.run_until_empty().await;
    assert_eq!((rig.rows().await, rig.metrics().inserted.get()), (1, 1));
    assert!(rig.metrics().already_done.get() >= 1);
}

#[tokio::test(start_paused = true)]
async fn a_delete_whose_answer_was_lost_counts_as_deleted() {
    let rig = one_message(60, Duration::ZERO).await;
    rig.script
        .first(Op::Delete, 1, Fate::PassThenFail(ErrorKind::Interrupted));
    let consumer = rig.start();
    rig.until(|metrics| metrics.deleted.get() == 1).await;
    rig.drain(consumer).await;
    assert_eq!((rig.metrics().lease_lost.get(), rig.left().await), (0, 0));
}
