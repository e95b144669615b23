//! Finds the problems of feature files before anything runs, each with its file and line.

mod undefined;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use cucumber::codegen::{Regex, StepConstructor, WorldInventory, inventory};
use cucumber::gherkin::{Feature, Rule, Scenario as Gherkin, Step, StepType};
use cucumber::step::Location;
use manifest::letters::alike;

use super::durations::Time;
use super::selection::{definitions, scenarios, steps, tags};
use super::steps::table_problem;
use super::text::has_hidden;
use super::{needs, world::Scenario};

/// One problem, and its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The problem, and what to do.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, text } = self;
        write!(f, "{file}:{line}: {text}")
    }
}

/// Collects the problems of one file.
pub(super) struct Problems<'a> {
    file: &'a Path,
    pub(super) found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    /// A collector without problems.
    pub(super) fn of(file: &'a Path) -> Self {
        let found = Vec::new();
        Self { file, found }
    }

    pub(super) fn add(&mut self, line: usize, text: impl Into<String>) {
        self.found.push(Problem {
            file: self.file.display().to_string(),
            line,
            text: text.into(),
        });
    }
}

/// The problems of one scenario.
pub(super) fn of_scenario(
    feature: &Feature,
    rule: Option<&Rule>,
    scenario: &Gherkin,
    file: &Path,
) -> Vec<Problem> {
    let mut problems = Problems::of(file);
    let (line, name) = (scenario.position.line, &scenario.name);
    for tag in needs::unknown(tags(feature, rule, scenario).into_iter()) {
        let text = format!(
            "unknown tag @{tag}; there are @serial (runs alone, since it measures time), @smoke (one of the few that --smoke runs), @cluster \
             and @aks (make sense there alone)"
        );
        problems.add(line, text);
    }
    if scenario.steps.is_empty() {
        let text = format!(
            "the scenario {name:?} has no step; a line that begins with no keyword is a description"
        );
        problems.add(line, text);
        return problems.found;
    }
    let steps: Vec<&Step> = steps(feature, rule, scenario).collect();
    for step in &steps {
        let (keyword, sentence) = (step.keyword.trim(), &step.value);
        match definitions().find(step) {
            Ok(Some(_)) => {
                numbers(&mut problems, step);
                arguments(&mut problems, step);
            }
            // Invisible characters are reported by the check of the text.
            Ok(None) if has_hidden(sentence) => {}
            Ok(None) => problems.add(
                step.position.line,
                format!(
                    "the step '{keyword} {sentence}' is not defined; {}",
                    undefined::advice(step)
                ),
            ),
            Err(several) => problems.add(
                step.position.line,
                format!("the step '{keyword} {sentence}' has more than one definition: {several}"),
            ),
        }
    }
    let backgrounds = [
        feature.background.as_ref(),
        rule.and_then(|rule| rule.background.as_ref()),
    ];
    let beginnings = backgrounds
        .into_iter()
        .flatten()
        .map(|background| &background.steps);
    for first in beginnings
        .chain([&scenario.steps])
        .filter_map(|steps| steps.first())
    {
        conjunction(&mut problems, first);
    }
    order(&mut problems, &steps, line, name);
    problems.found
}

/// Numbers that a step cannot read, or that make no sense in it.
fn numbers(problems: &mut Problems<'_>, step: &Step) {
    let (line, keyword, sentence) = (step.position.line, step.keyword.trim(), &step.value);
    if let Some(number) = too_large(sentence) {
        let text = format!("{number} in '{keyword} {sentence}' is more than a step takes");
        problems.add(line, text);
    }
    let mut letters = sentence.chars();
    if let Some(digit) = letters.find(|it| it.is_numeric() && !it.is_ascii()) {
        let text = format!(
            "{digit} (U+{:04X}) in '{keyword} {sentence}' is no digit that a step reads; write 0 to 9",
            u32::from(digit)
        );
        problems.add(line, text);
    }
    if let Some(wrong) = values::problem(sentence) {
        problems.add(line, format!("'{keyword} {sentence}': {wrong}"));
    }
}

/// Reports a first step with And or But, which continue the step before them (Gherkin reference, "Steps"). The parser reads it as a Given.
fn conjunction(problems: &mut Problems<'_>, first: &Step) {
    let keyword = first.keyword.trim();
    if ["And", "But", "*"].contains(&keyword) {
        let text = format!(
            "the first step begins with {keyword}, and no step before it says what it goes on with; write Given, When or Then"
        );
        problems.add(first.position.line, text);
    }
}

/// A table or doc string that the step does not read, or that is missing. A sentence that takes a table ends with a colon.
fn arguments(problems: &mut Problems<'_>, step: &Step) {
    let (line, sentence) = (step.position.line, &step.value);
    let takes_table = sentence.ends_with(':');
    if step.docstring.is_some() {
        let text = format!("the step '{sentence}' takes no doc string: nobody reads it");
        problems.add(line, text);
    }
    match &step.table {
        Some(_) if !takes_table => {
            let text = format!("the step '{sentence}' takes no table: nobody reads it");
            problems.add(line, text);
        }
        None if takes_table => {
            problems.add(
                line,
                format!("the step '{sentence}' needs a table below it"),
            );
        }
        Some(table) if table.rows.len() > 1 => {
            if let Some(wrong) = table_problem(step) {
                let wrong = format!("{wrong:#}");
                let alike = alike(&wrong).map_or_else(String::new, |told| format!("; {told}"));
                problems.add(line, format!("{wrong}{alike}"));
            }
        }
        Some(_) => {
            problems.add(
                line,
                format!("the table of the step '{sentence}' has no row below its header"),
            );
        }
        _ => {}
    }
}

/// A number in `sentence` that is larger than any step can read.
fn too_large(sentence: &str) -> Option<&str> {
    let mut numbers = sentence.split(|letter: char| !letter.is_ascii_digit());
    numbers.find(|digits| !digits.is_empty() && digits.parse::<u32>().is_err())
}

/// Checks the order Given, one When, Then, and that at least one sentence has a deadline.
fn order(problems: &mut Problems<'_>, steps: &[&Step], line: usize, name: &str) {
    let of = |ty: StepType| steps.iter().filter(move |step| step.ty == ty);
    match of(StepType::When).count() {
        1 => {}
        0 => problems.add(
            line,
            format!("the scenario {name:?} has no When: nothing happens in it"),
        ),
        _ => {
            let second = of(StepType::When)
                .nth(1)
                .map_or(line, |step| step.position.line);
            problems.add(
                second,
                format!("a second When in the scenario {name:?}; what two events do is told by two scenarios"),
            );
        }
    }
    if of(StepType::Then).next().is_none() {
        problems.add(
            line,
            format!("the scenario {name:?} has no Then: it judges nothing"),
        );
    }
    let rank = |step: &Step| match step.ty {
        StepType::Given => 0,
        StepType::When => 1,
        StepType::Then => 2,
    };
    for pair in steps.windows(2) {
        if rank(pair[1]) < rank(pair[0]) {
            let (keyword, before) = (pair[1].keyword.trim(), pair[0].keyword.trim());
            let text = format!("{keyword} after {before}; the order is Given, When, Then");
            problems.add(pair[1].position.line, text);
        }
    }
    let promises = || of(StepType::Then).chain(of(StepType::When));
    // An undefined sentence may have a deadline in other words.
    let is_known = |step: &&&Step| !matches!(definitions().find(step), Ok(None));
    let all_known = promises().filter(is_known).count() == promises().count();
    if promises().next().is_some() && all_known && !promises().any(|step| says_by_when(&step.value))
    {
        problems.add(
            line,
            format!(
                "the scenario {name:?} has no deadline; say 'within <time>' in what it waits for"
            ),
        );
    }
}

/// Whether a sentence has a deadline: `within 30 s`.
fn says_by_when(sentence: &str) -> bool {
    sentence.match_indices("within ").any(|(at, word)| {
        let rest = sentence[at + word.len()..].split([' ', ',']);
        let time: Vec<&str> = rest.take(2).collect();
        time.join(" ").parse::<Time>().is_ok()
    })
}

/// Scenarios with the same name: neither reports nor filters could distinguish them.
pub(super) fn twins<'a>(
    scenarios: impl IntoIterator<Item = (&'a Path, &'a Gherkin)>,
) -> Vec<Problem> {
    let mut first: BTreeMap<_, (&Path, usize)> = BTreeMap::new();
    let mut found = Vec::new();
    for (file, scenario) in scenarios {
        let line = scenario.position.line;
        if let Some((other, at)) = first.get(&scenario.name) {
            let (name, there) = (&scenario.name, other.display());
            let or = if *other == file {
                ""
            } else {
                ", or leave out one of the two files"
            };
            found.push(Problem {
                file: file.display().to_string(),
                line,
                text: format!(
                    "the scenario {name:?} has the name of that at {there}:{at}; give each its own{or}"
                ),
            });
        } else {
            first.insert(scenario.name.clone(), (file, line));
        }
    }
    found
}

/// Step definitions that no scenario of `features` uses, with their place in the source.
pub(super) fn unused(features: &[Feature]) -> Vec<Problem> {
    let mut used = BTreeSet::new();
    for feature in features {
        for (rule, scenario) in scenarios(feature) {
            for step in steps(feature, rule, scenario) {
                if let Ok(Some((_, _, Some(location), _))) = definitions().find(step) {
                    used.insert(location);
                }
            }
        }
    }
    let mut unused: Vec<_> = all_defined()
        .filter(|(location, _)| !used.contains(location))
        .map(|(location, sentence)| Problem {
            file: location.path.to_owned(),
            line: location.line as usize,
            text: format!("no scenario uses the step {:?}", sentence.as_str()),
        })
        .collect();
    unused.sort();
    unused
}

/// Every step definition: its place in the source, and its pattern.
pub(super) fn all_defined() -> impl Iterator<Item = (Location, Regex)> {
    let given = defined::<<Scenario as WorldInventory>::Given>();
    let when = defined::<<Scenario as WorldInventory>::When>();
    let then = defined::<<Scenario as WorldInventory>::Then>();
    given.chain(when).chain(then)
}

fn defined<T: inventory::Collect + StepConstructor<Scenario>>()
-> impl Iterator<Item = (Location, Regex)> {
    inventory::iter::<T>.into_iter().map(|step| {
        let (location, sentence, _) = step.inner();
        (location, sentence())
    })
}

#[cfg(test)]
mod tests;
