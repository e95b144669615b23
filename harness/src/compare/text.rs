//! The answer for a terminal.

use std::fmt::Write as _;

use judge::compare::Change;

use super::{Compared, Comparison, Figure, Subject};
use crate::outcome::Outcome;

/// The answer, in lines.
pub fn text(answer: &Comparison) -> String {
    let mut lines = vec![
        format!("base     {}", runs(&answer.base)),
        format!("new      {}", runs(&answer.new)),
    ];
    if !answer.unlike.is_empty() {
        lines.push("differ   before | now".to_owned());
        lines.extend(answer.unlike.iter().map(|it| format!("         {it}")));
    }
    for subject in &answer.subjects {
        lines.push(String::new());
        lines.extend(of_subject(subject));
    }
    if !answer.one_sided.is_empty() {
        lines.push(String::new());
        lines.extend(
            answer
                .one_sided
                .iter()
                .map(|it| format!("not compared: {it}")),
        );
    }
    lines.push(String::new());
    lines.push(format!("method   {}", method(answer)));
    lines.extend(of_searches(answer).map(|how| format!("         {how}")));
    let counts = [
        Change::Worse,
        Change::Better,
        Change::Alike,
        Change::CannotTell,
    ]
    .map(|change| format!("{} {}", answer.count(change), word(change)));
    lines.push(counts.join(", "));
    lines.join("\n")
}

fn runs(runs: &[String]) -> String {
    match runs {
        [] => "no run".to_owned(),
        [one] => one.clone(),
        [first, .., last] => format!("{} runs, {first} to {last}", runs.len()),
    }
}

/// What was done, in a sentence.
fn method(answer: &Comparison) -> String {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    if answer.base.len() == 1 && answer.new.len() == 1 {
        return format!(
            "one run with one other: intervals from order statistics, or from the steps of a search, which know nothing of what changes from run to \
             run; only changes beyond {} count. Several runs on a side tell more",
            percent(answer.pair_tolerance)
        );
    }
    format!(
        "each run gives one value; Student's intervals for the factor between the sides, together wrong in at most {} of \
         comparisons; changes beyond {} count",
        percent(answer.error),
        percent(answer.tolerance)
    )
}

/// How rates of searches were compared, if any were.
fn of_searches(answer: &Comparison) -> Option<String> {
    let figures = || answer.subjects.iter().flat_map(|it| &it.figures);
    let is_any = figures().any(|it| matches!(it.figure, Figure::RateFound));
    is_any.then(|| {
        format!(
            "a rate is known to the steps of its search: it is between the one found and the lowest that broke a limit; only what \
             stays within {:.0} % is alike",
            answer.tolerance * 100.0
        )
    })
}

fn of_subject(subject: &Subject) -> Vec<String> {
    let head = ["", "before", "now", "change", "interval", ""].map(str::to_owned);
    let mut rows = vec![head, outcome_row(subject)];
    rows[0][0].clone_from(&subject.name);
    rows.extend(subject.figures.iter().map(figure_row));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    // A long name of a scenario stands alone in its line.
    let named = rows[1..]
        .iter()
        .map(|row| row[0].chars().count() + 2)
        .max()
        .unwrap_or_default();
    let widths: Vec<_> = (1..6)
        .map(|column| width(column).unwrap_or_default())
        .collect();
    let told = |row: &[String; 6], first: &str| {
        let mut line = format!("{first:<named$}");
        for (cell, width) in row[1..5].iter().zip(&widths) {
            write!(line, "  {cell:>width$}").expect("a string must grow");
        }
        format!("{line}  {}", row[5]).trim_end().to_owned()
    };
    let mut lines = vec![subject.name.clone(), told(&rows[0], "")];
    lines.extend(
        rows[1..]
            .iter()
            .map(|row| told(row, &format!("  {}", row[0]))),
    );
    lines
}

fn outcome_row(subject: &Subject) -> [String; 6] {
    let told = |outcomes: &[Outcome]| {
        let kinds = [
            Outcome::Pass,
            Outcome::Fail,
            Outcome::Inconclusive,
            Outcome::Incomplete,
        ];
        let counts = kinds.map(|kind| (kind, outcomes.iter().filter(|it| **it == kind).count()));
        let told = counts.into_iter().filter(|(_, count)| *count > 0);
        let told: Vec<_> = told
            .map(|(kind, count)| match count {
                1 => kind.as_str().to_owned(),
                _ => format!("{count} {}", kind.as_str()),
            })
            .collect();
        told.join(", ")
    };
    let none = String::new;
    [
        "outcome".to_owned(),
        told(&subject.base),
        told(&subject.new),
        none(),
        none(),
        word(subject.outcome).to_owned(),
    ]
}

fn figure_row(compared: &Compared) -> [String; 6] {
    let Compared { figure, difference } = compared;
    let percent = |factor: f64| {
        let percent = (factor - 1.0) * 100.0;
        if percent.abs() < 1_000.0 {
            format!("{percent:+.0} %")
        } else {
            format!("x {factor:.0}")
        }
    };
    let interval = difference.low.zip(difference.high);
    let interval = interval.map(|(low, high)| format!("{} to {}", percent(low), percent(high)));
    [
        figure.name(),
        figure.value(difference.base),
        figure.value(difference.new),
        percent(difference.factor),
        interval.unwrap_or_else(|| "none".to_owned()),
        word(difference.change).to_owned(),
    ]
}

/// A change in words.
pub(crate) const fn word(change: Change) -> &'static str {
    match change {
        Change::Worse => "worse",
        Change::Better => "better",
        Change::Alike => "alike",
        Change::CannotTell => "cannot tell",
    }
}
