//! Recognises files that are not traces, and says how to make offsets of them.

use super::{EARLIEST_EPOCH_S, HEADER, LATEST_EPOCH_S, MAX_OFFSET_S, moment, number};

/// Names of the first column in tables over time, from Grafana, Azure Monitor, Log Analytics, Prometheus' clients and logs.
const TIMES: [&str; 10] = [
    "time",
    "timestamp",
    "timegenerated",
    "ts",
    "date",
    "datetime",
    "time_s",
    "t",
    "t_s",
    "@timestamp",
];

/// Names of columns that count arrivals.
const COUNTS: [&str; 12] = [
    "count",
    "counts",
    "messages",
    "arrivals",
    "requests",
    "events",
    "number",
    "quantity",
    "amount",
    "total",
    "rate",
    "per_second",
];

/// What to do with a line whose quotes do not end.
pub(super) const UNCLOSED: &str =
    "a quote has no end on this line; write it, and no cell over several lines";

/// Whether a header names a column of counts.
pub(super) fn is_count(name: &str) -> bool {
    COUNTS.iter().any(|it| it.eq_ignore_ascii_case(name))
}

/// The problem of a column of counts in a file where each line is one arrival.
pub(super) fn counted(name: &str) -> String {
    format!(
        "the column {name:?} counts, and each line of a trace is one arrival, whatever its other columns say: write a line as often as it \
         counts, or call the column something else if it is no count of arrivals"
    )
}

/// The problem of a line of two numbers, in a table without a header.
pub(super) fn two_numbers(text: &str) -> String {
    format!(
        "{text:?} may be a number with a comma, a time and a count, or an arrival with another column: write decimals with a point, a line \
         for each arrival, and for other columns a first line such as {HEADER},size"
    )
}

/// What to do with a table of times and values.
fn of_arrivals() -> String {
    format!(
        "if every line is one arrival, call its first column {HEADER}, and times are counted from the first; if a line is a count of what came \
         in its interval, write its time on as many lines; of lengths of a queue nobody can tell what came"
    )
}

/// The kind of a first line whose first cell is `cell`, if it is the header of another kind of table.
pub(super) fn header(cell: &str, columns: usize) -> Option<String> {
    let name = cell.to_ascii_lowercase();
    let name = name.split_whitespace().next().unwrap_or_default();
    if !TIMES.contains(&name) {
        return None;
    }
    Some(if columns == 1 {
        format!("a column {cell:?} is no {HEADER}; if every line is one arrival, call it {HEADER}")
    } else {
        format!(
            "it looks like an export of values over time, as Grafana, Prometheus and Azure Monitor write it: {}",
            of_arrivals()
        )
    })
}

/// The problem of a line with a time and values, in a table without a header.
pub(super) fn times_and_values(is_epoch: bool) -> String {
    let time = if is_epoch {
        "seconds since 1970"
    } else {
        "a time of day"
    };
    format!(
        "it begins with {time} and has further columns, like an export of values over time: {}",
        of_arrivals()
    )
}

/// Why `text` is not an offset, and what to write; `of_times`: the first line is a time of day.
pub(super) fn not_an_offset(text: &str, of_times: bool) -> String {
    if number::no_moment(text).is_some() {
        return of_text(text);
    }
    let number = text.parse::<f64>().ok();
    let is_decimal_comma = text.replacen(',', ".", 1).parse::<f64>().is_ok() && text.contains(',');
    let advice = match number {
        _ if is_decimal_comma => "write decimals with a point".to_owned(),
        _ if of_times != moment(text).is_some() => {
            "the first line is of another kind; write all as offsets, or all as times".to_owned()
        }
        Some(number) if !number.is_finite() => "it says no time; leave the line out".to_owned(),
        Some(number) if number >= LATEST_EPOCH_S * 1e9 => {
            "no time is so far away; write seconds from the begin of the load".to_owned()
        }
        Some(number) if number >= LATEST_EPOCH_S * 1e3 => {
            "it looks like microseconds or nanoseconds since 1970; write seconds".to_owned()
        }
        Some(number) if number >= LATEST_EPOCH_S => {
            "it looks like milliseconds since 1970; divide each by 1,000".to_owned()
        }
        Some(number) if number > MAX_OFFSET_S && number < EARLIEST_EPOCH_S => {
            "if it is milliseconds, divide each by 1,000".to_owned()
        }
        Some(number) if number < 0.0 => {
            format!("an offset counts from the begin; take the first one, {text}, off each")
        }
        Some(_) => "after a year nobody waits for it; write what comes before".to_owned(),
        None => return of_text(text),
    };
    format!("{text:?} is not an offset in seconds, from 0 to a year; {advice}")
}

/// The problem of a text that is not a number.
fn of_text(text: &str) -> String {
    let advice = if text.is_empty() {
        "; the first column is empty: write the offset there, or leave the line out".to_owned()
    } else if let Some(seconds) = with_unit(text) {
        format!("; write the number alone: {seconds}")
    } else if let Some(seconds) = of_clock(text) {
        format!("; write it in seconds: {seconds}")
    } else if let Some(told) = number::strange(text).or_else(|| number::no_moment(text)) {
        told
    } else if text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['/', '-', '.']) {
        "; if it is a time of day, write it as 2026-11-28T10:00:00Z".to_owned()
    } else {
        String::new()
    };
    format!("{text:?} is not an offset in seconds, from 0 to a year{advice}")
}

/// The seconds of a number with a unit, such as `1s` and `250 ms`.
fn with_unit(text: &str) -> Option<f64> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let number: f64 = number.trim().parse().ok()?;
    let scale = match unit.to_ascii_lowercase().as_str() {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3_600.0,
        _ => return None,
    };
    Some(number * scale)
}

/// The seconds of `0:01:30.5` and `01:30`.
fn of_clock(text: &str) -> Option<f64> {
    let parts: Option<Vec<f64>> = text.split(':').map(|part| part.parse().ok()).collect();
    let parts = parts.filter(|parts| (2..=3).contains(&parts.len()))?;
    Some(parts.into_iter().fold(0.0, |sum, part| sum * 60.0 + part))
}
