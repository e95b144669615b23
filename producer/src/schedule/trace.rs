//! Trace files: recorded arrivals, replayed.
//!
//! CSV, one arrival a line: its offset from the start of the run in seconds, decimals allowed, in ascending order. Times of day
//! (ISO 8601, or seconds since 1970) are counted from the first line. A first line `offset_s` is a header: it declares that every
//! line is an arrival, which cannot be known of a table of times and other columns. Only the first column is read, so a trace may
//! have more; empty lines and lines that start with `#` are skipped. As spreadsheets write it, the file may be in UTF-16, begin
//! with a byte order mark, end its lines with CR, separate its columns by semicolons or tabs, and name the separator in a first
//! line such as `sep=;`.

mod looks;
mod number;

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use workflow::contract::iso;
use workflow::contract::text::{declared_separator, decode, is_utf16};

use crate::packed::{DIRECTORY, packed};

/// The most arrivals of one trace; they are held in memory, 16 bytes each.
pub const MAX_ARRIVALS: usize = 10_000_000;

/// Latest arrival of a trace, in seconds: a year.
const MAX_OFFSET_S: f64 = 366.0 * 86_400.0;

/// A number from here on is a time in seconds since 1970: this is in 1973.
const EARLIEST_EPOCH_S: f64 = 1e8;
/// A number from here on is a time in milliseconds since 1970.
const LATEST_EPOCH_S: f64 = 1e11;

/// Why a trace cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be opened.
    #[error("open trace {}", path.display())]
    Open {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is a directory, or in a form that is not read.
    #[error("read trace {}: {problem}", path.display())]
    Kind {
        /// Its path.
        path: PathBuf,
        /// What it is, and what to do.
        problem: &'static str,
    },
    /// Reading the file failed.
    #[error("read trace {}: line {line}", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is wrong.
    #[error("read trace {}: line {line}: {problem}", path.display())]
    Line {
        /// The trace's path.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// The problem.
        problem: String,
    },
    /// There is no arrival in it.
    #[error("read trace {}: it has no arrivals", path.display())]
    Empty {
        /// Its path.
        path: PathBuf,
    },
}

/// Reads and checks a trace.
pub fn read(path: &Path) -> Result<Vec<Duration>, TraceError> {
    let file = std::fs::File::open(path).map_err(|source| TraceError::Open {
        path: path.to_owned(),
        source,
    })?;
    // Some systems open a directory, and only fail to read it.
    if path.is_dir() {
        return Err(TraceError::Kind {
            path: path.to_owned(),
            problem: DIRECTORY,
        });
    }
    parse(path, BufReader::new(file))
}

/// Reads a trace from its text, or from its UTF-16 bytes; errors name it `path`.
///
/// Reads lines, and does not use a CSV reader: CSV readers do not count blank lines and comments reliably, and a first column of
/// numbers does not need one.
pub fn parse(path: &Path, mut source: impl BufRead) -> Result<Vec<Duration>, TraceError> {
    let failed = |line: u64, source: io::Error| TraceError::Read {
        path: path.to_owned(),
        line,
        source,
    };
    let kind = |problem| TraceError::Kind {
        path: path.to_owned(),
        problem,
    };
    let begin = source.fill_buf().map_err(|error| failed(1, error))?;
    if let Some(problem) = packed(begin) {
        return Err(kind(problem));
    }
    let (narrow, wide) = if is_utf16(begin) {
        let mut bytes = Vec::new();
        source
            .read_to_end(&mut bytes)
            .map_err(|error| failed(1, error))?;
        let text = decode(&bytes).ok_or_else(|| kind(NO_TEXT))?;
        (None, Some(io::Cursor::new(text)))
    } else {
        (Some(source), None)
    };
    let wide = wide.into_iter().flat_map(BufRead::lines);
    let lines = narrow.into_iter().flat_map(BufRead::lines).chain(wide);
    let mut arrivals = Arrivals::default();
    let mut line = 0;
    for text in lines {
        let text = text.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => TraceError::Line {
                path: path.to_owned(),
                line: line + 1,
                problem: NO_TEXT.to_owned(),
            },
            _ => failed(line + 1, error),
        })?;
        // Lines may end with CR alone, as spreadsheets for the first Macintoshes wrote them.
        for text in text.split('\r') {
            line += 1;
            arrivals.add(text).map_err(|problem| TraceError::Line {
                path: path.to_owned(),
                line,
                problem,
            })?;
        }
    }
    if arrivals.offsets.is_empty() {
        return Err(TraceError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(arrivals.offsets)
}

const NO_TEXT: &str = "it is neither UTF-8 nor UTF-16; save it as UTF-8";

/// The state after some lines of a trace.
#[derive(Default)]
struct Arrivals {
    offsets: Vec<Duration>,
    /// The separator of columns that a line `sep=` declares, as for Excel.
    separator: Option<char>,
    /// The first line that is not a comment.
    first: Option<Row>,
    begun: bool,
    /// Whether the header declares that each line is an arrival.
    is_named: bool,
    /// The time of the first line in seconds since 1970, if it has one.
    begun_at: Option<f64>,
}

impl Arrivals {
    /// Reads one more line, or returns its problem.
    fn add(&mut self, text: &str) -> Result<(), String> {
        let text = if self.begun {
            text
        } else {
            text.strip_prefix('\u{feff}').unwrap_or(text)
        };
        self.begun = true;
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        if self.first.is_none()
            && let Some(separator) = declared_separator(text)
        {
            self.separator = Some(separator);
            return Ok(());
        }
        if text.matches('"').count() % 2 == 1 {
            return Err(looks::UNCLOSED.to_owned());
        }
        let row = Row::of(text, self.separator);
        let may_be_header = self.first.is_none();
        let first = *self.first.get_or_insert(row);
        if row.columns > first.columns {
            return Err(more_columns(text, row, first));
        }
        let cell = row.first_cell(text);
        if may_be_header && cell.eq_ignore_ascii_case(HEADER) {
            self.is_named = true;
            return match row.cells(text).find(|cell| looks::is_count(cell)) {
                Some(count) => Err(looks::counted(count)),
                None => Ok(()),
            };
        }
        if may_be_header && let Some(told) = looks::header(cell, row.columns) {
            return Err(told);
        }
        if row.separator == ','
            && row.columns == 2
            && !self.is_named
            && self.offsets.is_empty()
            && moment(cell).is_none()
        {
            let mut rest = row.cells(text).skip(1);
            if rest.all(|cell| seconds(cell).is_finite()) && seconds(cell).is_finite() {
                return Err(looks::two_numbers(text));
            }
        }
        let offset = self.offset(cell, row.columns).map_err(|problem| {
            if may_be_header {
                format!(
                    "{problem}; a header is the line {HEADER}, with or without columns after it"
                )
            } else {
                problem
            }
        })?;
        self.offsets.push(offset);
        Ok(())
    }

    fn offset(&mut self, text: &str, columns: usize) -> Result<Duration, String> {
        let count = self.offsets.len();
        if count == MAX_ARRIVALS {
            return Err(format!("more than {MAX_ARRIVALS} arrivals"));
        }
        let moment = moment(text);
        if moment.is_some() && columns > 1 && !self.is_named {
            return Err(looks::times_and_values(seconds(text).is_finite()));
        }
        // The first line decides whether times count from it.
        if count == 0 {
            self.begun_at = moment;
        }
        let since = match (moment, self.begun_at) {
            // The precision of a number of seconds since 1970: a microsecond.
            (Some(at), Some(begun)) => Some(((at - begun) * 1e6).round() / 1e6),
            (None, None) => Some(seconds(text)),
            _ => None,
        };
        let in_range = since.filter(|since| (0.0..=MAX_OFFSET_S).contains(since));
        let offset = in_range.and_then(|since| Duration::try_from_secs_f64(since).ok());
        let previous = self.offsets.last();
        let earlier = previous.filter(|previous| match offset {
            Some(offset) => offset < **previous,
            // A time before the first one.
            None => moment.is_some() && since.is_some_and(|since| since < 0.0),
        });
        if let Some(previous) = earlier {
            return Err(format!(
                "{text} is earlier than the arrival before it, {}; sort the trace",
                previous.as_secs_f64()
            ));
        }
        offset.ok_or_else(|| looks::not_an_offset(text, self.begun_at.is_some()))
    }
}

/// `text` as a number; NaN if it is none.
fn seconds(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

/// `text` as seconds since 1970, if it is a time of day: in ISO 8601, or as such a number of seconds, which is larger than any offset.
fn moment(text: &str) -> Option<f64> {
    let epoch = Some(seconds(text)).filter(|it| (EARLIEST_EPOCH_S..LATEST_EPOCH_S).contains(it));
    // Exact to the microsecond until 2255.
    #[expect(clippy::cast_precision_loss, reason = "less than 2^53 microseconds")]
    let of_iso = || iso::parse(text).map(|stamp| stamp.as_micros() as f64 / 1e6);
    epoch.or_else(of_iso)
}

/// The first column of a header.
const HEADER: &str = "offset_s";

/// How the columns of a line are separated.
#[derive(Debug, Clone, Copy)]
struct Row {
    separator: char,
    columns: usize,
}

impl Row {
    /// The separator of `text`. A semicolon or tab always separates: where decimals have commas, spreadsheets put semicolons
    /// between columns. A separator that the file declares takes precedence.
    fn of(text: &str, told: Option<char>) -> Self {
        let mut separators = [';', '\t'].into_iter();
        let separator = separators.find(|separator| text.contains(*separator));
        let separator = told.or(separator).unwrap_or(',');
        let mut is_quoted = false;
        let ends = text.chars().filter(|letter| {
            is_quoted ^= *letter == '"';
            *letter == separator && !is_quoted
        });
        Self {
            separator,
            columns: ends.count() + 1,
        }
    }

    /// The cells of a line, without the quotes around them; a cell in quotes that contains a separator counts as several.
    fn cells(self, text: &str) -> impl Iterator<Item = &str> {
        let cells = text.split(self.separator);
        cells.map(|cell| cell.trim().trim_matches('"').trim())
    }

    fn first_cell(self, text: &str) -> &str {
        let cell = match text.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            Some((quoted, _)) => quoted,
            None => text.split(self.separator).next().unwrap_or(text),
        };
        cell.trim()
    }
}

/// The problem of a line with more columns than the first: `0,25` among lines such as `1` is a decimal with a comma, and would be
/// read as 0.
fn more_columns(text: &str, row: Row, first: Row) -> String {
    format!(
        "{text:?} has {} columns, and the first line {}; write decimals with a point",
        row.columns, first.columns
    )
}

#[cfg(test)]
mod tests;
