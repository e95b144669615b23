//! The history: every crossing of a run, one JSON object per line. The proxy writes it; this module reads it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::Crossing;
use crate::events::ADVICE;

/// The history's name in a run directory.
pub const FILE: &str = "history.jsonl";

/// Error of the history; without it a run has no witnesses.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The history cannot be opened.
    #[error("open the history {path}")]
    Open {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The history could not be written: a full disk, a read-only file system. Crossings are missing.
    #[error("append to the history {path}; {}", ADVICE)]
    Append {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The history cannot be read.
    #[error("read the history {path}, line {line}")]
    Read {
        /// The file's path.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// The error.
        source: io::Error,
    },
}

/// Reads the crossings of a history, in order. Skips an incomplete last line, which a kill leaves.
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

    /// Continues after the first `lines` lines, which have `bytes` bytes.
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
    /// Reads `input`; errors call it `path`.
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

/// Follows a history that is still being written, and reads each crossing once.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    bytes: u64,
    lines: usize,
}

impl Follower {
    /// Follows the history at `path`, from its start.
    pub fn of(path: PathBuf) -> Self {
        Self {
            path,
            bytes: 0,
            lines: 0,
        }
    }

    /// Calls `each` with every new crossing.
    pub fn follow(&mut self, mut each: impl FnMut(&Crossing)) -> Result<(), HistoryError> {
        let mut reader = Reader::open(&self.path)?;
        reader.skip_to(self.bytes, self.lines)?;
        while let Some(crossing) = reader.next() {
            each(&crossing?);
            self.bytes += reader.text.len() as u64;
            self.lines = reader.line;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
