//! Trace files: recorded arrivals, replayed.
//!
//! CSV, one arrival a line: its offset from the start of the run in seconds, decimals allowed, in ascending order. A first
//! line `offset_s` is a header. Only the first column is read, so a trace may carry more; empty lines and lines that
//! start with `#` are skipped. As spreadsheets write it, it may be in UTF-16, begin with a byte order mark, end its lines with CR,
//! have semicolons or tabs between its columns, and say so in a line such as `sep=;` before all others.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use workflow::contract::text::{decode, is_utf16, separator_told};

/// Most arrivals of one trace; they are held in memory, 16 bytes each.
pub const MAX_ARRIVALS: usize = 10_000_000;

/// Latest arrival of a trace, in seconds: a year.
const MAX_OFFSET_S: f64 = 366.0 * 86_400.0;

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
    /// The file is not text, or reading it failed.
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
        /// What is wrong with it.
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
    parse(path, BufReader::new(file))
}

/// The same from a text, or from what UTF-16 makes of one; `path` is what errors call it.
///
/// By lines, and not with a CSV reader: those count neither blank lines nor comments reliably, and a first column of
/// numbers needs none.
pub fn parse(path: &Path, mut source: impl BufRead) -> Result<Vec<Duration>, TraceError> {
    let failed = |line: u64, source: io::Error| TraceError::Read {
        path: path.to_owned(),
        line,
        source,
    };
    let begin = source.fill_buf().map_err(|error| failed(1, error))?;
    let (narrow, wide) = if is_utf16(begin) {
        let mut bytes = Vec::new();
        source
            .read_to_end(&mut bytes)
            .map_err(|error| failed(1, error))?;
        let no_text = || failed(1, io::Error::new(io::ErrorKind::InvalidData, NO_TEXT));
        (
            None,
            Some(io::Cursor::new(decode(&bytes).ok_or_else(no_text)?)),
        )
    } else {
        (Some(source), None)
    };
    let wide = wide.into_iter().flat_map(BufRead::lines);
    let lines = narrow.into_iter().flat_map(BufRead::lines).chain(wide);
    let mut arrivals = Arrivals::default();
    let mut line = 0;
    for text in lines {
        let text = text.map_err(|error| failed(line + 1, error))?;
        // Lines may end in CR alone, as those of spreadsheets for the first Macintoshes.
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

/// What was read of a trace so far.
#[derive(Default)]
struct Arrivals {
    offsets: Vec<Duration>,
    /// What a line `sep=` says that stands between columns, as Excel reads it.
    separator: Option<char>,
    /// The first line that is no comment.
    first: Option<Row>,
    begun: bool,
}

impl Arrivals {
    /// Reads one more line, or says what is wrong with it.
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
            && let Some(separator) = separator_told(text)
        {
            self.separator = Some(separator);
            return Ok(());
        }
        let row = Row::of(text, self.separator);
        let may_be_header = self.first.is_none();
        let first = *self.first.get_or_insert(row);
        if row.columns > first.columns {
            return Err(more_columns(text, row, first));
        }
        let cell = row.first_cell(text);
        if may_be_header && cell.eq_ignore_ascii_case(HEADER) {
            return Ok(());
        }
        let checked = offset(cell, self.offsets.last(), self.offsets.len());
        self.offsets.push(checked.map_err(|problem| {
            if may_be_header {
                format!(
                    "{problem}; a header is the line {HEADER}, with or without columns after it"
                )
            } else {
                problem
            }
        })?);
        Ok(())
    }
}

/// The first column of a header.
const HEADER: &str = "offset_s";

/// How a line is divided.
#[derive(Debug, Clone, Copy)]
struct Row {
    separator: char,
    columns: usize,
}

impl Row {
    /// A semicolon or tab separates wherever one is: where decimals have commas, spreadsheets put semicolons between columns.
    /// What the file says itself comes first.
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

    fn first_cell(self, text: &str) -> &str {
        let cell = match text.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            Some((quoted, _)) => quoted,
            None => text.split(self.separator).next().unwrap_or(text),
        };
        cell.trim()
    }
}

/// Lines of more columns than the first: `0,25` among lines such as `1` is a decimal with a comma, which would be read as 0.
fn more_columns(text: &str, row: Row, first: Row) -> String {
    format!(
        "{text:?} has {} columns, and the first line {}; write decimals with a point",
        row.columns, first.columns
    )
}

fn offset(text: &str, previous: Option<&Duration>, count: usize) -> Result<Duration, String> {
    if count == MAX_ARRIVALS {
        return Err(format!("more than {MAX_ARRIVALS} arrivals"));
    }
    let offset = text
        .parse()
        .ok()
        .filter(|seconds| (0.0..=MAX_OFFSET_S).contains(seconds))
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| not_an_offset(text))?;
    match previous {
        Some(previous) if *previous > offset => Err(format!(
            "{text} is earlier than the arrival before it, {}; sort the trace",
            previous.as_secs_f64()
        )),
        _ => Ok(offset),
    }
}

fn not_an_offset(text: &str) -> String {
    let is_decimal_comma = text.replacen(',', ".", 1).parse::<f64>().is_ok() && text.contains(',');
    let advice = if is_decimal_comma {
        "; write decimals with a point"
    } else if text
        .parse::<f64>()
        .is_ok_and(|seconds| seconds > MAX_OFFSET_S)
    {
        "; take the time of the first arrival off each"
    } else {
        ""
    };
    format!("{text:?} is not an offset in seconds, from 0 to a year{advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<f64>, String> {
        parse(Path::new("t.csv"), text.as_bytes())
            .map(|offsets| offsets.iter().map(Duration::as_secs_f64).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_trace_is_read_with_and_without_header_comments_and_further_columns() {
        let expected = Ok(vec![0.0, 0.25, 0.25, 3.0]);
        assert_eq!(parsed("0\n0.25\n0.25\n3\n"), expected);
        assert_eq!(parsed("# recorded\noffset_s\n0\n0.25\n\n0.25\n3"), expected);
        assert_eq!(
            parsed("\"offset_s\",size\r\n0,1\r\n0.25,2\r\n0.25,\r\n 3 ,9\r\n"),
            expected
        );
    }

    /// "CSV UTF-8" of Excel begins with a byte order mark, and its header keeps the name in quotes or in another case.
    #[test]
    fn a_trace_out_of_a_spreadsheet_is_read() {
        let expected = Ok(vec![0.0, 0.25]);
        for text in [
            "\u{feff}0\r\n0.25\r\n",
            "\u{feff}offset_s\r\n0\r\n0.25\r\n",
            "\u{feff}\"offset_s\",\"note\"\n\"0\",\"a, b\"\n\"0.25\",c\n",
            "Offset_s;size\n0;1\n0.25;2\n",
            "offset_s\tsize\n0\t1\n0.25\t2\n",
            "\u{feff}sep=;\r\noffset_s;size\r\n0;1\r\n0.25;2\r\n",
            "\"sep=|\"\noffset_s|note\n0|a;b\n0.25|\n",
            "SEP=\t\n0\ta, b\n0.25\t\n",
        ] {
            assert_eq!(parsed(text), expected, "{text:?}");
        }
        // Lines that end in CR alone.
        assert_eq!(parsed("offset_s\r0\r0.25\r"), expected);
        let error = parsed("offset_s\r0\rx\r").unwrap_err();
        assert!(error.contains("line 3:"), "{error}");
        // "Unicode Text" of Excel is UTF-16 with tabs.
        let text = "\u{feff}offset_s\tsize\r\n0\t1\r\n0.25\t2\r\n";
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(unit).collect();
            let offsets = parse(Path::new("t.csv"), bytes.as_slice()).unwrap();
            let expected = [Duration::ZERO, Duration::from_millis(250)];
            assert_eq!(offsets, expected);
        }
        let packed = parse(Path::new("t.csv.gz"), &b"\x1f\x8b\x08\x00"[..]).unwrap_err();
        assert!(
            matches!(packed, TraceError::Line { .. } | TraceError::Read { .. }),
            "{packed}"
        );
    }

    #[test]
    fn decimals_with_a_comma_are_not_taken_for_two_columns() {
        for (text, line) in [
            ("offset_s\n0\n0,25\n", 3),
            ("0\n0,25\n1\n", 2),
            ("offset_s;size\n0;1\n0,25;1\n", 3),
            ("\"0,25\"\n", 1),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.contains(&format!("line {line}:")), "{error}");
            assert!(error.contains("write decimals with a point"), "{error}");
        }
    }

    #[test]
    fn what_could_be_a_header_is_told_what_a_header_is() {
        for text in [
            "seconds\n0\n",
            "time,offset_s\n1,0\n",
            "2026-11-28T10:00:00Z\n",
        ] {
            let error = parsed(text).unwrap_err();
            assert!(
                error.ends_with("a header is the line offset_s, with or without columns after it"),
                "{error}"
            );
        }
        let epoch = parsed("offset_s\n1764324000\n").unwrap_err();
        assert!(
            epoch.ends_with("take the time of the first arrival off each"),
            "{epoch}"
        );
    }

    #[test]
    fn errors_name_the_line() {
        assert_eq!(
            parsed("offset_s\n0\n2\n1.5\n").unwrap_err(),
            "read trace t.csv: line 4: 1.5 is earlier than the arrival before it, 2; sort the trace"
        );
        for (text, line) in [
            ("0\nx\n", 2),
            ("seconds\n0\n", 1),
            ("0\n1\n\n-1\n", 4),
            ("0\ninf\n", 2),
            ("NaN\n", 1),
            ("0\noffset_s\n", 2),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(
                error.contains(&format!("line {line}:")),
                "{text:?}: {error}"
            );
            assert!(error.contains("is not an offset in seconds"), "{error}");
        }
    }

    #[test]
    fn a_trace_without_arrivals_is_refused() {
        for text in ["", "offset_s\n", "# nothing\n"] {
            assert_eq!(
                parsed(text).unwrap_err(),
                "read trace t.csv: it has no arrivals"
            );
        }
    }
}
