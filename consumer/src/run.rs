//! One whole consumer: starts its parts, waits for the drain, and returns how it ended.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use workflow::backoff::Backoff;
use workflow::contract::MessageId;
use workflow::exit::Exit;
use workflow::ports::{ErrorKind, ResultTable, StorageError, WorkQueue};
use workflow::task;

use crate::delivery::Consumer;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::receive::{CREATE_TRIES, Receiver};
use crate::settings::Settings;
use crate::storage::{Ports, Storage};
use crate::work::Performer;
use crate::writer::Writer;

/// Time after the grace period to hand messages back. Together with the grace period it must be shorter than Kubernetes' default
/// termination grace period of 30 s.
const RELEASE: Duration = Duration::from_secs(3);

/// Time for the table's answer if the queue used up the start timeout.
const LATE_TRY: Duration = Duration::from_secs(5);

/// The signals between a consumer and its process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Arc<Health>,
    /// Cancelled to begin the drain.
    pub(crate) drain: CancellationToken,
    /// Cancelled by a Spot notice, together with the drain.
    pub(crate) noticed: CancellationToken,
    /// Cancelled to end the drain immediately: all messages in work are handed back.
    pub(crate) hurry: CancellationToken,
}

impl Shared {
    /// Handles the next signal. During the drain of a Spot notice it means that the machine goes earlier than announced: node
    /// auto-provisioning ends pods with a second of grace once the end of a node is announced (karpenter-provider-azure, repair
    /// policy `PreemptionScheduled`). Everything is handed back immediately. Otherwise the drain begins.
    pub(crate) fn signalled(&self, signal: &'static str) {
        if self.noticed.is_cancelled() {
            tracing::warn!(
                signal,
                "the machine goes sooner than its notice said: handing back at once"
            );
            self.hurry.cancel();
        } else {
            tracing::info!(signal, "stopping; a second signal exits at once");
        }
        self.drain.cancel();
    }
}

/// How a consumer ended.
#[derive(Debug)]
pub(crate) enum ConsumerEnd {
    /// Drained: everything it had leased is finished or handed back.
    Drained,
    /// The grace period ended before the drain.
    GraceExceeded,
    /// Storage refused at the start.
    Refused(StorageError),
    /// A task panicked.
    Panicked,
}

impl ConsumerEnd {
    /// The exit code of this end.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Drained => Exit::Success,
            Self::GraceExceeded => Exit::GraceExceeded,
            Self::Refused(error) => Exit::of(error),
            Self::Panicked => Exit::Bug,
        }
    }
}

/// Runs a consumer until its drain has ended.
pub(crate) async fn run<Q: WorkQueue, T: ResultTable>(
    settings: Settings,
    ports: Ports<Q, T>,
    shared: Shared,
) -> ConsumerEnd {
    let Shared {
        metrics,
        health,
        drain,
        ..
    } = shared.clone();
    let abort = CancellationToken::new();
    let storage = Arc::new(Storage::new(
        ports,
        Arc::clone(&metrics),
        settings.visibility,
    ));
    let (handle, writer) = Writer::new(
        Arc::clone(&storage),
        Arc::clone(&metrics),
        Arc::clone(&health),
        settings.limits,
        settings.concurrency,
    );
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let grace = settings.grace;
    let consumer = Arc::new(Consumer {
        performer: Performer::new(settings.work, cores),
        settings,
        storage,
        writer: handle,
        metrics,
        health,
        drain: drain.clone(),
        abort: abort.clone(),
    });
    let refused = Arc::new(Mutex::new(None));
    let tasks = TaskTracker::new();
    let writer = task::spawn(writer.run());
    let table = task::spawn(guard(
        Arc::clone(&consumer),
        Arc::clone(&refused),
        check_table(Arc::clone(&consumer)),
    ));
    let receiver = Receiver::new(Arc::clone(&consumer), tasks.clone()).run();
    let receiver = task::spawn(guard(Arc::clone(&consumer), Arc::clone(&refused), receiver));

    let metrics = Arc::clone(&consumer.metrics);
    let finished = async {
        // However the loop ended, also by a panic: nothing is received any more.
        let looped = receiver.await;
        consumer.drain.cancel();
        tasks.close();
        tasks.wait().await;
        let checked = table.await;
        // The writer ends when its last handle is dropped; the last user of this handle has just ended.
        drop(consumer);
        let wrote = writer.await;
        [looped, checked, wrote]
            .into_iter()
            .all(|joined| joined.is_ok())
    };
    let (sound, in_time) = within(grace, finished, &shared, &abort, &tasks).await;
    let refused = refused
        .lock()
        .expect("no holder of this lock may panic")
        .take();
    match refused {
        _ if !sound || metrics.panics.get() > 0 => ConsumerEnd::Panicked,
        Some(error) => ConsumerEnd::Refused(error),
        None if in_time => ConsumerEnd::Drained,
        None => ConsumerEnd::GraceExceeded,
    }
}

/// Waits for `finished`; from the drain on at most for the grace period and [`RELEASE`], in a hurry only for [`RELEASE`]. Returns
/// whether all tasks that ended did so without panic, and whether all ended in time.
async fn within(
    grace: Duration,
    finished: impl Future<Output = bool>,
    shared: &Shared,
    abort: &CancellationToken,
    tasks: &TaskTracker,
) -> (bool, bool) {
    let mut finished = std::pin::pin!(finished);
    let over = async {
        shared.drain.cancelled().await;
        // Before a receive in flight is answered: traffic should stop immediately.
        shared.health.drains();
        tracing::info!(
            in_flight = tasks.len(),
            grace_seconds = grace.as_secs_f64(),
            "draining"
        );
        let grace = tokio::time::sleep(grace);
        shared.hurry.run_until_cancelled(grace).await.is_none()
    };
    let hurried = tokio::select! {
        biased;
        sound = &mut finished => return (sound, true),
        hurried = over => hurried,
    };
    let unfinished = tasks.len();
    tracing::warn!(
        unfinished,
        hurried,
        "time to finish is over: handing back what is unfinished"
    );
    abort.cancel();
    match tokio::time::timeout(RELEASE, finished).await {
        Ok(sound) => (sound, hurried),
        Err(_) => (true, false),
    }
}

/// Ends the consumer immediately if storage refuses it: messages that were received meanwhile are handed back.
async fn guard<Q, T>(
    consumer: Arc<Consumer<Q, T>>,
    refused: Arc<Mutex<Option<StorageError>>>,
    part: impl Future<Output = Result<(), StorageError>>,
) {
    if let Err(error) = part.await {
        refused
            .lock()
            .expect("no holder of this lock may panic")
            .get_or_insert(error);
        consumer.drain.cancel();
        consumer.abort.cancel();
    }
}

/// Asks the table until it answers, once the first receive is answered: only then is the consumer ready. So a table that is missing
/// or denies access is found now, and not after the work on the first message. It starts after the first receive, so as not to
/// delay it; messages are worked on meanwhile, and an answered insert counts as an answer. If the table has not answered when the
/// start timeout is over, the consumer ends, as it does for the queue.
async fn check_table<Q: WorkQueue, T: ResultTable>(
    consumer: Arc<Consumer<Q, T>>,
) -> Result<(), StorageError> {
    let Consumer { health, drain, .. } = &*consumer;
    let until = Instant::now() + consumer.settings.start_timeout;
    if drain
        .run_until_cancelled(health.first_receive())
        .await
        .is_none()
    {
        return Ok(());
    }
    let id: MessageId = "startup-check-1".parse().expect("a constant id must parse");
    let mut failures = 0_u32;
    while !health.table.is_reached() {
        let answer = asked_until(until, consumer.storage.get(&id));
        let error = match drain.run_until_cancelled(answer).await {
            None => return Ok(()),
            Some(Ok(_)) => {
                health.table_answers();
                return Ok(());
            }
            Some(Err(error)) => error,
        };
        if error.kind() == ErrorKind::NoSuchResource && consumer.settings.create {
            let create = || consumer.storage.create_table();
            Backoff::STORAGE.retry(CREATE_TRIES, drain, create).await?;
            tracing::info!(table = consumer.storage.ports.table.name(), "table created");
            health.table_answers();
        } else if error.is_transient() && (Instant::now() < until || health.table.is_reached()) {
            failures = failures.saturating_add(1);
            health.table.failed(&error);
            if !Backoff::STORAGE.wait(failures, drain).await {
                return Ok(());
            }
        } else {
            return Err(error);
        }
    }
    Ok(())
}

/// The answer to a request to the table, until the start timeout is over: a table that does not answer counts as unavailable. At
/// least one try has its full time, even if the queue used up the start timeout.
async fn asked_until<T>(
    until: Instant,
    answer: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    let until = until.max(Instant::now() + LATE_TRY);
    match tokio::time::timeout_at(until, answer).await {
        Ok(answer) => answer,
        Err(elapsed) => {
            let error = StorageError::new(ErrorKind::Unreachable, "get row", "table");
            Err(error.with_source(elapsed))
        }
    }
}
