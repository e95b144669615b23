//! Shutdown: the first signal requests a stop, the second ends the process at once.

use std::io;
use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;

/// Listens for SIGTERM and SIGINT. PID 1 in a container has no default handlers, so a process without this would ignore SIGTERM
/// and be killed with its work in flight.
#[derive(Debug)]
pub struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    /// Starts listening; from now on the signals no longer end the process by themselves.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
        })
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
