//! Compares runs with other runs: nights with the nights before, a change with the state before it.
//!
//! - `gather`: reads directories, and groups runs by load or by scenario of a suite.
//! - `alike`: whether runs may be compared at all: environment, pace, load and setting are the same.
//! - `figures`: the figures that can be compared. [`judge::compare`] judges two groups of them.
//! - `text`: the answer for a terminal.

mod alike;
mod figures;
mod gather;
mod text;

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use judge::compare::{Change, Difference, Rule, change_of_outcomes, difference, outcome_of};
use serde::Serialize;
use workflow::number;

pub(crate) use gather::runs_in;
pub use text::text;
use workflow::exit::WrongInput;

use crate::outcome::Outcome;
use alike::Unlike;
use figures::Figure;
use gather::{Group, gather};

/// Which runs, and what counts.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = MORE)]
pub struct CompareArgs {
    /// Earlier run or suite: its directory, or a directory that holds several
    pub base: PathBuf,
    /// New runs or suites, in the same form; several count as runs of the same load
    #[arg(required = true)]
    pub new: Vec<PathBuf>,
    /// Relative change of a figure that counts as no change, as a fraction: 0.1 is 10 %
    #[arg(long, default_value_t = Rule::default().tolerance, value_parser = number::parse_fraction)]
    pub tolerance: f64,
    /// Relative change of a figure that counts as no change if one run is compared with one other run, as a fraction: 0.1 is 10 %
    #[arg(long, default_value_t = Rule::default().pair_tolerance, value_parser = number::parse_fraction)]
    pub pair_tolerance: f64,
    /// Chance that a comparison of equal runs calls some figure worse or better, as a fraction
    #[arg(long, default_value_t = Rule::default().error, value_parser = number::parse_fraction)]
    pub error: f64,
    /// Take only the newest N runs of a directory that holds several [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub last: Option<u32>,
    /// Compare runs even if their environments, paces, loads or settings differ, and say how they differ
    #[arg(long)]
    pub anyway: bool,
    /// Also write the answer to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

const MORE: &str = "\
The change of each figure has a confidence interval. If the whole interval is
beyond the tolerance, the figure is worse or better; if the whole interval is
within it, the figure is alike; else it cannot be told. Give several runs on
each side: the differences between equal runs decide how wide the interval is.
One run against one other shows only much larger changes. docs/COMPARE.md has
the method and its source.

Exit codes: 0 nothing is worse; 10 something is worse; 11 no figure could be
told; 2 no run is there, or the runs may not be compared";

/// The answer.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// Runs of the base.
    pub base: Vec<String>,
    /// New runs.
    pub new: Vec<String>,
    /// The differences in kind between the two sides: versions, and with `--anyway` everything else.
    pub unlike: Vec<Unlike>,
    /// What was compared, in the order in which the new runs have it.
    pub subjects: Vec<Subject>,
    /// Scenarios that only one side has.
    pub one_sided: Vec<String>,
    /// The rule that was applied.
    pub tolerance: f64,
    /// The same for a pair.
    pub pair_tolerance: f64,
    /// The share of errors.
    pub error: f64,
}

/// A load, or a scenario of a suite.
#[derive(Debug, Serialize)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// The outcomes before.
    pub base: Vec<Outcome>,
    /// The outcomes now.
    pub new: Vec<Outcome>,
    /// The change of the outcome.
    pub outcome: Change,
    /// Its figures.
    pub figures: Vec<Compared>,
}

/// A figure on both sides.
#[derive(Debug, Serialize)]
pub struct Compared {
    /// The figure.
    #[serde(flatten)]
    pub figure: Figure,
    /// The change, and the values.
    #[serde(flatten)]
    pub difference: Difference,
}

impl Comparison {
    /// How many figures and outcomes changed in this way.
    pub fn count(&self, change: Change) -> usize {
        let all = self.subjects.iter().flat_map(Subject::changes);
        all.filter(|each| *each == change).count()
    }

    /// Fail if something is worse; inconclusive if nothing could be compared.
    pub fn outcome(&self) -> Outcome {
        outcome_of(self.subjects.iter().flat_map(Subject::changes))
    }
}

impl Subject {
    fn changes(&self) -> impl Iterator<Item = Change> {
        let figures = self.figures.iter().map(|it| it.difference.change);
        std::iter::once(self.outcome).chain(figures)
    }
}

const COMPARE: WrongInput = WrongInput("compare the runs");

/// Compares what `args` name.
pub fn compare(args: &CompareArgs) -> anyhow::Result<Comparison> {
    let last = args.last.map(|last| last as usize);
    let base = gather(std::slice::from_ref(&args.base), last).context(COMPARE)?;
    let new = gather(&args.new, last).context(COMPARE)?;
    let mut unlike = Vec::new();
    for (name, group) in &new.groups {
        if let Some(before) = base.group(name) {
            for found in alike::unlike(&before.records, &group.records) {
                if !unlike.contains(&found) {
                    unlike.push(found);
                }
            }
        }
    }
    let forbidding: Vec<_> = unlike
        .iter()
        .filter(|it| !it.is_expected)
        .map(ToString::to_string)
        .collect();
    let told = || {
        format!(
            "they are not of the same kind:\n  {}\ngive runs that are, or --anyway",
            forbidding.join("\n  ")
        )
    };
    ensure!(
        args.anyway || forbidding.is_empty(),
        anyhow::anyhow!(told()).context(COMPARE)
    );
    let rule = Rule {
        tolerance: args.tolerance,
        pair_tolerance: args.pair_tolerance,
        error: args.error,
    };
    let both = || {
        new.groups
            .iter()
            .filter_map(|(name, group)| Some((name, base.group(name)?, group)))
    };
    let figures: usize = both()
        .map(|(_, old, new)| figures::shared(old, new).len())
        .sum();
    let subjects: Vec<_> = both()
        .map(|(name, old, new)| subject(name, old, new, &rule, figures))
        .collect();
    let none = || {
        anyhow::anyhow!("they have no load, no search and no scenario in common").context(COMPARE)
    };
    ensure!(!subjects.is_empty(), none());
    Ok(Comparison {
        one_sided: gather::one_sided(&base, &new),
        base: base.runs,
        new: new.runs,
        unlike,
        subjects,
        tolerance: rule.tolerance,
        pair_tolerance: rule.pair_tolerance,
        error: rule.error,
    })
}

fn subject(name: &str, base: &Group, new: &Group, rule: &Rule, figures: usize) -> Subject {
    let shared = figures::shared(base, new).into_iter();
    let compared = shared.filter_map(|(figure, old, new)| {
        let difference = difference(&old, &new, figure.better(), rule, figures)?;
        Some(Compared { figure, difference })
    });
    Subject {
        name: name.to_owned(),
        outcome: change_of_outcomes(&base.outcomes, &new.outcomes),
        base: base.outcomes.clone(),
        new: new.outcomes.clone(),
        figures: compared.collect(),
    }
}

#[cfg(test)]
mod tests;
