//! The engine as a separate process, as its users start it.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

/// A running engine, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) queue_url: String,
    pub(crate) table_url: String,
}

impl Process {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_engine"))
            .args(["--queue-port", "0", "--table-port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        // The connection string.
        lines.next().unwrap().unwrap();
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut after = |name: &str| {
            assert_eq!(words.next().as_deref(), Some(name), "{line}");
            words.next().unwrap()
        };
        Self {
            queue_url: after("queue"),
            table_url: after("table"),
            child,
        }
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = line
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .trim()
            .parse()
            .unwrap();
        kib * 1_024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
