//! The summary at the end of a run, for a person at a terminal.

use std::fmt::Write as _;
use std::os::fd::AsFd;

use terminal_size::{Width, terminal_size_of};

use super::latency::{self, HopLine, UNSOUND};
use super::promises::CONSUMER;
use super::timeline::timeline;
use super::{Promise, RunRecord, promises};
use crate::events::Measured;
use crate::measure::{Micros, Percentile};
use crate::outcome::Outcome;

/// The run in about thirty lines: verdict, promises, latencies, next steps. With `colour`, in ANSI colours: for a
/// terminal only.
pub fn terminal(record: &RunRecord, colour: bool) -> String {
    let ink = Ink { colour };
    let mut text = String::new();
    head(&mut text, record, ink);
    scenario_table(&mut text, record, ink);
    step_table(&mut text, record, ink);
    promise_table(&mut text, &promises(record), ink);
    if let Some(measured) = &record.measured {
        latency_table(&mut text, measured, ink);
    }
    if let Some(flow) = latency::flow(record) {
        line(&mut text, &format!("  {flow}"));
    }
    foot(&mut text, record, ink);
    text
}

/// Colours, or none.
#[derive(Clone, Copy)]
pub(crate) struct Ink {
    pub(crate) colour: bool,
}

impl Ink {
    pub(crate) fn paint(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn outcome(self, outcome: Outcome, text: &str) -> String {
        let code = match outcome {
            Outcome::Pass => "32",
            Outcome::Fail => "31",
            Outcome::Inconclusive | Outcome::Incomplete => "33",
        };
        self.paint(code, text)
    }

    fn banner(self, outcome: Outcome) -> String {
        let code = match outcome {
            Outcome::Pass => "1;30;42",
            Outcome::Fail => "1;97;41",
            Outcome::Inconclusive | Outcome::Incomplete => "1;30;43",
        };
        self.paint(code, &format!(" {} ", outcome.as_str().to_uppercase()))
    }

    pub(crate) fn title(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }
}

/// The columns that a line on `terminal` may fill: one that wraps cannot be rewritten in place, and a full last column
/// wraps.
pub(crate) fn columns(terminal: impl AsFd) -> usize {
    const USUAL: u16 = 80;
    let columns = terminal_size_of(terminal).map_or(USUAL, |(Width(columns), _)| columns);
    usize::from(columns).saturating_sub(1)
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
    for reason in &verdict.reasons {
        let sign = ink.outcome(verdict.outcome, sign(verdict.outcome));
        line(text, &format!("   {sign} {reason}"));
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
}

/// The scenarios that did not pass; those that did are a number.
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
        line(
            text,
            &format!("- not run here: {} (needs {})", not_run.name, not_run.needs),
        );
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

fn promise_table(text: &mut String, promises: &[Promise], ink: Ink) {
    if promises.is_empty() {
        return;
    }
    line(text, "");
    line(text, &ink.title(&format!("{:<58}{}", "PROMISED", "FOUND")));
    let (zeros, others): (Vec<_>, Vec<_>) = promises
        .iter()
        .partition(|promise| promise.outcome == Outcome::Pass && promise.found == "0");
    for promise in others {
        let sign = ink.outcome(promise.outcome, sign(promise.outcome));
        let row = format!("{sign} {:<56}{}", promise.promised, promise.found);
        line(text, &row);
        if !promise.detail.is_empty() && promise.outcome != Outcome::Pass {
            line(text, &format!("    {}", ink.faint(&promise.detail)));
        }
    }
    if !zeros.is_empty() {
        let kinds: Vec<&str> = zeros
            .iter()
            .map(|promise| promise.detail.as_str())
            .collect();
        let sign = ink.outcome(Outcome::Pass, sign(Outcome::Pass));
        line(text, &format!("{sign} none {}", kinds.join(", ")));
    }
}

fn latency_table(text: &mut String, measured: &Measured, ink: Ink) {
    let lines = latency::lines(measured);
    let mut header = format!("{:<20}", "LATENCY");
    for percentile in Percentile::REPORTED {
        write!(header, "{percentile:>11}").expect("writing to a string must succeed");
    }
    line(text, "");
    line(
        text,
        &ink.title(&format!("{header}{:>11}{:>12}", "max", "samples")),
    );
    for hop in &lines {
        line(text, &hop_row(hop));
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

fn hop_row(hop: &HopLine) -> String {
    let mut row = format!("  {:<18}", hop.hop);
    for cell in &hop.percentiles {
        let mark = if cell.is_sound { ' ' } else { '?' };
        write!(row, "{:>10}{mark}", cell.text).expect("writing to a string must succeed");
    }
    format!("{row}{:>10} {:>12}", hop.max, hop.count)
}

fn foot(text: &mut String, record: &RunRecord, ink: Ink) {
    let findings = record.audit.iter().flat_map(|audit| &audit.findings);
    for finding in findings {
        line(text, "");
        let title = format!("WITNESS of {}", finding.violation);
        line(text, &ink.title(&title));
        for witness in finding.witnesses.iter().take(1) {
            line(text, &format!("  {}: {}", witness.subject, witness.detail));
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
            line(text, &format!("  {note}"));
        }
    }
    let steps = record.verdict().next_steps;
    if !steps.is_empty() {
        line(text, "");
        line(text, &ink.title("NEXT"));
        for (number, step) in (1..).zip(&steps) {
            line(text, &format!("  {number}. {step}"));
        }
    }
    line(text, "");
}

/// What the first process had to say that ended in a way that the run did not mean.
fn last_lines(text: &mut String, record: &RunRecord, ink: Ink) {
    let Some((process, exit)) = record.astray().next() else {
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
    let more = record.astray().count() - 1;
    if more > 0 {
        line(text, &format!("  and {more} more; report.html shows them"));
    }
}

/// Notes of the run, and what there is to say about its log and its producer; consumers are judged by a promise.
pub(super) fn remarks(record: &RunRecord) -> Vec<String> {
    let mut remarks = record.notes.clone();
    for (process, exit) in record.astray() {
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
        remarks.push(format!(
            "still there: {resource}; `cargo harness sweep` removes it"
        ));
    }
    remarks
}
