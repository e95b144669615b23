//! Runs the binary with a deadline and without the environment variables of the test process.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use producer::{Event, Summary};

/// How long any wait here may take; many times what it needs.
const DEADLINE: Duration = Duration::from_secs(60);

/// The most lines of one output that wait for the test: far more than any producer here writes.
const LINES: usize = 65_536;

/// A signature that must never be seen in any output.
pub(crate) const SIGNATURE: &str = "c2VjcmV0c2lnbmF0dXJl";

/// The binary, with JSON output.
pub(crate) fn producer() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_producer"));
    command.env_clear().env("EDW_PROGRESS", "json");
    command
}

/// The binary, with a queue at `endpoint` and a SAS.
pub(crate) fn producer_to(endpoint: &str) -> Command {
    let mut command = producer();
    command
        .env("AZURE_QUEUE_ENDPOINT", endpoint)
        .env("AZURE_QUEUE_NAME", "aws2azmsgs")
        .env(
            "AZURE_STORAGE_SAS_TOKEN",
            format!("sv=2024-11-04&ss=q&sig={SIGNATURE}"),
        );
    command
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: String,
}

impl Ended {
    /// The summary, which is the last line, and consistent.
    pub(crate) fn summary(&self) -> Summary {
        let last = self
            .stdout
            .last()
            .unwrap_or_else(|| panic!("no summary: {self:?}"));
        match serde_json::from_str(last) {
            Ok(Event::Summary(summary)) => {
                summary.check().unwrap();
                *summary
            }
            other => panic!("{other:?} in {last}"),
        }
    }

    /// Asserts the exit code, that each text is in what was logged, and that no signature is anywhere.
    pub(crate) fn assert(self, code: i32, texts: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} in {}", self.stderr);
        }
        assert!(
            !self.stderr.contains(SIGNATURE) && !self.stdout.concat().contains(SIGNATURE),
            "{self:?}"
        );
        self
    }
}

/// A running process; killed if the test ends before it.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    logs: Receiver<String>,
    logged: String,
    readers: Vec<JoinHandle<()>>,
    deadline: Instant,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (lines, out) = reader(child.stdout.take().unwrap());
        let (logs, err) = reader(child.stderr.take().unwrap());
        Self {
            child,
            lines,
            seen: Vec::new(),
            logs,
            logged: String::new(),
            readers: vec![out, err],
            deadline: Instant::now() + DEADLINE,
        }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Waits for an event.
    pub(crate) fn wait_for(&mut self, found: impl Fn(&Event) -> bool) {
        loop {
            let line = self.lines.recv_timeout(self.left());
            let line = line
                .unwrap_or_else(|_| panic!("no such event in {:?}; {}", self.seen, self.logged));
            let event = serde_json::from_str(&line).unwrap();
            self.seen.push(line);
            if found(&event) {
                return;
            }
        }
    }

    /// Waits for a line of the log.
    pub(crate) fn wait_for_log(&mut self, text: &str) {
        while !self.logged.contains(text) {
            let line = self.logs.recv_timeout(self.left());
            self.logged += &line.unwrap_or_else(|_| panic!("no {text:?} in {}", self.logged));
            self.logged.push('\n');
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(mut self) -> Ended {
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(!self.left().is_zero(), "still running; {}", self.logged);
            thread::sleep(Duration::from_millis(5));
        };
        self.readers
            .drain(..)
            .for_each(|reader| reader.join().unwrap());
        self.seen.extend(self.lines.try_iter());
        self.logged
            .extend(self.logs.try_iter().map(|line| line + "\n"));
        Ended {
            code,
            stdout: std::mem::take(&mut self.seen),
            stderr: std::mem::take(&mut self.logged),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if the process has ended, as it should have.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn reader(pipe: impl Read + Send + 'static) -> (Receiver<String>, JoinHandle<()>) {
    let (send, receive) = mpsc::sync_channel(LINES);
    let thread = thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            // If the test has failed, no receiver is left.
            if send.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    (receive, thread)
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    Running::start(command).wait()
}
