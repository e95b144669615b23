//! The project that a command works for: the nearest directory, from the current one upwards, that holds [`DESCRIPTION`]; without one,
//! the current directory.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The file that makes a directory a project: it describes the workload.
pub const DESCRIPTION: &str = "edw.yaml";

/// The project of the current directory.
pub fn root() -> PathBuf {
    let here = current();
    ancestor(&here, |dir| dir.join(DESCRIPTION).is_file()).unwrap_or(here)
}

/// The description of the project's workload. A file that says nothing makes its directory a project, and no more.
pub fn description() -> Option<PathBuf> {
    let file = root().join(DESCRIPTION);
    let is_said = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let text = fs::read_to_string(&file).ok()?;
    text.lines().any(is_said).then(|| shown(file))
}

/// A path below the current directory as seen from there; any other as it is.
pub fn shown(path: PathBuf) -> PathBuf {
    match path.strip_prefix(current()) {
        Ok(below) => below.to_owned(),
        Err(_) => path,
    }
}

/// The nearest directory, from `dir` upwards, of which `is_it` holds.
pub fn ancestor(dir: &Path, is_it: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    dir.ancestors()
        .find(|dir| is_it(dir))
        .map(Path::to_path_buf)
}

fn current() -> PathBuf {
    env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}
