//! Holds a message: works while the lease is renewed, hands the message back in a hurry, and deletes it.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use workflow::ports::{ErrorKind, Lease, WorkQueue as _};

use super::{Consumer, PAUSE};
use crate::mutation::Mutation;

impl Consumer {
    /// Works for the configured time, and renews the lease. In a hurry, hands the message back and returns `false`.
    pub(super) async fn simulate(&self, lease: &mut Lease) -> bool {
        if self.is(Mutation::SkipsItsWork) {
            return true;
        }
        let end = Instant::now() + self.args.work;
        let mut renews = !self.is(Mutation::NeverRenews);
        let mut next = Instant::now() + self.args.visibility / 2;
        while renews && next < end {
            if !self.goes_on_until(next).await {
                drop(self.queue.renew(lease, Duration::ZERO).await);
                return false;
            }
            match self.queue.renew(lease, self.args.visibility).await {
                Ok(renewed) => {
                    *lease = renewed;
                    next += self.args.visibility / 2;
                }
                Err(error) => {
                    renews =
                        error.kind() != ErrorKind::LeaseLost && !self.is(Mutation::GivesUpRenewing);
                    next += PAUSE;
                }
            }
        }
        let done = self.goes_on_until(end).await;
        if !done {
            drop(self.queue.renew(lease, Duration::ZERO).await);
        }
        done
    }

    /// Waits until `then`; returns `false` in a hurry.
    async fn goes_on_until(&self, then: Instant) -> bool {
        let sleep = tokio::time::sleep_until(then);
        if self.is(Mutation::IgnoresForcedDrain) {
            sleep.await;
            return true;
        }
        self.hurry.run_until_cancelled(sleep).await.is_some()
    }

    pub(super) async fn delete(&self, lease: &Lease) {
        while let Err(error) = self.queue.delete(lease).await {
            let lost = error.kind() == ErrorKind::LeaseLost;
            if (lost && !self.is(Mutation::InsistsOnStaleReceipt)) || self.stop.is_cancelled() {
                return;
            }
            sleep(PAUSE).await;
        }
    }
}
