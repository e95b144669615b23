//! State of the fake programs between calls, including the faults that a test has planted.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::{Value, json};

use crate::{azure, cluster};

/// The variable with the path of the state's file.
pub(crate) const VARIABLE: &str = "NIGHT_BOOKS";

/// The state, as JSON: a test reads and plants values by name.
#[derive(Debug)]
pub(crate) struct Books {
    path: PathBuf,
    pub(crate) all: Value,
}

/// The answer of a program: its output, or its error with exit code 1.
pub(crate) type Answer = Result<Value, String>;

impl Books {
    /// Makes an empty state.
    pub(crate) fn begin(path: &Path) -> Self {
        let books = Self {
            path: path.to_owned(),
            all: json!({"groups": {}, "faults": {}, "probes": [], "calls": 0, "pod": null}),
        };
        books.write();
        books
    }

    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("the books must be there");
        Self {
            path: path.to_owned(),
            all: serde_json::from_str(&text).expect("the books must be JSON"),
        }
    }

    /// Written completely or not at all, because a program may be killed while it writes.
    pub(crate) fn write(&self) {
        let new = self.path.with_extension("new");
        fs::write(&new, self.all.to_string()).expect("the books must be written");
        fs::rename(&new, &self.path).expect("the books must be replaced");
    }

    /// Whether `fault` is planted; each call uses one up.
    pub(crate) fn fault(&mut self, fault: &str) -> bool {
        let left = self.all["faults"][fault].as_u64().unwrap_or(0);
        if left > 0 {
            self.all["faults"][fault] = (left - 1).into();
        }
        left > 0
    }

    /// Counts a call, and tells whether the caller is killed at it: before the effect, or after.
    fn count(&mut self) -> Option<bool> {
        let call = self.all["calls"].as_u64().expect("a count") + 1;
        self.all["calls"] = call.into();
        (self.all["kill"]["at"] == call).then(|| self.all["kill"]["after"] == true)
    }
}

/// Runs the fake `program` once, with the arguments of this process.
pub(crate) fn play(program: &str) -> ExitCode {
    let path = std::env::var_os(VARIABLE).expect("the books must be named");
    let mut books = Books::read(Path::new(&path));
    let args: Vec<String> = std::env::args().skip(1).collect();
    let kill = books.count();
    books.write();
    if kill == Some(false) {
        return kill_caller();
    }
    let answer = match program {
        "az" => azure::az(&mut books, &args),
        "kubectl" => cluster::kubectl(&mut books, &args),
        "docker" => cluster::docker(&mut books, &args),
        _ => Ok(json!({"value": "fresh"})),
    };
    books.write();
    if kill == Some(true) {
        return kill_caller();
    }
    match answer {
        Ok(Value::Null) => ExitCode::SUCCESS,
        Ok(value) => {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            std::io::stdout()
                .write_all(text.as_bytes())
                .expect("an answer must be written");
            ExitCode::SUCCESS
        }
        Err(text) => {
            std::io::stderr()
                .write_all(text.as_bytes())
                .expect("an error must be written");
            ExitCode::FAILURE
        }
    }
}

/// Kills the caller like a runner that is gone: no signal handler runs.
fn kill_caller() -> ExitCode {
    let caller = std::os::unix::process::parent_id().to_string();
    Command::new("/bin/kill")
        .args(["-KILL", &caller])
        .status()
        .expect("kill must run");
    ExitCode::FAILURE
}

/// The value after a flag.
pub(crate) fn flag<'a>(args: &'a [String], name: &str) -> &'a str {
    let at = args.iter().position(|arg| arg == name);
    let value = at.and_then(|at| args.get(at + 1));
    value.unwrap_or_else(|| panic!("{name} must be given: {args:?}"))
}

/// The answer to an unknown command, with which the test must fail.
pub(crate) fn unknown(program: &str, args: &[String]) -> Answer {
    Err(format!("STAND-IN: {program} does not know {args:?}"))
}
