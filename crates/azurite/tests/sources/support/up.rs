//! A child process that keeps an Azurite, in an environment of the test's choice.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

/// A running `azurite-up`, killed when this is dropped, also after a failed test.
pub(crate) struct Up(Child);

impl Up {
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self(command(settings).spawn().unwrap())
    }

    /// The output once its Azurite answers: the first line as `why`, the variables by name.
    pub(crate) fn announced(&mut self) -> HashMap<String, String> {
        let mut said = HashMap::new();
        let stdout = BufReader::new(self.0.stdout.take().unwrap());
        for line in stdout.lines().map_while(Result::ok) {
            if let Some(why) = line.strip_prefix("# ") {
                said.insert("why".to_owned(), why.to_owned());
            } else if let Some((name, value)) = line.split_once('=') {
                said.insert(name.to_owned(), value.trim_matches('\'').to_owned());
            } else {
                return said;
            }
        }
        let mut error = String::new();
        let mut stderr = self.0.stderr.take().unwrap();
        stderr.read_to_string(&mut error).unwrap();
        panic!("azurite-up ended early: {error}");
    }
}

impl Drop for Up {
    /// SIGKILL, so that no destructor of the process runs. Fails only if it has ended already.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The error text of a start that fails, which must be the only output.
pub(crate) fn error_of(settings: &[(&str, &str)]) -> String {
    let output = command(settings).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

/// `azurite-up`, without this process's `EDW_*` settings.
fn command(settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_azurite-up"));
    for name in ["SOURCE", "QUEUE_URL", "TABLE_URL", "BLOB_URL"] {
        command.env_remove(format!("EDW_AZURITE_{name}"));
    }
    command
        .envs(settings.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
