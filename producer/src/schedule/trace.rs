//! Trace files: recorded arrivals, replayed.
//!
//! CSV, one arrival a line: its offset from the start of the run in seconds, decimals allowed, in ascending order. A first
//! line `offset_s` is a header. Only the first column is read, so a trace may carry more; empty lines and lines that
//! start with `#` are skipped.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// The same from a text; `path` is what errors call it.
///
/// By lines, and not with a CSV reader: those count neither blank lines nor comments reliably, and a first column of
/// numbers needs none.
pub fn parse(path: &Path, source: impl BufRead) -> Result<Vec<Duration>, TraceError> {
    let mut offsets: Vec<Duration> = Vec::new();
    let mut may_be_header = true;
    for (line, text) in (1..).zip(source.lines()) {
        let text = text.map_err(|source| TraceError::Read {
            path: path.to_owned(),
            line,
            source,
        })?;
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let first = text.split_once(',').map_or(text, |(first, _)| first);
        let first = first.trim().trim_matches('"');
        if std::mem::take(&mut may_be_header) && first == "offset_s" {
            continue;
        }
        let checked = offset(first, offsets.last(), offsets.len());
        offsets.push(checked.map_err(|problem| TraceError::Line {
            path: path.to_owned(),
            line,
            problem,
        })?);
    }
    if offsets.is_empty() {
        return Err(TraceError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(offsets)
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
        .ok_or_else(|| format!("{text:?} is not an offset in seconds, from 0 to a year"))?;
    match previous {
        Some(previous) if *previous > offset => Err(format!(
            "{text} is earlier than the arrival before it, {}; sort the trace",
            previous.as_secs_f64()
        )),
        _ => Ok(offset),
    }
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
