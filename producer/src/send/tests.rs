//! Outcomes, with a sink that gives scripted answers.

use std::time::Duration;

use workflow::backoff::Backoff;
use workflow::contract::{Message, StampSums};

use super::*;
use crate::plan::tests::plan;

/// Storage's reaction to one try.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Take,
    Refuse(ErrorKind),
    RefuseAfter(Duration, ErrorKind),
    Hang,
}
use Answer::{Hang, Refuse, RefuseAfter, Take};

/// Gives the answers in turn, and the last answer forever; keeps every body.
#[derive(Debug, Clone)]
struct Script {
    answers: Arc<Mutex<Vec<Answer>>>,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Script {
    fn new(answers: &[Answer]) -> Self {
        let answers = answers.iter().rev().copied().collect();
        Self {
            answers: Arc::new(Mutex::new(answers)),
            bodies: Arc::default(),
        }
    }

    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }
}

impl Sink for Script {
    fn queue(&self) -> Option<&str> {
        Some("script")
    }

    async fn put(&self, body: &str) -> Result<(), StorageError> {
        self.bodies.lock().unwrap().push(body.to_owned());
        let answer = {
            let mut answers = self.answers.lock().unwrap();
            if answers.len() > 1 {
                answers.pop().unwrap()
            } else {
                answers[0]
            }
        };
        let refused = |kind| Err(StorageError::new(kind, "send message", "queue script"));
        match answer {
            Take => Ok(()),
            Refuse(kind) => refused(kind),
            RefuseAfter(time, kind) => {
                tokio::time::sleep(time).await;
                refused(kind)
            }
            Hang => std::future::pending().await,
        }
    }
}

struct Rig {
    sender: Sender<Script>,
    board: Arc<Board>,
    script: Script,
    stop: CancellationToken,
}

fn rig(answers: &[Answer], change: impl FnOnce(&mut Plan)) -> Rig {
    let mut plan = plan("constant:10/s", Some(10));
    plan.persistence.backoff = Backoff::STORAGE;
    change(&mut plan);
    let (board, stop, script) = (
        Arc::new(Board::new()),
        CancellationToken::new(),
        Script::new(answers),
    );
    let sender = Sender::new(Arc::new(plan), script.clone(), board.clone(), stop.clone());
    Rig {
        sender,
        board,
        script,
        stop,
    }
}

impl Rig {
    async fn deliver(&self, seq: u64) {
        let due = Due {
            seq: Seq::new(seq).unwrap(),
            at: Instant::now().into_std(),
        };
        self.sender.deliver(due).await;
    }

    /// Acknowledged, unknown, failed.
    fn counts(&self) -> (u64, u64, u64) {
        let tally = self.board.lock();
        assert_eq!(tally.in_flight(), 0, "every begun message is settled");
        (
            tally.acknowledged,
            tally.unknown.count(),
            tally.failed.count(),
        )
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_keeps_id_and_body_and_acknowledges_the_message() {
    let rig = rig(
        &[
            Refuse(ErrorKind::Interrupted),
            Refuse(ErrorKind::Busy),
            Take,
        ],
        |_| {},
    );
    rig.deliver(1).await;
    assert_eq!(rig.counts(), (1, 0, 0));
    let bodies = rig.script.bodies();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(rig.board.lock().retries, 2);
    assert_eq!(rig.board.lock().errors.get("busy"), Some(&1));
    assert!(!rig.stop.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_may_have_arrived_is_unknown_whatever_failed_later() {
    let rig = rig(
        &[
            Take,
            Refuse(ErrorKind::Interrupted),
            Refuse(ErrorKind::Unreachable),
        ],
        |plan| plan.persistence.tries = 4,
    );
    rig.deliver(1).await;
    rig.deliver(2).await;
    assert_eq!(rig.counts(), (1, 1, 0));
    assert!(
        !rig.stop.is_cancelled(),
        "storage has taken messages: the run goes on"
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_have_arrived_is_failed() {
    for kind in [
        ErrorKind::Unreachable,
        ErrorKind::TooLarge,
        ErrorKind::Rejected,
    ] {
        let rig = rig(&[Take, Refuse(kind)], |plan| plan.persistence.tries = 3);
        rig.deliver(1).await;
        rig.deliver(2).await;
        assert_eq!(rig.counts(), (1, 0, 1), "{kind:?}");
        let tries = if kind == ErrorKind::Unreachable { 3 } else { 1 };
        assert_eq!(rig.script.bodies().len() - 1, tries, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_try_without_an_answer_in_time_is_unknown() {
    let rig = rig(&[Take, Hang], |plan| {
        plan.persistence.timeout = Duration::from_secs(5);
    });
    rig.deliver(1).await;
    rig.deliver(2).await;
    assert_eq!(rig.counts(), (1, 1, 0));
    assert_eq!(rig.board.lock().errors.get(TIMED_OUT), Some(&1));
}

#[tokio::test(start_paused = true)]
async fn the_time_for_a_message_bounds_its_tries() {
    let rig = rig(&[Take, Refuse(ErrorKind::Unreachable)], |plan| {
        plan.persistence.timeout = Duration::from_secs(5);
        plan.persistence.tries = 1_000;
    });
    rig.deliver(1).await;
    let before = tokio::time::Instant::now();
    rig.deliver(2).await;
    assert!(before.elapsed() <= Duration::from_secs(5));
    assert_eq!(rig.counts(), (1, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_try_that_begins_in_time_gets_its_answer() {
    let second = Duration::from_secs(1);
    let slow_refusal = RefuseAfter(second * 4, ErrorKind::Unreachable);
    let rig = rig(&[Take, slow_refusal], |plan| {
        plan.persistence.timeout = second * 5;
    });
    rig.deliver(1).await;
    rig.deliver(2).await;
    // The second try is refused 3 s after the last moment to begin one, and does not count as a request without an answer.
    assert_eq!(rig.script.bodies().len(), 3);
    assert_eq!(rig.counts(), (1, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn what_no_waiting_cures_ends_the_run() {
    for kind in [ErrorKind::NoSuchResource, ErrorKind::Denied] {
        let rig = rig(&[Refuse(kind)], |_| {});
        rig.deliver(1).await;
        assert_eq!(rig.counts(), (0, 0, 1));
        assert!(rig.stop.is_cancelled());
        assert!(
            matches!(rig.sender.take_fatal(), Some(Fatal::Storage(error)) if error.kind() == kind)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn storage_that_never_took_a_message_ends_the_run() {
    let rig = rig(&[Refuse(ErrorKind::Unreachable)], |plan| {
        plan.persistence.tries = 3;
    });
    rig.deliver(1).await;
    assert!(rig.stop.is_cancelled());
    assert!(matches!(rig.sender.take_fatal(), Some(Fatal::NothingTaken)));
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_alone_does_not_end_the_run() {
    let rig = rig(&[Refuse(ErrorKind::TooLarge), Take], |_| {});
    rig.deliver(1).await;
    rig.deliver(2).await;
    assert_eq!(rig.counts(), (1, 0, 1));
    assert!(!rig.stop.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn chosen_messages_are_sent_twice_with_the_same_body() {
    let rig = rig(&[Take], |plan| plan.duplicate_rate = 1.0);
    rig.deliver(1).await;
    let bodies = rig.script.bodies();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(
        (rig.counts(), rig.board.lock().duplicates_sent),
        ((1, 0, 0), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn the_stamp_sums_hold_each_acknowledged_message_once() {
    let answers = [
        Refuse(ErrorKind::Interrupted),
        Take,
        Take,
        Refuse(ErrorKind::TooLarge),
    ];
    let rig = rig(&answers, |plan| plan.duplicate_rate = 1.0);
    rig.deliver(1).await;
    rig.deliver(2).await;
    assert_eq!(rig.counts(), (1, 0, 1));
    assert_eq!(rig.board.lock().duplicates_sent, 1);
    let sent = Message::decode(&rig.script.bodies()[0]).unwrap();
    let mut expected = StampSums::default();
    expected.add(Seq::FIRST, sent.src_stamp, sent.sent_stamp);
    assert_eq!(rig.board.lock().stamp_sums, expected);
}

#[tokio::test(start_paused = true)]
async fn a_send_that_is_dropped_half_way_is_settled() {
    let hanging = rig(&[Hang], |_| {});
    let late = Duration::from_secs(1);
    assert!(
        tokio::time::timeout(late, hanging.deliver(1))
            .await
            .is_err()
    );
    assert_eq!(hanging.counts(), (0, 1, 0));
    let waiting = rig(&[Refuse(ErrorKind::Unreachable)], |_| {});
    assert!(
        tokio::time::timeout(Duration::from_millis(10), waiting.deliver(1))
            .await
            .is_err()
    );
    assert_eq!(waiting.counts(), (0, 0, 1));
}

#[tokio::test]
async fn lateness_is_the_difference_of_the_stamps_in_the_message() {
    let rig = rig(&[Take], |_| {});
    let due = Due {
        seq: Seq::FIRST,
        at: Instant::now()
            .checked_sub(Duration::from_millis(1_500))
            .unwrap()
            .into_std(),
    };
    rig.sender.deliver(due).await;
    let message = Message::decode(&rig.script.bodies()[0]).unwrap();
    let late = message.sent_stamp.micros_since(message.src_stamp);
    let recorded = rig.board.lock().lateness_us.max();
    assert!((1_500_000..1_600_000).contains(&late), "{late}");
    assert!(
        recorded.abs_diff(late.unsigned_abs()) < 2_000,
        "{recorded} and {late}"
    );
}
