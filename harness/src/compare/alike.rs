//! Lists the differences in kind between runs, one line for each.

use std::fmt;

use serde::Serialize;

use crate::events::RunStarted;
use crate::measure::{LatencyLimit, Micros};
use crate::report::RunRecord;

/// A property that differs between the runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unlike {
    /// The name of the property: `environment`, `pace`, `work`, `storage`, `engine`.
    pub what: String,
    /// All values among the old runs.
    pub base: Vec<String>,
    /// All values among the new runs.
    pub new: Vec<String>,
    /// Whether the difference is what the comparison is for: another version.
    pub is_expected: bool,
}

impl fmt::Display for Unlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |values: &[String]| match values {
            [] => "not said".to_owned(),
            values => values.join(" and "),
        };
        write!(
            f,
            "{}: {} | {}",
            self.what,
            told(&self.base),
            told(&self.new)
        )
    }
}

/// The properties of the run of `record` by name; the last of each says whether different values are expected.
fn traits(record: &RunRecord) -> Option<Vec<(String, String, bool)>> {
    let run = record.run.as_ref()?;
    let mut all = of_run(run);
    // The rate that is found depends on the limits; the latencies of a load do not.
    if record.is_search() {
        let mut limits: Vec<_> = run.limits.iter().map(in_words).collect();
        limits.sort();
        all.push(("limits".to_owned(), limits.join(", "), false));
    }
    Some(all)
}

fn in_words(limit: &LatencyLimit) -> String {
    let max = Micros(i64::try_from(limit.max_us).unwrap_or(i64::MAX));
    format!("{} {} at most {max}", limit.hop, limit.percentile)
}

fn of_run(run: &RunStarted) -> Vec<(String, String, bool)> {
    let mut all = vec![
        ("environment".to_owned(), run.environment.clone(), false),
        ("pace".to_owned(), run.pace.times().to_string(), false),
    ];
    let facts = |facts: &[crate::events::Fact], is_expected| {
        let told = facts
            .iter()
            .map(move |fact| (fact.name.clone(), fact.value.clone(), is_expected));
        told.collect::<Vec<_>>()
    };
    if let Some(messages) = run.messages {
        all.push(("messages".to_owned(), messages.to_string(), false));
    }
    all.extend(facts(&run.plan, false));
    all.extend(facts(&run.setting, false));
    all.extend(facts(&run.versions, true));
    all
}

/// The properties that differ between the runs of both sides, or within one side.
pub(super) fn unlike(base: &[RunRecord], new: &[RunRecord]) -> Vec<Unlike> {
    let of = |records: &[RunRecord]| records.iter().filter_map(traits).collect::<Vec<_>>();
    let (base, new) = (of(base), of(new));
    if base.is_empty() || new.is_empty() {
        return Vec::new();
    }
    let mut names: Vec<(String, bool)> = Vec::new();
    for (name, _, is_expected) in base.iter().chain(&new).flatten() {
        if names.iter().all(|(known, _)| known != name) {
            names.push((name.clone(), *is_expected));
        }
    }
    let values = |side: &[Vec<(String, String, bool)>], name: &str| {
        let mut values = Vec::new();
        for run in side {
            let value = run
                .iter()
                .find(|(it, ..)| it == name)
                .map(|(_, value, _)| value.clone());
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    };
    let found = names.into_iter().filter_map(|(what, is_expected)| {
        let (old, new) = (values(&base, &what), values(&new, &what));
        let is_alike = old.len() == 1 && old == new;
        let told = |side: Vec<Option<String>>| side.into_iter().flatten().collect();
        (!is_alike).then(|| Unlike {
            what,
            base: told(old),
            new: told(new),
            is_expected,
        })
    });
    found.collect()
}
