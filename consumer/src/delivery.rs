//! One delivery, from its receive to its delete: work, store, delete, with the lease renewed until the delete.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use workflow::backoff::Backoff;
use workflow::contract::{Digest, Message, PoisonReason, ResultRow, Stamp};
use workflow::ports::{Delivery, Effect, ErrorKind, InsertOutcome, Lease, ResultTable, WorkQueue};

use crate::health::Health;
use crate::hold::{Hold, HoldEnd};
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::storage::Storage;
use crate::work::{Performed, Performer};
use crate::writer::{self, Failed};

/// Tries to hand a message back; if all fail, the message becomes visible when its visibility timeout ends.
const RELEASE_TRIES: u32 = 3;

/// Waits between tries to store a row. With [`Backoff::STORAGE`], a message would wait ten seconds after a handful of failed tries,
/// and its lease would be renewed meanwhile, although storage may work again for all others. Rows that are ready together share a
/// write, so that more messages do not mean more requests to a failing storage.
const STORE: Backoff = Backoff {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(2),
};

/// What every message task shares.
#[derive(Debug)]
pub(crate) struct Consumer<Q, T> {
    pub(crate) settings: Settings,
    pub(crate) storage: Arc<Storage<Q, T>>,
    pub(crate) writer: writer::Handle,
    pub(crate) performer: Performer,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Arc<Health>,
    /// Cancelled when no more messages are to be received.
    pub(crate) drain: CancellationToken,
    /// Cancelled when the grace period is over.
    pub(crate) abort: CancellationToken,
}

/// The times of the receive that returned a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    /// When it was sent; leases count from here.
    pub(crate) asked: Instant,
    /// When it was answered.
    pub(crate) answered: Instant,
    /// When it was answered, on the wall clock.
    pub(crate) stamp: Stamp,
}

impl Received {
    /// The current time, counted on from the receive: if the wall clock is set back meanwhile, work must not seem to take negative time.
    fn now(&self) -> Stamp {
        self.stamp.plus(self.answered.elapsed())
    }
}

/// What to do with a message that is still held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is finished.
    Delete,
    /// It was not begun: another consumer may have it immediately.
    Release,
    /// It could not be finished: it is delivered again when its visibility ends.
    Keep,
}

/// Counts a delivery as in flight, also when its task panics.
struct InFlight<'a>(&'a Gauge);

impl<'a> InFlight<'a> {
    fn of(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl<Q: WorkQueue, T: ResultTable> Consumer<Q, T> {
    /// Processes one delivery. Never fails: the message is either deleted after its row is stored (or its envelope is in the poison
    /// queue), or it stays in the queue.
    // A span at debug level: exported over OTLP if that is configured, and otherwise without cost.
    #[tracing::instrument(
        name = "delivery",
        level = "debug",
        skip_all,
        fields(queue.message_id = delivery.lease.message_id, attempt = delivery.attempt)
    )]
    pub(crate) async fn deliver(&self, delivery: Delivery, received: Received) {
        tracing::debug!(
            queue.message_id = delivery.lease.message_id,
            attempt = delivery.attempt,
            "delivery begun"
        );
        let _in_flight = InFlight::of(&self.metrics.in_flight);
        let lease = delivery.lease.clone();
        let mut hold = Hold::new(
            &self.storage,
            &self.metrics,
            &self.abort,
            lease,
            received.asked,
        );
        let next = hold.during(self.settle(&delivery, received)).await;
        tracing::debug!(
            queue.message_id = delivery.lease.message_id,
            attempt = delivery.attempt,
            ?next,
            "delivery settled"
        );
        match next {
            Ok(Next::Delete) => self.delete(&hold).await,
            Ok(Next::Release) | Err(HoldEnd::Aborted) => self.release(hold.lease()).await,
            Ok(Next::Keep) => {}
            Err(HoldEnd::Lost) => self.metrics.lost(),
        }
    }

    async fn settle(&self, delivery: &Delivery, received: Received) -> Next {
        let message = match Message::decode(&delivery.body) {
            Ok(message) => message,
            Err(error) => {
                return self
                    .poison(delivery, error.reason(), error.to_string())
                    .await;
            }
        };
        if delivery.attempt > self.settings.max_attempts {
            return self.give_up(delivery, &message).await;
        }
        self.metrics
            .waited(received.stamp.micros_since(message.sent_stamp));
        if message.sent_stamp > received.stamp {
            self.metrics.clock_skew.inc();
            tracing::debug!(%message.id, "message was sent after it was received, by the clocks involved");
        }
        match self.performer.perform(&self.drain).await {
            Performed::Unstarted => return Next::Release,
            Performed::Done(took) => self.metrics.worked(took),
        }
        let Settings { name, node, .. } = &self.settings;
        let row = ResultRow {
            date_stamp: received.now(),
            ..ResultRow::of(message, received.stamp, delivery.attempt, name, node)
        };
        self.store(delivery, row).await
    }

    /// Handles a message that was delivered too often. If only the deletes failed before, its row is stored, and the message is finished.
    async fn give_up(&self, delivery: &Delivery, message: &Message) -> Next {
        let get = || self.storage.get(&message.id);
        match Backoff::STORAGE
            .retry(RELEASE_TRIES, &self.abort, get)
            .await
        {
            Ok(Some(row)) if row.digest == Some(message.digest) => {
                self.metrics.stored(InsertOutcome::AlreadyDone);
                Next::Delete
            }
            Ok(_) => {
                let most = self.settings.max_attempts;
                let detail = format!(
                    "delivered {} times and never finished; at most {most}",
                    delivery.attempt
                );
                self.poison(delivery, PoisonReason::TooManyAttempts, detail)
                    .await
            }
            Err(error) => {
                tracing::debug!(%message.id, %error, "row could not be looked for");
                Next::Keep
            }
        }
    }

    /// Stores the row, with tries as long as the message is held: meanwhile no other consumer can store it. The lease and the grace
    /// period bound the tries.
    async fn store(&self, delivery: &Delivery, row: ResultRow) -> Next {
        let (id, digest, due) = (row.row_key.clone(), row.digest, row.src_stamp);
        let (mut row, mut failures) = (row, 0);
        loop {
            let Some(reply) = self.writer.insert(row).await else {
                // The writer panicked; joining it determines the outcome. No row can be stored any more.
                tracing::error!("the writer is gone: this is a bug; draining");
                self.drain.cancel();
                return Next::Keep;
            };
            match reply {
                Ok(InsertOutcome::Inserted | InsertOutcome::AlreadyDone) => {
                    self.metrics.finished(Stamp::now().micros_since(due));
                    return Next::Delete;
                }
                Ok(InsertOutcome::Conflict { stored }) => {
                    return self.conflict(delivery, &id, digest, stored).await;
                }
                Err(Failed { error, .. }) if error.kind() == ErrorKind::TooLarge => {
                    return self
                        .poison(delivery, PoisonReason::Oversized, error.to_string())
                        .await;
                }
                Err(Failed { error, .. }) if writer::is_about_a_row(&error) => {
                    tracing::error!(message.id = id, %error, "row refused; the message stays in its queue");
                    return Next::Keep;
                }
                Err(failed) => {
                    failures += 1;
                    row = failed.row;
                    tracing::debug!(message.id = id, error = %failed.error, failures, "row not stored yet");
                    // The drain does not end this wait: only finished work may be deleted, and the grace period exists for it.
                    STORE.wait(failures, &self.abort).await;
                }
            }
        }
    }

    /// Another row with this key is not overwritten. The message goes to the poison queue, so that it is neither lost nor delivered
    /// forever.
    async fn conflict(
        &self,
        delivery: &Delivery,
        id: &str,
        digest: Digest,
        stored: Option<Digest>,
    ) -> Next {
        let stored = stored.map_or_else(|| "no digest".to_owned(), |stored| stored.to_string());
        tracing::error!(
            message.id = id,
            digest.message = %digest,
            digest.row = stored,
            "conflict: the row of this message holds something else; it was not overwritten"
        );
        let detail = format!("row {id} holds {stored}, this message has {digest}");
        self.poison(delivery, PoisonReason::Conflict, detail).await
    }

    /// Deletes a finished message, with tries as long as the lease certainly holds. If all fail, the message is delivered again,
    /// and its row is found.
    async fn delete(&self, hold: &Hold<'_, Q, T>) {
        let (mut failures, mut maybe_done) = (0, false);
        loop {
            let error = match self.storage.delete(hold.lease()).await {
                Ok(()) => break,
                // An earlier try took effect and its answer was lost: no other consumer can have had the message meanwhile.
                Err(error) if error.kind() == ErrorKind::LeaseLost && maybe_done => break,
                Err(error) if error.kind() == ErrorKind::LeaseLost => {
                    self.metrics.lost();
                    return;
                }
                Err(error) => error,
            };
            failures += 1;
            maybe_done |= error.effect() == Effect::Unknown;
            let again = Backoff::STORAGE.wait(failures, &self.abort).await && hold.is_certain();
            if !again {
                tracing::debug!(queue.message_id = hold.lease().message_id, %error, "finished message not deleted");
                return;
            }
        }
        self.metrics.deleted.inc();
    }

    /// Hands a message back, visible at once.
    pub(crate) async fn release(&self, lease: &Lease) {
        // `abort` does not stop this: handing back is what follows an abort, and the tries are few.
        let unstopped = CancellationToken::new();
        let release = || self.storage.release(lease);
        match Backoff::STORAGE
            .retry(RELEASE_TRIES, &unstopped, release)
            .await
        {
            Ok(_) => self.metrics.handed_back(),
            Err(error) if error.kind() == ErrorKind::LeaseLost => {
                self.metrics.lost();
            }
            Err(error) => {
                tracing::debug!(queue.message_id = lease.message_id, %error, "message not handed back");
            }
        }
    }
}
