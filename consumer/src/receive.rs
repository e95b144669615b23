//! The receive loop: receives no more messages than there are free slots, polls rarely when the queue is empty, and waits when
//! storage is unavailable.

use std::ops::RangeInclusive;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;
use workflow::backoff::Backoff;
use workflow::contract::Stamp;
use workflow::ports::{Delivery, ErrorKind, MAX_RECEIVE, ResultTable, StorageError, WorkQueue};

use crate::delivery::{Consumer, Received};

/// The most slots to wait for before the next receive: half a batch keeps receives few, while the other half of the slots works.
const WORTH_A_RECEIVE: u32 = MAX_RECEIVE as u32 / 2;

/// Shortest and longest wait for that many slots once one is free. In between, the wait is as long as the last receive took: slots
/// are then idle for no longer than a receive takes anyway, and a slow storage gets fewer requests.
const LINGER: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_millis(100);

/// Tries to create a missing queue. With the waits of [`Backoff::STORAGE`] they take half a minute, as long as storage may need
/// while a queue of the same name is being deleted (Queue service, Delete Queue).
pub(crate) const CREATE_TRIES: u32 = 8;

/// Takes messages and starts their tasks until the drain.
pub(crate) struct Receiver<Q, T> {
    consumer: Arc<Consumer<Q, T>>,
    tasks: TaskTracker,
    slots: Arc<Semaphore>,
    linger: Duration,
    started: Instant,
    failures: u32,
    /// The last error of a receive.
    last: Option<StorageError>,
    empty: u32,
    empty_since: Option<Instant>,
}

impl<Q: WorkQueue, T: ResultTable> Receiver<Q, T> {
    pub(crate) fn new(consumer: Arc<Consumer<Q, T>>, tasks: TaskTracker) -> Self {
        let slots = Arc::new(Semaphore::new(consumer.settings.concurrency));
        let started = Instant::now();
        Self {
            consumer,
            tasks,
            slots,
            linger: *LINGER.start(),
            started,
            failures: 0,
            last: None,
            empty: 0,
            empty_since: None,
        }
    }

    /// Receives until the drain begins, the queue has been empty for long enough, or storage refuses at the start. Messages of a
    /// receive that was in flight when the drain began are handed back.
    pub(crate) async fn run(mut self) -> Result<(), StorageError> {
        let drain = self.consumer.drain.clone();
        while let Some(Some(slots)) = drain.run_until_cancelled(self.free_slots()).await {
            let wanted = u8::try_from(slots.num_permits()).unwrap_or(MAX_RECEIVE);
            let asked = Instant::now();
            // The receive is not dropped when the drain begins: its messages are leased, and must be handed back.
            let answer = tokio::select! {
                biased;
                answer = self.consumer.storage.receive(wanted) => answer,
                () = self.consumer.abort.cancelled() => return Ok(()),
                // A queue that does not answer. If the answer is on its way, its messages are delivered again later.
                () = sleep_until(self.started + self.consumer.settings.start_timeout),
                    if !self.consumer.health.has_received() => {
                        // An earlier error says more than the lack of an answer.
                        Err(self.last.take().unwrap_or_else(|| self.silent()))
                    }
            };
            let goes_on = match answer {
                Ok(deliveries) => {
                    self.linger = asked.elapsed().clamp(*LINGER.start(), *LINGER.end());
                    self.failures = 0;
                    self.consumer.health.receives();
                    self.take(slots, deliveries, asked).await
                }
                Err(error) => self.failed(error).await?,
            };
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// Waits for a free slot, and a little for more, and takes as many slots as one receive can fill. It never returns `None`,
    /// since the semaphore is never closed.
    async fn free_slots(&self) -> Option<OwnedSemaphorePermit> {
        let mut slots = Arc::clone(&self.slots).acquire_owned().await.ok()?;
        let worth = (u32::try_from(self.consumer.settings.concurrency).unwrap_or(u32::MAX) / 2)
            .min(WORTH_A_RECEIVE);
        if worth > 1 {
            let more = Arc::clone(&self.slots).acquire_many_owned(worth - 1);
            if let Ok(more) = tokio::time::timeout(self.linger, more).await {
                slots.merge(more.ok()?);
            }
        }
        let room = usize::from(MAX_RECEIVE).saturating_sub(slots.num_permits());
        let spare = u32::try_from(self.slots.available_permits().min(room)).unwrap_or(0);
        if let Ok(more) = Arc::clone(&self.slots).try_acquire_many_owned(spare) {
            slots.merge(more);
        }
        Some(slots)
    }

    /// Starts work on the received messages, and waits before the next receive if needed; `false` when the loop is over.
    async fn take(
        &mut self,
        mut slots: OwnedSemaphorePermit,
        deliveries: Vec<Delivery>,
        asked: Instant,
    ) -> bool {
        // The wall clock is read first: if the thread is descheduled between the two, stamps must not be too late.
        let stamp = Stamp::now();
        let received = Received {
            asked,
            answered: Instant::now(),
            stamp,
        };
        let (count, wanted) = (deliveries.len(), slots.num_permits());
        let metrics = &self.consumer.metrics;
        metrics.received.inc_by(count as u64);
        metrics
            .redelivered
            .inc_by(deliveries.iter().filter(|d| d.attempt > 1).count() as u64);
        if self.consumer.drain.is_cancelled() {
            let back = deliveries
                .iter()
                .map(|delivery| self.consumer.release(&delivery.lease));
            futures::future::join_all(back).await;
            return false;
        }
        for delivery in deliveries {
            let slot = slots
                .split(1)
                .expect("storage must not return more messages than it was asked for");
            self.start(delivery, received, slot);
        }
        drop(slots);
        if count == 0 {
            return self.idle().await;
        }
        (self.empty, self.empty_since) = (0, None);
        // A full batch means that there are more messages. Otherwise the queue has just been emptied, and the next messages may as
        // well be collected for a moment.
        count == wanted
            || self
                .consumer
                .settings
                .idle
                .wait(1, &self.consumer.drain)
                .await
    }

    fn start(&self, delivery: Delivery, received: Received, slot: OwnedSemaphorePermit) {
        let consumer = Arc::clone(&self.consumer);
        self.tasks.spawn(async move {
            let id = delivery.lease.message_id.clone();
            let task = AssertUnwindSafe(consumer.deliver(delivery, received)).catch_unwind();
            if let Err(panic) = task.await {
                // A broken invariant with unknown consequences, so this process receives no more messages. The message was not
                // deleted, and is delivered again.
                consumer.metrics.panics.inc();
                let panic = panic_text(panic.as_ref());
                tracing::error!(
                    queue.message_id = id,
                    panic,
                    "a message task panicked: this is a bug; draining"
                );
                consumer.drain.cancel();
            }
            drop(slot);
        });
    }

    async fn idle(&mut self) -> bool {
        self.empty = self.empty.saturating_add(1);
        let now = Instant::now();
        // The check of the table must be finished, too: a consumer that ended before its answer would exit with 0 although it has
        // neither found the table missing nor created it.
        let nothing_in_flight = self.tasks.is_empty() && self.consumer.health.table.is_reached();
        self.empty_since = if nothing_in_flight {
            self.empty_since.or(Some(now))
        } else {
            None
        };
        let mut wait = self.consumer.settings.idle.delay(self.empty);
        if let (Some(limit), Some(since)) =
            (self.consumer.settings.exit_when_idle, self.empty_since)
        {
            let left = limit.saturating_sub(now - since);
            if left.is_zero() {
                tracing::info!(
                    idle_seconds = limit.as_secs_f64(),
                    "queue is empty: stopping as asked"
                );
                return false;
            }
            wait = wait.min(left);
        }
        let drain = &self.consumer.drain;
        drain
            .run_until_cancelled(tokio::time::sleep(wait))
            .await
            .is_some()
    }

    fn silent(&self) -> StorageError {
        let queue = format!("queue {}", self.consumer.storage.ports.queue.name());
        StorageError::new(ErrorKind::Interrupted, "receive messages", queue)
            .with_source("there was no answer until the time to start in was over")
    }

    /// Waits before the next receive, or returns the error that ends the consumer: only before the first answered receive, when the
    /// cause is a wrong setting rather than an outage.
    async fn failed(&mut self, error: StorageError) -> Result<bool, StorageError> {
        let consumer = Arc::clone(&self.consumer);
        self.failures = self.failures.saturating_add(1);
        self.empty_since = None;
        if !consumer.health.has_received() {
            match error.kind() {
                ErrorKind::NoSuchResource if consumer.settings.create => {
                    let create = || consumer.storage.create_queue();
                    Backoff::STORAGE
                        .retry(CREATE_TRIES, &consumer.drain, create)
                        .await?;
                    tracing::info!(queue = consumer.storage.ports.queue.name(), "queue created");
                    return Ok(!consumer.drain.is_cancelled());
                }
                _ if !error.is_transient() => return Err(error),
                _ if self.started.elapsed() >= consumer.settings.start_timeout => {
                    return Err(error);
                }
                _ => {}
            }
        }
        consumer.health.queue.failed(&error);
        self.last = Some(error);
        Ok(Backoff::STORAGE.wait(self.failures, &consumer.drain).await)
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no text")
}
