//! Selecting scenarios: what the feature files say, checked before anything runs.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use cucumber::World as _;
use cucumber::feature::Ext as _;
use cucumber::gherkin::{Feature, GherkinEnv, Rule, Scenario as Gherkin};

use super::SuiteArgs;
use super::needs;
use super::suite::SuiteReport;
use super::world::Scenario;
use crate::exit::WrongInput;

/// What every error of the selection has for its context.
const SELECT: WrongInput = WrongInput("select the scenarios");

/// At least one scenario, each with a step for every one of its sentences.
#[derive(Debug)]
pub struct Selection {
    /// What is left out, and why.
    pub(super) report: SuiteReport,
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
fn scenarios(feature: &Feature) -> impl Iterator<Item = (Option<&Rule>, &Gherkin)> {
    let free = feature.scenarios.iter().map(|scenario| (None, scenario));
    let ruled = feature.rules.iter().flat_map(|rule| {
        rule.scenarios
            .iter()
            .map(move |scenario| (Some(rule), scenario))
    });
    free.chain(ruled)
}

/// What the feature files say before anything runs: which scenarios are selected, which are left out, and why.
fn survey(args: &SuiteArgs) -> anyhow::Result<(SuiteReport, Vec<String>)> {
    let (mut report, mut selected) = (SuiteReport::default(), Vec::new());
    let (files, filter) = (feature_files(&args.features)?, args.filter.as_deref());
    for file in &files {
        let feature = Feature::parse_path(file, GherkinEnv::default())
            .with_context(|| format!("read {}", file.display()))?
            .expand_examples()
            .with_context(|| format!("read the examples of {}", file.display()))?;
        for (rule, scenario) in scenarios(&feature) {
            let tags = tags(&feature, rule, scenario);
            let at = format!("{}:{}", file.display(), scenario.position.line);
            let unknown = needs::unknown(tags.iter().copied());
            if let Some(tag) = unknown.first() {
                bail!("{at}: unknown tag @{tag}; see ARCHITECTURE.md for the tags there are");
            }
            let missing = needs::missing(tags.iter().copied());
            if filter.is_some_and(|text| !scenario.name.contains(text)) {
                report.filtered_out += 1;
            } else if missing.is_empty() {
                ensure_defined(&feature, rule, scenario, file)?;
                selected.push(scenario.name.clone());
            } else {
                let needs: Vec<_> = missing.into_iter().map(|tag| format!("@{tag}")).collect();
                report
                    .not_run
                    .push((scenario.name.clone(), needs.join(" ")));
            }
        }
    }
    Ok((report, selected))
}

/// Every sentence of a scenario, its backgrounds included, must have exactly one step. What a step makes of its words only
/// its run can tell.
fn ensure_defined(
    feature: &Feature,
    rule: Option<&Rule>,
    scenario: &Gherkin,
    file: &Path,
) -> anyhow::Result<()> {
    let at = |line: usize| format!("{}:{line}", file.display());
    ensure!(
        !scenario.steps.is_empty(),
        "{}: the scenario {:?} has no step; a line that begins with no keyword is a description",
        at(scenario.position.line),
        scenario.name
    );
    let definitions = Scenario::collection();
    let of_rule = rule.and_then(|rule| rule.background.as_ref());
    let backgrounds = feature.background.iter().chain(of_rule);
    let steps = backgrounds.flat_map(|background| &background.steps);
    for step in steps.chain(&scenario.steps) {
        let found = definitions
            .find(step)
            .with_context(|| format!("{}: find the step", at(step.position.line)))?;
        ensure!(
            found.is_some(),
            "{}: the step '{} {}' is not defined; harness/src/scenario/steps has those that are",
            at(step.position.line),
            step.keyword.trim(),
            step.value
        );
    }
    Ok(())
}

/// The names of the scenarios that `args` select, in order.
pub fn list(args: &SuiteArgs) -> anyhow::Result<Vec<String>> {
    let (_, selected) = survey(args).context(SELECT)?;
    Ok(selected)
}

/// Selects the scenarios of `args`. None selected is an error.
pub fn select(args: &SuiteArgs) -> anyhow::Result<Selection> {
    let (report, selected) = survey(args).context(SELECT)?;
    if selected.is_empty() {
        let none = anyhow!(
            "{}: {} left out by the filter, {} not runnable here, none left; a suite that runs nothing proves nothing",
            args.features.display(),
            report.filtered_out,
            report.not_run.len()
        );
        return Err(none.context(SELECT));
    }
    Ok(Selection { report })
}
