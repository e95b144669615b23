//! The history: every crossing of a run, one JSON object a line.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Crossing;
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
/// Each crossing is one write of one whole line, so that it survives the harness being killed.
#[derive(Debug, Clone)]
pub struct History {
    path: PathBuf,
    inner: Arc<Mutex<Inner>>,
}

impl History {
    /// Opens the history in run directory `dir`, and goes on after what is there.
    pub fn open(dir: &Path) -> Result<Self, HistoryError> {
        let path = dir.join(FILE);
        let opened = OpenOptions::new().append(true).create(true).open(&path);
        match opened {
            Ok(file) => Ok(Self {
                path,
                inner: Arc::new(Mutex::new(Inner { file, failed: None })),
            }),
            Err(source) => Err(HistoryError::Open { path, source }),
        }
    }

    /// Appends one crossing. A failure is kept for [`History::check`]: the proxy that appends has nobody to tell.
    pub(super) fn append(&self, crossing: &Crossing) {
        let mut line = serde_json::to_vec(crossing).expect("a crossing must serialise");
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
