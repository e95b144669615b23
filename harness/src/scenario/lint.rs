//! What is wrong with feature files: known before anything runs, each with its file and line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use cucumber::codegen::{Regex, StepConstructor, WorldInventory, inventory};
use cucumber::gherkin::{Feature, Rule, Scenario as Gherkin, Step, StepType};
use cucumber::step::Location;

use super::durations::Time;
use super::selection::{definitions, scenarios, steps, tags};
use super::steps::table_problem;
use super::text::has_hidden;
use super::{needs, world::Scenario};

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, text } = self;
        write!(f, "{file}:{line}: {text}")
    }
}

/// A collector of the problems of one file.
pub(super) struct Problems<'a> {
    file: &'a Path,
    pub(super) found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    /// None yet.
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

/// What is wrong with one scenario by itself.
pub(super) fn of_scenario(
    feature: &Feature,
    rule: Option<&Rule>,
    scenario: &Gherkin,
    file: &Path,
) -> Vec<Problem> {
    let mut problems = Problems::of(file);
    let (line, name) = (scenario.position.line, &scenario.name);
    for tag in needs::unknown(tags(feature, rule, scenario).into_iter()) {
        let text = format!("unknown tag @{tag}; see ARCHITECTURE.md for the tags there are");
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
                if let Some(number) = too_large(sentence) {
                    let text = format!("{number} in '{keyword} {sentence}' is more than a step takes");
                    problems.add(step.position.line, text);
                }
                if let Some(digit) = sentence.chars().find(|it| it.is_numeric() && !it.is_ascii()) {
                    let text = format!(
                        "{digit} (U+{:04X}) in '{keyword} {sentence}' is no digit that a step reads; write 0 to 9",
                        u32::from(digit)
                    );
                    problems.add(step.position.line, text);
                }
                arguments(&mut problems, step);
            }
            // Named where the text is checked.
            Ok(None) if has_hidden(sentence) => {}
            Ok(None) => problems.add(
                step.position.line,
                format!(
                    "the step '{keyword} {sentence}' is not defined; the features that 'harness export DIR features' writes have those that are"
                ),
            ),
            Err(several) => problems.add(
                step.position.line,
                format!("the step '{keyword} {sentence}' has more than one definition: {several}"),
            ),
        }
    }
    order(&mut problems, &steps, line, name);
    problems.found
}

/// What stands under a step and is not read, or is missing there. A sentence that takes a table ends with a colon.
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
                problems.add(line, format!("{wrong:#}"));
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

/// A number that matches a definition and is none that it can read.
fn too_large(sentence: &str) -> Option<&str> {
    let mut numbers = sentence.split(|letter: char| !letter.is_ascii_digit());
    numbers.find(|digits| !digits.is_empty() && digits.parse::<u32>().is_err())
}

/// Given, one When, Then; and at least one sentence that says by when.
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
    if promises().next().is_some() && !promises().any(|step| says_by_when(&step.value)) {
        problems.add(
            line,
            format!(
                "the scenario {name:?} has no deadline; say 'within <time>' in what it waits for"
            ),
        );
    }
}

/// Whether a sentence says by when: `within 30 s`.
fn says_by_when(sentence: &str) -> bool {
    sentence.match_indices("within ").any(|(at, word)| {
        let rest = sentence[at + word.len()..].split([' ', ',']);
        let time: Vec<&str> = rest.take(2).collect();
        time.join(" ").parse::<Time>().is_ok()
    })
}

/// Scenarios that share a name: no report and no filter could tell them apart.
pub(super) fn twins<'a>(
    scenarios: impl IntoIterator<Item = (&'a Path, &'a Gherkin)>,
) -> Vec<Problem> {
    let mut first = BTreeMap::new();
    let mut found = Vec::new();
    for (file, scenario) in scenarios {
        let line = scenario.position.line;
        let here = format!("{}:{line}", file.display());
        if let Some(there) = first.get(&scenario.name) {
            let name = &scenario.name;
            found.push(Problem {
                file: file.display().to_string(),
                line,
                text: format!(
                    "the scenario {name:?} has the name of that at {there}; give each its own"
                ),
            });
        } else {
            first.insert(scenario.name.clone(), here);
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

/// Every step definition: its place in the source, and the sentences that it is for.
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
mod tests {
    use cucumber::gherkin::GherkinEnv;

    use super::*;

    fn problems(steps: &str) -> Vec<String> {
        let text = format!("Feature: f\n  Scenario: s\n{steps}");
        let feature = Feature::parse(text, GherkinEnv::default()).unwrap();
        scenarios(&feature)
            .flat_map(|(rule, scenario)| {
                of_scenario(&feature, rule, scenario, Path::new("a.feature"))
            })
            .map(|problem| problem.to_string())
            .collect()
    }

    const GOOD: &str = "    Given 1 consumer\n    When 5 messages are sent at once\n    \
                        Then within 30 s every message has exactly one result\n";

    #[test]
    fn a_good_scenario_has_no_problem() {
        assert_eq!(problems(GOOD), [""; 0]);
    }

    #[test]
    fn each_problem_is_named_with_its_line() {
        let when = "    When 6 messages are sent at once\n";
        for (steps, expected) in [
            (
                GOOD.replace("1 consumer", "nonsense"),
                "a.feature:3: the step 'Given nonsense' is not defined; the features that 'harness export DIR features' writes",
            ),
            (
                GOOD.replace(
                    "    When",
                    "    Given 2 consumers\n    When 4 messages are sent at once\n    When",
                ),
                "a.feature:6: a second When",
            ),
            (format!("{GOOD}{when}"), "a.feature:6: When after Then"),
            (
                GOOD.replace("    When 5 messages are sent at once\n", ""),
                "a.feature:2: the scenario \"s\" has no When",
            ),
            (
                "    When 5 messages are sent at once\n".to_owned(),
                "a.feature:2: the scenario \"s\" has no Then",
            ),
            (
                GOOD.replace(
                    "within 30 s every message has exactly one result",
                    "no message was delivered more than once",
                ),
                "a.feature:2: the scenario \"s\" has no deadline",
            ),
            (
                "    nothing\n".to_owned(),
                "a.feature:2: the scenario \"s\" has no step",
            ),
        ] {
            let found = problems(&steps);
            assert!(
                found.iter().any(|problem| problem.starts_with(expected)),
                "{expected:?} is not in {found:?}"
            );
        }
    }

    #[test]
    fn values_that_a_step_cannot_take_are_no_step() {
        let given = |sentence: &str| GOOD.replace("1 consumer", sentence);
        for sentence in [
            "30 % of all requests get 503 ServerBusy",
            "100 % of all receives get an answer 200 ms late",
            "the first 5 inserts get half an answer",
            "3 consumers die before an insert reaches storage",
        ] {
            assert_eq!(problems(&given(sentence)), [""; 0], "{sentence}");
        }
        for sentence in [
            "120 % of all requests get 503 ServerBusy",
            "30 % of all requests get 418 Teapot",
            "the first 5 inserts get an answer late",
            "3 consumers die of boredom",
        ] {
            assert_eq!(problems(&given(sentence)).len(), 1, "{sentence}");
        }
    }

    #[test]
    fn a_deadline_is_a_time_after_within() {
        for (sentence, says) in [
            ("within 30 s every message has exactly one result", true),
            (
                "that consumer ended by itself within 10 s, with exit code 0",
                true,
            ),
            ("each message takes 30 s of work", false),
            ("latency stays within these limits:", false),
        ] {
            assert_eq!(says_by_when(sentence), says, "{sentence}");
        }
    }
}
