//! Python with the Azure SDK, in a virtual environment of its own under the target directory.

use serde_json::Value as Json;
use std::{
    env,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::LazyLock,
};

const REQUIREMENTS: &str = include_str!("python/requirements.txt");
const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/azurite/python/interop.py"
);
/// The version of the SDK names the environment, so that another version gets another one.
const ENVIRONMENT: &str = "python-azure-data-tables-12.7.0";

/// An interpreter that can import the SDK.
pub(crate) struct Python {
    interpreter: PathBuf,
}

impl Python {
    /// The one environment of this process; `None` where there is none to be had, which is said on stderr.
    ///
    /// With `CI` set it is a failure instead: there, nobody reads what was not run.
    pub(crate) fn find() -> Option<&'static Self> {
        static PYTHON: LazyLock<Option<Python>> = LazyLock::new(|| match Python::set_up() {
            Ok(python) => Some(python),
            Err(reason) if env::var_os("CI").is_some_and(|ci| !ci.is_empty()) => {
                panic!("interop with the Azure SDK for Python cannot run: {reason}")
            }
            Err(reason) => {
                let notice =
                    format!("\ninterop with the Azure SDK for Python was NOT RUN: {reason}\n");
                // Straight to stderr: what a passing test prints through macros is never shown.
                io::stderr().write_all(notice.as_bytes()).unwrap();
                None
            }
        });
        PYTHON.as_ref()
    }

    /// Creates the environment unless it is there, complete and of these requirements.
    fn set_up() -> Result<Self, String> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let directory = target.join(ENVIRONMENT);
        let interpreter = directory.join("bin/python");
        // Other test processes may be at it at the same time; the lock goes with the file, also if this process dies.
        let lock = File::create(target.join(format!("{ENVIRONMENT}.lock"))).unwrap();
        lock.lock().unwrap();
        let complete = directory.join("complete");
        if fs::read_to_string(&complete).is_ok_and(|requirements| requirements == REQUIREMENTS) {
            return Ok(Self { interpreter });
        }
        if directory.exists() {
            fs::remove_dir_all(&directory).unwrap();
        }
        run(Command::new("python3").args(["-m", "venv"]).arg(&directory))?;
        let requirements = directory.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS).unwrap();
        // Without its cache pip leaves nothing outside of the target directory.
        run(Command::new(&interpreter)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-cache-dir",
                "--disable-pip-version-check",
                "-r",
            ])
            .arg(&requirements))?;
        fs::write(&complete, REQUIREMENTS).unwrap();
        Ok(Self { interpreter })
    }

    /// Has the script do a job, and returns what it says.
    pub(crate) fn run(&self, job: &Json) -> Json {
        let mut child = Command::new(&self.interpreter)
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(job.to_string().as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = format!("`{}`", command.get_program().display());
    match command.output() {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(Output {
            status,
            stdout,
            stderr,
        }) => Err(format!(
            "{name} ended with {status}: {}{}",
            text(&stdout),
            text(&stderr)
        )),
        Err(error) => Err(format!("{name} does not start: {error}")),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
