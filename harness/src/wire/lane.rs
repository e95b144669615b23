//! A client's way to storage, and what is known of the client.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_util::sync::DropGuard;

use super::Endpoints;

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
}

impl Lane {
    pub(super) const fn new(endpoints: Endpoints, client: Arc<Asker>, open: DropGuard) -> Self {
        Self {
            endpoints,
            client,
            _open: open,
        }
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
