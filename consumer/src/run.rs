//! One consumer, whole: starts its parts, waits for the drain, and says how it ended.

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
use crate::work::Worker;
use crate::writer::Writer;

/// After the grace period: time to hand messages back. Grace and this stay below Kubernetes' default termination grace
/// period of 30 s.
const RELEASE: Duration = Duration::from_secs(3);

/// What the table has to answer in when the queue took all of the time to start in.
const LATE_TRY: Duration = Duration::from_secs(5);

/// What the process around a consumer sees of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Arc<Health>,
    /// Cancelled to begin the drain.
    pub(crate) drain: CancellationToken,
    /// Cancelled by a Spot notice, together with the drain.
    pub(crate) noticed: CancellationToken,
    /// Cancelled to end the drain now: what is in hand is handed back.
    pub(crate) hurry: CancellationToken,
}

impl Shared {
    /// Takes note of the next signal. In the drain of a Spot notice it means that the machine goes sooner than promised: node
    /// auto-provisioning ends pods with a second of grace once a node is announced to go (karpenter-provider-azure, repair policy
    /// `PreemptionScheduled`). Everything is handed back at once. Otherwise the drain begins.
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
pub(crate) enum Outcome {
    /// Drained: everything it had leased is finished or handed back.
    Drained,
    /// The grace period was over first.
    GraceExceeded,
    /// Storage refused at the start.
    Refused(StorageError),
    /// A task panicked.
    Panicked,
}

impl Outcome {
    /// The exit code that says so.
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
) -> Outcome {
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
        worker: Worker::new(settings.work, cores),
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
        // The writer ends when the last of its handles is gone, and the last user of this one just ended.
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
        _ if !sound || metrics.panics.get() > 0 => Outcome::Panicked,
        Some(error) => Outcome::Refused(error),
        None if in_time => Outcome::Drained,
        None => Outcome::GraceExceeded,
    }
}

/// Waits for `finished`; from the drain on for the grace period and [`RELEASE`]. Returns whether all tasks ended without panic,
/// as far as they ended, and whether they did within the time that they had: in a hurry, within [`RELEASE`].
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
        // Before a receive that is still under way is answered: traffic should stop now.
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

/// Ends the consumer at once when storage refuses it: what was received meanwhile is handed back.
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

/// Asks the table, once the first receive is answered, until it answers: only then is the consumer ready. One that is not
/// there or lets nobody in is found now, and not when the first message has been worked on. Not before the first receive,
/// so that nothing delays it; messages are worked on meanwhile, and an insert that is answered says as much. One that has
/// answered nothing when the time to start in is over ends the consumer, as the queue does.
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

/// The answer to a question about the table, for which there is time until the start is over: a table that says nothing is one
/// that is away. At least a try has its time where the queue was late already.
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
