//! Sends one message: its tries, its outcome, and its part of the summary.

use std::sync::{Arc, Mutex};

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use workflow::contract::{Seq, Stamp};
use workflow::ports::{Effect, ErrorKind, StorageError};

use crate::duplicates::Duplicates;
use crate::pacer::Due;
use crate::plan::Plan;
use crate::sink::Sink;
use crate::tally::{Board, SendEnd, TIMED_OUT};

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// Storage gave an answer that waiting cannot change.
    #[error(transparent)]
    Storage(StorageError),
    /// Storage took no message within the time limit.
    #[error("send any message: storage took none within --send-timeout and --tries")]
    NothingTaken,
}

impl Fatal {
    /// Advice for the user.
    pub fn advice(&self) -> Option<&str> {
        match self {
            Self::Storage(error) => error.advice(),
            Self::NothingTaken => Some(
                "see the errors above; check the account name or endpoint, and that the network lets you reach it",
            ),
        }
    }
}

/// Sends messages; shared by all workers.
#[derive(Debug)]
pub(crate) struct Sender<S> {
    sink: S,
    plan: Arc<Plan>,
    duplicates: Duplicates,
    board: Arc<Board>,
    /// Cancelled to end the run: by a signal, or by a sender when the run cannot go on.
    stop: CancellationToken,
    fatal: Mutex<Option<Fatal>>,
}

/// Why no further try is made to put a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GaveUp {
    /// Storage gave an answer that another try would get again.
    Refused,
    /// The tries or the time are used up.
    Exhausted,
}

/// A message whose sending has begun. Each one is settled exactly once, also if its future is dropped.
struct Begun<'a> {
    board: &'a Board,
    seq: Seq,
    /// Whether a try has reached storage without a clear answer, or is in flight.
    may_exist: bool,
    settled: bool,
}

impl Begun<'_> {
    fn settle(&mut self, outcome: SendEnd) {
        self.board.lock().settle(self.seq, outcome);
        self.settled = true;
    }

    const fn without_acknowledgement(&self) -> SendEnd {
        if self.may_exist {
            SendEnd::Unknown
        } else {
            SendEnd::Failed
        }
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.settle(self.without_acknowledgement());
        }
    }
}

impl<S: Sink> Sender<S> {
    pub(crate) fn new(
        plan: Arc<Plan>,
        sink: S,
        board: Arc<Board>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            sink,
            duplicates: plan.duplicates(),
            plan,
            board,
            stop,
            fatal: Mutex::new(None),
        }
    }

    /// Whether no further message may begin.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Resolves when no further message may begin.
    pub(crate) async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// The number of sends that have begun and not ended.
    pub(crate) fn in_flight(&self) -> u64 {
        self.board.lock().in_flight()
    }

    /// Why the run could not go on, if it could not.
    pub(crate) fn take_fatal(&self) -> Option<Fatal> {
        self.fatal
            .lock()
            .expect("no holder of the cause may panic")
            .take()
    }

    fn give_up(&self, cause: Fatal) {
        self.fatal
            .lock()
            .expect("no holder of the cause may panic")
            .get_or_insert(cause);
        self.stop.cancel();
    }

    /// Sends a message that is due, twice if it is a chosen duplicate, and records its outcome.
    // A span at debug level: exported over OTLP if that is configured, and otherwise without cost.
    #[tracing::instrument(name = "send", level = "debug", skip_all, fields(seq = due.seq.get()))]
    pub(crate) async fn deliver(&self, due: Due) {
        let (begun_at, sent) = (Instant::now(), Stamp::now());
        let late = begun_at.into_std().saturating_duration_since(due.at);
        self.board.lock().begin(late);
        let mut begun = Begun {
            board: &self.board,
            seq: due.seq,
            may_exist: false,
            settled: false,
        };
        // Counted back from now, so that setting the wall clock during a long run moves both stamps alike.
        let intended = Stamp::from_micros(
            sent.as_micros() - i64::try_from(late.as_micros()).unwrap_or(i64::MAX),
        );
        let body = self.plan.body(due.seq, intended, sent);
        match self.put(&body, &mut begun.may_exist).await {
            Ok(()) => {
                let took = begun_at.elapsed();
                self.board.lock().acknowledge(due.seq, took, intended, sent);
                begun.settle(SendEnd::Acknowledged);
                if self.duplicates.is_duplicated(due.seq)
                    && self.put(&body, &mut false).await.is_ok()
                {
                    self.board.lock().duplicates_sent += 1;
                }
            }
            Err(why) => {
                begun.settle(begun.without_acknowledgement());
                // Storage is unavailable, and trying the rest of the schedule would only delay this error.
                if why == GaveUp::Exhausted && self.board.lock().acknowledged == 0 {
                    self.give_up(Fatal::NothingTaken);
                }
            }
        }
    }

    /// Tries until storage acknowledges, or until no further try is allowed or useful.
    ///
    /// The time limit of a message bounds when a try begins. A try that has begun may finish: cut short at the limit, a refused
    /// connection would look like a request without an answer, and the message would count as unknown although it cannot have
    /// arrived.
    async fn put(&self, body: &str, may_exist: &mut bool) -> Result<(), GaveUp> {
        let persistence = self.plan.persistence;
        let last_begin = Instant::now() + persistence.timeout;
        let mut failures = 0;
        loop {
            let unclear_before = std::mem::replace(may_exist, true);
            let Ok(answer) = timeout(persistence.timeout, self.sink.put(body)).await else {
                self.board.lock().error(TIMED_OUT);
                return Err(GaveUp::Exhausted);
            };
            let Err(error) = answer else { return Ok(()) };
            *may_exist = unclear_before || error.effect() == Effect::Unknown;
            failures += 1;
            let transient = error.is_transient();
            self.note(error);
            if !transient {
                return Err(GaveUp::Refused);
            }
            let pause = persistence.backoff.delay(failures);
            if failures == persistence.tries || Instant::now() + pause >= last_begin {
                return Err(GaveUp::Exhausted);
            }
            tokio::time::sleep(pause).await;
            self.board.lock().retries += 1;
        }
    }

    fn note(&self, error: StorageError) {
        let kind = error.kind().as_str();
        if self.board.lock().error(kind) {
            tracing::warn!(
                error = chain(&error),
                kind,
                "a send failed; further errors of this kind are only counted"
            );
        } else {
            tracing::debug!(error = chain(&error), kind, "a send failed");
        }
        if matches!(error.kind(), ErrorKind::NoSuchResource | ErrorKind::Denied) {
            self.give_up(Fatal::Storage(error));
        }
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
