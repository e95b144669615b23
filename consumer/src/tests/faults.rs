//! Ports that follow a script: pass, fail, fail after taking effect, delay, or panic; and record every call.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use workflow::contract::{MessageId, ResultRow, StoredRow};
use workflow::memory::{MemoryQueue, MemoryTable};
use workflow::ports::{
    Delivery, ErrorKind, InsertOutcome, Lease, Peeked, ResultTable, StorageError, WorkQueue,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Receive,
    Renew,
    Release,
    Delete,
    SendPoison,
    Create,
    CreatePoison,
    Insert,
    Get,
    CreateTable,
}

/// One call, as a rule sees it.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) op: Op,
    /// The number of this call among the calls of its operation, from 1.
    pub(super) nth: usize,
    /// The time since the script was created.
    pub(super) at: Duration,
    /// The row keys of an insert, the number asked for in a receive, else the message.
    pub(super) keys: Vec<String>,
    pub(super) partitions: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    Pass,
    Fail(ErrorKind),
    /// Takes effect, and its answer is lost.
    PassThenFail(ErrorKind),
    /// Takes effect at once, and its answer comes after this long.
    PassThenDelay(Duration),
    /// Takes effect after this long.
    Delay(Duration),
    Panic,
}

type Rule = Box<dyn Fn(&Call) -> Fate + Send>;

pub(super) struct Script {
    started: Instant,
    rule: Mutex<Rule>,
    calls: Mutex<Vec<Call>>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            rule: Mutex::new(Box::new(|_| Fate::Pass)),
            calls: Mutex::default(),
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl Script {
    /// Replaces the rule, which decides about every call.
    pub(super) fn rule(&self, rule: impl Fn(&Call) -> Fate + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    /// Applies `verdict` to every call of `op`.
    pub(super) fn on(&self, op: Op, verdict: Fate) {
        self.rule(move |call| if call.op == op { verdict } else { Fate::Pass });
    }

    /// Applies `verdict` to the first `times` calls of `op`.
    pub(super) fn first(&self, op: Op, times: usize, verdict: Fate) {
        self.rule(move |call| {
            if call.op == op && call.nth <= times {
                verdict
            } else {
                Fate::Pass
            }
        });
    }

    pub(super) fn calls(&self, op: Op) -> Vec<Call> {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .filter(|call| call.op == op)
            .cloned()
            .collect()
    }

    /// The operations in order of their begin, without receives and the look for the table.
    pub(super) fn order(&self) -> Vec<Op> {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .map(|call| call.op)
            .filter(|op| !matches!(op, Op::Receive | Op::Get))
            .collect()
    }

    async fn play<V>(
        &self,
        op: Op,
        keys: Vec<String>,
        partitions: Vec<String>,
        act: impl Future<Output = Result<V, StorageError>>,
    ) -> Result<V, StorageError> {
        let verdict = {
            let mut calls = self.calls.lock().unwrap();
            let nth = calls.iter().filter(|call| call.op == op).count() + 1;
            let call = Call {
                op,
                nth,
                at: self.started.elapsed(),
                keys,
                partitions,
            };
            calls.push(call.clone());
            (self.rule.lock().unwrap())(&call)
        };
        let failed = |kind| {
            Err(StorageError::new(
                kind,
                "play the script",
                "scripted storage",
            ))
        };
        match verdict {
            Fate::Pass => act.await,
            Fate::Fail(kind) => failed(kind),
            Fate::PassThenFail(kind) => act.await.and_then(|_| failed(kind)),
            Fate::PassThenDelay(delay) => {
                let answer = act.await;
                sleep(delay).await;
                answer
            }
            Fate::Delay(delay) => {
                sleep(delay).await;
                act.await
            }
            Fate::Panic => panic!("as scripted"),
        }
    }

    async fn on_message<V>(
        &self,
        op: Op,
        lease: &Lease,
        act: impl Future<Output = Result<V, StorageError>>,
    ) -> Result<V, StorageError> {
        self.play(op, vec![lease.message_id.clone()], Vec::new(), act)
            .await
    }

    async fn on_resource<V>(
        &self,
        op: Op,
        act: impl Future<Output = Result<V, StorageError>>,
    ) -> Result<V, StorageError> {
        self.play(op, Vec::new(), Vec::new(), act).await
    }
}

#[derive(Debug, Clone)]
pub(super) struct FaultyQueue {
    pub(super) inner: MemoryQueue,
    pub(super) script: Arc<Script>,
    pub(super) is_poison: bool,
}

impl WorkQueue for FaultyQueue {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn create(&self) -> Result<(), StorageError> {
        let op = if self.is_poison {
            Op::CreatePoison
        } else {
            Op::Create
        };
        self.script.on_resource(op, self.inner.create()).await
    }

    async fn delete_queue(&self) -> Result<(), StorageError> {
        unreachable!("a consumer deletes no queue")
    }

    async fn send(&self, body: &str) -> Result<(), StorageError> {
        assert!(self.is_poison, "a consumer sends poison only");
        self.script
            .on_resource(Op::SendPoison, self.inner.send(body))
            .await
    }

    async fn receive(&self, max: u8, visibility: Duration) -> Result<Vec<Delivery>, StorageError> {
        assert!(!self.is_poison, "a consumer does not receive poison");
        let act = self.inner.receive(max, visibility);
        self.script
            .play(Op::Receive, vec![max.to_string()], Vec::new(), act)
            .await
    }

    async fn renew(&self, lease: &Lease, visibility: Duration) -> Result<Lease, StorageError> {
        let op = if visibility.is_zero() {
            Op::Release
        } else {
            Op::Renew
        };
        self.script
            .on_message(op, lease, self.inner.renew(lease, visibility))
            .await
    }

    async fn delete(&self, lease: &Lease) -> Result<(), StorageError> {
        self.script
            .on_message(Op::Delete, lease, self.inner.delete(lease))
            .await
    }

    async fn peek(&self, max: u8) -> Result<Vec<Peeked>, StorageError> {
        self.inner.peek(max).await
    }

    async fn approximate_count(&self) -> Result<u64, StorageError> {
        self.inner.approximate_count().await
    }
}

#[derive(Debug, Clone)]
pub(super) struct FaultyTable {
    pub(super) inner: MemoryTable,
    pub(super) script: Arc<Script>,
}

impl ResultTable for FaultyTable {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn create(&self) -> Result<(), StorageError> {
        self.script
            .on_resource(Op::CreateTable, self.inner.create())
            .await
    }

    async fn delete_table(&self) -> Result<(), StorageError> {
        unreachable!("a consumer deletes no table")
    }

    async fn insert(&self, rows: &[ResultRow]) -> Result<Vec<InsertOutcome>, StorageError> {
        let keys = rows.iter().map(|row| row.row_key.clone()).collect();
        let partitions = rows.iter().map(|row| row.partition_key.clone()).collect();
        self.script
            .play(Op::Insert, keys, partitions, self.inner.insert(rows))
            .await
    }

    async fn get(&self, id: &MessageId) -> Result<Option<StoredRow>, StorageError> {
        self.script.on_resource(Op::Get, self.inner.get(id)).await
    }

    fn all_entities(&self) -> workflow::ports::EntityStream {
        self.inner.all_entities()
    }
}
