//! The history: every crossing of a run, one JSON object a line.

mod index;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use index::Index;
use workflow::contract::Stamp;

use super::Crossing;
use super::heartbeat::{Clock, Heartbeat};
use crate::events::ADVICE;

/// The history's name in a run directory.
pub const FILE: &str = "history.jsonl";

/// The history cannot be kept; without it a run has no witnesses.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// It cannot be opened.
    #[error("open the history {path}")]
    Open {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It could not be written: a full disk, a file system that went read-only. Crossings are missing.
    #[error("append to the history {path}; {}", ADVICE)]
    Append {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be read.
    #[error("read the history {path}, line {line}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Why.
        source: io::Error,
    },
}

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
    followed: Arc<Mutex<Followed>>,
}

/// As much of the history as was read for its index.
#[derive(Debug, Default)]
struct Followed {
    index: Index,
    bytes: u64,
    lines: usize,
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
                followed: Arc::default(),
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

    /// What `find` finds in the index, once it has what is new in the history.
    pub fn look<T>(&self, find: impl FnOnce(&Index) -> T) -> Result<T, HistoryError> {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reader = Reader::open(&self.path)?;
        reader.skip_to(followed.bytes, followed.lines)?;
        while let Some(crossing) = reader.next() {
            let crossing = crossing?;
            followed.index.add(&crossing);
            followed.bytes += reader.text.len() as u64;
            followed.lines = reader.line;
        }
        Ok(find(&followed.index))
    }

    /// Reads it from its start.
    pub fn read(&self) -> Result<Reader, HistoryError> {
        Reader::open(&self.path)
    }
}

/// Reads the crossings of a history, in order. A last line without its end, which a kill leaves, is not read.
#[derive(Debug)]
pub struct Reader<R = BufReader<File>> {
    path: PathBuf,
    input: R,
    line: usize,
    text: Vec<u8>,
}

impl Reader {
    /// Opens the history at `path`.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        let file = File::open(path).map_err(|source| HistoryError::Open {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self::of(path, BufReader::new(file)))
    }

    /// Goes on after the first `lines` lines, which have so many `bytes`.
    fn skip_to(&mut self, bytes: u64, lines: usize) -> Result<(), HistoryError> {
        self.line = lines;
        match self.input.seek(SeekFrom::Start(bytes)) {
            Ok(_) => Ok(()),
            Err(source) => Err(HistoryError::Open {
                path: self.path.clone(),
                source,
            }),
        }
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads `input`; `path` is what errors call it.
    pub fn of(path: &Path, input: R) -> Self {
        Self {
            path: path.to_owned(),
            input,
            line: 0,
            text: Vec::new(),
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Crossing, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.text.clear();
        self.line += 1;
        let read = self.input.read_until(b'\n', &mut self.text);
        let crossing = match read {
            Ok(_) if self.text.last() != Some(&b'\n') => return None,
            Ok(_) => serde_json::from_slice(&self.text).map_err(io::Error::from),
            Err(error) => Err(error),
        };
        Some(crossing.map_err(|source| HistoryError::Read {
            path: self.path.clone(),
            line: self.line,
            source,
        }))
    }
}

#[cfg(test)]
mod tests;
