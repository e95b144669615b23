//! The ways in which a load or a suite is asked to stop.

use std::fs;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, what CI sends when it cancels a job, and a terminal that closes.
pub(crate) struct Interrupts {
    int: Signal,
    term: Signal,
    /// Absent under `nohup`: who listens for a signal that is ignored ends the ignoring.
    hup: Option<Signal>,
    seen: bool,
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
            seen: false,
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
        self.seen = true;
    }

    /// The second of them: the first asks for an end in order, this one for the end.
    pub(crate) async fn second(&mut self) {
        if !self.seen {
            self.recv().await;
        }
        self.recv().await;
    }

    /// Whether there was one.
    pub(crate) const fn seen(&self) -> bool {
        self.seen
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
