//! Selects scenarios: reads the feature files, and checks them before anything runs.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use cucumber::World as _;
use cucumber::gherkin::{Feature, Rule, Scenario as Gherkin, Step};
use cucumber::step::Collection;
use platform::{Need, Profile};
use workflow::exit::WrongInput;

use super::durations::{at_pace, stated};
use super::lint::{self, Problem};
use super::read::{FeatureFile, read, read_each, read_text};
use super::world::Scenario;
use super::{SuiteArgs, needs};
use crate::events::NotRun;
use crate::pace::Pace;
use crate::report::not_run_line;

/// The context of every error of the selection.
const SELECT: WrongInput = WrongInput("select the scenarios");

/// At least one scenario, each with defined steps only.
#[derive(Debug)]
pub struct Selection {
    /// Scenarios that run.
    pub(super) cases: Vec<Case>,
    /// Scenarios that this environment cannot run.
    pub(super) not_run: Vec<NotRun>,
    /// How many scenarios the filter left out.
    pub(super) filtered_out: usize,
}

/// One scenario, ready to run.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// The feature's name.
    pub(super) feature: String,
    /// The scenario's name.
    pub(super) name: String,
    /// Its place: `features/exactly_once.feature:12`.
    pub(super) location: String,
    /// Its steps, those of its backgrounds first, in production time.
    pub(super) steps: Vec<Step>,
    /// How many times faster than in production it runs on this platform.
    pub(super) pace: Pace,
    /// Additional time for its steps, if loads, consumers or nodes take production time.
    pub(super) patience: Duration,
    /// Whether it runs alone.
    pub(super) is_serial: bool,
    /// Whether an autoscaler decides the number of its workers.
    pub(super) is_scaled: bool,
    /// Whether nodes of its workers are evicted.
    pub(super) takes_nodes: bool,
}

impl Case {
    /// The sum of the times in its sentences, at the pace of this platform.
    pub(super) fn stated(&self) -> Duration {
        let stated = self.steps.iter().map(|step| stated(&step.value));
        let sum = stated.fold(Duration::ZERO, Duration::saturating_add);
        self.pace.time(sum)
    }

    /// A step with its times and rates at the pace of this platform, as its definition reads it. A table is left as it is: its
    /// settings belong to manifests, which are divided as a whole.
    pub(super) fn here(&self, step: &Step) -> Step {
        Step {
            value: at_pace(&step.value, self.pace),
            ..step.clone()
        }
    }
}

/// All step definitions.
pub(super) fn definitions() -> &'static Collection<Scenario> {
    static DEFINITIONS: OnceLock<Collection<Scenario>> = OnceLock::new();
    DEFINITIONS.get_or_init(Scenario::collection)
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

/// The scenarios that `args` select and that a platform with this profile can run; an error lists every problem of the selected
/// scenarios. Tags and names are checked in all scenarios.
fn survey(args: &SuiteArgs, profile: &Profile) -> anyhow::Result<Selection> {
    let features = read_all(&args.features)?;
    let mut selection = Selection {
        cases: Vec::new(),
        not_run: Vec::new(),
        filtered_out: 0,
    };
    // Problems of a file concern all of its scenarios, since parts of them may not have been read.
    let mut problems: Vec<_> = features
        .iter()
        .flat_map(|read| read.problems.clone())
        .collect();
    for FeatureFile { file, feature, .. } in &features {
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
            } else if !is_wanted(args, &name, &tags) {
                selection.filtered_out += 1;
            } else if missing.is_empty() {
                problems.extend(found);
                selection.cases.push(Case {
                    feature: feature_name,
                    name,
                    location,
                    steps: steps().cloned().collect(),
                    pace,
                    patience: needs::patience(&needs, profile),
                    is_serial: tags.iter().any(|tag| needs::is_serial(tag)),
                    is_scaled: needs.contains(&Need::Scaling),
                    takes_nodes: needs.contains(&Need::Nodes),
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

/// Whether `args` select the scenario of this name, with these tags.
fn is_wanted(args: &SuiteArgs, name: &str, tags: &[&String]) -> bool {
    let is_named = args.filter.as_ref().is_none_or(|text| name.contains(text));
    is_named && (!args.smoke || tags.iter().any(|tag| needs::is_smoke(tag)))
}

/// Every scenario of the feature files at `path`, for a platform that offers everything and runs in production time.
#[cfg(test)]
pub(super) fn all_cases(path: &Path) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for FeatureFile { file, feature, .. } in read(path)? {
        for (rule, scenario) in scenarios(&feature) {
            cases.push(Case {
                feature: feature.name.clone(),
                name: scenario.name.clone(),
                location: format!("{}:{}", file.display(), scenario.position.line),
                steps: steps(&feature, rule, scenario).cloned().collect(),
                pace: Pace::PRODUCTION,
                patience: Duration::ZERO,
                is_serial: false,
                is_scaled: false,
                takes_nodes: false,
            });
        }
    }
    Ok(cases)
}

/// Every scenario with its file.
fn all(features: &[FeatureFile]) -> impl Iterator<Item = (&Path, &Gherkin)> {
    features.iter().flat_map(|read| {
        scenarios(&read.feature).map(|(_, scenario)| (read.file.as_path(), scenario))
    })
}

/// The feature files at `paths`, each file once.
fn read_all(paths: &[PathBuf]) -> anyhow::Result<Vec<FeatureFile>> {
    let mut features = Vec::new();
    for path in paths {
        add_new(&mut features, read(path)?);
    }
    Ok(features)
}

/// Adds the files that are not in `features` yet.
fn add_new(features: &mut Vec<FeatureFile>, read: Vec<FeatureFile>) {
    for read in read {
        if features.iter().all(|known| known.file != read.file) {
            features.push(read);
        }
    }
}

fn listed(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The scenarios that `args` select on a platform with this profile, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The names of the scenarios that run.
    pub names: Vec<String>,
    /// Scenarios that this environment cannot run.
    pub not_run: Vec<NotRun>,
}

/// The scenarios that `args` select on a platform with this profile, in order.
pub fn list(args: &SuiteArgs, profile: &Profile) -> anyhow::Result<Listed> {
    let selection = survey(args, profile).context(SELECT)?;
    Ok(Listed {
        names: selection.cases.into_iter().map(|case| case.name).collect(),
        not_run: selection.not_run,
    })
}

/// Selects the scenarios of `args` for a platform with this profile. It is an error if none is selected.
pub fn select(args: &SuiteArgs, profile: &Profile) -> anyhow::Result<Selection> {
    let selection = survey(args, profile).context(SELECT)?;
    if selection.cases.is_empty() {
        let mut told = format!(
            "{}: {} left out by the filter, {} not runnable here, none left; a suite that runs nothing proves nothing",
            listed(&args.features),
            selection.filtered_out,
            selection.not_run.len()
        );
        if args.filter.is_some() && selection.not_run.is_empty() {
            told.push_str(
                ". The filter is a part of a name, with its capitals; --list shows all names",
            );
        }
        for not_run in &selection.not_run {
            told.push_str("\n- ");
            told.push_str(&not_run_line(not_run));
        }
        let none = anyhow!(told);
        return Err(none.context(SELECT));
    }
    Ok(selection)
}

/// The result of a check of feature files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// Scenarios that were checked, one for each line of examples.
    pub scenarios: usize,
    /// Problems that keep scenarios from running, or from being trusted.
    pub problems: Vec<Problem>,
    /// Step definitions that no scenario uses.
    pub unused: Vec<Problem>,
}

/// Checks every scenario of the feature files at `paths`, also those that this environment would not run.
pub fn check_features(paths: &[PathBuf]) -> anyhow::Result<Lint> {
    let (mut features, mut unreadable) = (Vec::new(), Vec::new());
    for path in paths {
        let (read, problems) = read_each(path).context(LINT)?;
        add_new(&mut features, read);
        unreadable.extend(problems);
    }
    Ok(lint_of(features, unreadable))
}

/// Checks one feature from its text; problems name it `file`.
pub fn check_feature(file: &Path, text: &str) -> anyhow::Result<Lint> {
    let read = read_text(file.to_owned(), text).context(LINT)?;
    Ok(lint_of(vec![read], Vec::new()))
}

const LINT: WrongInput = WrongInput("check the feature files");

/// Checks `features`; `problems` are those of files that could not be read.
fn lint_of(features: Vec<FeatureFile>, mut problems: Vec<Problem>) -> Lint {
    problems.extend(lint::twins(all(&features)));
    problems.extend(features.iter().flat_map(|read| read.problems.clone()));
    for FeatureFile { file, feature, .. } in &features {
        for (rule, scenario) in scenarios(feature) {
            problems.extend(lint::of_scenario(feature, rule, scenario, file));
        }
    }
    problems.sort();
    problems.dedup();
    let scenarios = all(&features).count();
    let features: Vec<_> = features.into_iter().map(|read| read.feature).collect();
    Lint {
        scenarios,
        problems,
        unused: lint::unused(&features),
    }
}
