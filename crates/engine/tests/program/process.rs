//! The engine as a process.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, ExitStatus, Stdio},
};

/// A running engine, killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) queue_url: String,
    pub(crate) table_url: String,
    pub(crate) connection_string: String,
}

/// The program with these flags, without variables of the environment.
pub(crate) fn command(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_engine"));
    command
        .args(flags)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Process {
    /// Starts it at free ports, and reads its addresses.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let ports = ["--queue-port", "0", "--table-port", "0"];
        let mut child = command(&[&ports, flags].concat()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (Some(Ok(first)), Some(Ok(second))) = (lines.next(), lines.next()) else {
            let mut said = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut said)
                .unwrap();
            panic!("the engine has not started: {said}");
        };
        let words: Vec<&str> = first.split(' ').collect();
        assert_eq!((words[0], words[2]), ("queue", "table"), "{first}");
        Self {
            queue_url: words[1].to_owned(),
            table_url: words[3].to_owned(),
            connection_string: second,
            child,
        }
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM, and returns its exit status.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
