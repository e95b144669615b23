//! Whether the consumer is ready, and the one log line for each change of storage's state.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use workflow::ports::{ErrorKind, StorageError};

/// Failures in a row that count as an outage; fewer may be throttling or a cut connection. Other kinds of failures (unreachable,
/// denied, gone) count as an outage immediately.
const FAILURES_OF_AN_OUTAGE: u32 = 3;

/// The state from which `/readyz` answers.
#[derive(Debug)]
pub(crate) struct Health {
    received: CancellationToken,
    was_ready: AtomicBool,
    draining: AtomicBool,
    pub(crate) queue: Service,
    pub(crate) table: Service,
}

/// The state of one storage service.
#[derive(Debug)]
pub(crate) struct Service {
    name: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    reached: bool,
    failures: u32,
    lost_since: Option<Instant>,
}

impl Default for Health {
    fn default() -> Self {
        let service = |name| Service {
            name,
            state: Mutex::default(),
        };
        Self {
            received: CancellationToken::new(),
            was_ready: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            queue: service("queue"),
            table: service("table"),
        }
    }
}

impl Health {
    /// A receive was answered.
    pub(crate) fn receives(&self) {
        self.queue.answered();
        self.received.cancel();
        self.tell_when_ready();
    }

    /// The table answered a request with success.
    pub(crate) fn table_answers(&self) {
        self.table.answered();
        self.tell_when_ready();
    }

    /// Logs readiness the first time.
    fn tell_when_ready(&self) {
        let is_ready = self.has_received() && self.table.is_reached();
        if is_ready && !self.was_ready.swap(true, Ordering::Relaxed) {
            tracing::info!("ready: queue and table answer");
        }
    }

    /// Whether a receive has ever been answered.
    pub(crate) fn has_received(&self) -> bool {
        self.received.is_cancelled()
    }

    /// Waits until a receive has been answered.
    pub(crate) async fn first_receive(&self) {
        self.received.cancelled().await;
    }

    /// The consumer receives no more messages from now on.
    pub(crate) fn drains(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Why the consumer is not ready; `None` if it is.
    pub(crate) fn unready(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Relaxed) {
            Some("draining")
        } else if self.queue.is_lost() {
            Some("queue lost")
        } else if self.table.is_lost() {
            Some("table lost")
        } else if !self.has_received() {
            Some("no receive answered yet")
        } else if !self.table.is_reached() {
            Some("table not reached yet")
        } else {
            None
        }
    }
}

impl Service {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock may panic")
    }

    fn is_lost(&self) -> bool {
        self.lock().lost_since.is_some()
    }

    /// Whether the service has ever answered a request with success.
    pub(crate) fn is_reached(&self) -> bool {
        self.lock().reached
    }

    /// The service answered a request with success.
    pub(crate) fn answered(&self) {
        let mut state = self.lock();
        state.reached = true;
        state.failures = 0;
        if let Some(since) = state.lost_since.take() {
            let seconds = since.elapsed().as_secs_f64();
            tracing::info!(
                service = self.name,
                outage_seconds = seconds,
                "storage back"
            );
        }
    }

    /// The service failed.
    pub(crate) fn failed(&self, error: &StorageError) {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        let passing = matches!(error.kind(), ErrorKind::Busy | ErrorKind::Interrupted);
        if state.lost_since.is_some() || (passing && state.failures < FAILURES_OF_AN_OUTAGE) {
            return;
        }
        state.lost_since = Some(Instant::now());
        let (service, advice) = (
            self.name,
            error.advice().unwrap_or("none: it is tried again"),
        );
        let cause = std::error::Error::source(error).map(tracing::field::display);
        if error.is_transient() {
            tracing::warn!(service, %error, cause, advice, "storage lost");
        } else {
            tracing::error!(service, %error, cause, advice, "storage lost");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind) -> StorageError {
        StorageError::new(kind, "test", "nothing")
    }

    #[test]
    fn ready_only_between_the_first_answers_of_queue_and_table_and_the_drain() {
        let health = Health::default();
        assert_eq!(health.unready(), Some("no receive answered yet"));
        health.receives();
        assert_eq!(health.unready(), Some("table not reached yet"));
        health.table_answers();
        assert_eq!(health.unready(), None);
        health.drains();
        assert_eq!(health.unready(), Some("draining"));
    }

    #[test]
    fn an_outage_takes_readiness_away_until_storage_is_back() {
        let health = Health::default();
        health.receives();
        health.table_answers();
        health.queue.failed(&error(ErrorKind::Unreachable));
        assert_eq!(health.unready(), Some("queue lost"));
        health.receives();
        assert_eq!(health.unready(), None);
        health.table.failed(&error(ErrorKind::NoSuchResource));
        assert_eq!(health.unready(), Some("table lost"));
    }

    #[test]
    fn one_throttled_answer_is_no_outage_and_three_in_a_row_are() {
        let health = Health::default();
        health.receives();
        health.table_answers();
        for _ in 0..2 {
            health.queue.failed(&error(ErrorKind::Busy));
            health.queue.failed(&error(ErrorKind::Interrupted));
            assert_eq!(health.unready(), None);
            health.queue.answered();
        }
        for _ in 0..FAILURES_OF_AN_OUTAGE {
            health.queue.failed(&error(ErrorKind::Busy));
        }
        assert_eq!(health.unready(), Some("queue lost"));
    }
}
