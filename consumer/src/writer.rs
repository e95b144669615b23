//! Group commit: rows that are ready at the same time and belong to one partition share one write.
//!
//! No row waits for others on purpose: while fewer than the most writes are in flight, a row is written immediately; while all are
//! in flight, rows gather, and the next write takes all rows of one partition.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};
use workflow::contract::ResultRow;
use workflow::ports::{ErrorKind, InsertOutcome, ResultTable, StorageError, WorkQueue};

use crate::health::Health;
use crate::metrics::Metrics;
use crate::storage::Storage;

/// Bytes of data in one write: a transaction takes 4 MiB (Table Storage), of which escaping and framing need a part.
const MAX_BATCH_BYTES: usize = 3 * 1024 * 1024;

/// Bytes of a row beside its data, rounded up: keys, stamps, digest, names, and the framing of its operation.
const ROW_OVERHEAD_BYTES: usize = 2 * 1024;

/// Limits of the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Most rows of one write; 1 turns grouping off.
    pub(crate) rows: usize,
    /// Most writes in flight.
    pub(crate) writes: usize,
}

/// A row that was not stored, and why. The error is shared by all rows of its write.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) row: ResultRow,
    pub(crate) error: Arc<StorageError>,
}

/// How the write of one row ended. [`Handle::insert`] returns `None` if the writer is gone, which only a panic can cause.
type Reply = Result<InsertOutcome, Failed>;

struct Request {
    row: ResultRow,
    reply: oneshot::Sender<Reply>,
    /// The row was in a write that storage rejected as a whole: it is written alone, so that one bad row does not affect others.
    alone: bool,
}

/// Through this handle, message tasks give their rows to the writer.
#[derive(Debug, Clone)]
pub(crate) struct Handle(mpsc::Sender<Request>);

impl Handle {
    /// Stores one row. Dropping the future withdraws a row that no write has taken yet.
    pub(crate) async fn insert(&self, row: ResultRow) -> Option<Reply> {
        let (reply, answer) = oneshot::channel();
        let request = Request {
            row,
            reply,
            alone: false,
        };
        self.0.send(request).await.ok()?;
        answer.await.ok()
    }
}

/// The task that groups rows and writes them.
pub(crate) struct Writer<Q, T> {
    storage: Arc<Storage<Q, T>>,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    limits: Limits,
    requests: mpsc::Receiver<Request>,
    waiting: VecDeque<Request>,
    writes: FuturesUnordered<BoxFuture<'static, Written>>,
}

struct Written {
    rows: Vec<ResultRow>,
    replies: Vec<oneshot::Sender<Reply>>,
    result: Result<Vec<InsertOutcome>, StorageError>,
}

impl<Q: WorkQueue, T: ResultTable> Writer<Q, T> {
    /// A writer for up to `rows` rows at a time. It ends when every handle is dropped and every row is answered.
    pub(crate) fn new(
        storage: Arc<Storage<Q, T>>,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
        limits: Limits,
        rows: usize,
    ) -> (Handle, Self) {
        let (sender, requests) = mpsc::channel(rows);
        let (waiting, writes) = (VecDeque::with_capacity(rows), FuturesUnordered::new());
        (
            Handle(sender),
            Self {
                storage,
                metrics,
                health,
                limits,
                requests,
                waiting,
                writes,
            },
        )
    }

    pub(crate) async fn run(mut self) {
        let (mut open, mut inbox) = (true, Vec::new());
        while open || !self.writes.is_empty() || !self.waiting.is_empty() {
            self.launch();
            let limit = self.requests.max_capacity();
            tokio::select! {
                taken = self.requests.recv_many(&mut inbox, limit), if open => {
                    open = taken > 0;
                    self.waiting.extend(inbox.drain(..));
                }
                Some(written) = self.writes.next() => self.answer(written),
                // Nothing is in flight, and the waiting rows have been withdrawn: `launch` drops them.
                else => self.waiting.retain(|request| !request.reply.is_closed()),
            }
        }
    }

    fn launch(&mut self) {
        while self.writes.len() < self.limits.writes {
            let (rows, replies) = take_group(&mut self.waiting, self.limits.rows);
            if rows.is_empty() {
                return;
            }
            self.metrics.wrote(rows.len());
            let storage = Arc::clone(&self.storage);
            self.writes.push(Box::pin(async move {
                let result = storage.insert(&rows).await;
                Written {
                    rows,
                    replies,
                    result,
                }
            }));
        }
    }

    fn answer(&mut self, written: Written) {
        let Written {
            rows,
            replies,
            result,
        } = written;
        match result {
            Ok(outcomes) => {
                self.health.table_answers();
                assert_eq!(
                    outcomes.len(),
                    rows.len(),
                    "an insert must answer for each of its rows"
                );
                for (reply, outcome) in replies.into_iter().zip(outcomes) {
                    self.metrics.stored(outcome);
                    // The row is stored, whether or not its lease lasted until now.
                    drop(reply.send(Ok(outcome)));
                }
            }
            Err(error) if rows.len() > 1 && is_about_a_row(&error) => {
                let again = rows.into_iter().zip(replies);
                self.waiting.extend(again.map(|(row, reply)| Request {
                    row,
                    reply,
                    alone: true,
                }));
            }
            Err(error) => {
                if !is_about_a_row(&error) {
                    self.health.table.failed(&error);
                }
                let error = Arc::new(error);
                for (row, reply) in rows.into_iter().zip(replies) {
                    let error = Arc::clone(&error);
                    drop(reply.send(Err(Failed { row, error })));
                }
            }
        }
    }
}

/// Whether storage answered, and the answer is about the content of the request.
pub(crate) fn is_about_a_row(error: &StorageError) -> bool {
    matches!(error.kind(), ErrorKind::Rejected | ErrorKind::TooLarge)
}

/// Takes the row that has waited longest, and other rows of its partition that fit into the same write. Withdrawn rows are dropped.
fn take_group(
    waiting: &mut VecDeque<Request>,
    limit: usize,
) -> (Vec<ResultRow>, Vec<oneshot::Sender<Reply>>) {
    let (mut rows, mut replies): (Vec<ResultRow>, Vec<_>) = (Vec::new(), Vec::new());
    let (mut bytes, mut closed) = (0, false);
    let candidates = waiting.len();
    for _ in 0..candidates {
        let Some(request) = waiting.pop_front() else {
            break;
        };
        if request.reply.is_closed() {
            continue;
        }
        let size = request.row.data.len() + ROW_OVERHEAD_BYTES;
        let fits = match rows.first() {
            None => true,
            Some(first) => {
                !closed
                    && !request.alone
                    && first.partition_key == request.row.partition_key
                    && bytes + size <= MAX_BATCH_BYTES
                    // A transaction takes one operation per entity: the row of a second delivery waits for the next write.
                    && rows.iter().all(|row| row.row_key != request.row.row_key)
            }
        };
        if !fits {
            waiting.push_back(request);
            continue;
        }
        closed = request.alone || rows.len() + 1 >= limit;
        bytes += size;
        rows.push(request.row);
        replies.push(request.reply);
    }
    (rows, replies)
}
