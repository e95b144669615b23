//! A suite: runs several scenarios at the same time, those that measure time alone, and keeps one event log of all.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use platform::{ConsumerOptions, Identity, Platform, StorageLoss, Workload};
use workflow::contract::Stamp;

use super::SuiteArgs;
use super::args::Keep;
use super::console::Console;
use super::play::{Deadlines, Ends, Played, millis, play};
use super::room::Room;
use super::selection::{Case, Selection};
use super::world::Setting;
use crate::conclusion::{Conclusion, Part, STOPPED};
use crate::events::{Event, EventLog, Fact, RunStarted, ScenarioEnd, ScenarioStarted, Selected};
use crate::interrupts::Interrupts;
use crate::outcome::Outcome;
use crate::pace::Pace;
use crate::panics::Stray;
use crate::report::{Report, RunRecord};
use crate::run::{RunDir, about};
use crate::say::say;

/// How long to wait for scenarios that are cut off immediately.
const CUT_OFF: Duration = Duration::from_secs(2);

/// The result of a suite.
#[derive(Debug)]
pub struct SuiteReport {
    /// The content of its log.
    pub record: RunRecord,
    /// Its reports.
    pub report: Report,
    /// Scenarios that the filter left out.
    pub filtered_out: usize,
}

impl SuiteReport {
    /// How many scenarios ended with `outcome`.
    pub fn count(&self, outcome: Outcome) -> usize {
        let scenarios = self.record.scenarios.iter();
        scenarios
            .filter(|scenario| scenario.outcome == outcome)
            .count()
    }
}

/// Checks everything that the scenarios need and that can be checked before anything starts.
pub fn check(args: &SuiteArgs, workload: &Workload) -> anyhow::Result<()> {
    let load = ["--shape=burst".to_owned(), "--messages=1".to_owned()];
    workload.check(&load, &ConsumerOptions::default())?;
    RunDir::check_parent(&args.out)
}

/// Runs `selection`, the scenarios that `args` select, on `platform`; prints their progress, and writes the reports.
pub async fn run(
    args: &SuiteArgs,
    selection: Selection,
    platform: Arc<dyn Platform>,
) -> anyhow::Result<SuiteReport> {
    let mut interrupts = Interrupts::listen().context("listen for signals")?;
    let stray = Stray::watch();
    let identity = Identity::fresh(args.seed);
    let dir = RunDir::create_of_suite(&args.out, &identity.run)?;
    let suite = Suite {
        log: EventLog::open(&dir)?,
        args: args.clone(),
        platform,
        seed: identity.seed,
        dir: dir.clone(),
    };
    suite.begin(&identity, &selection)?;
    let mut parts = suite.conduct(selection.cases, &mut interrupts).await?;
    let stray = stray.reason();
    parts.extend(stray.map(|reason| Part::new(Outcome::Inconclusive, reason)));
    suite.record(Conclusion::of(parts).event())?;
    drop(suite);
    let (record, report) = crate::report::write(&dir)?;
    Ok(SuiteReport {
        record,
        report,
        filtered_out: selection.filtered_out,
    })
}

/// A running suite.
struct Suite {
    args: SuiteArgs,
    platform: Arc<dyn Platform>,
    seed: u64,
    dir: PathBuf,
    log: EventLog,
}

impl Suite {
    fn record(&self, event: Event) -> anyhow::Result<()> {
        self.log.append(Stamp::now(), event)?;
        Ok(())
    }

    /// Records and prints what is about to run.
    fn begin(&self, identity: &Identity, selection: &Selection) -> anyhow::Result<()> {
        let count = selection.cases.len();
        let evidence = self.platform.evidence();
        let command = self.args.repeat(self.args.filter.as_deref(), self.seed);
        say(&format!("storage  {evidence}"));
        say(&format!("repeat   {command}"));
        say(&format!("evidence {}", self.dir.display()));
        let mut plan = vec![Fact::new("scenarios", count.to_string())];
        if let Some(filter) = &self.args.filter {
            plan.push(Fact::new("filter", filter));
            plan.push(Fact::new("left out", selection.filtered_out.to_string()));
        }
        plan.push(Fact::new("at a time", self.args.concurrency.to_string()));
        let s = if count == 1 { "" } else { "s" };
        self.record(Event::RunStarted(Box::new(RunStarted {
            run: identity.run.clone(),
            title: format!("suite of {count} scenario{s}"),
            seed: identity.seed,
            environment: self.platform.name().to_owned(),
            // The pace is recorded for each scenario.
            pace: Pace::PRODUCTION,
            command,
            messages: None,
            plan,
            limits: vec![],
            setting: about::setting(evidence),
            versions: self.platform.versions(),
            // The leeway is recorded for each scenario.
            leeway: vec![],
        })))?;
        for Case {
            feature,
            name,
            location,
            ..
        } in &selection.cases
        {
            self.record(Event::ScenarioSelected(Selected {
                feature: feature.clone(),
                name: name.clone(),
                location: location.clone(),
            }))?;
        }
        for not_run in &selection.not_run {
            self.record(Event::ScenarioNotRun(not_run.clone()))?;
        }
        Ok(())
    }

    /// Plays all scenarios. The first signal stops the running ones and begins no more; after the second nothing is waited for.
    async fn conduct(
        &self,
        cases: Vec<Case>,
        interrupts: &mut Interrupts,
    ) -> anyhow::Result<Vec<Part>> {
        let all = cases.len();
        let (stop, at_once) = (interrupts.stop(), interrupts.at_once());
        let ends = Ends {
            stop: stop.clone(),
            at_once: at_once.clone(),
        };
        let mut console = Console::new(all);
        let mut parts = Vec::new();
        let (mut alone, mut together): (VecDeque<_>, VecDeque<_>) =
            longest_first(cases).partition(|case| case.is_serial);
        let mut playing = FuturesUnordered::new();
        // The share of the platform that the running scenarios use.
        let mut taken = 0.0;
        let mut tick = tokio::time::interval(Console::EVERY);
        let mut room = Room::of(self.args.concurrency);
        let mut lost = None;
        loop {
            // Without storage, no further scenario could begin.
            if lost.is_none() {
                lost = self.platform.storage_lost().await;
            }
            while lost.is_none() && !stop.is_cancelled() && room.is_left(playing.len()) {
                let next = match self.next_that_fits(&mut together, taken) {
                    None if playing.is_empty() => alone.pop_front(),
                    next => next,
                };
                let Some(case) = next else { break };
                taken += self.platform.share(case.is_scaled, case.takes_nodes);
                console.started(&case.name);
                playing.push(self.begin_scenario(case, &ends)?);
            }
            if playing.is_empty() {
                break;
            }
            let count = playing.len();
            tokio::select! {
                Some((case, played)) = playing.next() => {
                    taken -= self.platform.share(case.is_scaled, case.takes_nodes);
                    console.ended(&case, &played);
                    parts.push(Part::bare(played.outcome));
                    self.record(Event::ScenarioFinished(self.finished(case, played)))?;
                }
                () = room.until_growth(count) => {
                    if self.platform.takes_more().await {
                        room.grow();
                    }
                }
                _ = tick.tick() => console.show(),
                () = interrupts.recv() => {
                    if at_once.is_cancelled() {
                        break;
                    }
                    console.wipe();
                    say("stopping: what runs is cleaned up; once more ends it at once");
                }
            }
        }
        console.wipe();
        // Most scenarios that were cut off end within a moment; one whose step blocks its thread does not.
        let cut_off = playing.collect::<Vec<_>>();
        let _ = tokio::time::timeout(CUT_OFF, cut_off).await;
        if stop.is_cancelled() {
            let ended = parts.iter();
            let ended = ended.filter(|part| part.outcome != Outcome::Incomplete);
            let reason = format!("{STOPPED}: {} of {all} scenarios had ended", ended.count());
            parts.push(Part::new(Outcome::Incomplete, reason));
        }
        parts.extend(lost.map(|reason| Part::new(Outcome::Inconclusive, reason)));
        Ok(parts)
    }

    /// Takes the first case that fits on the platform beside scenarios that use the share `taken` of it. A case that needs more
    /// than the whole platform runs alone.
    fn next_that_fits(&self, cases: &mut VecDeque<Case>, taken: f64) -> Option<Case> {
        // Shares that add up to 1 may be rounded to slightly more.
        const ROUNDING: f64 = 1e-6;
        let fits = |case: &Case| {
            let share = self.platform.share(case.is_scaled, case.takes_nodes);
            taken <= ROUNDING || taken + share <= 1.0 + ROUNDING
        };
        let at = cases.iter().position(fits)?;
        cases.remove(at)
    }

    /// Records that `case` begins, and plays it.
    fn begin_scenario(
        &self,
        case: Case,
        ends: &Ends,
    ) -> anyhow::Result<impl Future<Output = (Case, Played)> + use<>> {
        let identity = Identity::fresh(Some(self.seed));
        self.record(Event::ScenarioStarted(ScenarioStarted {
            feature: case.feature.clone(),
            name: case.name.clone(),
            location: case.location.clone(),
            run_dir: identity.run.to_string(),
            pace: case.pace,
        }))?;
        let setting = Setting {
            platform: self.platform.clone(),
            out: self.dir.clone(),
            identity,
            title: case.name.clone(),
            command: self.args.repeat(Some(&case.name), self.seed),
            manifests: self.args.manifests.clone(),
            loss: StorageLoss::default(),
            stop: ends.stop.child_token(),
        };
        let deadlines = Deadlines {
            step: self.args.step_deadline,
            scenario: self.args.scenario_deadline,
        };
        let ends = ends.clone();
        Ok(async move {
            let played = play(case.clone(), setting, deadlines, ends).await;
            (case, played)
        })
    }

    /// The log's entry for the end of a scenario; removes the run directory if it is not to be kept.
    fn finished(&self, case: Case, played: Played) -> ScenarioEnd {
        let keep = self.args.keep.unwrap_or(Keep::All);
        let passed = played.outcome == Outcome::Pass;
        let mut run_dir = played.dir.as_deref().and_then(Path::file_name);
        if let (Keep::Failed, true, Some(dir)) = (keep, passed, &played.dir) {
            match std::fs::remove_dir_all(dir) {
                Ok(()) => run_dir = None,
                // A directory that cannot be removed does not change the outcome.
                Err(error) => tracing::warn!("failed to remove {}: {error}", dir.display()),
            }
        }
        ScenarioEnd {
            feature: case.feature,
            name: case.name,
            location: case.location,
            outcome: played.outcome,
            run_dir: run_dir.map(|name| name.to_string_lossy().into_owned()),
            duration_ms: Some(millis(played.took)),
            detail: played.detail,
            found: played.found,
            pace: case.pace,
        }
    }
}

/// Cases with the longest times come first, otherwise in the order of the files: the suite ends by waiting for the last case that
/// began, so that one should be short.
fn longest_first(mut cases: Vec<Case>) -> impl Iterator<Item = Case> {
    cases.sort_by_key(|case| Reverse(case.stated()));
    cases.into_iter()
}
