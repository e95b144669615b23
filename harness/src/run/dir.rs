//! The run directory: everything a run leaves for a reader.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context as _;
use workflow::contract::RunId;

use crate::events::ADVICE;

/// `<parent>/<run>/`, with `logs/` in it.
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
}

/// The minimal size of a run's directory, in bytes: its reports alone are larger.
const ROOM: usize = 256 * 1024;

impl RunDir {
    /// Fails unless a run's directory can be created below `parent` and the disk has room for its minimal size.
    pub fn check_parent(parent: &Path) -> anyhow::Result<()> {
        let checked = || -> io::Result<()> {
            project::hide(parent)?;
            fs::create_dir_all(parent)?;
            let dir = tempfile::tempdir_in(parent)?;
            fs::write(dir.path().join("room"), vec![1; ROOM])?;
            dir.close()
        };
        checked().with_context(|| format!("write to the directory {}; {ADVICE}", parent.display()))
    }

    /// Creates the directory of `run` below `parent`; fails if it exists, so that no run overwrites another's evidence.
    pub fn create(parent: &Path, run: &RunId) -> anyhow::Result<Self> {
        let path = parent.join(run.as_str());
        fs::create_dir_all(parent)
            .and_then(|()| fs::create_dir(&path))
            .and_then(|()| fs::create_dir(path.join("logs")))
            .with_context(|| format!("create the run directory {}; {ADVICE}", path.display()))?;
        Ok(Self { path })
    }

    /// Creates the directory of the suite `id` below `parent`; the directories of its scenarios' runs go into it.
    pub fn create_of_suite(parent: &Path, id: &RunId) -> anyhow::Result<PathBuf> {
        bare(&parent.join(format!("{id}-suite")))
    }

    /// Creates the directory of the search `id` for a rate below `parent`; the directories of its runs go into it.
    pub fn create_of_search(parent: &Path, id: &RunId) -> anyhow::Result<PathBuf> {
        fs::create_dir_all(parent)
            .with_context(|| format!("create the directory {}; {ADVICE}", parent.display()))?;
        bare(&parent.join(format!("{id}-rate")))
    }

    /// Creates the directory of the verification `id` below `parent`.
    pub fn create_of_verification(parent: &Path, id: &RunId) -> anyhow::Result<PathBuf> {
        bare(&parent.join(format!("{id}-verify")))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory for the output of processes.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// The path of the producer's summary.
    pub fn producer_summary(&self) -> PathBuf {
        self.path.join("producer.json")
    }
}

/// Creates a directory that must not exist yet, without `logs/` in it.
fn bare(path: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir(path)
        .with_context(|| format!("create the directory {}; {ADVICE}", path.display()))?;
    Ok(path.to_owned())
}
