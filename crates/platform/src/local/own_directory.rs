//! A directory of one harness for files of its storage or its identities. It goes when the harness ends, and one that a killed harness
//! has left goes when the next one starts below the same directory.
//!
//! A harness holds a lock on a file in its directory. The kernel frees the lock however the harness ends; a process id would mean
//! nothing to a harness in another container that writes to the same volume.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// What such a directory is for, and how its name begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// The engine's log and certificate.
    Engine,
    /// Data of a storage that is taken away and brought back.
    Storage,
    /// Token files and certificates.
    Identity,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Engine, Self::Storage, Self::Identity];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Engine => "engine-",
            Self::Storage => "storage-",
            Self::Identity => "identity-",
        }
    }
}

/// The file that is locked.
const LOCK: &str = "lock";

/// A directory of this harness. It is removed when this is dropped.
#[derive(Debug)]
pub(super) struct OwnDirectory {
    directory: TempDir,
    _lock: File,
}

impl OwnDirectory {
    /// Makes a directory in `parent`, and removes those of harnesses that have ended.
    pub(super) fn create(purpose: Purpose, parent: &Path) -> io::Result<Self> {
        // One harness at a time: another must not take a directory whose lock is not held yet for one that was left.
        let alone = File::open(parent)?;
        alone.lock()?;
        remove_left(parent)?;
        let directory = TempDir::with_prefix_in(purpose.prefix(), parent)?;
        let lock = File::create(directory.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self {
            directory,
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Removes the directories in `parent` that no harness holds. A directory without a lock is not known to be one of these.
fn remove_left(parent: &Path) -> io::Result<()> {
    for entry in parent.read_dir()? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let mut purposes = Purpose::ALL.iter();
        if !purposes.any(|purpose| name.starts_with(purpose.prefix())) {
            continue;
        }
        let Ok(lock) = File::open(entry.path().join(LOCK)) else {
            continue;
        };
        match lock.try_lock() {
            // What cannot be removed is in nobody's way.
            Ok(()) => drop(fs::remove_dir_all(entry.path())),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(parent: &Path) -> Vec<String> {
        let entries = parent.read_dir().unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_harness_has_left_goes_with_the_next_and_what_one_uses_stays() {
        let parent = tempfile::tempdir().unwrap();
        // A harness that was killed: its file is there, and nobody holds its lock.
        let left = parent.path().join("engine-left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        fs::write(left.join("engine.log"), "").unwrap();
        // Directories of others.
        for name in ["engine-room", "20261130-011500-abcd"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let first = OwnDirectory::create(Purpose::Engine, parent.path()).unwrap();
        let second = OwnDirectory::create(Purpose::Storage, parent.path()).unwrap();
        assert!(!left.exists());
        assert!(first.path().is_dir() && second.path().is_dir());
        drop((first, second));
        assert_eq!(
            names(parent.path()),
            ["20261130-011500-abcd", "engine-room"]
        );
    }
}
