//! A child process that holds an Azurite, in an environment of the test's own.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

/// `azurite-up`, with none of this process's `EDW_*` settings.
pub(crate) fn azurite_up(settings: &[(&str, &str)]) -> Command {
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

/// What it prints once its Azurite answers: the first line as `why`, the variables by name.
pub(crate) fn announced(child: &mut Child) -> HashMap<String, String> {
    let mut said = HashMap::new();
    for line in BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
    {
        if let Some(why) = line.strip_prefix("# ") {
            said.insert("why".to_owned(), why.to_owned());
        } else if let Some((name, value)) = line.split_once('=') {
            said.insert(name.to_owned(), value.trim_matches('\'').to_owned());
        } else {
            return said;
        }
    }
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    panic!("azurite-up ended early: {stderr}");
}

/// What it says when it fails, having printed nothing else.
pub(crate) fn error_of(settings: &[(&str, &str)]) -> String {
    let output = azurite_up(settings).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

/// Ends it so that no destructor runs.
pub(crate) fn kill(mut child: Child) {
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
}
