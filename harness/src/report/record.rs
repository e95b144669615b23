//! A run, as its event log describes it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use evidence::nodes::NodeRecords;
use evidence::processes::{ProcessExit, ProcessRecord};
use judge::{ConsumerEnds, LeftOpen, Stated};
use workflow::contract::Stamp;

use super::ReportError;
use crate::audit::Audit;
use crate::events::{
    Allowed, Entry, Event, FILE, Leeway, Log, Measured, NotRun, RateFound, RateStep, Resource,
    RunStarted, Sample, Scaled, ScenarioEnd, ScenarioStarted, Selected, Step, Usage,
};
use crate::outcome::Outcome;
use crate::pace::Pace;

/// The content of a run's event log, sorted by subject.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunRecord {
    /// The first event, which describes the run; `None` if the log does not begin with it.
    pub run: Option<RunStarted>,
    /// When the first event happened.
    pub started: Stamp,
    /// When the last event happened; removals are ignored, since they may come much later.
    pub ended: Stamp,
    /// Phases and faults, in order.
    pub marks: Vec<Mark>,
    /// Samples of queue, workers and sends, in order.
    pub samples: Vec<(Stamp, Sample)>,
    /// When storage was lost, if it was.
    pub storage_lost: Option<Stamp>,
    /// Decisions of the autoscaler, in order.
    pub scaled: Vec<(Stamp, Scaled)>,
    /// The range that its model allows, for the consumers of each queue, if a run has several.
    pub allowed: Vec<Allowed>,
    /// Nodes, and their evictions.
    pub nodes: NodeRecords,
    /// Processes, in the order they were started.
    pub processes: Vec<ProcessRecord>,
    /// Resources that were created and not removed.
    pub resources: Vec<Resource>,
    /// Notes, in order.
    pub notes: Vec<String>,
    /// Scenarios, in the order of their ends; at the end, as incomplete, those that had begun when the suite was cut off.
    pub scenarios: Vec<ScenarioEnd>,
    /// Scenarios that were selected and never began: the suite was cut off before.
    pub never_begun: Vec<Selected>,
    /// Scenarios that this environment could not run.
    pub not_run: Vec<NotRun>,
    /// The steps of a scenario's own run, in order.
    pub steps: Vec<Step>,
    /// The last audit.
    pub audit: Option<Audit>,
    /// The last measurement.
    pub measured: Option<Measured>,
    /// CPU time and memory of the run's phases, in order.
    pub usage: Vec<Usage>,
    /// Rates that were tried, in order.
    pub rate_steps: Vec<RateStep>,
    /// The result of the search for the highest rate.
    pub rate_found: Option<RateFound>,
    /// The judgement that the run itself wrote at its end; `None` if it was cut off before.
    pub stated: Option<Stated>,
    /// Damaged lines of the log: evidence is missing.
    pub damaged_lines: Vec<usize>,
    /// Events that this version does not know.
    pub unknown_events: usize,
    /// Whether the log ends in the middle of a line.
    pub torn: bool,
    /// The further evidence beside the log, as [`EVIDENCE`] names it; what a run did not leave is not listed.
    pub evidence: Vec<&'static str>,
}

/// What a run may leave beside its log and its reports: files, and a directory.
const EVIDENCE: [&str; 3] = ["history.jsonl", "producer.json", "logs"];

/// Whether `path` is a file, or a directory that is not empty.
fn is_there(path: &Path) -> bool {
    match path.read_dir() {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => path.is_file(),
    }
}

/// A point or a stretch on the run's time axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// When it began.
    pub at: Stamp,
    /// Its kind.
    pub kind: MarkKind,
    /// Its name, with the target of a fault.
    pub name: String,
    /// How long it lasted, in milliseconds, for a fault that lasts.
    pub lasts_ms: Option<u64>,
}

/// What a mark marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// A part of the run begins.
    Phase,
    /// Something was broken on purpose.
    Fault,
}

/// Whether the entry records a removal.
const fn is_removal(entry: &Entry) -> bool {
    matches!(entry.event, Event::ResourceRemoved(_))
}

/// The entry for a scenario that has no end in the log.
fn cut_off(scenario: ScenarioStarted) -> ScenarioEnd {
    let ScenarioStarted {
        feature,
        name,
        location,
        run_dir,
        pace,
    } = scenario;
    ScenarioEnd {
        feature,
        name,
        location,
        outcome: Outcome::Incomplete,
        detail: Some("it had begun when the suite was cut off".to_owned()),
        found: None,
        duration_ms: None,
        run_dir: Some(run_dir),
        pace,
    }
}

impl RunRecord {
    /// The run directories in `dir`, of a suite or of a search for a rate, that have a log and no report because the harness was killed.
    pub(super) fn runs(&self, dir: &Path) -> Vec<PathBuf> {
        let of_scenarios = self
            .scenarios
            .iter()
            .filter_map(|each| each.run_dir.as_ref());
        let of_steps = self.rate_steps.iter().map(|step| &step.run_dir);
        of_scenarios
            .chain(of_steps)
            .map(|name| dir.join(name))
            .filter(|run| run.join(FILE).is_file() && !run.join("report.html").exists())
            .collect()
    }

    /// Whether it is a search for the highest rate, and not one run.
    pub fn is_search(&self) -> bool {
        self.rate_found.is_some() || !self.rate_steps.is_empty()
    }

    /// How many scenarios ended with each outcome, in words; empty if there are none.
    pub fn scenario_counts(&self) -> Vec<String> {
        let mut counts = Vec::new();
        for (outcome, word) in [
            (Outcome::Pass, "passed"),
            (Outcome::Fail, "failed"),
            (Outcome::Inconclusive, "inconclusive"),
            (Outcome::Incomplete, "incomplete"),
        ] {
            let of = self.scenarios.iter().filter(|each| each.outcome == outcome);
            let count = of.count();
            if count > 0 {
                counts.push(format!("{count} {word}"));
            }
        }
        if !self.never_begun.is_empty() {
            counts.push(format!("{} never begun", self.never_begun.len()));
        }
        if !self.not_run.is_empty() {
            counts.push(format!("{} not run here", self.not_run.len()));
        }
        counts
    }

    /// A note if time ran faster than in production, in the run itself or in some scenarios of a suite; else empty.
    pub fn paces(&self) -> Vec<String> {
        let own = self.run.as_ref().map(|run| run.pace);
        if let Some(pace) = own.filter(|pace| !pace.is_production()) {
            return vec![pace.to_string()];
        }
        let mut counts = BTreeMap::<Pace, usize>::new();
        for scenario in &self.scenarios {
            *counts.entry(scenario.pace).or_default() += 1;
        }
        counts.remove(&Pace::PRODUCTION);
        let all = self.scenarios.len();
        let said = |(pace, count)| format!("{pace}, in {count} of {all} scenarios");
        counts.into_iter().map(said).collect()
    }

    /// Messages that were handed to a consumer more than once; `None` if there was no wire.
    pub(super) fn redelivered(&self) -> Option<u64> {
        let traffic = self.audit.as_ref()?.traffic.as_ref()?;
        Some(traffic.redelivered)
    }

    /// Reads the log of run directory `dir`.
    pub fn read(dir: &Path) -> Result<Self, ReportError> {
        let log = Log::read(dir)?;
        if log.entries.is_empty() {
            return Err(ReportError::Empty(dir.to_owned()));
        }
        let evidence = EVIDENCE
            .into_iter()
            .filter(|name| is_there(&dir.join(name)));
        Ok(Self {
            evidence: evidence.collect(),
            ..Self::of(log)
        })
    }

    /// The record of a log.
    pub fn of(log: Log) -> Self {
        let stamp = |entry: Option<&Entry>| entry.map(|entry| entry.at).unwrap_or_default();
        let mut record = Self {
            started: stamp(log.entries.first()),
            ended: stamp(log.entries.iter().rfind(|entry| !is_removal(entry))),
            damaged_lines: log.damaged,
            unknown_events: log.unknown.len(),
            torn: log.torn,
            ..Self::default()
        };
        let mut begun = Vec::new();
        for entry in log.entries {
            match &entry.event {
                Event::ScenarioStarted(scenario) => {
                    let waiting = &mut record.never_begun;
                    waiting.retain(|each| each.location != scenario.location);
                    begun.push(scenario.clone());
                }
                Event::ScenarioFinished(ended) => begun.retain(|each| each.name != ended.name),
                _ => {}
            }
            record.take(entry.at, entry.event);
        }
        record.scenarios.extend(begun.into_iter().map(cut_off));
        record
    }

    fn take(&mut self, at: Stamp, event: Event) {
        match event {
            Event::RunStarted(run) => self.run = Some(*run),
            Event::ResourceCreated(resource) => self.resources.push(resource),
            Event::ResourceRemoved(resource) => self.resources.retain(|each| *each != resource),
            Event::ProcessStarted { name, role, pid } => self.processes.push(ProcessRecord {
                name,
                role,
                pid,
                started: at,
                exit: None,
            }),
            Event::ProcessExited {
                name,
                pid,
                status,
                expected,
                last_lines,
                restarted,
                end,
                cause,
            } => {
                let exit = ProcessExit {
                    at,
                    status,
                    expected,
                    last_lines,
                    restarted,
                    end,
                    cause,
                };
                self.exit(name, pid, exit);
            }
            Event::Phase { name } => self.mark(at, MarkKind::Phase, name, None),
            Event::Fault {
                name,
                target,
                lasts_ms,
            } => self.mark(at, MarkKind::Fault, format!("{name}: {target}"), lasts_ms),
            Event::StorageLost { .. } => {
                self.storage_lost = Some(at);
                self.mark(at, MarkKind::Fault, "storage lost".to_owned(), None);
            }
            Event::Scaled(scaled) => self.scaled.push((at, scaled)),
            Event::Allowed(allowed) => {
                self.allowed.retain(|it| it.queue != allowed.queue);
                self.allowed.push(*allowed);
            }
            Event::Node(event) => self.nodes.take(at, event),
            Event::Sample(sample) => self.samples.push((at, sample)),
            Event::Note { text } => self.notes.push(text),
            Event::ScenarioSelected(scenario) => self.never_begun.push(scenario),
            // Scenarios without an end are added after the last event.
            Event::ScenarioStarted(_) => {}
            Event::ScenarioFinished(scenario) => self.scenarios.push(scenario),
            Event::ScenarioNotRun(scenario) => self.not_run.push(scenario),
            Event::Step(step) => self.steps.push(step),
            Event::Audited(audit) => self.audit = Some(*audit),
            Event::Measured(measured) => self.measured = Some(*measured),
            Event::Usage(usage) => self.usage.push(usage),
            Event::RateStep(step) => self.rate_steps.push(*step),
            Event::RateFound(found) => self.rate_found = Some(found),
            Event::Finished {
                outcome,
                reasons,
                outcomes,
            } => self.state(outcome, reasons, outcomes),
        }
    }

    fn state(&mut self, outcome: Outcome, reasons: Vec<String>, outcomes: Vec<Outcome>) {
        self.stated = Some(Stated {
            outcome,
            reasons,
            outcomes,
        });
    }

    fn mark(&mut self, at: Stamp, kind: MarkKind, name: String, lasts_ms: Option<u64>) {
        self.marks.push(Mark {
            at,
            kind,
            name,
            lasts_ms,
        });
    }

    fn exit(&mut self, name: String, pid: Option<u32>, exit: ProcessExit) {
        let running = |process: &&mut ProcessRecord| {
            process.name == name && process.pid == pid && process.exit.is_none()
        };
        match self.processes.iter_mut().rev().find(running) {
            Some(process) => process.exit = Some(exit),
            // The start of the process is on a damaged line: record what is known.
            None => self.processes.push(ProcessRecord {
                role: "unknown".into(),
                started: exit.at,
                exit: Some(exit),
                name,
                pid,
            }),
        }
    }

    /// Processes that ended in an unexpected way, with their ends; processes that had lost their storage are left out.
    pub fn unexpected_exits(&self) -> impl Iterator<Item = (&ProcessRecord, &ProcessExit)> {
        judge::unexpected_exits(&self.processes, self.storage_lost)
    }

    /// How the run's consumers ended; `None` if there were none.
    pub(super) fn consumer_ends(&self) -> Option<ConsumerEnds<'_>> {
        ConsumerEnds::of(&self.processes, self.leeway(), self.storage_lost)
    }

    /// The promises about the ends of consumers that are neither kept nor broken.
    pub(super) fn left_open(&self) -> Vec<LeftOpen> {
        LeftOpen::of(&self.processes, self.leeway(), self.storage_lost)
    }

    /// What the workload's description leaves open about the ends of its workers.
    fn leeway(&self) -> &[Leeway] {
        self.run.as_ref().map_or(&[], |run| &run.leeway)
    }

    /// Microseconds from the first event to `at`.
    pub fn micros_at(&self, at: Stamp) -> i64 {
        at.micros_since(self.started)
    }

    /// Seconds from the first event to `at`.
    pub fn seconds_at(&self, at: Stamp) -> f64 {
        self.micros_at(at) as f64 / 1e6
    }

    /// The title of the report.
    pub fn title(&self) -> &str {
        self.run.as_ref().map_or("run", |run| run.title.as_str())
    }
}
