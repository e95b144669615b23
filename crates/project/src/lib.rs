//! The project that is judged: the directory in which a command works. Finds its files, the place for output, and the name of
//! the command.
//!
//! The project is the nearest directory, from the current one upwards, that contains [`DESCRIPTION`]; without one, the current
//! directory. Its features are in `features/`; without that directory, those that the program contains are used. Evidence goes
//! into the project: into `target/` if Cargo builds it, otherwise into `edw-out/`.

pub mod shell;

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The file that makes a directory a project: it describes the workload.
pub const DESCRIPTION: &str = "edw.yaml";

/// The project of the current directory.
pub fn root() -> PathBuf {
    let here = current();
    ancestor(&here, |dir| dir.join(DESCRIPTION).is_file()).unwrap_or(here)
}

/// The description of the project's workload. `None` for a file with comments only, which just marks the project's directory.
pub fn description() -> Option<PathBuf> {
    description_in(&root()).map(shown)
}

/// The description in `root`. A file that is not UTF-8 is a description too: what reads it knows other encodings, and says what it
/// does not know.
fn description_in(root: &Path) -> Option<PathBuf> {
    let file = root.join(DESCRIPTION);
    let is_said = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let says_nothing = |text: String| !text.lines().any(is_said);
    let is_mark = fs::read_to_string(&file).is_ok_and(says_nothing);
    (file.is_file() && !is_mark).then_some(file)
}

/// The output directory of a project without `target/`.
const OUT: &str = "edw-out";

/// The name of a project's directory of features, and of the one in the program.
const FEATURES: &str = "features";

/// Files with which cargo marks a target directory.
const MARKS: [&str; 2] = ["CACHEDIR.TAG", ".rustc_info.json"];

/// The default directory of feature files.
pub fn features() -> PathBuf {
    let root = root();
    let own = root.join(FEATURES);
    if has_feature(&own) {
        return shown(own);
    }
    builtin::path(FEATURES)
}

/// The default manifests by which scenarios scale consumers.
pub fn manifests() -> PathBuf {
    builtin::path("k8s/base")
}

/// The default directory for a command's output of this kind, such as `runs`.
pub fn out(kind: &str) -> PathBuf {
    shown(out_of(&root()).join(kind))
}

fn out_of(root: &Path) -> PathBuf {
    match cargo_workspace(root) {
        Some(workspace) => workspace.join("target"),
        None => root.join(OUT),
    }
}

/// Adds a `.gitignore` beside `out`, so that a repository ignores it, if it is one of the directories of [`out`].
pub fn hide(out: &Path) -> io::Result<()> {
    let Some(parent) = out.parent().filter(|dir| dir.ends_with(OUT)) else {
        return Ok(());
    };
    fs::create_dir_all(parent)?;
    let ignore = parent.join(".gitignore");
    if ignore.exists() {
        return Ok(());
    }
    fs::write(ignore, "*\n")
}

/// The root of the workspace of `dir`: the nearest manifest with a `[workspace]`, otherwise the nearest manifest.
fn cargo_workspace(dir: &Path) -> Option<PathBuf> {
    let manifest = |dir: &Path| fs::read_to_string(dir.join("Cargo.toml")).ok();
    let is_workspace = |dir: &Path| {
        let text = manifest(dir).unwrap_or_default();
        text.lines()
            .any(|line| line.trim_start().starts_with("[workspace"))
    };
    ancestor(dir, is_workspace).or_else(|| ancestor(dir, |dir| manifest(dir).is_some()))
}

/// Whether a directory contains a feature file, at any depth.
fn has_feature(dir: &Path) -> bool {
    let entries = builtin::read_dir(dir).unwrap_or_default();
    entries.into_iter().any(|entry| {
        let extension = entry.path.extension();
        let is_feature = extension.is_some_and(|it| it.eq_ignore_ascii_case("feature"));
        if entry.is_dir {
            has_feature(&entry.path)
        } else {
            is_feature
        }
    })
}

/// A path below the current directory as a relative path; any other unchanged.
fn shown(path: PathBuf) -> PathBuf {
    match path.strip_prefix(current()) {
        Ok(below) => below.to_owned(),
        Err(_) => path,
    }
}

/// The nearest directory, from `dir` upwards, that `is_it` accepts.
fn ancestor(dir: &Path, is_it: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    dir.ancestors()
        .find(|dir| is_it(dir))
        .map(Path::to_path_buf)
}

fn current() -> PathBuf {
    env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

/// The command that starts this program again: `cargo harness` if cargo has built it here, otherwise the program's own name.
pub fn program() -> String {
    let exe = env::current_exe().unwrap_or_default();
    program_of(&exe)
}

fn program_of(exe: &Path) -> String {
    let name = exe
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let is_marked = |dir: &Path| MARKS.iter().any(|mark| dir.join(mark).is_file());
    if name.is_empty() || name != "edw" && ancestor(exe, is_marked).is_some() {
        return "cargo harness".to_owned();
    }
    shell::word(&name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        dir
    }

    #[test]
    fn evidence_goes_into_target_of_the_workspace_and_else_beside_the_project() {
        let rust = made(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"worker\"]\n"),
            ("worker/Cargo.toml", "[package]\nname = \"worker\"\n"),
            ("worker/src/main.rs", ""),
        ]);
        let target = rust.path().join("target");
        assert_eq!(out_of(&rust.path().join("worker/src")), target);
        let alone = made(&[("Cargo.toml", "[package]\n"), ("a/b/x", "")]);
        assert_eq!(
            out_of(&alone.path().join("a/b")),
            alone.path().join("target")
        );
        let python = made(&[("worker.py", "")]);
        assert_eq!(out_of(python.path()), python.path().join(OUT));
    }

    /// A description that was left out without a word would let the built-in workload be judged in place of the project's.
    #[test]
    fn a_description_in_another_encoding_is_one_and_a_mark_is_none() {
        let dir = made(&[
            ("mark/edw.yaml", "# the project\n"),
            ("own/edw.yaml", "a: b"),
            ("none/x", ""),
        ]);
        let utf16 = dir.path().join("utf-16");
        fs::create_dir(&utf16).unwrap();
        fs::write(utf16.join(DESCRIPTION), b"\xff\xfea\0:\0 \0b\0").unwrap();
        for (name, has_one) in [
            ("mark", false),
            ("own", true),
            ("none", false),
            ("utf-16", true),
        ] {
            let found = description_in(&dir.path().join(name));
            assert_eq!(found.is_some(), has_one, "{name}");
        }
    }

    #[test]
    fn a_directory_without_a_feature_has_none() {
        let dir = made(&[("features/steps/a.py", ""), ("own/deep/a.FEATURE", "")]);
        assert!(!has_feature(&dir.path().join("features")));
        assert!(!has_feature(&dir.path().join("nothing")));
        assert!(has_feature(&dir.path().join("own")));
        assert!(has_feature(&builtin::path(FEATURES)));
    }

    #[test]
    fn only_a_directory_of_our_own_is_hidden_from_a_repository() {
        let dir = made(&[]);
        let own = dir.path().join(OUT);
        hide(&own.join("runs")).unwrap();
        assert_eq!(fs::read_to_string(own.join(".gitignore")).unwrap(), "*\n");
        let other = dir.path().join("other");
        hide(&other.join("runs")).unwrap();
        assert!(!other.exists());
    }

    #[test]
    fn a_command_is_repeated_as_it_can_be_called() {
        let built = made(&[("target/CACHEDIR.TAG", "")]);
        let built = |name: &str| program_of(&built.path().join("target/release").join(name));
        assert_eq!(built("harness"), "cargo harness");
        assert_eq!(built("deps/features-0123"), "cargo harness");
        assert_eq!(built("edw"), "edw");
        let dir = made(&[]);
        assert_eq!(program_of(&dir.path().join("edw")), "edw");
        assert_eq!(program_of(&dir.path().join("my edw")), "'my edw'");
    }
}
