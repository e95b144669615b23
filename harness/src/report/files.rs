//! Files that are there whole or not at all.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::events::EventLogError;

/// A report cannot be made. The event log is untouched: mend the cause and repeat with `harness report`.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The event log cannot be read.
    #[error(transparent)]
    Log(#[from] EventLogError),
    /// The log holds no event that could be read.
    #[error("report on {0}: its event log holds no event")]
    Empty(PathBuf),
    /// A file cannot be written.
    #[error(
        "write the report {path}; make room, or the directory writable, and make the reports again with the command `report`"
    )]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes `dir/name` through a temporary file in the same directory: a reader sees the old file or the new one.
pub(super) fn write(dir: &Path, name: &str, content: &[u8]) -> Result<PathBuf, ReportError> {
    write_whole(dir, name, content).map_err(|source| ReportError::Write {
        path: dir.join(name),
        source,
    })
}

/// The same, for what is no report of a run.
pub(crate) fn write_whole(dir: &Path, name: &str, content: &[u8]) -> io::Result<PathBuf> {
    let path = dir.join(name);
    let written = NamedTempFile::with_prefix_in(".report-", dir).and_then(|mut file| {
        file.write_all(content)?;
        readable_by_all(&file)?;
        file.persist(&path).map_err(|error| error.error)
    });
    written.map(|_| path)
}

/// A temporary file is private; a report is for others too (a CI job that collects it under another user).
fn readable_by_all(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(0o644);
    file.as_file().set_permissions(mode)
}
