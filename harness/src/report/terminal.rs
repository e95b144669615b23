//! The summary at the end of a run, for a person at a terminal.

mod table;

use std::io::stdout;

use evidence::processes::CONSUMER;
use views::{Ink, USUAL, columns};

use super::latency::{self, UNSOUND};
use super::promises::{Unjudged, unjudged};
use super::timeline::timeline;
use super::{Promise, RunRecord, promises};
use super::{rates, usage};
use crate::events::{Measured, NotRun};
use crate::measure::Micros;
use crate::outcome::Outcome;

/// The run in about thirty lines: verdict, promises, latencies, next steps. With `colour`, in ANSI colours: for a
/// terminal only.
pub fn terminal(record: &RunRecord, colour: bool) -> String {
    let columns = if colour { columns(stdout()) } else { USUAL };
    page(record, Ink { colour, columns })
}

/// A scenario that was not run, as every list shows it.
pub(crate) fn not_run_line(NotRun { name, needs, .. }: &NotRun) -> String {
    format!("not run here: {name} (needs {needs})")
}

fn page(record: &RunRecord, ink: Ink) -> String {
    let mut text = String::new();
    head(&mut text, record, ink);
    scenario_table(&mut text, record, ink);
    step_table(&mut text, record, ink);
    rate_table(&mut text, record, ink);
    promise_table(&mut text, &promises(record), ink);
    unjudged_table(&mut text, &unjudged(record), ink);
    if let Some(measured) = &record.measured {
        latency_table(&mut text, measured, ink);
    }
    if let Some(flow) = latency::flow(record) {
        line(&mut text, &format!("  {flow}"));
    }
    for took in usage::lines(record) {
        for said in ink.folded("  ", 4, &took) {
            line(&mut text, &said);
        }
    }
    foot(&mut text, record, ink);
    text
}

/// The sign of an outcome.
pub(crate) const fn sign(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "✓",
        Outcome::Fail => "✗",
        Outcome::Inconclusive => "?",
        Outcome::Incomplete => "…",
    }
}

fn line(text: &mut String, content: &str) {
    text.push_str(content.trim_end());
    text.push('\n');
}

fn head(text: &mut String, record: &RunRecord, ink: Ink) {
    let verdict = record.verdict();
    line(text, "");
    let banner = ink.banner(verdict.outcome);
    line(text, &format!("{banner} {}", ink.title(&verdict.headline)));
    for (outcome, reason) in verdict.marked() {
        // Colours are added after the text is aligned: they take no column.
        let plain = sign(outcome);
        for (at, said) in ink
            .folded(&format!("   {plain} "), 5, reason)
            .iter()
            .enumerate()
        {
            let painted = ink.outcome(outcome, plain);
            let said = if at == 0 {
                said.replacen(plain, &painted, 1)
            } else {
                said.clone()
            };
            line(text, &said);
        }
    }
    let lasted = Micros(record.micros_at(record.ended));
    let about = match &record.run {
        Some(run) => format!(
            "{}, run {}, seed {}, {} environment, {lasted}",
            run.title, run.run, run.seed, run.environment
        ),
        None => format!("{lasted}; the log does not say which run"),
    };
    line(text, &format!("   {}", ink.faint(&about)));
    for pace in record.paces() {
        line(text, &format!("   {}", ink.faint(&pace)));
    }
}

/// The scenarios that did not pass; the others are only counted.
fn scenario_table(text: &mut String, record: &RunRecord, ink: Ink) {
    let counts = record.scenario_counts();
    if counts.is_empty() {
        return;
    }
    line(text, "");
    line(text, &ink.title("SCENARIOS"));
    line(text, &format!("  {}", counts.join(", ")));
    for scenario in record
        .scenarios
        .iter()
        .filter(|each| each.outcome != Outcome::Pass)
    {
        let sign = ink.outcome(scenario.outcome, sign(scenario.outcome));
        line(
            text,
            &format!("{sign} {} ({})", scenario.name, scenario.location),
        );
        for detail in scenario.detail.iter().flat_map(|detail| detail.lines()) {
            line(text, &format!("    {}", ink.faint(detail)));
        }
        if let Some(dir) = &scenario.run_dir {
            line(text, &format!("    {dir}/report.html"));
        }
    }
    for never in &record.never_begun {
        let sign = ink.outcome(Outcome::Incomplete, sign(Outcome::Incomplete));
        let (name, location) = (&never.name, &never.location);
        line(text, &format!("{sign} never begun: {name} ({location})"));
    }
    for not_run in &record.not_run {
        line(text, &format!("- {}", not_run_line(not_run)));
    }
}

/// The rates that were tried, and the result of the search.
fn rate_table(text: &mut String, record: &RunRecord, ink: Ink) {
    let rows = rates::rows(record);
    if rows.is_empty() {
        return;
    }
    line(text, "");
    let heads = rates::HEADS.map(str::to_owned);
    let width = |at: usize| {
        let cells = rows.iter().map(|(_, row)| &row[at]).chain([&heads[at]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let row = |cells: &[String; rates::COLUMNS]| {
        let cells = cells.iter().enumerate();
        let cells = cells.map(|(at, cell)| format!("{cell:>0$}", width(at)));
        cells.collect::<Vec<_>>().join("  ")
    };
    line(text, &ink.title(&format!("  {}", row(&heads))));
    for (outcome, cells) in &rows {
        let sign = ink.outcome(*outcome, sign(*outcome));
        line(text, &format!("{sign} {}", row(cells)));
    }
    for said in rates::found(record) {
        for said in ink.folded("  ", 4, &said) {
            line(text, &said);
        }
    }
}

/// The steps of one scenario.
fn step_table(text: &mut String, record: &RunRecord, ink: Ink) {
    if record.steps.is_empty() {
        return;
    }
    line(text, "");
    line(text, &ink.title("STEPS"));
    for step in &record.steps {
        let sign = ink.outcome(step.outcome, sign(step.outcome));
        line(text, &format!("{sign} {}", step.sentence));
        for detail in step.detail.iter().flat_map(|detail| detail.lines()) {
            line(text, &format!("    {}", ink.faint(detail)));
        }
    }
}

/// The promises that were not judged, with the reasons; without a sign, since they are neither kept nor broken.
fn unjudged_table(text: &mut String, unjudged: &[Unjudged], ink: Ink) {
    if unjudged.is_empty() {
        return;
    }
    line(text, "");
    line(text, &ink.title("NOT JUDGED"));
    for Unjudged { why, promised } in unjudged {
        for promised in promised {
            for said in ink.folded("  ", 4, promised) {
                line(text, &said);
            }
        }
        for said in ink.folded("    ", 4, why) {
            line(text, &ink.faint(&said));
        }
    }
}

/// Every promise; those without a finding share one line.
fn promise_table(text: &mut String, promises: &[Promise], ink: Ink) {
    if promises.is_empty() {
        return;
    }
    line(text, "");
    let (zeros, others): (Vec<_>, Vec<_>) = promises
        .iter()
        .partition(|promise| promise.outcome == Outcome::Pass && promise.found == "0");
    let chars = |promise: &&Promise| promise.promised.chars().count();
    let widest = others.iter().copied().map(|promise| chars(&promise)).max();
    let widest = widest.unwrap_or_default().max("PROMISED".len());
    let header = format!("  {:<widest$}  {}", "PROMISED", "FOUND");
    line(text, &ink.title(&header));
    for promise in others {
        let sign = ink.outcome(promise.outcome, sign(promise.outcome));
        if 2 + widest + 2 + promise.found.chars().count() <= ink.columns {
            let row = format!("{sign} {:<widest$}  {}", promise.promised, promise.found);
            line(text, &row);
        } else {
            line(text, &format!("{sign} {}", promise.promised));
            for found in ink.folded("    ", 4, &promise.found) {
                line(text, &found);
            }
        }
        if !promise.detail.is_empty() && promise.outcome != Outcome::Pass {
            for detail in ink.folded("    ", 4, &promise.detail) {
                line(text, &ink.faint(&detail));
            }
        }
    }
    if !zeros.is_empty() {
        let kinds: Vec<&str> = zeros
            .iter()
            .map(|promise| promise.detail.as_str())
            .collect();
        let plain = sign(Outcome::Pass);
        let painted = ink.outcome(Outcome::Pass, plain);
        for said in ink.folded(&format!("{plain} none "), 7, &kinds.join(", ")) {
            line(text, &said.replacen(plain, &painted, 1));
        }
    }
}

fn latency_table(text: &mut String, measured: &Measured, ink: Ink) {
    let lines = latency::lines(measured);
    line(text, "");
    for (at, row) in table::latency(&lines, ink.columns).iter().enumerate() {
        line(text, &if at == 0 { ink.title(row) } else { row.clone() });
    }
    if lines
        .iter()
        .flat_map(|hop| &hop.percentiles)
        .any(|cell| !cell.is_sound)
    {
        line(text, &ink.faint(&format!("  ? {UNSOUND}")));
    }
    for remark in lines.iter().flat_map(|hop| &hop.remarks) {
        line(text, &format!("  ! {remark}"));
    }
}

fn foot(text: &mut String, record: &RunRecord, ink: Ink) {
    let findings = record.audit.iter().flat_map(|audit| &audit.findings);
    for finding in findings {
        line(text, "");
        let (name, plain) = (finding.violation, finding.violation.plain());
        let title = if plain == name.as_str() {
            format!("WITNESS of {name}")
        } else {
            format!("WITNESS of {name} ({plain})")
        };
        line(text, &ink.title(&title));
        for witness in finding.witnesses.iter().take(1) {
            line(text, &format!("  {}: {}", witness.named(), witness.detail));
            for step in timeline(&witness.history) {
                line(text, &format!("    {step}"));
            }
        }
        if finding.count > 1 {
            line(
                text,
                &format!(
                    "  and {} more; report.html shows the first",
                    finding.count - 1
                ),
            );
        }
    }
    last_lines(text, record, ink);
    let remarks = remarks(record);
    if !remarks.is_empty() {
        line(text, "");
        line(text, &ink.title("NOTES"));
        for note in &remarks {
            for said in ink.folded("  ", 4, note) {
                line(text, &said);
            }
        }
    }
    let steps = record.verdict().next_steps;
    if !steps.is_empty() {
        line(text, "");
        line(text, &ink.title("NEXT"));
        for (number, step) in (1..).zip(&steps) {
            // A command stands alone on its line, so that it can be copied.
            let (step, command) = match step.split_once(": cargo ") {
                Some((step, command)) => (format!("{step}:"), Some(command)),
                None => (step.clone(), None),
            };
            for said in ink.folded(&format!("  {number}. "), 5, &step) {
                line(text, &said);
            }
            if let Some(command) = command {
                line(text, &format!("cargo {command}"));
            }
        }
    }
    line(text, "");
}

/// The last lines of the first process that ended in an unexpected way.
fn last_lines(text: &mut String, record: &RunRecord, ink: Ink) {
    let Some((process, exit)) = record.unexpected_exits().next() else {
        return;
    };
    let title = format!("LAST LINES of {}", process.name);
    line(text, "");
    line(text, &ink.title(&title));
    match exit.last_lines.as_deref().unwrap_or_default() {
        "" => line(text, "  none: its log is empty"),
        lines => lines
            .lines()
            .for_each(|said| line(text, &format!("  {said}"))),
    }
    let more = record.unexpected_exits().count() - 1;
    if more > 0 {
        line(text, &format!("  and {more} more; report.html shows them"));
    }
}

/// Notes of the run, its cost, and remarks about its log and its producer; consumers are judged by a promise.
pub(super) fn remarks(record: &RunRecord) -> Vec<String> {
    let mut remarks = record.notes.clone();
    remarks.extend(super::cost::told(record));
    for (process, exit) in record.unexpected_exits() {
        if process.role != CONSUMER {
            let (name, status) = (&process.name, &exit.status);
            remarks.push(format!("{name} ended unexpectedly: {status}"));
        }
    }
    if record.torn {
        remarks.push("the event log ends in the middle of a line: its writer was killed".into());
    }
    if record.unknown_events > 0 {
        remarks.push(format!(
            "{} events are of a newer harness and are not in this report",
            record.unknown_events
        ));
    }
    for resource in &record.resources {
        let program = project::program();
        remarks.push(format!(
            "still there: {resource}; `{program} sweep` removes it"
        ));
    }
    remarks
}
