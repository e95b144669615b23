//! A consumer process whose log is read as it is written.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

/// Longest wait for any action of a consumer.
const DEADLINE: Duration = Duration::from_secs(60);

/// A SAS by its form; scripted storage does not check it.
pub(crate) const SAS: &str = "sv=2026-02-06&ss=qt&sig=c2lnbmF0dXJl";

/// A running consumer. Killed when dropped.
pub(crate) struct Consumer {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    /// The events that have been read so far.
    pub(crate) events: Vec<Value>,
}

/// How a consumer ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
}

fn command(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consumer"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["AZURE_", "EDW_", "OTEL_", "POD_", "NODE_"]
            .iter()
            .any(|own| text.starts_with(own))
        {
            command.env_remove(&name);
        }
    }
    command
        .args(flags)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a consumer that ends by itself.
pub(crate) async fn run(flags: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut command = command(flags);
    command.envs(environment.iter().copied());
    let output = timeout(DEADLINE, command.output())
        .await
        .expect("the consumer must end")
        .unwrap();
    Ended {
        code: output.status.code(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The flags for storage with queue and table services at these URLs.
pub(crate) fn storage<'a>(
    queue_url: &'a str,
    table_url: &'a str,
    sas: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("AZURE_QUEUE_ENDPOINT", queue_url),
        ("AZURE_TABLE_ENDPOINT", table_url),
        ("AZURE_STORAGE_SAS_TOKEN", sas),
        ("AZURE_QUEUE_NAME", "work"),
        ("AZURE_TABLE_NAME", "results"),
    ]
}

impl Consumer {
    pub(crate) fn start(flags: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = command(flags);
        command
            .envs(environment.iter().copied())
            .env("EDW_LOG_FORMAT", "json");
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        Self {
            child,
            log,
            events: Vec::new(),
        }
    }

    async fn event(&mut self) -> Option<Value> {
        let line = timeout(DEADLINE, self.log.next_line()).await;
        let line = line
            .unwrap_or_else(|_| panic!("waited too long after {:#?}", self.events))
            .unwrap()?;
        let event: Value = serde_json::from_str(&line).unwrap_or_else(|_| line.as_str().into());
        self.events.push(event.clone());
        Some(event)
    }

    /// Waits for the first event from now on with this message.
    pub(crate) async fn until(&mut self, message: &str) -> Value {
        while let Some(event) = self.event().await {
            if event["message"] == message {
                return event;
            }
        }
        panic!("the log ended without {message:?}: {:#?}", self.events);
    }

    /// Asserts that everything logged so far comes from this project's own code.
    pub(crate) fn assert_only_ours_spoke(&self) {
        let ours = |event: &&Value| {
            event["target"].as_str().is_some_and(|target| {
                ["consumer", "workflow"]
                    .iter()
                    .any(|own| target.starts_with(own))
            })
        };
        let others: Vec<_> = self.events.iter().filter(|event| !ours(event)).collect();
        assert!(others.is_empty(), "{others:#?}");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.id().expect("the consumer must still run");
        kill(Pid::from_raw(pid.try_into().unwrap()), signal).unwrap();
    }

    /// Waits for the end. Returns the exit code, `None` for a signal, and the last event.
    pub(crate) async fn end(mut self) -> (Option<i32>, Value) {
        while self.event().await.is_some() {}
        let status = timeout(DEADLINE, self.child.wait())
            .await
            .expect("the consumer must end")
            .unwrap();
        (
            status.code(),
            self.events.last().cloned().unwrap_or_default(),
        )
    }
}
