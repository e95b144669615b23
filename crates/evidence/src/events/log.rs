//! The writer of the event log.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use contract::Stamp;

use super::{Entry, Event, FILE, VERSION};

/// Appends events to a run's log. Clones share it, and hold it: no other process writes to it, and all can tell that its
/// writer lives.
///
/// Each event is one write of one whole line, straight to the file: it survives the harness being killed. After
/// [`Event::Finished`] the file is also synced to disk, so that a verdict survives the machine.
#[derive(Debug, Clone)]
pub struct EventLog {
    path: PathBuf,
    file: Arc<Mutex<Locked>>,
}

/// A file with a lock. Closing it is not enough: a child that is being started has a copy of it until its `exec`.
#[derive(Debug)]
struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // The kernel lets go of it with the last copy at the latest.
        let _ = self.0.unlock();
    }
}

/// What to do about a directory that takes no evidence.
pub const ADVICE: &str =
    "check that the disk has room and the directory is writable, or pass another with --out";

/// The event log cannot be written; without it a run has no evidence.
#[derive(Debug, thiserror::Error)]
pub enum EventLogError {
    /// It cannot be opened.
    #[error("open the event log {path}")]
    Open {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be appended to: a full disk, a file system that went read-only.
    #[error("append to the event log {path}; {}", ADVICE)]
    Append {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be read.
    #[error("read the event log {path}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl EventLog {
    /// Opens the log of run directory `dir`, creating the file but not the directory; fails while another writer holds it.
    /// Goes on after what is there; a last line that an earlier writer left torn is ended first, so that it spoils no
    /// other.
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

    /// Whether the writer of the log of run directory `dir` lives. The kernel lets the lock go however it ends.
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
        // A holder that panicked in the middle of a write leaves a torn line at worst, which the reader reports.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = &mut file.0;
        file.write_all(&line)
            .and_then(|()| if is_last { file.sync_data() } else { Ok(()) })
            .map_err(|source| EventLogError::Append {
                path: self.path.clone(),
                source,
            })
    }

    /// Where the log is.
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
