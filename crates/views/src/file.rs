//! Files that are written completely or not at all.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Writes `dir/name` through a temporary file in the same directory: a reader sees the old file or the new one.
pub fn write_whole(dir: &Path, name: &str, content: &[u8]) -> io::Result<PathBuf> {
    let path = dir.join(name);
    let written = NamedTempFile::with_prefix_in(".report-", dir).and_then(|mut file| {
        file.write_all(content)?;
        readable_by_all(&file)?;
        file.persist(&path).map_err(|error| error.error)
    });
    written.map(|_| path)
}

/// A temporary file is private; others must be able to read a report (for example a CI job that collects it as another user).
fn readable_by_all(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(0o644);
    file.as_file().set_permissions(mode)
}
