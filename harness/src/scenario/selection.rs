//! Selecting scenarios: what the feature files say, checked before anything runs.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use cucumber::World as _;
use cucumber::feature::Ext as _;
use cucumber::gherkin::{
    Feature, GherkinEnv, ParseError, ParseFileError, Rule, Scenario as Gherkin, Step,
};
use cucumber::step::Collection;

use super::durations::{at_pace, stated};
use super::lint::{self, Problem};
use super::world::Scenario;
use super::{SuiteArgs, needs};
use crate::events::NotRun;
use crate::exit::WrongInput;
use crate::pace::Pace;
use crate::platform::Profile;

/// What every error of the selection has for its context.
const SELECT: WrongInput = WrongInput("select the scenarios");

/// At least one scenario, each with a step for every one of its sentences.
#[derive(Debug)]
pub struct Selection {
    /// What runs.
    pub(super) cases: Vec<Case>,
    /// What this environment cannot run.
    pub(super) not_run: Vec<NotRun>,
    /// How many the filter left out.
    pub(super) filtered_out: usize,
}

/// One scenario, ready to run.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// The feature's name.
    pub(super) feature: String,
    /// The scenario's name.
    pub(super) name: String,
    /// Where it is: `features/exactly_once.feature:12`.
    pub(super) location: String,
    /// Its steps, those of its backgrounds first, in production time.
    pub(super) steps: Vec<Step>,
    /// How many times as fast they happen here.
    pub(super) pace: Pace,
    /// How much longer its steps may take, since loads, consumers or nodes take production time.
    pub(super) patience: Duration,
    /// Whether it runs alone.
    pub(super) is_serial: bool,
}

impl Case {
    /// The sum of the times that its sentences state, as long as they are here.
    pub(super) fn stated(&self) -> Duration {
        let stated = self.steps.iter().map(|step| stated(&step.value));
        let sum = stated.fold(Duration::ZERO, Duration::saturating_add);
        self.pace.time(sum)
    }

    /// One of its steps with the sentence that its definition gets: the times and rates in it are those of here. A table keeps
    /// its own: the settings in it are those of manifests, which are divided as a whole.
    pub(super) fn here(&self, step: &Step) -> Step {
        Step {
            value: at_pace(&step.value, self.pace),
            ..step.clone()
        }
    }
}

/// The steps that there are.
pub(super) fn definitions() -> &'static Collection<Scenario> {
    static DEFINITIONS: OnceLock<Collection<Scenario>> = OnceLock::new();
    DEFINITIONS.get_or_init(Scenario::collection)
}

/// The feature files at `path`: itself, or those below it, in order of their names.
fn feature_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let missing = || {
        format!(
            "find the feature files at {}; name a file or a directory with --features",
            path.display()
        )
    };
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).with_context(missing)? {
        let path = entry.with_context(missing)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "feature")
        {
            files.push(path);
        }
    }
    files.sort();
    ensure!(!files.is_empty(), missing());
    Ok(files)
}

/// Reads the feature files at `path`, with a scenario for each line of their examples.
fn read(path: &Path) -> anyhow::Result<Vec<(PathBuf, Feature)>> {
    let features = feature_files(path)?.into_iter().map(|file| {
        let feature = Feature::parse_path(&file, GherkinEnv::default());
        expanded(feature.map_err(|error| Unreadable::of(&file, error)), file)
    });
    features.collect()
}

/// Why a file is no feature.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("read {}", .0.display())]
    File(PathBuf, #[source] std::io::Error),
    /// In words, with file and line.
    #[error("{0}")]
    Text(String),
}

impl Unreadable {
    fn of(file: &Path, error: ParseFileError) -> Self {
        let (cause, line) = match error {
            ParseFileError::Reading { source, .. } => return Self::File(file.to_owned(), source),
            ParseFileError::Parsing { error, source, .. } => (error, line_of(&source)),
        };
        let text = std::fs::read_to_string(file).unwrap_or_default();
        Self::Text(in_words(
            file,
            &text,
            line,
            cause.as_ref().map(ToString::to_string),
        ))
    }
}

/// Where the parser gave up. Only its words tell, `Error at <line>:<column>: ...`.
fn line_of(error: &ParseError) -> usize {
    let words = error.to_string();
    let place = words.strip_prefix("Error at ");
    let line = place.and_then(|place| place.split(':').next()?.parse().ok());
    line.unwrap_or(1)
}

/// What is wrong with the `text` of `file`, whose parser gave up at `line`, sometimes for a `cause` that it knows.
fn in_words(file: &Path, text: &str, line: usize, cause: Option<String>) -> String {
    let file = file.display();
    if text.trim().is_empty() {
        return format!(
            "{file}:1: the file is empty: a feature begins with a line 'Feature: <name>'"
        );
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    if let Some(cause) = cause {
        // It knows the cause only once the line is over.
        let before = lines.iter().take(line).rposition(|line| !line.is_empty());
        let at = before.unwrap_or_default();
        let cause = cause.split_whitespace().collect::<Vec<_>>().join(" ");
        return format!("{file}:{}: {cause} '{}'", at + 1, lines[at]);
    }
    let said = lines
        .get(line.saturating_sub(1))
        .copied()
        .unwrap_or_default();
    if said.is_empty() {
        return format!(
            "{file}:{line}: the file ends too early, or something is missing before this line"
        );
    }
    format!("{file}:{line}: this line cannot be read: '{said}'")
}

fn expanded<E: Into<anyhow::Error>>(
    feature: Result<Feature, E>,
    file: PathBuf,
) -> anyhow::Result<(PathBuf, Feature)> {
    let feature = feature
        .map_err(Into::into)?
        .expand_examples()
        .with_context(|| format!("read the examples of {}", file.display()))?;
    Ok((file, feature))
}

/// Every tag that applies to a scenario, those of its rule and feature included.
pub(super) fn tags<'a>(
    feature: &'a Feature,
    rule: Option<&'a Rule>,
    scenario: &'a Gherkin,
) -> Vec<&'a String> {
    let of_rule = rule.into_iter().flat_map(|rule| &rule.tags);
    feature
        .tags
        .iter()
        .chain(of_rule)
        .chain(&scenario.tags)
        .collect()
}

/// Every scenario of a feature with its rule.
pub(super) fn scenarios(feature: &Feature) -> impl Iterator<Item = (Option<&Rule>, &Gherkin)> {
    let free = feature.scenarios.iter().map(|scenario| (None, scenario));
    let ruled = feature.rules.iter().flat_map(|rule| {
        rule.scenarios
            .iter()
            .map(move |scenario| (Some(rule), scenario))
    });
    free.chain(ruled)
}

/// The steps of a scenario, those of its backgrounds first.
pub(super) fn steps<'a>(
    feature: &'a Feature,
    rule: Option<&'a Rule>,
    scenario: &'a Gherkin,
) -> impl Iterator<Item = &'a Step> {
    let of_rule = rule.and_then(|rule| rule.background.as_ref());
    let backgrounds = feature.background.iter().chain(of_rule);
    backgrounds
        .flat_map(|background| &background.steps)
        .chain(&scenario.steps)
}

/// What `args` select of what a platform with this profile can run; an error names every problem of what is selected. Tags and
/// names are checked in all scenarios.
fn survey(args: &SuiteArgs, profile: &Profile) -> anyhow::Result<Selection> {
    let features = read(&args.features)?;
    let mut selection = Selection {
        cases: Vec::new(),
        not_run: Vec::new(),
        filtered_out: 0,
    };
    let mut problems = Vec::new();
    for (file, feature) in &features {
        for (rule, scenario) in scenarios(feature) {
            let tags = tags(feature, rule, scenario);
            let found = lint::of_scenario(feature, rule, scenario, file);
            let location = format!("{}:{}", file.display(), scenario.position.line);
            let (feature_name, name) = (feature.name.clone(), scenario.name.clone());
            let steps = || steps(feature, rule, scenario);
            let needs = needs::of_scenario(steps(), tags.iter().copied());
            let missing = profile.offers.missing(&needs);
            let pace = profile.pace(&needs);
            if !needs::unknown(tags.iter().copied()).is_empty() {
                problems.extend(found);
            } else if args
                .filter
                .as_ref()
                .is_some_and(|text| !name.contains(text))
            {
                selection.filtered_out += 1;
            } else if missing.is_empty() {
                problems.extend(found);
                selection.cases.push(Case {
                    feature: feature_name,
                    name,
                    location,
                    steps: steps().cloned().collect(),
                    pace,
                    patience: needs::patience(&needs, pace),
                    is_serial: tags.iter().any(|tag| needs::is_serial(tag)),
                });
            } else {
                let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
                selection.not_run.push(NotRun {
                    feature: feature_name,
                    name,
                    location,
                    needs: missing.join(", "),
                });
            }
        }
    }
    problems.extend(lint::twins(all(&features)));
    ensure!(problems.is_empty(), lines(&problems));
    Ok(selection)
}

/// Every scenario of the feature files at `path`, as it is on a platform that offers everything and shortens nothing.
#[cfg(test)]
pub(super) fn all_cases(path: &Path) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (file, feature) in read(path)? {
        for (rule, scenario) in scenarios(&feature) {
            cases.push(Case {
                feature: feature.name.clone(),
                name: scenario.name.clone(),
                location: format!("{}:{}", file.display(), scenario.position.line),
                steps: steps(&feature, rule, scenario).cloned().collect(),
                pace: Pace::PRODUCTION,
                patience: Duration::ZERO,
                is_serial: false,
            });
        }
    }
    Ok(cases)
}

/// Every scenario with its file.
fn all(features: &[(PathBuf, Feature)]) -> impl Iterator<Item = (&Path, &Gherkin)> {
    features.iter().flat_map(|(file, feature)| {
        scenarios(feature).map(|(_, scenario)| (file.as_path(), scenario))
    })
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The names of the scenarios that `args` select on a platform with this profile, in order.
pub fn list(args: &SuiteArgs, profile: &Profile) -> anyhow::Result<Vec<String>> {
    let selection = survey(args, profile).context(SELECT)?;
    Ok(selection.cases.into_iter().map(|case| case.name).collect())
}

/// Selects the scenarios of `args` for a platform with this profile. None selected is an error.
pub fn select(args: &SuiteArgs, profile: &Profile) -> anyhow::Result<Selection> {
    let selection = survey(args, profile).context(SELECT)?;
    if selection.cases.is_empty() {
        let none = anyhow!(
            "{}: {} left out by the filter, {} not runnable here, none left; a suite that runs nothing proves nothing",
            args.features.display(),
            selection.filtered_out,
            selection.not_run.len()
        );
        return Err(none.context(SELECT));
    }
    Ok(selection)
}

/// What a check of feature files finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// Scenarios that were checked, one for each line of examples.
    pub scenarios: usize,
    /// What keeps scenarios from running, or from being trusted.
    pub problems: Vec<Problem>,
    /// Step definitions that no scenario uses.
    pub unused: Vec<Problem>,
}

/// Checks every scenario of the feature files at `path`, those included that would not run here.
pub fn check_features(path: &Path) -> anyhow::Result<Lint> {
    Ok(lint_of(read(path).context(LINT)?))
}

/// The same of one feature, from its text; `file` is what problems call it.
pub fn check_feature(file: &Path, text: &str) -> anyhow::Result<Lint> {
    let feature = Feature::parse(text, GherkinEnv::default());
    let feature =
        feature.map_err(|error| Unreadable::Text(in_words(file, text, line_of(&error), None)));
    let feature = expanded(feature, file.to_owned()).context(LINT)?;
    Ok(lint_of(vec![feature]))
}

const LINT: WrongInput = WrongInput("check the feature files");

fn lint_of(features: Vec<(PathBuf, Feature)>) -> Lint {
    let mut problems = lint::twins(all(&features));
    for (file, feature) in &features {
        for (rule, scenario) in scenarios(feature) {
            problems.extend(lint::of_scenario(feature, rule, scenario, file));
        }
    }
    problems.sort();
    problems.dedup();
    let scenarios = all(&features).count();
    let features: Vec<_> = features.into_iter().map(|(_, feature)| feature).collect();
    Lint {
        scenarios,
        problems,
        unused: lint::unused(&features),
    }
}
