//! Logs of producer and workers: one file each, below `logs/` of the run's directory.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The path of the log of `name`, in a run's `directory`.
pub(super) fn file(directory: &Path, name: &str) -> PathBuf {
    directory.join("logs").join(format!("{name}.log"))
}

/// The whole log of `name`.
pub(super) fn said(directory: &Path, name: &str) -> anyhow::Result<String> {
    let log = file(directory, name);
    std::fs::read_to_string(&log).with_context(|| format!("read {}", log.display()))
}

/// Whether `log` contains `text`.
pub(super) fn says(log: &Path, text: &str) -> bool {
    std::fs::read_to_string(log).is_ok_and(|said| said.contains(text))
}

/// The last lines of `log`, each cut to a readable length; empty if the log is empty.
pub(super) fn last_lines(log: &Path) -> String {
    const LINES: usize = 15;
    const CHARS: usize = 400;
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<String> = text
        .lines()
        .map(|line| match line.char_indices().nth(CHARS) {
            Some((end, _)) => format!("{} …", &line[..end]),
            None => line.to_owned(),
        })
        .collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// The last lines of `log`, for an error message.
pub(super) fn tail(log: &Path) -> String {
    let name = log.display();
    match last_lines(log) {
        lines if lines.is_empty() => format!("it said nothing: {name} is empty"),
        lines => format!("last lines of {name}:\n{lines}"),
    }
}
