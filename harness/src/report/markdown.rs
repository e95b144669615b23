//! `summary.md`: the run on a CI job page.

use std::fmt::Write as _;

use super::latency::{self, UNSOUND};
use super::promises::{Unjudged, unjudged};
use super::terminal::{remarks, sign};
use super::{RunRecord, promises, rates, usage};
use crate::events::ScenarioEnd;
use crate::measure::{Micros, Percentile};
use crate::outcome::Outcome;

pub(super) fn summary(record: &RunRecord) -> String {
    let mut text = String::new();
    write(&mut text, record).expect("writing to a string must succeed");
    text
}

fn write(text: &mut String, record: &RunRecord) -> std::fmt::Result {
    let verdict = record.verdict();
    let badge = match verdict.outcome {
        Outcome::Pass => "🟢",
        Outcome::Fail => "🔴",
        Outcome::Inconclusive | Outcome::Incomplete => "🟡",
    };
    let word = verdict.outcome.as_str().to_uppercase();
    writeln!(text, "## {badge} {word}: {}\n", escaped(&verdict.headline))?;
    for (outcome, reason) in verdict.marked() {
        writeln!(text, "- {} {}", sign(outcome), escaped(reason))?;
    }
    writeln!(text, "\n{}\n", escaped(record.title()))?;
    for pace in record.paces() {
        writeln!(text, "{}\n", escaped(&pace))?;
    }
    scenario_table(text, record)?;
    step_table(text, record)?;
    rate_table(text, record)?;
    promise_table(text, record)?;
    latency_table(text, record)?;
    last_lines(text, record)?;
    for note in remarks(record) {
        writeln!(text, "> {}\n", escaped(&note))?;
    }
    for (number, step) in (1..).zip(&verdict.next_steps) {
        writeln!(text, "{number}. {}", escaped(step))?;
    }
    if let Some(run) = &record.run {
        let lasted = Micros(record.micros_at(record.ended));
        writeln!(
            text,
            "\nRun `{}`, seed {}, {lasted}. Repeat:",
            run.run, run.seed
        )?;
        writeln!(text, "\n{}", code_block("sh", &run.command))?;
    }
    Ok(())
}

fn promise_table(text: &mut String, record: &RunRecord) -> std::fmt::Result {
    let promises = promises(record);
    if promises.is_empty() {
        return Ok(());
    }
    writeln!(text, "| | Promised | Found | |\n|---|---|---|---|")?;
    for promise in promises {
        writeln!(
            text,
            "| {} | {} | {} | {} |",
            sign(promise.outcome),
            escaped(&promise.promised),
            escaped(&promise.found),
            escaped(&promise.detail)
        )?;
    }
    for Unjudged { why, promised } in unjudged(record) {
        for promised in promised {
            writeln!(
                text,
                "| - | {} | not judged | {} |",
                escaped(&promised),
                escaped(&why)
            )?;
        }
    }
    writeln!(text)
}

fn scenario_table(text: &mut String, record: &RunRecord) -> std::fmt::Result {
    if record.scenarios.is_empty() && record.never_begun.is_empty() {
        return Ok(());
    }
    writeln!(text, "| | Scenario | Time | |\n|---|---|---:|---|")?;
    for scenario in &record.scenarios {
        writeln!(
            text,
            "| {} | {} | {} | {} |",
            sign(scenario.outcome),
            escaped(&scenario.name),
            scenario.duration_ms.map_or(UNKNOWN.to_owned(), took),
            escaped(said(scenario).unwrap_or_default())
        )?;
    }
    for scenario in &record.never_begun {
        let (sign, name) = (sign(Outcome::Incomplete), escaped(&scenario.name));
        writeln!(text, "| {sign} | {name} | | {NEVER_BEGUN} |")?;
    }
    for scenario in &record.not_run {
        let (name, needs) = (escaped(&scenario.name), escaped(&scenario.needs));
        writeln!(text, "| – | {name} | | not run here: it needs {needs} |")?;
    }
    writeln!(text)
}

fn step_table(text: &mut String, record: &RunRecord) -> std::fmt::Result {
    if record.steps.is_empty() {
        return Ok(());
    }
    writeln!(text, "| | Step | |\n|---|---|---|")?;
    for step in &record.steps {
        let (sign, sentence) = (sign(step.outcome), escaped(&step.sentence));
        let detail = escaped(step.detail.as_deref().unwrap_or_default());
        writeln!(text, "| {sign} | {sentence} | {detail} |")?;
    }
    writeln!(text)
}

/// The entry of a scenario that never began.
pub(super) const NEVER_BEGUN: &str = "never begun: the suite was cut off before";

/// The duration of something whose end is not in the log.
pub(super) const UNKNOWN: &str = "unknown";

/// A time that was measured in milliseconds.
pub(super) fn took(ms: u64) -> String {
    match i64::try_from(ms) {
        Ok(0) => "< 1 ms".to_owned(),
        Ok(ms) => Micros(ms.saturating_mul(1_000)).to_string(),
        Err(_) => Micros(i64::MAX).to_string(),
    }
}

/// The remark about a scenario: why it did not pass, or what it found.
pub(super) fn said(scenario: &ScenarioEnd) -> Option<&str> {
    scenario.detail.as_deref().or(scenario.found.as_deref())
}

fn latency_table(text: &mut String, record: &RunRecord) -> std::fmt::Result {
    let Some(measured) = &record.measured else {
        return Ok(());
    };
    let lines = latency::lines(measured);
    let heads: Vec<String> = Percentile::REPORTED
        .iter()
        .map(ToString::to_string)
        .collect();
    writeln!(text, "| Latency | {} | max | samples |", heads.join(" | "))?;
    writeln!(text, "|---|{}---:|---:|", "---:|".repeat(heads.len()))?;
    for line in &lines {
        write!(text, "| {} |", line.hop)?;
        for cell in &line.percentiles {
            let mark = if cell.is_sound { "" } else { " ?" };
            write!(text, " {}{mark} |", cell.text)?;
        }
        writeln!(text, " {} | {} |", line.max, line.count)?;
    }
    writeln!(text)?;
    if lines
        .iter()
        .flat_map(|line| &line.percentiles)
        .any(|cell| !cell.is_sound)
    {
        writeln!(text, "? {UNSOUND}\n")?;
    }
    for remark in lines.iter().flat_map(|line| &line.remarks) {
        writeln!(text, "> {}\n", escaped(remark))?;
    }
    if let Some(flow) = latency::flow(record) {
        writeln!(text, "{}\n", escaped(&flow))?;
    }
    for took in usage::lines(record) {
        writeln!(text, "{}\n", escaped(&took))?;
    }
    Ok(())
}

/// The rates that were tried, and the result of the search.
fn rate_table(text: &mut String, record: &RunRecord) -> std::fmt::Result {
    let rows = rates::rows(record);
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(text, "| | {} |", rates::HEADS.join(" | "))?;
    writeln!(text, "|---|{}", "---:|".repeat(rates::COLUMNS))?;
    for (outcome, row) in rows {
        writeln!(text, "| {} | {} |", sign(outcome), row.join(" | "))?;
    }
    writeln!(text)?;
    for said in rates::found(record) {
        writeln!(text, "{}\n", escaped(&said))?;
    }
    Ok(())
}

/// The last lines of the first process that ended in an unexpected way.
fn last_lines(text: &mut String, record: &RunRecord) -> std::fmt::Result {
    let Some((process, exit)) = record.unexpected_exits().next() else {
        return Ok(());
    };
    let name = escaped(&process.name);
    match exit.last_lines.as_deref().unwrap_or_default() {
        "" => writeln!(text, "{name} said nothing: its log is empty.\n"),
        lines => writeln!(
            text,
            "The last lines of {name}:\n\n{}\n",
            code_block("text", lines)
        ),
    }
}

/// `text` on one line for a table cell, with the characters escaped that mean something in Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => safe.extend(['\\', c]),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\n' | '\r' => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// A code block whose fence is longer than any run of backticks in it.
fn code_block(language: &str, code: &str) -> String {
    let mut fence = String::from("```");
    while code.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{code}\n{fence}")
}
