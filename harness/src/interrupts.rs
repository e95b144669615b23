//! The ways in which a load or a suite is asked to stop.

use std::fs;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Ctrl-C, what CI sends when it cancels a job, and a terminal that closes.
pub(crate) struct Interrupts {
    int: Signal,
    term: Signal,
    /// Absent under `nohup`: who listens for a signal that is ignored ends the ignoring.
    hup: Option<Signal>,
    stop: CancellationToken,
    at_once: CancellationToken,
}

impl Interrupts {
    /// Starts listening; from here on the signals no longer end the process by themselves.
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

    /// The next of them.
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

    /// Cancelled by the first of them that [`Interrupts::recv`] has seen, which asks for an end in order.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Cancelled by the second, which asks for the end and has nobody waited for.
    pub(crate) fn at_once(&self) -> CancellationToken {
        self.at_once.clone()
    }
}

/// Whether SIGHUP is ignored, from `/proc/<pid>/status`; where there is none, it is taken not to be.
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
