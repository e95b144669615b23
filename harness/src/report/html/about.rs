//! The end of the page: scenarios, processes, and what the run was.

use maud::{Markup, html};

use super::pill;
use crate::events::{Fact, RunStarted, ScenarioEnd};
use crate::outcome::Outcome;
use crate::report::markdown::{NEVER_BEGUN, UNKNOWN, said, took};
use crate::report::terminal::remarks;
use crate::report::{ProcessExit, ProcessRecord, RunRecord};

pub(super) fn scenarios(record: &RunRecord) -> Markup {
    html! {
        @if !ordered(record).is_empty() || !record.never_begun.is_empty() || !record.not_run.is_empty() {
            section {
                h2 { "Scenarios" }
                table {
                    thead { tr { th {} th { "Scenario" } th { "Feature" } th.figure { "Time" } } }
                    tbody {
                        @for scenario in ordered(record) {
                            tr.(scenario.outcome.as_str()) {
                                td.sign { (pill(scenario.outcome)) }
                                td {
                                    @match &scenario.run_dir {
                                        Some(dir) => a href=(format!("{dir}/report.html")) { (scenario.name) },
                                        None => (scenario.name),
                                    }
                                    @if let Some(said) = said(scenario) { div.faint.lines { (said) } }
                                }
                                td { (scenario.feature) div.faint { (scenario.location) } }
                                td.figure {
                                    (scenario.duration_ms.map_or(UNKNOWN.to_owned(), took))
                                    @if !scenario.pace.is_production() {
                                        div.faint title=(scenario.pace) { "pace " (scenario.pace.times()) }
                                    }
                                }
                            }
                        }
                        @for scenario in &record.never_begun {
                            tr.not-run {
                                td.sign { (pill(Outcome::Incomplete)) }
                                td { (scenario.name) div.faint { (NEVER_BEGUN) } }
                                td { (scenario.feature) div.faint { (scenario.location) } }
                                td {}
                            }
                        }
                        @for scenario in &record.not_run {
                            tr.not-run {
                                td.sign { "–" }
                                td { (scenario.name) div.faint { "not run here: it needs " (scenario.needs) } }
                                td { (scenario.feature) div.faint { (scenario.location) } }
                                td {}
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Scenarios that did not pass come first, each group in the order of the feature files.
fn ordered(record: &RunRecord) -> Vec<&ScenarioEnd> {
    let rank = |outcome| {
        Outcome::WORST_FIRST
            .iter()
            .position(|each| *each == outcome)
    };
    // Line numbers are compared as numbers: 9 comes before 12.
    let place = |scenario: &ScenarioEnd| {
        let (file, line) = scenario.location.rsplit_once(':').unwrap_or_default();
        (
            file.to_owned(),
            line.parse::<u32>().unwrap_or_default(),
            scenario.name.clone(),
        )
    };
    let mut scenarios: Vec<_> = record.scenarios.iter().collect();
    scenarios.sort_by_key(|scenario| (rank(scenario.outcome), place(scenario)));
    scenarios
}

pub(super) fn steps(record: &RunRecord) -> Markup {
    html! {
        @if !record.steps.is_empty() {
            section {
                h2 { "Steps" }
                table {
                    thead { tr { th {} th { "Step" } th.figure { "Time" } } }
                    tbody {
                        @for step in &record.steps {
                            tr.(step.outcome.as_str()) {
                                td.sign { (pill(step.outcome)) }
                                td {
                                    (step.sentence)
                                    @if let Some(detail) = &step.detail { div.faint.lines { (detail) } }
                                }
                                td.figure { (took(step.duration_ms)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn processes(record: &RunRecord) -> Markup {
    html! {
        @if !record.processes.is_empty() {
            section {
                h2 { "Processes" }
                table {
                    thead {
                        tr {
                            th { "Process" } th { "Role" } th.figure { "PID" } th.figure { "Started" }
                            th.figure { "Ended" } th { "How" }
                        }
                    }
                    tbody { @for process in &record.processes { (process_row(record, process)) } }
                }
                @for (at, (process, exit)) in record.unexpected_exits().enumerate() { (last_lines(process, exit, at == 0)) }
            }
        }
    }
}

fn process_row(record: &RunRecord, process: &ProcessRecord) -> Markup {
    let seconds = |at| format!("{:.1} s", record.seconds_at(at));
    html! {
        tr {
            td { (process.name) }
            td { (process.role) }
            td.figure { @if let Some(pid) = process.pid { (pid) } }
            td.figure { (seconds(process.started)) }
            @match &process.exit {
                Some(exit) => {
                    td.figure { (seconds(exit.at)) }
                    td.unexpected[!exit.expected] {
                        (exit.status)
                        @if !exit.expected { ", unexpected" }
                    }
                }
                None => {
                    td.figure { "–" }
                    td.faint { "no end in the log" }
                }
            }
        }
    }
}

/// The last lines of a process that ended in an unexpected way.
fn last_lines(process: &ProcessRecord, exit: &ProcessExit, is_open: bool) -> Markup {
    html! {
        @match exit.last_lines.as_deref() {
            None => {}
            Some("") => p.faint { (process.name) " said nothing: its log is empty." }
            Some(lines) => details open[is_open] {
                summary { "The last lines of " (process.name) }
                pre.log { (lines) }
            }
        }
    }
}

pub(super) fn run(record: &RunRecord, reports: &[&str]) -> Markup {
    let remarks = remarks(record);
    html! {
        section.about-run {
            h2 { "The run" }
            @if let Some(run) = &record.run {
                p { "Repeat it:" }
                pre.command { code { (run.command) } }
                div.facts {
                    (facts("Plan", &plan(run)))
                    (facts("Setting", &[
                        vec![Fact::new("environment", run.environment.clone())],
                        run.setting.clone(),
                    ].concat()))
                    (facts("Versions", &run.versions))
                }
            }
            @if !remarks.is_empty() {
                h3 { "Notes" }
                ul { @for remark in &remarks { li { (remark) } } }
            }
            p.faint {
                "Evidence, beside this file: events.jsonl (everything here is derived from it)"
                @for name in beside(record, reports) { ", " (name) }
                "."
            }
        }
    }
}

/// The files beside the page, other than the log: the evidence that the run left, and its reports. Files of many hops share a name.
fn beside(record: &RunRecord, reports: &[&str]) -> Vec<String> {
    let evidence = record.evidence.iter().map(|name| match *name {
        "history.jsonl" => "history.jsonl (every request and its answer)".to_owned(),
        "logs" => "logs/ (the logs of the processes)".to_owned(),
        name => name.to_owned(),
    });
    let mut names: Vec<String> = evidence.collect();
    for name in reports {
        let of_hop = name.strip_prefix("latency-");
        let name = match of_hop.and_then(|rest| rest.rsplit_once('.')) {
            Some((_, ending)) => format!("latency-*.{ending}"),
            None => (*name).to_owned(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn plan(run: &RunStarted) -> Vec<Fact> {
    let messages = run
        .messages
        .map(|messages| Fact::new("messages", messages.to_string()));
    let seed = Fact::new("seed", run.seed.to_string());
    messages
        .into_iter()
        .chain([seed])
        .chain(run.plan.iter().cloned())
        .collect()
}

fn facts(title: &str, facts: &[Fact]) -> Markup {
    html! {
        @if !facts.is_empty() {
            div {
                h3 { (title) }
                dl.facts-list {
                    @for fact in facts {
                        dt { (fact.name) }
                        dd { (fact.value) }
                    }
                }
            }
        }
    }
}
