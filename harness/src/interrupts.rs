//! The signals that ask a load or a suite to stop.

use std::fs;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// SIGINT (Ctrl-C), SIGTERM (a CI job that is cancelled) and SIGHUP (a terminal that closes).
pub(crate) struct Interrupts {
    int: Signal,
    term: Signal,
    /// Absent under `nohup`: listening for an ignored signal would make the process receive it again.
    hup: Option<Signal>,
    stop: CancellationToken,
    at_once: CancellationToken,
}

impl Interrupts {
    /// Starts to listen; from then on the signals do not end the process by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Ok(Self {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
            hup: if ignores_hangups(&status) {
                None
            } else {
                Some(signal(SignalKind::hangup())?)
            },
            stop: CancellationToken::new(),
            at_once: CancellationToken::new(),
        })
    }

    /// Waits for the next signal.
    pub(crate) async fn recv(&mut self) {
        let hup = async {
            match &mut self.hup {
                Some(hup) => hup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
            _ = hup => {}
        }
        if self.stop.is_cancelled() {
            self.at_once.cancel();
        }
        self.stop.cancel();
    }

    /// Cancelled by the first signal that [`Interrupts::recv`] receives: it asks for an orderly end.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Cancelled by the second signal: it asks to end without waiting for anything.
    pub(crate) fn at_once(&self) -> CancellationToken {
        self.at_once.clone()
    }
}

/// Whether SIGHUP is ignored, from `/proc/<pid>/status`; without that file, it counts as not ignored.
fn ignores_hangups(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Signal n is bit n - 1, and SIGHUP is signal 1.
    mask.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hangup_that_nohup_ignores_is_left_alone() {
        let status = |mask| format!("SigBlk:\t0000000000000000\nSigIgn:\t{mask}\n");
        for (mask, ignored) in [
            ("0000000000000000", false),
            ("0000000000001000", false),
            ("0000000000000001", true),
            ("0000000000001001", true),
        ] {
            assert_eq!(ignores_hangups(&status(mask)), ignored, "{mask}");
        }
        assert!(!ignores_hangups(""));
    }
}
