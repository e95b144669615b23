//! Writer of a history.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use contract::Stamp;
use evidence::history::{FILE, HistoryError};
use tokio::sync::watch;

use super::heartbeat::{Heartbeat, SteadyClock};
use super::wire::Written;
use super::{Crossing, Pause, lock};

#[derive(Debug)]
struct Inner {
    file: File,
    /// The first failed write; the history is incomplete from there on.
    failed: Option<io::Error>,
}

/// Appends crossings. Clones share the file.
///
/// Each crossing is one write of one whole line, so that it survives a kill of the harness. The line also has facts that only
/// the harness knows: the offset of the wall clock, and pauses of the harness.
#[derive(Debug, Clone)]
pub struct History {
    written: Written,
    inner: Arc<Mutex<Inner>>,
    /// The number of bytes so far.
    bytes: watch::Sender<u64>,
    clock: SteadyClock,
    heartbeat: Heartbeat,
}

impl History {
    /// Opens the history in run directory `dir`, and continues an existing one.
    pub fn open(dir: &Path) -> Result<Self, HistoryError> {
        let path = dir.join(FILE);
        let opened = OpenOptions::new().append(true).create(true).open(&path);
        let clock = SteadyClock::start();
        match opened {
            Ok(file) => Ok(Self {
                bytes: watch::Sender::new(file.metadata().map_or(0, |it| it.len())),
                written: Written::at(path),
                inner: Arc::new(Mutex::new(Inner { file, failed: None })),
                clock,
                heartbeat: Heartbeat::start(clock),
            }),
            Err(source) => Err(HistoryError::Open { path, source }),
        }
    }

    /// The time by the history's clock, which starts with the wall clock's time and is never set.
    pub(super) fn now(&self) -> Stamp {
        self.clock.now()
    }

    /// The pauses since the last crossing, and the present time.
    pub(super) fn paused(&self) -> (Vec<Pause>, Stamp) {
        (self.heartbeat.noted(), self.clock.now())
    }

    /// Appends one crossing. An error is kept for [`History::check`], because the proxy that appends cannot report it.
    pub(super) fn append(&self, crossing: &Crossing) {
        let (clock_us, pauses) = (self.clock.offset_us(), self.heartbeat.take());
        let line = if clock_us == 0 && pauses.is_empty() {
            serde_json::to_vec(crossing)
        } else {
            serde_json::to_vec(&Crossing {
                clock_us,
                pauses,
                ..crossing.clone()
            })
        };
        let mut line = line.expect("a crossing must serialise");
        line.push(b'\n');
        let mut inner = lock(&self.inner);
        match inner.file.write_all(&line) {
            Ok(()) => self.bytes.send_modify(|bytes| *bytes += line.len() as u64),
            Err(error) => {
                inner.failed.get_or_insert(error);
            }
        }
    }

    /// Returns an error unless every crossing so far was written.
    pub fn check(&self) -> Result<(), HistoryError> {
        let mut inner = lock(&self.inner);
        match inner.failed.take() {
            None => Ok(()),
            Some(source) => Err(HistoryError::Append {
                path: self.written.path().to_owned(),
                source,
            }),
        }
    }

    /// The written file.
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// The number of bytes written, as it grows.
    pub(super) fn bytes(&self) -> watch::Receiver<u64> {
        self.bytes.subscribe()
    }
}
