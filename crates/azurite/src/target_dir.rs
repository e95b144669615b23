//! Finds the build's target directory: the one place where the installed package may lie.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Files that cargo writes into a target directory. The tag is not there when something else made the directory first, as
/// a script does that keeps its logs there.
const MARKS: [&str; 2] = ["CACHEDIR.TAG", ".rustc_info.json"];

/// `CARGO_TARGET_DIR`; else the directory with a mark of cargo's above this executable (so that a binary that was
/// built elsewhere and a test find the same place); else `target/` of the workspace this crate was compiled in.
pub(crate) fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .filter(|dir| !dir.is_empty())
        .and_then(|dir| std::path::absolute(dir).ok())
        .or_else(|| {
            env::current_exe()
                .ok()
                .and_then(|exe| marked_ancestor(&exe))
        })
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"))
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
}
