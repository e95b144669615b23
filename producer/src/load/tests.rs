//! Whole loads, into an in-process queue.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use workflow::contract::{Message, Seq};
use workflow::memory::MemoryQueue;
use workflow::ports::{StorageError, WorkQueue};

use super::*;
use crate::plan::tests::plan;
use crate::sink::NullSink;

async fn queue() -> MemoryQueue {
    let queue = MemoryQueue::new("q");
    queue.create().await.unwrap();
    queue
}

/// All sequence numbers in the queue, ascending.
async fn contents(queue: &MemoryQueue) -> Vec<u64> {
    let mut seqs = Vec::new();
    loop {
        let deliveries = queue.receive(32, Duration::from_secs(600)).await.unwrap();
        if deliveries.is_empty() {
            seqs.sort_unstable();
            return seqs;
        }
        seqs.extend(
            deliveries
                .iter()
                .map(|d| Message::decode(&d.body).unwrap().id.seq.get()),
        );
    }
}

async fn load<S: Sink>(plan: Plan, sink: S, stop: &CancellationToken) -> LoadEnd {
    let (pace, board) = (plan.pace().unwrap(), Arc::new(Board::new()));
    let ended = run(
        Arc::new(plan),
        pace,
        sink,
        board,
        Pacing::Thread,
        stop.clone(),
    );
    ended.await.unwrap()
}

#[tokio::test]
async fn every_message_of_the_schedule_is_sent_once() {
    let queue = queue().await;
    let ended = load(
        plan("poisson:5000/s", Some(1_000)),
        queue.clone(),
        &CancellationToken::new(),
    )
    .await;
    let summary = ended.summary;
    summary.check().unwrap();
    assert_eq!(
        (summary.planned, summary.begun, summary.acknowledged),
        (Some(1_000), 1_000, 1_000)
    );
    assert!(!summary.interrupted && ended.fatal.is_none());
    assert_eq!(contents(&queue).await, (1..=1_000).collect::<Vec<_>>());
    assert_eq!(summary.lateness_us.count, 1_000);
}

#[tokio::test]
async fn duplicates_are_in_the_queue_twice_and_known_without_a_list() {
    let queue = queue().await;
    let mut plan = plan("burst", Some(500));
    plan.duplicate_rate = 0.2;
    let duplicates = plan.duplicates();
    let summary = load(plan, queue.clone(), &CancellationToken::new())
        .await
        .summary;
    let expected: Vec<u64> = (1..=500)
        .flat_map(|n| {
            std::iter::repeat_n(
                n,
                1 + usize::from(duplicates.is_duplicated(Seq::new(n).unwrap())),
            )
        })
        .collect();
    assert_eq!(contents(&queue).await, expected);
    assert_eq!(summary.duplicates_sent, expected.len() as u64 - 500);
    assert_eq!(summary.duplicates(), Some(duplicates));
}

/// A sink that takes each message after a while, and any number at once.
#[derive(Debug, Clone)]
struct Slow {
    takes: Duration,
    /// How many messages it has begun to take.
    begun: Arc<watch::Sender<usize>>,
}

impl Slow {
    fn new(takes: Duration) -> Self {
        let begun = Arc::default();
        Self { takes, begun }
    }

    /// Stops the load once `count` messages are in flight.
    async fn stop_at(self, count: usize, stop: &CancellationToken) {
        let mut begun = self.begun.subscribe();
        drop(begun.wait_for(|begun| *begun >= count).await);
        stop.cancel();
    }
}

impl Sink for Slow {
    fn queue(&self) -> Option<&str> {
        Some("slow")
    }

    async fn put(&self, _: &str) -> Result<(), StorageError> {
        self.begun.send_modify(|begun| *begun += 1);
        tokio::time::sleep(self.takes).await;
        Ok(())
    }
}

#[tokio::test]
async fn a_slow_queue_shows_as_lateness_and_does_not_stretch_the_schedule() {
    let mut plan = plan("constant:1000/s", Some(40));
    plan.concurrency = 1;
    let summary = load(
        plan,
        Slow::new(Duration::from_millis(10)),
        &CancellationToken::new(),
    )
    .await
    .summary;
    // The last message was due at 39 ms and could start only after 39 sends of at least 10 ms.
    assert!(
        summary.lateness_us.max >= 350_000,
        "{}",
        summary.lateness_us
    );
    assert!(
        summary.send_us.p50 < 100_000,
        "waiting for a sender is lateness, not send time"
    );
}

#[tokio::test]
async fn a_stop_ends_the_schedule_and_awaits_what_is_in_flight() {
    let stop = CancellationToken::new();
    let plan = plan("constant:500/s", None);
    let slow = Slow::new(Duration::from_millis(50));
    let stopping = slow.clone().stop_at(1, &stop);
    let (ended, ()) = tokio::join!(load(plan, slow, &stop), stopping);
    let summary = ended.summary;
    summary.check().unwrap();
    assert!(summary.interrupted && summary.begun > 0);
    assert_eq!(summary.acknowledged, summary.begun);
}

#[tokio::test]
async fn sends_still_in_flight_after_the_grace_period_are_unknown() {
    let stop = CancellationToken::new();
    let mut plan = plan("burst", Some(10));
    plan.concurrency = 4;
    plan.grace = Duration::from_millis(50);
    let slow = Slow::new(Duration::from_secs(3_600));
    let stopping = slow.clone().stop_at(4, &stop);
    let (ended, ()) = tokio::join!(load(plan, slow, &stop), stopping);
    let summary = ended.summary;
    summary.check().unwrap();
    assert_eq!((summary.begun, summary.unknown), (4, 4));
    assert!(summary.interrupted);
}

#[tokio::test]
async fn a_missing_queue_ends_the_load() {
    let ended = load(
        plan("constant:1000/s", None),
        MemoryQueue::new("q"),
        &CancellationToken::new(),
    )
    .await;
    assert!(matches!(ended.fatal, Some(Fatal::Storage(_))));
    assert!(ended.summary.interrupted);
    assert_eq!(ended.summary.failed, ended.summary.begun);
    assert!(ended.summary.fatal.unwrap().contains("does not exist"));
}

#[tokio::test(start_paused = true)]
async fn the_samples_pace_ends_with_its_last_message() {
    let queue = queue().await;
    let ended = load(
        plan("sample", Some(2)),
        queue.clone(),
        &CancellationToken::new(),
    )
    .await;
    assert_eq!(
        (ended.summary.acknowledged, ended.summary.interrupted),
        (2, false)
    );
    assert_eq!(contents(&queue).await, [1, 2]);
}

#[tokio::test]
async fn the_null_sink_says_that_there_is_no_queue() {
    let summary = load(
        plan("burst", Some(100)),
        NullSink,
        &CancellationToken::new(),
    )
    .await
    .summary;
    assert_eq!((summary.queue, summary.acknowledged), (None, 100));
}
