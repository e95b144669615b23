//! Writes the files of a report.

use std::io;
use std::path::{Path, PathBuf};

use views::write_whole;

use crate::events::EventLogError;

/// A report cannot be made. The event log is unchanged: remove the cause and repeat with `harness report`.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The event log cannot be read.
    #[error(transparent)]
    Log(#[from] EventLogError),
    /// The log holds no readable event.
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
