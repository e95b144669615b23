//! Tests of the protocol, with in-process ports, scripted faults and a paused clock.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]

mod drain;
mod faults;
mod leases;
mod poison;
mod receives;
mod rows;
mod starts;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use workflow::backoff::Backoff;
use workflow::contract::{Message, MessageId, PoisonEnvelope, RunId, Seq, Stamp, StoredRow};
use workflow::memory::{MemoryQueue, MemoryTable};
use workflow::ports::{ResultTable as _, WorkQueue as _};

use faults::{FaultyQueue, FaultyTable, Script};

use crate::metrics::Metrics;
use crate::run::{ConsumerEnd, Shared, run};
use crate::settings::Settings;
use crate::storage::Ports;
use crate::work::Work;
use crate::writer::Limits;

const SECOND: Duration = Duration::from_secs(1);

/// A long deadline: on the paused clock an hour takes no time.
const DEADLINE: Duration = Duration::from_secs(3_600);

/// Between two looks at a condition, on the paused clock.
const STEP: Duration = Duration::from_millis(10);

/// A consumer with its storage, not yet started.
struct Rig {
    queue: MemoryQueue,
    poison: MemoryQueue,
    table: MemoryTable,
    script: Arc<Script>,
    settings: Settings,
    shared: Shared,
}

fn settings() -> Settings {
    Settings {
        name: "consumer-1".into(),
        node: "node-1".into(),
        concurrency: 32,
        visibility: 60 * SECOND,
        max_attempts: 5,
        work: Work::None,
        limits: Limits {
            rows: 100,
            writes: 4,
        },
        idle: Backoff {
            first: Duration::from_millis(100),
            longest: 5 * SECOND,
        },
        grace: 25 * SECOND,
        start_timeout: 120 * SECOND,
        exit_when_idle: None,
        create: false,
    }
}

fn message(seq: u64) -> Message {
    let run: RunId = "run-1".parse().unwrap();
    let id = MessageId::new(run, Seq::new(seq).unwrap());
    Message::new(
        id,
        format!("Scale Test Message : COUNT {seq}"),
        Stamp::now(),
        Stamp::now(),
    )
}

impl Rig {
    /// A rig with queue, poison queue and table.
    async fn new() -> Self {
        let rig = Self::bare();
        rig.queue.create().await.unwrap();
        rig.poison.create().await.unwrap();
        rig.table.create().await.unwrap();
        rig
    }

    /// A rig without queues and table.
    fn bare() -> Self {
        Self {
            queue: MemoryQueue::new("work"),
            poison: MemoryQueue::new("work-poison"),
            table: MemoryTable::new("results"),
            script: Arc::default(),
            settings: settings(),
            shared: Shared::default(),
        }
    }

    async fn put(&self, seqs: std::ops::RangeInclusive<u64>) {
        for seq in seqs {
            self.queue.send(&message(seq).encode()).await.unwrap();
        }
    }

    fn start(&self) -> JoinHandle<ConsumerEnd> {
        let queue = |inner: &MemoryQueue, is_poison| FaultyQueue {
            inner: inner.clone(),
            script: Arc::clone(&self.script),
            is_poison,
        };
        let ports = Ports {
            queue: queue(&self.queue, false),
            poison: queue(&self.poison, true),
            table: FaultyTable {
                inner: self.table.clone(),
                script: Arc::clone(&self.script),
            },
        };
        tokio::spawn(run(self.settings.clone(), ports, self.shared.clone()))
    }

    /// Starts the consumer, lets it empty the queue, and drains it.
    async fn run_until_empty(&self) {
        let consumer = self.start();
        self.until_empty().await;
        self.drain(consumer).await;
    }

    async fn drain(&self, consumer: JoinHandle<ConsumerEnd>) {
        self.shared.drain.cancel();
        let outcome = consumer.await.unwrap();
        assert!(matches!(outcome, ConsumerEnd::Drained), "{outcome:?}");
    }

    async fn until_empty(&self) {
        let started = Instant::now();
        while self.left().await > 0 {
            assert!(started.elapsed() < DEADLINE, "the queue must become empty");
            sleep(STEP).await;
        }
    }

    /// Waits until `holds` is true.
    async fn until(&self, holds: impl Fn(&Metrics) -> bool) {
        let started = Instant::now();
        while !holds(&self.shared.metrics) {
            assert!(
                started.elapsed() < DEADLINE,
                "waited too long:\n{}",
                self.shared.metrics.encode()
            );
            sleep(STEP).await;
        }
    }

    /// Messages in the queue, visible or leased.
    async fn left(&self) -> u64 {
        self.queue.approximate_count().await.unwrap()
    }

    /// Messages that another consumer could receive now, with the deliveries they have had.
    async fn visible(&self) -> Vec<u32> {
        self.queue
            .peek(32)
            .await
            .unwrap()
            .iter()
            .map(|peeked| peeked.attempt)
            .collect()
    }

    async fn row(&self, seq: u64) -> Option<StoredRow> {
        self.table.get(&message(seq).id).await.unwrap()
    }

    async fn rows(&self) -> usize {
        use futures::StreamExt as _;
        self.table.all_entities().count().await
    }

    async fn envelopes(&self) -> Vec<PoisonEnvelope> {
        let peeked = self.poison.peek(32).await.unwrap();
        peeked
            .iter()
            .map(|peeked| serde_json::from_str(&peeked.body).unwrap())
            .collect()
    }

    fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }
}
