//! The answer as text for a terminal of 80 columns.

mod chart;
mod figures;

use std::fmt::Write as _;
use std::time::Duration;

use super::{Cost, Forecast, JobOutcomes, Prospect};
use chart::Chart;
use figures::decimals;
pub(super) use figures::{cell, row_names, rows, without_range};
use views::{Ink, clock};

/// Width of lines: a terminal of 80 columns wraps a line that fills its last column.
const WIDTH: usize = 79;
/// Most characters of a path in a line.
const SOURCE: usize = 40;

/// The whole answer. `colour`: with ANSI colours, for a terminal only.
pub fn text(answer: &Forecast, colour: bool) -> String {
    let ink = Ink {
        colour,
        columns: usize::MAX,
    };
    let mut lines = vec![
        String::new(),
        ink.title("MODEL of KEDA and the HPA, not the real ones"),
    ];
    lines.extend(wrapped("  ", &question(answer)));
    lines.extend(wrapped("  ", &phases(answer)));
    for prospect in &answer.settings {
        charts(&mut lines, answer, prospect, ink);
    }
    table(&mut lines, answer, ink);
    for prospect in &answer.settings {
        findings(&mut lines, answer, prospect, ink);
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Load and replicas in a sentence.
pub(super) fn question(answer: &Forecast) -> String {
    let each = |text: &dyn Fn(&Prospect) -> String| {
        let texts: Vec<_> = answer.settings.iter().map(text).collect();
        match texts.as_slice() {
            [one, other] if one != other => format!("{one} and {other}"),
            [one, ..] => one.clone(),
            [] => String::new(),
        }
    };
    let words = |seconds: f64| clock::words(Duration::from_secs_f64(seconds));
    let takes = each(&|it| match &it.jobs {
        None => format!("a replica works on {} messages at a time", it.in_flight),
        Some(JobOutcomes {
            messages_per_job: 1,
            ..
        }) => "a job works on one message and ends".to_owned(),
        Some(jobs) => format!(
            "a job works on one message after the other, and ends after {} or when there is none",
            jobs.messages_per_job
        ),
    });
    let work = each(&|it| it.work.clone());
    let rate = each(&|it| decimals(it.service_per_second));
    let grace = each(&|it| match it.jobs {
        Some(_) => "no job is ended".to_owned(),
        None => format!("it has {} to end", words(it.grace_s)),
    });
    let age = match answer.age_s {
        None => "all is at rest when the load begins".to_owned(),
        Some(age) => format!(
            "ScaledObjects are {} old when the load begins, so that not all may be at rest",
            words(age)
        ),
    };
    format!(
        "load {}; {takes}, on each {work}, which makes {rate} a second; it starts in {}; \
         {grace}; {age}; {} are simulated",
        answer.load,
        words(answer.start_delay_s),
        words(answer.horizon_s)
    )
}

/// The meaning of the ranges.
pub(super) fn phases(answer: &Forecast) -> String {
    let shown = answer
        .one_phase
        .clone()
        .unwrap_or_else(|| "Plots and first figures have each in the middle.".to_owned());
    let loops = if answer.settings.iter().all(|it| it.jobs.is_some()) {
        "where in its period KEDA's poll is"
    } else {
        "where in their periods KEDA's polls and the HPA's syncs are"
    };
    format!(
        "Nobody knows {loops} when the load begins. {shown} Figures in brackets are the least and the most of {} runs with other \
         phases.",
        answer.phases
    )
}

fn charts(lines: &mut Vec<String>, answer: &Forecast, prospect: &Prospect, ink: Ink) {
    let chart = Chart::new(answer.horizon_s, WIDTH);
    let band = |range: &'_ [(f64, f64)]| answer.show_band.then(|| range.to_vec());
    let (object, source) = (&prospect.scaled_object, tail(&prospect.source, SOURCE));
    let counted = match prospect.jobs {
        Some(_) => "JOBS",
        None => "REPLICAS",
    };
    let title = format!(
        "{counted}, {object} of {source} (at most {})",
        prospect.max_replicas
    );
    lines.push(String::new());
    lines.extend(wrapped("", &title).iter().map(|line| ink.title(line)));
    let replicas = prospect.replicas.iter().map(|(at, n)| (*at, f64::from(*n)));
    let possible = band(&prospect.replicas_possible);
    lines.extend(chart.steps(replicas, possible.as_deref()));
    lines.push(ink.title("MESSAGES in the queue, visible and leased"));
    let messages = prospect.messages.iter().copied();
    let possible = band(&prospect.messages_possible);
    lines.extend(chart.steps(messages, possible.as_deref()));
    if answer.show_band {
        lines.push(ink.faint("        ░ possible in other phases"));
    }
}

fn table(lines: &mut Vec<String>, answer: &Forecast, ink: Ink) {
    let columns = answer.settings.len();
    let names = row_names(answer);
    let width = if columns > 1 { 25 } else { 50 };
    lines.push(String::new());
    let mut head = format!("{:<28}", "FIGURES");
    for prospect in &answer.settings {
        let source = tail(&prospect.source, width - 1);
        write!(head, "{source:<width$}").expect("writing to a string must succeed");
    }
    lines.push(ink.title(head.trim_end()));
    let rows: Vec<Vec<(&str, String)>> =
        answer.settings.iter().map(|it| rows(answer, it)).collect();
    for name in names {
        let mut row = format!("  {name:<26}");
        for column in &rows {
            let cell = cell(column, name);
            // If two columns leave no room for the range, only the page has it.
            let fits = cell.chars().count() < width;
            let cell = if fits { cell } else { without_range(cell) };
            write!(row, "{cell:<width$}").expect("writing to a string must succeed");
        }
        lines.push(row.trim_end().to_owned());
    }
    let mut notes: Vec<_> = answer.settings.iter().map(cost_note).collect();
    notes.dedup();
    lines.extend(notes.iter().flat_map(|note| wrapped("  ", note)));
}

/// The nodes and prices of the figures.
pub(super) fn cost_note(prospect: &Prospect) -> String {
    match &prospect.cost {
        Cost::Known(priced) => {
            let why = if priced.spread {
                "no more than maxSkew or an anti-affinity allows, though more would fit"
            } else {
                "filled one after the other"
            };
            let at_work = prospect.figures.messages_interrupted.most;
            let grace = if at_work > Some(0.0) {
                " What replicas cost that are told to end and still work is not in it."
            } else {
                ""
            };
            format!(
                "Cost is for the time simulated, {} replicas on a {}, {why}; Spot as if none were evicted.{grace} Prices: {}.",
                priced.replicas_per_node, priced.node, priced.prices
            )
        }
        Cost::Unknown { unknown } => format!("No node-hours and no cost: {unknown}."),
    }
}

fn findings(lines: &mut Vec<String>, answer: &Forecast, prospect: &Prospect, ink: Ink) {
    let of = if answer.settings.len() > 1 {
        format!(" with {}", tail(&prospect.source, SOURCE))
    } else {
        String::new()
    };
    lines.push(String::new());
    if prospect.findings.is_empty() {
        lines.push(ink.title(&format!("FOUND{of}: nothing")));
    } else {
        lines.push(ink.title(&format!("FOUND{of}")));
    }
    for finding in &prospect.findings {
        let sign = ink.paint("31", "✗");
        lines.push(format!("{sign} {} ({})", finding.field, finding.name));
        lines.extend(wrapped("    ", &finding.reason));
        lines.extend(wrapped("    ", &format!("To mend it: {}.", finding.mend)));
    }
    if let Some(cut) = &prospect.cut {
        lines.extend(wrapped("  ", &format!("{cut}.")));
    }
    if !prospect.warnings.is_empty() {
        lines.push(ink.title(&format!("DOUBTFUL{of}, whatever the load")));
        for warning in &prospect.warnings {
            let mut wrapped = wrapped("  ", warning).into_iter();
            let first = wrapped.next().unwrap_or_default();
            lines.push(format!("{} {}", ink.paint("33", "!"), first.trim_start()));
            lines.extend(wrapped);
        }
    }
}

/// The last characters of a text that is too long.
fn tail(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_owned();
    }
    let last: String = text.chars().skip(count + 1 - width).collect();
    format!("…{last}")
}

/// Wraps text at words, with no line wider than [`WIDTH`] unless a word is.
fn wrapped(indent: &str, text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_between_words() {
        let text = "word ".repeat(40);
        let lines = wrapped("    ", &text);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(lines.len(), 3);
        assert_eq!(tail("k8s/overlays/sample", 10), "…ys/sample");
        assert_eq!(tail("k8s/base", 10), "k8s/base");
    }
}
