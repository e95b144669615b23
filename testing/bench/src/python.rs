//! The loop on the Azure SDK for Python.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::process;
use crate::storage::{Place, Storage};

const SCRIPT: &str = include_str!("../python/loop.py");

/// An interpreter with the SDK, and the script.
#[derive(Debug)]
pub(crate) struct Python {
    python: python::Python,
    script: PathBuf,
}

/// The output of the loop.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Looped {
    messages: u64,
    /// User and system CPU time of the loop alone.
    pub(crate) cpu_s: f64,
    pub(crate) wall_s: f64,
}

impl Python {
    pub(crate) fn set_up() -> anyhow::Result<Self> {
        let script = process::scratch()?.join("loop.py");
        fs::write(&script, SCRIPT)?;
        let python = python::Python::set_up(&process::target()?)?;
        Ok(Self { python, script })
    }

    /// Runs the loop over a backlog of `messages`.
    pub(crate) fn consume(
        &self,
        storage: &Storage,
        place: &Place,
        messages: u64,
    ) -> anyhow::Result<Looped> {
        let said = run(process::command(self.python.interpreter())
            .arg(&self.script)
            .env("SAS", &storage.sas)
            .env("QUEUE_ENDPOINT", &storage.queue_url)
            .env("TABLE_ENDPOINT", &storage.table_url)
            .env("QUEUE", &place.queue)
            .env("TABLE", &place.table)
            .env("MESSAGES", messages.to_string()))?;
        let looped: Looped = serde_json::from_str(&said).context("read what loop.py says")?;
        ensure!(
            looped.messages == messages,
            "consume {messages} messages in Python: {looped:?}"
        );
        Ok(looped)
    }

    /// The version of the interpreter.
    pub(crate) fn version(&self) -> anyhow::Result<String> {
        Ok(
            run(Command::new(self.python.interpreter()).arg("--version"))?
                .trim()
                .to_owned(),
        )
    }
}

/// Runs a command to its end, and returns its output.
fn run(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().display().to_string();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("run {program}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(
        output.status.success(),
        "run {program}: {}: {}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    Ok(text(&output.stdout))
}
