//! A directory with the program in it, and the output of the program there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const EDW: &str = env!("CARGO_BIN_EXE_edw");

/// The user and group that own nothing, and may write only where every user may.
const NOBODY: u32 = 65_534;

/// A directory outside the repository, whose path has blanks and characters outside ASCII.
pub(crate) struct Place {
    root: TempDir,
}

/// The exit code of the program, and its whole output.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let root = TempDir::with_prefix("edw leer größe-").expect("a directory");
        let place = Self { root };
        fs::create_dir(place.directory()).expect("a directory");
        for (path, mode) in [(place.path(), 0o755), (&place.directory(), 0o777)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
        }
        // A hard link to the same file, if the file system allows one.
        let program = place.path().join("edw");
        if fs::hard_link(EDW, &program).is_err() {
            fs::copy(EDW, &program).expect("a copy of the program");
        }
        place
    }

    fn path(&self) -> &Path {
        self.root.path()
    }

    /// The directory in which the program runs; empty at first.
    pub(crate) fn directory(&self) -> PathBuf {
        self.path().join("project")
    }

    /// Writes a file into that directory.
    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.directory().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, content).expect("a file");
    }

    /// The program with `arguments`, started by the command `before`, with no variable but the search path: no home, no cache.
    fn command(&self, before: &[&str], arguments: &[&str]) -> Command {
        let program = self.path().join("edw");
        let mut command = match before {
            [] => Command::new(&program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(&program);
                command
            }
        };
        command
            .args(arguments)
            .current_dir(self.directory())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", "/");
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(&[], arguments).output();
        Said::of(&output.expect("the program must start"))
    }

    /// Runs the program in a directory below the project.
    pub(crate) fn run_in(&self, directory: &str, arguments: &[&str]) -> Said {
        let directory = self.directory().join(directory);
        fs::create_dir_all(&directory).expect("a directory");
        let output = self.command(&[], arguments).current_dir(directory).output();
        Said::of(&output.expect("the program must start"))
    }

    /// Runs several programs at the same time, as an unprivileged user if the test may change the user.
    pub(crate) fn run_as_nobody(&self, all: &[&[&str]]) -> Vec<Said> {
        let nobody = NOBODY.to_string();
        let before = [
            "setpriv",
            "--reuid",
            &nobody,
            "--regid",
            &nobody,
            "--clear-groups",
        ];
        let tried = Command::new(before[0])
            .args(&before[1..])
            .arg("true")
            .output();
        let may = tried.is_ok_and(|output| output.status.success());
        let before = if may { &before[..] } else { &[] };
        let started = all.iter().map(|arguments| {
            let mut command = self.command(before, arguments);
            command.stdout(std::process::Stdio::piped());
            command.stderr(std::process::Stdio::piped());
            command.spawn().expect("the program must start")
        });
        let started: Vec<_> = started.collect();
        let ended = started.into_iter().map(|child| {
            let output = child.wait_with_output();
            Said::of(&output.expect("the program must end"))
        });
        ended.collect()
    }
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Checks that the program ended with `code`, and that its output has each of `texts`.
    pub(crate) fn expect(&self, code: i32, texts: &[&str]) -> &Self {
        let all = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, Some(code), "{all}");
        for text in texts {
            assert!(all.contains(text), "{text:?} is missing in {all}");
        }
        self
    }
}
