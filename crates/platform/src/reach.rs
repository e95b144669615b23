//! Checks whether storage still answers, and how soon.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use workflow::azure::AzureQueue;
use workflow::duration;
use workflow::ports::{ErrorKind, WorkQueue as _};

/// Interval of the checks, however many callers ask.
const EVERY: Duration = Duration::from_secs(1);

/// Timeout of a check.
const ANSWER: Duration = Duration::from_secs(5);

/// Checks one storage. Clones share the results.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// The queue whose length is requested; it need not exist, because any answer will do.
    queue: AzureQueue,
    /// How long storage may fail to answer.
    patience: Duration,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    asked: Option<Instant>,
    /// Since when no request was answered, and the error of the last one.
    silent: Option<(Instant, String)>,
}

impl Reach {
    pub(super) fn new(queue: AzureQueue, patience: Duration) -> Self {
        Self {
            queue,
            patience,
            seen: Arc::default(),
        }
    }

    /// The error, once storage has not answered for too long. The time counts from the first request without an answer: without
    /// requests nothing is known.
    pub(super) async fn lost(&self) -> Option<String> {
        // Another caller is already checking.
        let mut seen = self.seen.try_lock().ok()?;
        if seen.asked.is_none_or(|at| at.elapsed() >= EVERY) {
            let now = Instant::now();
            seen.asked = Some(now);
            let since = seen.silent.as_ref().map_or(now, |(at, _)| *at);
            seen.silent = self.trouble().await.map(|trouble| (since, trouble));
        }
        let (since, trouble) = seen.silent.as_ref()?;
        (since.elapsed() >= self.patience).then(|| {
            let patience = duration::text(self.patience);
            format!("storage was out of reach for {patience}: {trouble}")
        })
    }

    /// Whether storage answers within `limit`.
    pub(super) async fn answers_within(&self, limit: Duration) -> bool {
        matches!(timeout(limit, self.trouble()).await, Ok(None))
    }

    async fn trouble(&self) -> Option<String> {
        match timeout(ANSWER, self.queue.approximate_count()).await {
            Err(_) => Some(format!("no answer within {}", duration::text(ANSWER))),
            Ok(Ok(_)) => None,
            Ok(Err(error)) => match error.kind() {
                ErrorKind::Unreachable | ErrorKind::Interrupted => {
                    Some(format!("{:#}", anyhow::Error::from(error)))
                }
                _ => None,
            },
        }
    }
}
