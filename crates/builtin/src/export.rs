//! Writes the program's files to a disk.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{FILES, name_of, parts};

/// Reason why the program's files cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no such part.
    #[error("export {0:?}: the program has no such part; it has {parts}", parts = parts().join(", "))]
    NoPart(String),
    /// Files exist with another content, because a user has edited them.
    #[error(
        "export to {}: it holds {} from the program's, such as {}; give another directory, or --overwrite to replace them",
        to.display(), if *count == 1 { "1 file that differs".to_owned() } else { format!("{count} files that differ") }, first.display()
    )]
    Edited {
        /// The directory.
        to: PathBuf,
        /// The number of these files.
        count: usize,
        /// One of them.
        first: PathBuf,
    },
    /// The temporary directory cannot be written to.
    #[error("write to the temporary directory {}: {said}; set TMPDIR to one in which you may write, with room", path.display())]
    Lend {
        /// The temporary directory.
        path: PathBuf,
        /// The reason.
        said: String,
    },
    /// A file cannot be written.
    #[error("write {}; give a directory in which you may write, on a disk with room", path.display())]
    Write {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Result of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Files that were written.
    pub written: Vec<PathBuf>,
    /// Number of files that existed already with the same content.
    pub same: usize,
}

/// Writes the `wanted` parts into the directory `to`. If a file exists with another content, nothing is written, unless
/// `overwrite` is set.
pub fn export(to: &Path, wanted: &[String], overwrite: bool) -> Result<Exported, ExportError> {
    if let Some(unknown) = wanted.iter().find(|name| !parts().contains(&name.as_str())) {
        return Err(ExportError::NoPart(unknown.clone()));
    }
    let is_wanted = |name: &str| {
        let top = name.split('/').next().unwrap_or_default();
        wanted.iter().any(|wanted| wanted == top)
    };
    let files = FILES.iter().filter(|(name, _)| is_wanted(name));
    let (mut new, mut edited, mut same) = (Vec::new(), Vec::new(), 0);
    for (name, content) in files {
        let path = to.join(name);
        match fs::read(&path) {
            Ok(there) if there == *content => same += 1,
            Ok(_) => edited.push((path, *content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => new.push((path, *content)),
            // Something that is no file is in its place, or in that of a directory above it.
            Err(source) => return Err(ExportError::Write { path, source }),
        }
    }
    match &edited[..] {
        [(first, _), ..] if !overwrite => Err(ExportError::Edited {
            to: to.to_owned(),
            count: edited.len(),
            first: first.clone(),
        }),
        _ => {
            new.extend(edited);
            for (path, content) in &new {
                write(path, content)?;
            }
            let written = new.into_iter().map(|(path, _)| path).collect();
            Ok(Exported { written, same })
        }
    }
}

/// Writes a file completely or not at all: writes it beside its place, and renames it.
fn write(path: &Path, content: &[u8]) -> Result<(), ExportError> {
    let written = || -> io::Result<()> {
        let dir = path
            .parent()
            .expect("an exported file must lie in a directory");
        fs::create_dir_all(dir)?;
        let mut file = tempfile::Builder::new();
        // The usual permissions: other users of the repository must be able to read it.
        #[cfg(unix)]
        file.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = file.tempfile_in(dir)?;
        file.write_all(content)?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|source| ExportError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Writes a directory of the program to the disk, with the whole part that it belongs to, for programs that can only read files,
/// such as kubectl. Removed when the first value of the pair is dropped. `None` for a path on the disk.
pub fn lend(path: &Path) -> Result<Option<(TempDir, PathBuf)>, ExportError> {
    let Some(name) = name_of(path) else {
        return Ok(None);
    };
    let failed = |said: String| ExportError::Lend {
        path: std::env::temp_dir(),
        said,
    };
    let dir = TempDir::with_prefix("edw-").map_err(|error| failed(error.to_string()))?;
    let part = name.split('/').next().unwrap_or_default().to_owned();
    match export(dir.path(), &[part], false) {
        Err(ExportError::Write { source, .. }) => return Err(failed(source.to_string())),
        other => drop(other?),
    }
    let lent = dir.path().join(name);
    Ok(Some((dir, lent)))
}
