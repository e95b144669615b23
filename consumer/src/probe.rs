//! `--probe`: tests whether this consumer could do its work, without touching messages of others.
//!
//! It creates a queue and a table of its own, puts one message, gets it, inserts its row and deletes it, and removes both again. So
//! a new identity or role is tested before work depends on it; the log names the step that was refused.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use workflow::azure::Storage;
use workflow::contract::{Message, MessageId, ResultRow, Stamp};
use workflow::exit::Exit;
use workflow::ports::{ErrorKind, ResultTable, StorageError, WorkQueue};

use crate::Args;

/// How long the message stays hidden: longer than the rest of the probe takes.
const VISIBILITY: Duration = Duration::from_secs(120);

/// Probes the storage of `args`, and returns the exit code.
pub(crate) async fn main(args: &Args) -> Exit {
    let opened = || {
        let name = name();
        let storage = Storage::open(&args.storage.account)?;
        let queue = name.parse().context("name a queue for the probe")?;
        let queue = storage.queue_named(&queue, &args.storage.queue)?;
        // A table's name has no dashes.
        let table = name
            .replace('-', "")
            .parse()
            .context("name a table for the probe")?;
        let table = storage.table_named(&table, &args.storage.table)?;
        anyhow::Ok((queue, table))
    };
    let (queue, table) = match opened() {
        Ok(opened) => opened,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "cannot start");
            return Exit::Usage;
        }
    };
    match probe(&queue, &table).await {
        Ok(()) => {
            tracing::info!("put, got, inserted and deleted");
            Exit::Success
        }
        Err((step, error)) => {
            let cause = std::error::Error::source(&error).map(tracing::field::display);
            tracing::error!(%error, cause, step, advice = error.advice(), "refused");
            Exit::of(&error)
        }
    }
}

/// A name from the current time, which no other probe has.
fn name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("probe-{:x}", now.unwrap_or_default().as_nanos())
}

type Refused = (&'static str, StorageError);

/// Does all steps, and removes what it has created, also after an error. Returns the first step that was refused.
async fn probe<Q: WorkQueue, T: ResultTable>(queue: &Q, table: &T) -> Result<(), Refused> {
    let done = work(queue, table).await;
    let queue_gone = queue
        .delete_queue()
        .await
        .map_err(|error| ("remove the queue", error));
    let table_gone = table
        .delete_table()
        .await
        .map_err(|error| ("remove the table", error));
    done.and(queue_gone).and(table_gone)
}

async fn work<Q: WorkQueue, T: ResultTable>(queue: &Q, table: &T) -> Result<(), Refused> {
    fn of(step: &'static str) -> impl FnOnce(StorageError) -> Refused {
        move |error| (step, error)
    }
    queue.create().await.map_err(of("make a queue"))?;
    table.create().await.map_err(of("make a table"))?;
    let id: MessageId = "probe-1".parse().expect("a constant id must parse");
    let now = Stamp::now();
    let message = Message::new(id.clone(), "probe".to_owned(), now, now);
    queue
        .send(&message.encode())
        .await
        .map_err(of("put a message"))?;
    let received = queue
        .receive(1, VISIBILITY)
        .await
        .map_err(of("get a message"))?;
    let lost = || StorageError::new(ErrorKind::NoSuchResource, "find what was written", "probe");
    let delivery = received.first().ok_or_else(|| ("get a message", lost()))?;
    let row = ResultRow::of(message, Stamp::now(), delivery.attempt, "probe", "");
    table.insert(&[row]).await.map_err(of("insert a row"))?;
    let row = table.get(&id).await.map_err(of("read a row"))?;
    row.ok_or_else(|| ("read a row", lost()))?;
    queue
        .delete(&delivery.lease)
        .await
        .map_err(of("delete a message"))
}

#[cfg(test)]
mod tests {
    use workflow::contract::StoredRow;
    use workflow::memory::{MemoryQueue, MemoryTable};
    use workflow::ports::InsertOutcome;

    use super::*;

    /// A table that an identity without the role may not write to.
    #[derive(Debug, Clone)]
    struct ReadOnly(MemoryTable);

    impl ResultTable for ReadOnly {
        fn name(&self) -> &str {
            self.0.name()
        }

        async fn create(&self) -> Result<(), StorageError> {
            self.0.create().await
        }

        async fn delete_table(&self) -> Result<(), StorageError> {
            self.0.delete_table().await
        }

        async fn insert(&self, _: &[ResultRow]) -> Result<Vec<InsertOutcome>, StorageError> {
            Err(StorageError::new(ErrorKind::Denied, "insert rows", "probe"))
        }

        async fn get(&self, id: &MessageId) -> Result<Option<StoredRow>, StorageError> {
            self.0.get(id).await
        }

        fn all_entities(&self) -> workflow::ports::EntityStream {
            self.0.all_entities()
        }
    }

    #[tokio::test]
    async fn a_probe_leaves_nothing_and_names_the_step_that_was_refused() {
        let (queue, table) = (MemoryQueue::new("probe-1"), MemoryTable::new("probe1"));
        let is_gone = async || {
            let counted = queue.approximate_count().await;
            let read = table.get(&"probe-1".parse().unwrap()).await;
            let none = |error: StorageError| error.kind() == ErrorKind::NoSuchResource;
            none(counted.unwrap_err()) && none(read.unwrap_err())
        };
        probe(&queue, &table).await.unwrap();
        assert!(is_gone().await);
        let refused = probe(&queue, &ReadOnly(table.clone())).await;
        let (step, error) = refused.unwrap_err();
        assert_eq!((step, error.kind()), ("insert a row", ErrorKind::Denied));
        assert!(is_gone().await);
    }
}
