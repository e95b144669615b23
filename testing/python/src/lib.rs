//! Python with the Azure SDK, for tests and benchmarks that compare with it: in a virtual environment under the target directory,
//! with every version pinned.

use std::{
    env,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context as _, ensure};

/// The packages and their exact versions, as pip reads them.
pub const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// An interpreter that can import the SDK.
#[derive(Debug)]
pub struct Python {
    interpreter: PathBuf,
}

impl Python {
    /// Creates the environment `<target>/python`, unless it exists, is complete and has these versions.
    pub fn set_up(target: &Path) -> anyhow::Result<Self> {
        let directory = target.join("python");
        let interpreter = directory.join("bin/python");
        // Other processes may create it at the same time; the lock is released with the file, also if this process dies.
        let lock = target.join("python.lock");
        let locked = File::create(&lock).and_then(|file| file.lock().map(|()| file));
        let _locked = locked.with_context(|| format!("lock {}", lock.display()))?;
        let complete = directory.join("complete");
        if fs::read_to_string(&complete).is_ok_and(|found| found == REQUIREMENTS) {
            return Ok(Self { interpreter });
        }
        if directory.exists() {
            fs::remove_dir_all(&directory)
                .with_context(|| format!("remove {}", directory.display()))?;
        }
        run(Command::new("python3").args(["-m", "venv"]).arg(&directory))?;
        let requirements = directory.join("requirements.txt");
        let write = |path: &Path| {
            fs::write(path, REQUIREMENTS).with_context(|| format!("write {}", path.display()))
        };
        write(&requirements)?;
        // With its cache, pip would leave files outside of the target directory.
        run(Command::new(&interpreter)
            .args(["-m", "pip", "install", "--quiet", "--no-cache-dir"])
            .args(["--disable-pip-version-check", "-r"])
            .arg(&requirements))?;
        write(&complete)?;
        Ok(Self { interpreter })
    }

    /// The environment of a test process, whose `CARGO_TARGET_TMPDIR` is given; `None` if it cannot be created, with a note on
    /// standard error.
    ///
    /// If `CI` is set, that is a failure instead, because the note would not be read there.
    pub fn of_tests(target_tmpdir: &str) -> Option<&'static Self> {
        static PYTHON: OnceLock<Option<Python>> = OnceLock::new();
        let set_up = || {
            let target = Path::new(target_tmpdir)
                .parent()
                .expect("cargo's directory must lie in the target directory");
            match Self::set_up(target) {
                Ok(python) => Some(python),
                Err(reason) if env::var_os("CI").is_some_and(|ci| !ci.is_empty()) => {
                    panic!("tests with the Azure SDK for Python cannot run: {reason:#}")
                }
                Err(reason) => {
                    let notice =
                        format!("\ntests with the Azure SDK for Python were NOT RUN: {reason:#}\n");
                    // Written directly to standard error, because the macros' output of a passing test is never shown. An error
                    // does not matter.
                    let _ = io::stderr().write_all(notice.as_bytes());
                    None
                }
            }
        };
        PYTHON.get_or_init(set_up).as_ref()
    }

    /// The path of its executable.
    pub fn interpreter(&self) -> &Path {
        &self.interpreter
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().display().to_string();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("run {program} (python3 with venv is needed)"))?;
    ensure!(
        output.status.success(),
        "run {program}: {}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
