//! Whether a storage that is somebody else's still answers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use workflow::azure::AzureQueue;
use workflow::duration;
use workflow::ports::{ErrorKind, WorkQueue as _};

/// From one question to the next, however many ask.
const EVERY: Duration = Duration::from_secs(1);

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);

/// Follows one storage. Clones share what they have seen.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// Asked for its length; it need not exist, since any answer will do.
    queue: AzureQueue,
    /// How long it may go without an answer.
    patience: Duration,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    asked: Option<Instant>,
    /// Since when no question was answered, and what came instead.
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

    /// What is wrong, once it has not answered for too long. Counted from the first question without an answer: nothing is
    /// known of a time in which nobody asked.
    pub(super) async fn lost(&self) -> Option<String> {
        // Somebody else is asking already.
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
