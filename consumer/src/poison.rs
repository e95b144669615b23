//! The poison queue: a bad message is put there whole, with its reason, and only then deleted.

use workflow::backoff::Backoff;
use workflow::contract::{PoisonEnvelope, PoisonReason, Stamp};
use workflow::ports::{Delivery, ErrorKind, ResultTable, StorageError, WorkQueue};

use crate::delivery::{Consumer, Next};

/// Tries to put one part. With the waits of [`Backoff::STORAGE`] they take half a minute: in a longer outage the message stays in
/// the queue for its next delivery.
const TRIES: u32 = 8;

impl<Q: WorkQueue, T: ResultTable> Consumer<Q, T> {
    /// Puts every part of the message into the poison queue. If that fails, the message is kept: nothing is lost, and it is
    /// delivered again when its visibility timeout ends.
    ///
    /// At-least-once: if a consumer dies between the last part and the delete, the next delivery puts the same envelopes again,
    /// with the same `messageId`.
    pub(crate) async fn poison(
        &self,
        delivery: &Delivery,
        reason: PoisonReason,
        detail: String,
    ) -> Next {
        let envelope = PoisonEnvelope {
            reason,
            detail: detail.clone(),
            message_id: delivery.lease.message_id.clone(),
            attempt: delivery.attempt,
            consumer: self.settings.name.clone(),
            poisoned_stamp: Stamp::now(),
            part: 0,
            parts: 0,
            body: delivery.body.clone(),
        };
        for part in envelope.encode() {
            if let Err(error) = self.send_poison(&part).await {
                tracing::error!(
                    queue.message_id = delivery.lease.message_id,
                    reason = reason.as_str(),
                    %error,
                    advice = error.advice(),
                    "poison message could not be moved; it stays in its queue"
                );
                return Next::Keep;
            }
        }
        self.metrics.poisoned(reason);
        tracing::warn!(
            queue.message_id = delivery.lease.message_id,
            attempt = delivery.attempt,
            reason = reason.as_str(),
            detail,
            poison.queue = self.storage.ports.poison.name(),
            "message moved to the poison queue"
        );
        Next::Delete
    }

    async fn send_poison(&self, part: &str) -> Result<(), StorageError> {
        let send = || Backoff::STORAGE.retry(TRIES, &self.abort, || self.storage.send_poison(part));
        match send().await {
            Err(error) if error.kind() == ErrorKind::NoSuchResource => {
                let create = || self.storage.create_poison();
                Backoff::STORAGE.retry(TRIES, &self.abort, create).await?;
                tracing::info!(
                    poison.queue = self.storage.ports.poison.name(),
                    "poison queue created"
                );
                send().await
            }
            ended => ended,
        }
    }
}
