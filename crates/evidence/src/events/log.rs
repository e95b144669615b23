//! Writer of the event log.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use contract::Stamp;

use super::{Entry, Event, FILE, VERSION};

/// Appends events to a run's log. Clones share it and its lock: no other process can write to the log, and other processes can
/// tell that its writer is alive.
///
/// Each event is one write of one whole line, without a buffer, so that it survives a kill of the harness. After
/// [`Event::Finished`] the file is also synced to disk, so that the outcome survives a crash of the machine.
#[derive(Debug, Clone)]
pub struct EventLog {
    path: PathBuf,
    file: Arc<Mutex<Locked>>,
}

/// A file with a lock. Closing it does not release the lock if a child is being started, which has a copy of the file until its
/// `exec`.
#[derive(Debug)]
struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // If this fails, the kernel releases the lock with the last copy of the file.
        let _ = self.0.unlock();
    }
}

/// Advice for a directory in which no evidence can be written.
pub const ADVICE: &str =
    "check that the disk has room and the directory is writable, or pass another with --out";

/// Error of the event log; without the log a run has no evidence.
#[derive(Debug, thiserror::Error)]
pub enum EventLogError {
    /// The log cannot be opened.
    #[error("open the event log {path}")]
    Open {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The log cannot be appended to: a full disk, a read-only file system.
    #[error("append to the event log {path}; {}", ADVICE)]
    Append {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The log cannot be read.
    #[error("read the event log {path}")]
    Read {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl EventLog {
    /// Opens the log of run directory `dir`, creating the file but not the directory; fails while another writer holds it.
    /// Continues an existing log; an incomplete last line of an earlier writer is ended first, so that it damages no other
    /// line.
    pub fn open(dir: &Path) -> Result<Self, EventLogError> {
        let path = dir.join(FILE);
        let opened = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .and_then(|mut file| {
                file.try_lock()?;
                end_last_line(&mut file)?;
                Ok(Locked(file))
            });
        match opened {
            Ok(file) => Ok(Self {
                path,
                file: Arc::new(Mutex::new(file)),
            }),
            Err(source) => Err(EventLogError::Open { path, source }),
        }
    }

    /// Whether the writer of the log of run directory `dir` is alive. The kernel releases the lock however the writer ends.
    pub fn is_held(dir: &Path) -> Result<bool, EventLogError> {
        let path = dir.join(FILE);
        let opened = File::open(&path).map_err(TryLockError::Error);
        match opened.and_then(|file| file.try_lock_shared().map(|()| Locked(file))) {
            Ok(_) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(EventLogError::Read { path, source }),
        }
    }

    /// Appends one event that happened at `at`.
    pub fn append(&self, at: Stamp, event: Event) -> Result<(), EventLogError> {
        let is_last = matches!(event, Event::Finished { .. });
        let entry = Entry {
            v: VERSION,
            at,
            event,
        };
        let mut line = serde_json::to_vec(&entry).expect("an event must serialise");
        line.push(b'\n');
        // A holder that panicked during a write leaves at most an incomplete line, which the reader reports.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = &mut file.0;
        file.write_all(&line)
            .and_then(|()| if is_last { file.sync_data() } else { Ok(()) })
            .map_err(|source| EventLogError::Append {
                path: self.path.clone(),
                source,
            })
    }

    /// The path of the log.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn end_last_line(file: &mut File) -> io::Result<()> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    if last == *b"\n" {
        Ok(())
    } else {
        file.write_all(b"\n")
    }
}
