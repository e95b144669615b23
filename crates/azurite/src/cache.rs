//! The directory of the installed package, which outlives this process.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy as _;

/// The variable that names the directory, before all other rules.
pub(crate) const VARIABLE: &str = "EDW_CACHE";

/// The directory's name within the user's cache directory.
const NAME: &str = "edw";

/// Files that cargo writes into a target directory. The tag is missing if something else created the directory first, such as a
/// script that keeps its logs there.
const MARKS: [&str; 2] = ["CACHEDIR.TAG", ".rustc_info.json"];

/// The directory: `EDW_CACHE`; else cargo's target directory, for a program inside it or with `CARGO_TARGET_DIR`, so that a
/// build leaves nothing outside of it; else the user's cache directory. `None` if the user has no home directory.
pub(crate) fn cache_dir() -> Option<PathBuf> {
    let named = |name| env::var_os(name).and_then(absolute);
    let of_program = || marked_ancestor(&env::current_exe().ok()?);
    let of_user = || {
        Some(
            etcetera::choose_base_strategy()
                .ok()?
                .cache_dir()
                .join(NAME),
        )
    };
    named(VARIABLE)
        .or_else(|| named("CARGO_TARGET_DIR"))
        .or_else(of_program)
        .or_else(of_user)
}

fn absolute(path: OsString) -> Option<PathBuf> {
    (!path.is_empty()).then(|| std::path::absolute(path).ok())?
}

fn marked_ancestor(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .find(|dir| MARKS.iter().any(|mark| dir.join(mark).is_file()))
        .map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_binary_finds_the_directory_it_was_built_in() {
        let exe = env::current_exe().unwrap();
        let found = marked_ancestor(&exe).unwrap();
        assert!(exe.starts_with(&found));
        assert!(found.join("debug").is_dir() || found.join("release").is_dir());
    }

    #[test]
    fn either_mark_tells_a_target_directory() {
        for mark in MARKS {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join(mark), "").unwrap();
            let exe = dir.path().join("debug/deps/tool");
            assert_eq!(marked_ancestor(&exe).as_deref(), Some(dir.path()));
        }
    }

    #[test]
    fn a_path_outside_any_build_finds_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(marked_ancestor(&dir.path().join("bin/tool")), None);
    }

    #[test]
    fn an_empty_variable_names_nothing_and_a_relative_one_is_made_whole() {
        assert_eq!(absolute(OsString::new()), None);
        assert!(absolute("cache".into()).unwrap().is_absolute());
    }
}
