//! The table of a recording: its head and its rows.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use super::RecordingError;
use crate::{Queue, Surroundings};

/// A number from which a time is in milliseconds: no time in seconds is so large, and every one in milliseconds since 1973 is.
const MILLISECONDS: f64 = 1e11;
/// A number that is too large even for microseconds or nanoseconds.
const NO_TIME: f64 = 1e19;

/// The lines of a recording before its columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Head {
    /// The age of the object at the begin.
    pub(crate) age: Duration,
    /// The time since a poll last found it active.
    pub(crate) active_ago: Option<Duration>,
    /// The queue of the columns; `None`: that of the first trigger with a queue.
    queue: Option<String>,
    /// The constant number of messages in other queues.
    waiting: BTreeMap<String, u64>,
}

impl Head {
    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings {
            load_queue: self.queue.clone(),
            waiting: self.waiting.clone(),
            ..Surroundings::default()
        }
    }

    fn set(&mut self, line: &str, known: &[&str]) -> Result<(), String> {
        match line.split_once(',') {
            Some(("age_s", age)) => self.age = seconds(age)?,
            Some(("active_ago_s", "never")) => self.active_ago = None,
            Some(("active_ago_s", ago)) => self.active_ago = Some(seconds(ago)?),
            Some(("queue", name)) => self.queue = Some(name.to_owned()),
            Some(("waiting", of)) => {
                let (name, messages) = of.split_once(',').ok_or_else(|| {
                    format!("{line:?} must be waiting, the name of a queue, and how many messages are in it")
                })?;
                self.waiting.insert(name.to_owned(), count(messages)?);
            }
            _ => {
                return Err(format!(
                    "{line:?} is neither age_s, active_ago_s, queue nor waiting with a value, nor the columns: {}",
                    known.join(" or ")
                ));
            }
        }
        Ok(())
    }
}

/// A parsed table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) head: Head,
    /// The index of its columns among the known sets.
    pub(crate) columns: usize,
    /// The time of the first row: seconds since 1970, or since a start of the cluster.
    pub(crate) begun: Duration,
    /// Two or more rows, not all with the same time, in the order of time.
    pub(crate) rows: Vec<Row>,
}

/// A row, with its time since the first row.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) at: Duration,
    pub(crate) queue: Option<Queue>,
    /// The values after the columns of the queue.
    pub(crate) counts: Vec<u32>,
}

impl Table {
    /// Parses a table with one of the `known` sets of columns, which begin with the time and the queue's columns: visible and
    /// leased messages, or their total.
    pub(crate) fn read(text: &str, known: &[&str]) -> Result<Self, RecordingError> {
        // Spreadsheets begin a file with a byte order mark, and old ones end lines with CR alone.
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let text = text.replace('\r', "\n");
        let lines = text.lines().map(str::trim).enumerate();
        let mut lines = lines
            .map(|(n, line)| (n + 1, line))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let mut head = Head::default();
        let mut told = None;
        let (columns, separator) = loop {
            let (line, text) = lines.next().ok_or(RecordingError::Empty)?;
            if let Some(separator) = declared_separator(text) {
                told = Some(separator);
                continue;
            }
            let separator = told.unwrap_or_else(|| separator(text));
            let plain = text.replace([' ', '"'], "").replace(separator, ",");
            let header = plain.to_ascii_lowercase();
            if let Some(columns) = known.iter().position(|it| **it == *header) {
                break (columns, separator);
            }
            head.set(&plain, known).map_err(|reason| at(line, reason))?;
        };
        let (mut rows, mut begun) = (Vec::<Row>::new(), None);
        for (line, text) in lines {
            let mut row =
                row(line, text, known[columns], separator).map_err(|reason| at(line, reason))?;
            let begun = *begun.get_or_insert(row.at);
            let since = row.at.checked_sub(begun);
            let since = since.filter(|since| rows.last().is_none_or(|last| last.at <= *since));
            row.at =
                since.ok_or_else(|| at(line, "t_s is less than in the row before".to_owned()))?;
            rows.push(row);
        }
        if rows.last().is_none_or(|last| last.at.is_zero()) {
            return Err(RecordingError::Empty);
        }
        Ok(Self {
            head,
            columns,
            begun: begun.unwrap_or_default(),
            rows,
        })
    }
}

pub(crate) fn at(line: usize, reason: String) -> RecordingError {
    RecordingError::Line { line, reason }
}

/// The separator in a line such as `sep=;`, which Excel interprets and does not show; a tab at its end is already trimmed.
fn declared_separator(line: &str) -> Option<char> {
    let line = line.trim_matches('"').to_ascii_lowercase();
    let mut letters = line.strip_prefix("sep=")?.chars();
    let separator = letters.next().unwrap_or('\t');
    letters.next().is_none().then_some(separator)
}

/// The separator of the columns: semicolons if decimals use a comma, tabs if the table was copied from a spreadsheet.
fn separator(header: &str) -> char {
    let others = [';', '\t'];
    others
        .into_iter()
        .find(|it| header.contains(*it))
        .unwrap_or(',')
}

fn row(line: usize, text: &str, columns: &str, separator: char) -> Result<Row, String> {
    if text.matches('"').count() % 2 == 1 {
        return Err("a quote has no end on this line; write it".to_owned());
    }
    let fields = text.split(separator).map(str::trim);
    let fields: Vec<&str> = fields.map(|it| it.trim_matches('"').trim()).collect();
    if fields.len() != columns.split(',').count() {
        return Err(format!("{} values, not as many as columns", fields.len()));
    }
    let of_queue = if columns.contains("leased") { 2 } else { 1 };
    let (queue, counts) = fields[1..].split_at(of_queue);
    let queue = match queue {
        [""] | ["", ""] => None,
        [visible, leased] => Some(Queue {
            visible: count(visible)?,
            leased: count(leased)?,
        }),
        total => Some(Queue {
            visible: count(total[0])?,
            leased: 0,
        }),
    };
    let counts = counts
        .iter()
        .map(|it| count(it))
        .collect::<Result<_, _>>()?;
    Ok(Row {
        line,
        at: seconds(fields[0])?,
        queue,
        counts,
    })
}

fn count<T: FromStr>(text: &str) -> Result<T, String> {
    let refused = |_: T::Err| format!("{text:?} is no count that a queue or a cluster can have");
    // Tools write integers like this in a column with empty cells.
    let whole = text.strip_suffix(".0").unwrap_or(text);
    whole.parse().map_err(refused)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let refused = || {
        if text.contains(':') {
            format!(
                "{text:?} is no number; write t_s in seconds since 1970, or since the first row"
            )
        } else {
            format!("{text:?} is no time in seconds from 0 on, such as 12.5")
        }
    };
    let seconds: f64 = text.trim().parse().map_err(|_| refused())?;
    if (MILLISECONDS..NO_TIME).contains(&seconds) {
        return Err(format!(
            "{text:?} seconds are more than three thousand years; write t_s in seconds; milliseconds must be divided by 1,000"
        ));
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| refused())
}
