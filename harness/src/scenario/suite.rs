//! Selecting, running and counting scenarios.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail, ensure};
use cucumber::event::ScenarioFinished;
use cucumber::feature::Ext as _;
use cucumber::gherkin::{Feature, GherkinEnv, Rule, Scenario as Gherkin};
use cucumber::writer::{self, Coloring, Verbosity};
use cucumber::{StatsWriter as _, World as _, WriterExt as _};
use futures::FutureExt as _;

use super::SuiteArgs;
use super::needs;
use super::world::{Scenario, Suite};
use crate::cli::say;
use crate::environment::Environment;
use crate::exit::WrongInput;
use crate::outcome::Outcome;

/// What every error of the selection has for its context.
const SELECT: WrongInput = WrongInput("select the scenarios");

/// What a suite found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuiteReport {
    /// Scenarios that passed.
    pub passed: usize,
    /// Scenarios that failed, and errors outside of any.
    pub failed: usize,
    /// Scenarios that this environment cannot run, and what they need; never counted as passed.
    pub not_run: Vec<(String, String)>,
    /// Scenarios that the filter left out.
    pub filtered_out: usize,
}

impl SuiteReport {
    /// Pass when at least one scenario ran and all that ran passed.
    pub const fn outcome(&self) -> Outcome {
        if self.passed > 0 && self.failed == 0 {
            Outcome::Pass
        } else {
            Outcome::Fail
        }
    }
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
fn tags<'a>(
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

/// The names of the scenarios that `args` select, in order.
pub fn list(args: &SuiteArgs) -> anyhow::Result<Vec<String>> {
    let (_, selected) = survey(args).context(SELECT)?;
    Ok(selected)
}

/// Runs the scenarios that `args` select, in `environment`, and prints as they go. None selected is an error.
pub async fn run(
    args: &SuiteArgs,
    environment: Arc<dyn Environment>,
) -> anyhow::Result<SuiteReport> {
    let (mut report, selected) = survey(args).context(SELECT)?;
    if selected.is_empty() {
        let none = anyhow!(
            "{}: {} left out by the filter, {} not runnable here, none left; a suite that runs nothing proves nothing",
            args.features.display(),
            report.filtered_out,
            report.not_run.len()
        );
        return Err(none.context(SELECT));
    }
    say(&format!("storage  {}", environment.evidence()));
    let suite = Arc::new(Suite {
        environment,
        out: args.out.clone(),
        seed: args.seed,
    });
    let filter = args.filter.clone();
    let writer = Scenario::cucumber::<PathBuf>()
        .fail_on_skipped()
        .max_concurrent_scenarios(usize::from(args.concurrency))
        .before(move |_, _, _, scenario| {
            scenario.suite.set(suite.clone()).unwrap_or_default();
            async {}.boxed_local()
        })
        .after(|_, _, _, finished, scenario| clean_up(finished, scenario).boxed_local())
        .with_writer(
            writer::Basic::raw(io::stdout(), Coloring::Auto, Verbosity::Default)
                .normalized()
                .summarized(),
        )
        .with_default_cli()
        .filter_run(args.features.clone(), move |feature, rule, scenario| {
            let runnable = needs::missing(tags(feature, rule, scenario).into_iter()).is_empty();
            runnable
                && filter
                    .as_ref()
                    .is_none_or(|text| scenario.name.contains(text.as_str()))
        })
        .await;
    let scenarios = writer.scenarios_stats();
    report.passed = scenarios.passed;
    report.failed =
        scenarios.failed + scenarios.skipped + writer.parsing_errors() + writer.hook_errors();
    if writer.execution_has_failed() {
        report.failed = report.failed.max(1);
    }
    Ok(report)
}

/// After a pass, removes the storage and the directory of the run; after anything else both stay as evidence, as far as
/// the environment lives on. A clean-up that fails fails the scenario.
async fn clean_up(finished: &ScenarioFinished, scenario: Option<&mut Scenario>) {
    let Some(run) = scenario.and_then(|scenario| scenario.run.take()) else {
        return;
    };
    if matches!(finished, ScenarioFinished::StepPassed) {
        if let Err(error) = run.remove().await {
            panic!("clean up: {error:#}");
        }
        let directory = run.dir().path();
        if let Err(error) = std::fs::remove_dir_all(directory) {
            panic!("clean up {}: {error}", directory.display());
        }
    }
}
