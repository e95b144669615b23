//! A client's way to storage, and what is known of the client.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::watch;
use tokio_util::sync::DropGuard;

use super::{Crossing, Endpoints, Handled, Happened, Operation};

/// One client's way to storage. Dropping it closes the way.
#[derive(Debug)]
pub struct Lane {
    endpoints: Endpoints,
    client: Arc<Asker>,
    _open: DropGuard,
}

/// Who asks through a lane.
#[derive(Debug, Default)]
pub(super) struct Asker {
    pub(super) name: String,
    /// Its process, which a fault may kill.
    process: Mutex<Option<Pid>>,
    /// Whether it has asked for anything.
    pub(super) has_asked: AtomicBool,
    /// Whether a fault will kill it.
    pub(super) doomed: AtomicBool,
    /// Whether one did.
    killed: AtomicBool,
    /// Messages that it received and has neither deleted nor handed back, by the queue's id.
    in_hand: watch::Sender<HashSet<String>>,
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

    /// Where the client finds storage.
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Tells the client's process, for faults that kill it. Drop the lane once it has been reaped: its number may be given
    /// to another.
    pub fn set_process(&self, pid: u32) {
        *self.client.process() = i32::try_from(pid).ok().map(Pid::from_raw);
    }

    /// Whether the client has asked storage for anything.
    pub fn has_carried(&self) -> bool {
        self.client.has_asked.load(Ordering::Acquire)
    }

    /// Waits until the client has at least `count` messages in hand: received, and neither deleted nor handed back.
    pub async fn until_in_hand(&self, count: usize, patience: Duration) -> anyhow::Result<()> {
        let mut in_hand = self.client.in_hand.subscribe();
        let enough = in_hand.wait_for(|held| held.len() >= count);
        let Ok(enough) = tokio::time::timeout(patience, enough).await else {
            let (name, held) = (&self.client.name, self.client.in_hand.borrow().len());
            anyhow::bail!(
                "wait until {name} has {count} messages in hand: it has {held} after {patience:?}"
            );
        };
        enough?;
        Ok(())
    }

    /// Whether a fault has killed the client.
    pub fn was_killed(&self) -> bool {
        self.client.killed.load(Ordering::Acquire)
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        *self.client.process() = None;
    }
}

impl Asker {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// Keeps account of the messages in its hands.
    pub(super) fn note(&self, crossing: &Crossing) {
        if crossing.happened() != Happened::Yes {
            return;
        }
        let ids = || crossing.messages.iter().map(|message| &message.queue_id);
        match crossing.operation {
            Operation::ReceiveMessages => {
                (self.in_hand).send_modify(|held| held.extend(ids().cloned()));
            }
            Operation::DeleteMessage => self.let_go(ids()),
            Operation::UpdateMessage => {
                let back = |message: &&Handled| message.hidden_s == Some(0);
                let back = crossing.messages.iter().filter(back);
                self.let_go(back.map(|message| &message.queue_id));
            }
            _ => {}
        }
    }

    fn let_go<'a>(&self, ids: impl Iterator<Item = &'a String>) {
        (self.in_hand).send_modify(|held| {
            for id in ids {
                held.remove(id);
            }
        });
    }

    pub(super) fn kill(&self) {
        if let Some(pid) = *self.process() {
            self.killed.store(true, Ordering::Release);
            // It may have ended by itself this moment, which comes to the same.
            let _ = kill(pid, Signal::SIGKILL);
        }
    }

    fn process(&self) -> MutexGuard<'_, Option<Pid>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
