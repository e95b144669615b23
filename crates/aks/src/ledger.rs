//! Ledger of environments on this machine: a line before anything of one exists, and a line when it is removed.
//!
//! Azure's tags are the second ledger: a sweep does not need this file.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::door::missing;
use crate::failure::Failure;
use crate::names::Run;
use crate::stamp;

/// The kind of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Event {
    Planned,
    Removed,
}

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    stamp: String,
    event: Event,
    run: String,
    group: String,
    /// The expiry time, which a repeated `up` keeps.
    pub(crate) delete_after: String,
}

/// `ledger.jsonl`.
#[derive(Debug)]
pub(crate) struct Ledger(PathBuf);

impl Ledger {
    pub(crate) fn of(out: &Path) -> Self {
        Self(out.join("ledger.jsonl"))
    }

    /// The environment of `run`, if it was begun and not removed.
    pub(crate) fn begun(&self, run: &Run) -> Option<Entry> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        // A line that a kill has cut off is ignored.
        let mut entries = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Entry>(line).ok());
        let last = entries.rfind(|entry| entry.run == run.to_string())?;
        (last.event == Event::Planned).then_some(last)
    }

    /// Every environment that was begun and not removed.
    pub(crate) fn all_begun(&self) -> Vec<(Run, Entry)> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        let entries = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Entry>(line).ok());
        let names: BTreeSet<_> = entries.map(|entry| entry.run).collect();
        let runs = names.into_iter().filter_map(|name| name.parse().ok());
        runs.filter_map(|run: Run| self.begun(&run).map(|entry| (run, entry)))
            .collect()
    }

    /// Records that `run` is about to exist; on disk when this returns.
    pub(crate) fn planned(&self, run: &Run, delete_after: &str) -> Result<(), Failure> {
        self.write(Event::Planned, run, delete_after)
    }

    /// Strikes `run` off, if it is in the ledger.
    pub(crate) fn removed(&self, run: &Run) -> Result<(), Failure> {
        match self.begun(run) {
            Some(entry) => self.write(Event::Removed, run, &entry.delete_after),
            None => Ok(()),
        }
    }

    fn write(&self, event: Event, run: &Run, delete_after: &str) -> Result<(), Failure> {
        let entry = Entry {
            stamp: stamp::text(stamp::now()),
            event,
            run: run.to_string(),
            group: run.group(),
            delete_after: delete_after.to_owned(),
        };
        let line = serde_json::to_string(&entry).expect("an entry must be written as JSON");
        let written = || {
            let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
            // Begins with a line break: a kill may have cut off the line before.
            writeln!(file, "\n{line}")?;
            file.sync_all()
        };
        written().map_err(|error: std::io::Error| missing(&self.0, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_begun_until_it_is_removed_whatever_line_was_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let (run, ledger): (Run, _) = ("n-1".parse().unwrap(), Ledger::of(dir.path()));
        assert!(ledger.begun(&run).is_none());
        ledger.removed(&run).unwrap();
        ledger.planned(&run, "2026-11-23T05:00:00Z").unwrap();
        ledger.planned(&"n-2".parse().unwrap(), "x").unwrap();
        fs::write(
            &ledger.0,
            fs::read_to_string(&ledger.0).unwrap() + "{\"stamp\":",
        )
        .unwrap();
        assert_eq!(
            ledger.begun(&run).unwrap().delete_after,
            "2026-11-23T05:00:00Z"
        );
        ledger.removed(&run).unwrap();
        assert!(ledger.begun(&run).is_none());
    }
}
