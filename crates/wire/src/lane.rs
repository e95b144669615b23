//! A client's connection to storage through the proxy, and the client's state.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::DropGuard;

use super::{Crossing, Endpoints, Handled, Happened, Operation, lock};
use contract::POISON_SUFFIX;
use evidence::outcome::Unmet;

/// Kills a client, with the means of the platform on which it runs.
#[async_trait]
pub trait Killer: Send + Sync + std::fmt::Debug {
    /// Kills the client at once. Returns when it can no longer receive an answer, or has ended by itself.
    async fn kill(&self);
}

/// One client's lane to storage. Dropping it closes the lane.
#[derive(Debug)]
pub struct Lane {
    endpoints: Endpoints,
    client: Arc<Asker>,
    _open: DropGuard,
}

/// The client of a lane.
#[derive(Debug, Default)]
pub(super) struct Asker {
    pub(super) name: String,
    /// Kills the client, if a fault may.
    killer: Mutex<Option<Arc<dyn Killer>>>,
    /// Whether the client has sent a request.
    pub(super) has_asked: AtomicBool,
    /// Whether a fault will kill the client.
    pub(super) doomed: AtomicBool,
    /// Whether a fault has killed the client.
    killed: AtomicBool,
    /// When storage last answered a receive of this client, with or without messages.
    received: Mutex<Option<Instant>>,
    /// Whether the client has requested to delete a message.
    has_finished: AtomicBool,
    /// Whether the client has handed a message back.
    has_handed_back: AtomicBool,
    /// Messages that the client received and has neither requested to delete nor handed back, by message id in the queue.
    in_hand: watch::Sender<HashSet<String>>,
    /// Whether its requests are held back from storage.
    is_held: watch::Sender<bool>,
}

impl Lane {
    pub(super) const fn new(endpoints: Endpoints, client: Arc<Asker>, open: DropGuard) -> Self {
        Self {
            endpoints,
            client,
            _open: open,
        }
    }

    #[cfg(test)]
    pub(super) fn client(&self) -> &Asker {
        &self.client
    }

    /// The addresses at which the client finds storage.
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Sets the killer of the client, for faults.
    pub fn set_killer(&self, killer: Arc<dyn Killer>) {
        self.client.set_killer(killer);
    }

    /// Whether the client has sent a request to storage.
    pub fn has_carried(&self) -> bool {
        self.client.has_asked.load(Ordering::Acquire)
    }

    /// Whether storage has answered a receive of the client after `since`. A client that hands back messages and has never finished one
    /// only looks as if it worked.
    pub fn has_received_since(&self, since: Instant) -> bool {
        self.client.has_received_since(since)
    }

    /// Number of messages that the client has in hand.
    pub fn in_hand(&self) -> u64 {
        self.client.in_hand()
    }

    /// Whether a fault has killed the client.
    pub fn was_killed(&self) -> bool {
        self.client.was_killed()
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        *self.client.killer() = None;
    }
}

impl Asker {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// Updates the messages in hand when the client sends this request.
    pub(super) fn asks(&self, crossing: &Crossing) {
        let is_work = !crossing.resource.ends_with(POISON_SUFFIX);
        if is_work && crossing.operation == Operation::DeleteMessage {
            self.has_finished.store(true, Ordering::Release);
        }
        let lets_go = |message: &&Handled| match crossing.operation {
            // A requested delete counts whether or not the client waits for its answer.
            Operation::DeleteMessage => true,
            Operation::UpdateMessage => message.hidden_s == Some(0),
            _ => false,
        };
        for message in crossing.messages.iter().filter(lets_go) {
            if crossing.operation == Operation::UpdateMessage {
                self.has_handed_back.store(true, Ordering::Release);
            }
            (self.in_hand).send_if_modified(|held| held.remove(&message.queue_id));
        }
    }

    /// Updates the messages in hand when storage has answered this request.
    pub(super) fn was_answered(&self, crossing: &Crossing) {
        // A receive from the poison queue does not count as work.
        let answered = crossing.operation == Operation::ReceiveMessages
            && crossing.happened() == Happened::Yes
            && !crossing.resource.ends_with(POISON_SUFFIX);
        if !answered {
            return;
        }
        *lock(&self.received) = Some(Instant::now());
        if !crossing.messages.is_empty() {
            let ids = crossing.messages.iter();
            let ids = ids.map(|message| message.queue_id.clone());
            (self.in_hand).send_modify(|held| held.extend(ids));
        }
    }

    /// Waits until the client has received messages and has at least `count` in hand: received, and neither requested to delete
    /// nor handed back. So its work on some of them has not begun.
    pub(super) async fn until_received(
        &self,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let mut in_hand = self.in_hand.subscribe();
        let received = async {
            loop {
                let before = in_hand.borrow_and_update().len();
                in_hand.changed().await?;
                let now = in_hand.borrow().len();
                if now > before && now >= count {
                    return anyhow::Ok(());
                }
            }
        };
        let Ok(received) = tokio::time::timeout(patience, received).await else {
            let (name, held) = (&self.name, self.in_hand.borrow().len());
            let unmet = format!(
                "wait until {name} receives messages and has {count} in hand: it has {held} after {patience:?}"
            );
            return Err(Unmet(unmet).into());
        };
        received
    }

    /// Waits until the client has at least `count` messages in hand.
    pub(super) async fn until_in_hand(
        &self,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let mut in_hand = self.in_hand.subscribe();
        let enough = in_hand.wait_for(|held| held.len() >= count);
        if let Ok(held) = tokio::time::timeout(patience, enough).await {
            held?;
            return Ok(());
        }
        let (name, held) = (&self.name, self.in_hand.borrow().len());
        let unmet = format!(
            "wait until {name} has {count} messages in hand: it has {held} after {patience:?}"
        );
        Err(Unmet(unmet).into())
    }

    /// Whether storage has answered a receive of this client after `since`.
    pub(super) fn has_received_since(&self, since: Instant) -> bool {
        let only_hands_back = self.has_handed_back.load(Ordering::Acquire)
            && !self.has_finished.load(Ordering::Acquire);
        let received = *lock(&self.received);
        !only_hands_back && received.is_some_and(|at| at > since)
    }

    /// Number of messages that the client has in hand.
    pub(super) fn in_hand(&self) -> u64 {
        self.in_hand.borrow().len() as u64
    }

    /// Holds all requests of this client back from storage, or lets them go.
    pub(super) fn hold(&self, is_held: bool) {
        self.is_held.send_replace(is_held);
    }

    /// Waits while requests of this client are held back. Returns whether they were.
    pub(super) async fn until_let_go(&self) -> bool {
        let mut is_held = self.is_held.subscribe();
        if !*is_held.borrow() {
            return false;
        }
        // The sender is a field of `self`, so it exists.
        let _ = is_held.wait_for(|is_held| !is_held).await;
        true
    }

    /// Whether a fault has killed the client.
    pub(super) fn was_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// Lets no further request of this client go to storage, as if it had been killed.
    pub(super) fn cut_off(&self) {
        self.killed.store(true, Ordering::Release);
    }

    pub(super) async fn kill(&self) {
        let killer = self.killer().clone();
        if let Some(killer) = killer {
            self.cut_off();
            killer.kill().await;
        }
    }

    pub(super) fn set_killer(&self, killer: Arc<dyn Killer>) {
        *self.killer() = Some(killer);
    }

    fn killer(&self) -> MutexGuard<'_, Option<Arc<dyn Killer>>> {
        lock(&self.killer)
    }
}
