//! Reads runs from directories, and groups them by load or scenario.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::events::FILE;
use crate::outcome::Outcome;
use crate::report::RunRecord;

/// The group of a load; scenarios are grouped by name.
pub(super) const LOAD: &str = "load";

/// The group of a search for the highest rate.
pub(super) const SEARCH: &str = "search for the highest rate";

/// One side of a comparison.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The directories of its runs and suites.
    pub(super) runs: Vec<String>,
    /// By load or scenario, in the order of the first run that has it.
    pub(super) groups: Vec<(String, Group)>,
}

/// The runs of one load or scenario.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// How each ended.
    pub(super) outcomes: Vec<Outcome>,
    /// The records of the runs that have a log; a scenario that passed may have left none.
    pub(super) records: Vec<RunRecord>,
    /// Whether these are scenarios of a suite, of which there are many.
    pub(super) is_scenario: bool,
}

impl Gathered {
    pub(super) fn group(&self, name: &str) -> Option<&Group> {
        self.groups
            .iter()
            .find(|(it, _)| it == name)
            .map(|(_, group)| group)
    }

    fn add(&mut self, name: &str, outcome: Outcome, record: Option<RunRecord>, is_scenario: bool) {
        let at = self.groups.iter().position(|(it, _)| it == name);
        let at = at.unwrap_or_else(|| {
            let group = Group {
                is_scenario,
                ..Group::default()
            };
            self.groups.push((name.to_owned(), group));
            self.groups.len() - 1
        });
        let group = &mut self.groups[at].1;
        group.outcomes.push(outcome);
        group.records.extend(record);
    }
}

/// The directories of runs and suites that `path` names: `path` itself, or the directories in it, sorted by name; names begin with
/// the time.
pub(crate) fn runs_in(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.join(FILE).is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = path
        .read_dir()
        .with_context(|| format!("read {}", path.display()))?;
    let mut runs = Vec::new();
    for entry in entries {
        let dir = entry
            .with_context(|| format!("read {}", path.display()))?
            .path();
        if dir.join(FILE).is_file() {
            runs.push(dir);
        }
    }
    runs.sort();
    ensure!(
        !runs.is_empty(),
        "find a run in {}: it has no {FILE}, and no directory in it has",
        path.display()
    );
    Ok(runs)
}

/// Reads the runs at `paths`; of a directory that holds several, only the `last` ones.
pub(super) fn gather(paths: &[PathBuf], last: Option<usize>) -> anyhow::Result<Gathered> {
    let mut gathered = Gathered::default();
    for path in paths {
        let runs = runs_in(path)?;
        let from = last.map_or(0, |last| runs.len().saturating_sub(last));
        for dir in &runs[from..] {
            gathered.runs.push(dir.display().to_string());
            add(&mut gathered, dir)?;
        }
    }
    Ok(gathered)
}

fn add(gathered: &mut Gathered, dir: &Path) -> anyhow::Result<()> {
    let record = RunRecord::read(dir)?;
    if record.scenarios.is_empty() {
        let name = if record.is_search() { SEARCH } else { LOAD };
        gathered.add(name, record.verdict().outcome, Some(record), false);
        return Ok(());
    }
    for scenario in &record.scenarios {
        let own = scenario.run_dir.as_ref().map(|own| dir.join(own));
        let own = own.filter(|own| own.join(FILE).is_file());
        let own = own.map(|own| RunRecord::read(&own)).transpose()?;
        gathered.add(&scenario.name, scenario.outcome, own, true);
    }
    Ok(())
}

/// Subjects that only one side has, in words.
pub(super) fn one_sided(base: &Gathered, new: &Gathered) -> Vec<String> {
    let missing = |one: &Gathered, other: &Gathered, side: &str| {
        let names = one.groups.iter().map(|(name, _)| name);
        let alone = names.filter(|name| other.group(name).is_none());
        alone
            .map(|name| format!("{name}: {side}"))
            .collect::<Vec<_>>()
    };
    let mut told = missing(new, base, "new, not in the base");
    told.extend(missing(base, new, "in the base, and not new"));
    told
}
