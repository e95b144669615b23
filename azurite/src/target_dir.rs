//! Finds the build's target directory: the one place where the installed package may lie.

use std::{
    env,
    path::{Path, PathBuf},
};

/// `CARGO_TARGET_DIR`; else the directory with cargo's `CACHEDIR.TAG` above this executable (so that a binary that was
/// built elsewhere and a test find the same place); else `target/` of the workspace this crate was compiled in.
pub(crate) fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .filter(|dir| !dir.is_empty())
        .and_then(|dir| std::path::absolute(dir).ok())
        .or_else(|| {
            env::current_exe()
                .ok()
                .and_then(|exe| tagged_ancestor(&exe))
        })
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"))
}

fn tagged_ancestor(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .find(|dir| dir.join("CACHEDIR.TAG").is_file())
        .map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_binary_finds_the_directory_it_was_built_in() {
        let exe = env::current_exe().unwrap();
        let found = tagged_ancestor(&exe).unwrap();
        assert!(exe.starts_with(&found));
        assert!(found.join("CACHEDIR.TAG").is_file());
    }

    #[test]
    fn a_path_outside_any_build_finds_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(tagged_ancestor(&dir.path().join("bin/tool")), None);
    }
}
