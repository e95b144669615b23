//! Reader of the event log: returns the readable events, and reports the others.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::{Entry, EventLogError, FILE, VERSION};

/// A log that was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Log {
    /// Every readable event, in order.
    pub entries: Vec<Entry>,
    /// Whether the last line is incomplete, because its writer was killed. The log is otherwise valid.
    pub torn: bool,
    /// The numbers, from 1, of other unreadable lines: the file was damaged, and evidence is missing.
    pub damaged: Vec<usize>,
    /// The numbers, from 1, of lines with events that this version does not know.
    pub unknown: Vec<usize>,
}

impl Log {
    /// Reads the log of run directory `dir`.
    pub fn read(dir: &Path) -> Result<Self, EventLogError> {
        let path = dir.join(FILE);
        match File::open(&path).and_then(|file| Self::parse(BufReader::new(file))) {
            Ok(log) => Ok(log),
            Err(source) => Err(EventLogError::Read { path, source }),
        }
    }

    /// Reads a log from its text. Unreadable lines are reported by their numbers; only reading `input` itself can fail.
    pub fn parse(mut input: impl BufRead) -> std::io::Result<Self> {
        let mut log = Self::default();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            let ended = line.last() == Some(&b'\n');
            log.take(number, &line, ended);
        }
        Ok(log)
    }

    fn take(&mut self, number: usize, line: &[u8], ended: bool) {
        if line.trim_ascii().is_empty() {
            return;
        }
        match serde_json::from_slice::<Entry>(line) {
            Ok(entry) if entry.v == VERSION => self.entries.push(entry),
            Ok(_) => self.unknown.push(number),
            Err(_) if is_of_a_newer_writer(line) => self.unknown.push(number),
            Err(_) if !ended => self.torn = true,
            Err(_) => self.damaged.push(number),
        }
    }
}

/// The kinds of events of this version.
pub(super) const KNOWN: [&str; 24] = [
    "run-started",
    "resource-created",
    "resource-removed",
    "process-started",
    "process-exited",
    "phase",
    "fault",
    "scaled",
    "allowed",
    "node",
    "sample",
    "note",
    "audited",
    "measured",
    "usage",
    "rate-step",
    "rate-found",
    "finished",
    "scenario-started",
    "storage-lost",
    "scenario-selected",
    "scenario-not-run",
    "step",
    "scenario-finished",
];

/// Whether the line is a whole entry whose kind or version is unknown here.
fn is_of_a_newer_writer(line: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Head {
        v: u32,
        event: String,
    }
    serde_json::from_slice::<Head>(line)
        .is_ok_and(|head| head.v > VERSION || !KNOWN.contains(&head.event.as_str()))
}
