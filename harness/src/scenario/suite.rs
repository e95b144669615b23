//! Running and counting scenarios.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use cucumber::event::ScenarioFinished;
use cucumber::writer::{self, Coloring, Verbosity};
use cucumber::{StatsWriter as _, World as _, WriterExt as _};
use futures::FutureExt as _;

use super::SuiteArgs;
use super::needs;
use super::selection::{Selection, tags};
use super::world::{Scenario, Suite};
use crate::cli::say;
use crate::environment::{ConsumerOptions, Environment, Workload};
use crate::outcome::Outcome;
use crate::run::RunDir;

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

/// Checks what every scenario needs, as far as it can be known before anything starts.
pub fn check(args: &SuiteArgs, workload: &Workload) -> anyhow::Result<()> {
    let load = ["--shape=burst".to_owned(), "--messages=1".to_owned()];
    workload.check(&load, &ConsumerOptions::default())?;
    RunDir::check_parent(&args.out)
}

/// Runs `selection`, the scenarios that `args` select, in `environment`, and prints as they go.
pub async fn run(
    args: &SuiteArgs,
    selection: Selection,
    environment: Arc<dyn Environment>,
) -> anyhow::Result<SuiteReport> {
    let mut report = selection.report;
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
