//! A queue in memory with the service's visibility semantics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::contract::MAX_MESSAGE_BYTES;
use crate::ports::{Delivery, ErrorKind, Lease, MAX_RECEIVE, Peeked, StorageError, WorkQueue};

/// A queue in memory. Clones share it.
#[derive(Debug, Clone)]
pub struct MemoryQueue {
    name: Arc<str>,
    state: Arc<Mutex<Option<State>>>,
}

#[derive(Debug, Default)]
struct State {
    messages: BTreeMap<u64, Stored>,
    next_id: u64,
    next_receipt: u64,
}

#[derive(Debug)]
struct Stored {
    body: String,
    attempt: u32,
    visible_at: Instant,
    /// The pop receipt of the last receive or renewal. It is replaced by the next receive, not cleared when the visibility
    /// timeout expires: as in the service, a late delete succeeds if there was no other receive since.
    receipt: Option<u64>,
}

impl MemoryQueue {
    /// Makes a queue that does not exist yet; see [`WorkQueue::create`].
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            state: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        self.state
            .lock()
            .expect("no holder of the queue's lock may panic")
    }

    fn with<T>(
        &self,
        operation: &'static str,
        act: impl FnOnce(&mut State) -> Result<T, ErrorKind>,
    ) -> Result<T, StorageError> {
        self.lock()
            .as_mut()
            .ok_or(ErrorKind::NoSuchResource)
            .and_then(act)
            .map_err(|kind| StorageError::new(kind, operation, format!("queue {}", self.name)))
    }
}

impl State {
    fn receipt(&mut self) -> u64 {
        self.next_receipt += 1;
        self.next_receipt
    }

    fn leased(&mut self, lease: &Lease) -> Result<(u64, &mut Stored), ErrorKind> {
        let id: u64 = lease.message_id.parse().map_err(|_| ErrorKind::LeaseLost)?;
        let receipt: u64 = lease
            .pop_receipt
            .parse()
            .map_err(|_| ErrorKind::LeaseLost)?;
        match self.messages.get_mut(&id) {
            Some(stored) if stored.receipt == Some(receipt) => Ok((id, stored)),
            _ => Err(ErrorKind::LeaseLost),
        }
    }
}

impl WorkQueue for MemoryQueue {
    fn name(&self) -> &str {
        &self.name
    }

    async fn create(&self) -> Result<(), StorageError> {
        self.lock().get_or_insert_default();
        Ok(())
    }

    async fn delete_queue(&self) -> Result<(), StorageError> {
        *self.lock() = None;
        Ok(())
    }

    async fn send(&self, body: &str) -> Result<(), StorageError> {
        self.with("send message", |state| {
            if body.len() > MAX_MESSAGE_BYTES {
                return Err(ErrorKind::TooLarge);
            }
            state.next_id += 1;
            let stored = Stored {
                body: body.to_owned(),
                attempt: 0,
                visible_at: Instant::now(),
                receipt: None,
            };
            state.messages.insert(state.next_id, stored);
            Ok(())
        })
    }

    async fn receive(&self, max: u8, visibility: Duration) -> Result<Vec<Delivery>, StorageError> {
        self.with("receive messages", |state| {
            if !(1..=MAX_RECEIVE).contains(&max) || visibility < Duration::from_secs(1) {
                return Err(ErrorKind::Rejected);
            }
            let now = Instant::now();
            let visible = state.messages.iter().filter(|(_, m)| m.visible_at <= now);
            let ids: Vec<u64> = visible.map(|(id, _)| *id).take(max.into()).collect();
            let mut deliveries = Vec::with_capacity(ids.len());
            for id in ids {
                let receipt = state.receipt();
                let stored = state
                    .messages
                    .get_mut(&id)
                    .expect("a listed message must exist");
                stored.attempt += 1;
                stored.visible_at = now + visibility;
                stored.receipt = Some(receipt);
                let lease = Lease {
                    message_id: id.to_string(),
                    pop_receipt: receipt.to_string(),
                };
                let (body, attempt) = (stored.body.clone(), stored.attempt);
                deliveries.push(Delivery {
                    body,
                    lease,
                    attempt,
                });
            }
            Ok(deliveries)
        })
    }

    async fn renew(&self, lease: &Lease, visibility: Duration) -> Result<Lease, StorageError> {
        self.with("renew lease", |state| {
            let receipt = state.receipt();
            let (_, stored) = state.leased(lease)?;
            stored.visible_at = Instant::now() + visibility;
            stored.receipt = Some(receipt);
            Ok(Lease {
                message_id: lease.message_id.clone(),
                pop_receipt: receipt.to_string(),
            })
        })
    }

    async fn delete(&self, lease: &Lease) -> Result<(), StorageError> {
        self.with("delete message", |state| {
            let (id, _) = state.leased(lease)?;
            state.messages.remove(&id);
            Ok(())
        })
    }

    async fn peek(&self, max: u8) -> Result<Vec<Peeked>, StorageError> {
        self.with("peek messages", |state| {
            let now = Instant::now();
            let visible = state.messages.iter().filter(|(_, m)| m.visible_at <= now);
            let peeked = visible.take(max.into()).map(|(id, m)| Peeked {
                message_id: id.to_string(),
                body: m.body.clone(),
                attempt: m.attempt,
            });
            Ok(peeked.collect())
        })
    }

    async fn approximate_count(&self) -> Result<u64, StorageError> {
        self.with("count messages", |state| Ok(state.messages.len() as u64))
    }
}
