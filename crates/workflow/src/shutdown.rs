//! Shutdown: the first signal requests a stop, the second ends the process at once.

use std::io;
use std::process;

use nix::sys::signal::{SigSet, Signal as Number};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;

/// The signals that ask for a stop.
fn stops() -> SigSet {
    SigSet::from_iter([Number::SIGTERM, Number::SIGINT])
}

/// Holds SIGTERM and SIGINT back until [`Signals::listen`] or [`let_through`]. To be called before anything else: it holds for
/// the calling thread and the threads that it starts later.
///
/// The kernel drops a signal to PID 1 that has no handler yet, unless it is blocked (`pid_namespaces(7)`). A pod that is told to
/// end while its process still starts would work on, and be killed at the end of its grace period with its work in flight.
pub fn hold() {
    // Can only fail for an unknown way to change the mask (`pthread_sigmask(3)`).
    let _ = stops().thread_block();
}

/// Delivers what [`hold`] holds back, for a process that does not listen.
pub fn let_through() {
    let _ = stops().thread_unblock();
}

/// Listens for SIGTERM and SIGINT. PID 1 in a container has no default handlers, so a process without this would ignore SIGTERM
/// and be killed with its work in flight.
#[derive(Debug)]
pub struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    /// Starts listening; from now on the signals no longer end the process by themselves. A signal that was held back comes
    /// first.
    pub fn listen() -> io::Result<Self> {
        let signals = Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
        };
        let_through();
        Ok(signals)
    }

    /// The name of the next signal.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.term.recv() => "SIGTERM",
            _ = self.int.recv() => "SIGINT",
        }
    }

    /// Cancels `stop` on the first signal and exits the process at the second with [`Exit::Forced`]: a second signal means that
    /// no drain is wanted. Unfinished messages are not lost: they reappear after their visibility timeout.
    pub async fn watch(mut self, stop: CancellationToken) {
        let name = self.next().await;
        tracing::info!(signal = name, "stopping; a second signal exits at once");
        stop.cancel();
        let name = self.next().await;
        tracing::warn!(signal = name, "exiting at once");
        process::exit(i32::from(Exit::Forced.code()));
    }
}
