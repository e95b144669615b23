//! The writer of a history.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use contract::Stamp;
use evidence::history::{FILE, Follower, HistoryError, Reader};

use super::Crossing;
use super::heartbeat::{Clock, Heartbeat};

#[derive(Debug)]
struct Inner {
    file: File,
    /// The first write that failed; the history has a hole from there on.
    failed: Option<io::Error>,
}

/// Appends crossings. Clones share the file.
///
/// Each crossing is one write of one whole line, so that it survives the harness being killed. What only the harness knows of
/// itself goes with it: how far the wall clock has gone astray, and when the harness had stood still.
#[derive(Debug, Clone)]
pub struct History {
    path: PathBuf,
    inner: Arc<Mutex<Inner>>,
    clock: Clock,
    heartbeat: Heartbeat,
}

impl History {
    /// Opens the history in run directory `dir`, and goes on after what is there.
    pub fn open(dir: &Path) -> Result<Self, HistoryError> {
        let path = dir.join(FILE);
        let opened = OpenOptions::new().append(true).create(true).open(&path);
        let clock = Clock::start();
        match opened {
            Ok(file) => Ok(Self {
                path,
                inner: Arc::new(Mutex::new(Inner { file, failed: None })),
                clock,
                heartbeat: Heartbeat::start(clock),
            }),
            Err(source) => Err(HistoryError::Open { path, source }),
        }
    }

    /// The time, as the history counts it: it begins as the wall clock says, and is never set.
    pub(super) fn now(&self) -> Stamp {
        self.clock.now()
    }

    /// Appends one crossing. A failure is kept for [`History::check`]: the proxy that appends has nobody to tell.
    pub(super) fn append(&self, crossing: &Crossing) {
        let (clock_us, pauses) = (self.clock.astray(), self.heartbeat.take());
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
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = inner.file.write_all(&line) {
            inner.failed.get_or_insert(error);
        }
    }

    /// Whether every crossing so far was written.
    pub fn check(&self) -> Result<(), HistoryError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.failed.take() {
            None => Ok(()),
            Some(source) => Err(HistoryError::Append {
                path: self.path.clone(),
                source,
            }),
        }
    }

    /// Follows it from its start.
    pub fn follower(&self) -> Follower {
        Follower::of(self.path.clone())
    }

    /// Reads it from its start.
    pub fn read(&self) -> Result<Reader, HistoryError> {
        Reader::open(&self.path)
    }
}
