//! Holds a message: renews its lease while the message is worked on.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use workflow::backoff::Backoff;
use workflow::ports::{ErrorKind, Lease, ResultTable, StorageError, WorkQueue};

use crate::metrics::Metrics;
use crate::storage::Storage;

/// Waits between two tries of a renewal. Shorter than [`Backoff::STORAGE`], since the lease runs out meanwhile.
const RENEWAL: Backoff = Backoff {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(2),
};

/// Why a message is no longer held although its work has not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldEnd {
    /// The lease is lost: to another consumer, or to an outage that outlasted it.
    Lost,
    /// The grace period is over.
    Aborted,
}

/// One leased message.
///
/// Everything that changes the lease goes through `&mut self`, one after the other: a delete cannot overtake a renewal, and always
/// carries the latest receipt.
#[derive(Debug)]
pub(crate) struct Hold<'a, Q, T> {
    storage: &'a Storage<Q, T>,
    metrics: &'a Metrics,
    abort: &'a CancellationToken,
    lease: Lease,
    /// The earliest time at which the lease may run out.
    expires: Instant,
    renew_at: Instant,
    failures: u32,
}

impl<'a, Q: WorkQueue, T: ResultTable> Hold<'a, Q, T> {
    /// Holds a message whose receive was sent at `asked`: the visibility timeout began then or later.
    pub(crate) fn new(
        storage: &'a Storage<Q, T>,
        metrics: &'a Metrics,
        abort: &'a CancellationToken,
        lease: Lease,
        asked: Instant,
    ) -> Self {
        let visibility = storage.visibility();
        let (expires, renew_at) = (asked + visibility, asked + visibility / 2);
        Self {
            storage,
            metrics,
            abort,
            lease,
            expires,
            renew_at,
            failures: 0,
        }
    }

    /// The lease as it is now.
    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Whether the lease certainly still holds.
    pub(crate) fn is_certain(&self) -> bool {
        Instant::now() < self.expires
    }

    /// Drives `work` to its end, renewing the lease at every half of the visibility. A renewal that is under way when the
    /// work ends is awaited. Work is dropped when the lease is lost or the grace period is over.
    pub(crate) async fn during<F: Future>(&mut self, work: F) -> Result<F::Output, HoldEnd> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                output = &mut work => return Ok(output),
                () = self.abort.cancelled() => return Err(HoldEnd::Aborted),
                () = tokio::time::sleep_until(self.renew_at) => {}
            }
            let asked = Instant::now();
            let (answer, output) = {
                // Boxed, because renewals are rare: the task of a message without renewal stays small.
                let mut renewal = Box::pin(self.storage.renew(&self.lease));
                tokio::select! {
                    biased;
                    output = &mut work => (renewal.await, Some(Ok(output))),
                    () = self.abort.cancelled() => (renewal.await, Some(Err(HoldEnd::Aborted))),
                    answer = &mut renewal => (answer, None),
                }
            };
            self.take(asked, answer)?;
            if let Some(output) = output {
                return output;
            }
        }
    }

    fn take(&mut self, asked: Instant, answer: Result<Lease, StorageError>) -> Result<(), HoldEnd> {
        let visibility = self.storage.visibility();
        match answer {
            Ok(lease) => {
                self.metrics.renewed.inc();
                self.lease = lease;
                self.failures = 0;
                (self.expires, self.renew_at) = (asked + visibility, asked + visibility / 2);
                Ok(())
            }
            // This try began after the lease had run out: the outage was longer than the lease. The next consumer that receives the
            // message finishes it.
            Err(error) if error.kind() == ErrorKind::LeaseLost || asked >= self.expires => {
                tracing::debug!(queue.message_id = self.lease.message_id, %error, "lease lost");
                Err(HoldEnd::Lost)
            }
            Err(error) => {
                self.failures += 1;
                tracing::debug!(queue.message_id = self.lease.message_id, %error, "renewal failed");
                self.renew_at = Instant::now() + RENEWAL.delay(self.failures);
                Ok(())
            }
        }
    }
}
