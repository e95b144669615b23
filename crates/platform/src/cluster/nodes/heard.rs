//! Reads what consumers log about their machine's scheduled events, from the files into which their logs are copied.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use time::OffsetDateTime;
use time::PrimitiveDateTime;
use time::macros::format_description;
use workflow::contract::Stamp;

use crate::logs;

/// The consumer's log message when its scheduled events endpoint answers (`consumer::preempt`).
const ANSWERS: &str = "scheduled events answer";

/// The consumer's log message when a scheduled event announces the end of its machine.
pub(in crate::cluster) const ANNOUNCED: &str = "Spot eviction announced: draining";

/// Most bytes of a log that one look reads.
const PART: u64 = 1024 * 1024;

/// One fact from a consumer's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Its scheduled events endpoint answers, so the consumer would read of its machine's end.
    Answered,
    /// It has read that its machine ends, `notice` later.
    Noticed { notice: Duration },
}

/// The logs of a run's consumers, each with the position up to which it was read.
#[derive(Debug)]
pub(super) struct Logs {
    directory: PathBuf,
    read: BTreeMap<String, u64>,
}

/// A line as [`workflow::telemetry::json_lines`] writes it.
#[derive(Deserialize)]
struct Line {
    message: String,
    #[serde(rename = "event.not_before", default)]
    not_before: Option<String>,
}

impl Logs {
    /// The logs in the run's `directory`.
    pub(super) fn of(directory: PathBuf) -> Self {
        Self {
            directory,
            read: BTreeMap::new(),
        }
    }

    /// Reads what `pod` has logged since the last look. A log that cannot be read yet counts as empty.
    pub(super) fn news(&mut self, pod: &str, now: Stamp) -> Vec<Heard> {
        let from = self.read.get(pod).copied().unwrap_or_default();
        let Some(text) = part(&logs::file(&self.directory, pod), from) else {
            return Vec::new();
        };
        // The last line may still be incomplete.
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        self.read.insert(pod.to_owned(), from + whole as u64);
        let text = String::from_utf8_lossy(&text[..whole]);
        text.lines().filter_map(|line| heard(line, now)).collect()
    }
}

fn part(path: &PathBuf, from: u64) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut text = Vec::new();
    file.take(PART).read_to_end(&mut text).ok()?;
    Some(text)
}

fn heard(line: &str, now: Stamp) -> Option<Heard> {
    // Most lines have neither message.
    if !line.contains(ANSWERS) && !line.contains(ANNOUNCED) {
        return None;
    }
    let line: Line = serde_json::from_str(line).ok()?;
    match line.message.as_str() {
        ANSWERS => Some(Heard::Answered),
        ANNOUNCED => {
            let ends = line.not_before.as_deref().and_then(moment);
            let notice = ends.map_or(0, |ends| ends.micros_since(now).max(0));
            Some(Heard::Noticed {
                notice: Duration::from_micros(notice.unsigned_abs()),
            })
        }
        _ => None,
    }
}

/// Parses a time as Scheduled Events writes it: `Mon, 19 Sep 2016 18:29:47 GMT`. `None` for the empty text of an event that has
/// begun.
fn moment(text: &str) -> Option<Stamp> {
    let form = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let moment = PrimitiveDateTime::parse(text, form).ok()?.assume_utc();
    let micros = (moment - OffsetDateTime::UNIX_EPOCH).whole_microseconds();
    Some(Stamp::from_micros(i64::try_from(micros).ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn a_log_is_read_line_by_line_as_it_grows() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("logs")).unwrap();
        let mut logs = Logs::of(dir.path().to_owned());
        let now = moment("Mon, 23 Nov 2026 13:14:00 GMT").unwrap();
        assert_eq!(logs.news("aqs-app-1", now), []);
        let mut file = File::create(dir.path().join("logs/aqs-app-1.log")).unwrap();
        let answers = r#"{"timestamp":"2026-11-23T13:00:00Z","level":"INFO","message":"scheduled events answer","endpoint":"e","target":"consumer::preempt"}"#;
        let noticed = r#"{"level":"WARN","message":"Spot eviction announced: draining","event.id":"e","event.kind":"Preempt","event.not_before":"Mon, 23 Nov 2026 13:14:15 GMT"}"#;
        writeln!(file, "{answers}\nno JSON\n{{\"message\":\"other\"}}").unwrap();
        let (begun, rest) = noticed.split_at(60);
        write!(file, "{begun}").unwrap();
        assert_eq!(logs.news("aqs-app-1", now), [Heard::Answered]);
        writeln!(file, "{rest}").unwrap();
        let notice = Duration::from_secs(15);
        assert_eq!(logs.news("aqs-app-1", now), [Heard::Noticed { notice }]);
        assert_eq!(logs.news("aqs-app-1", now), []);
    }

    #[test]
    fn an_event_that_has_begun_gives_no_time() {
        let line = r#"{"message":"Spot eviction announced: draining","event.not_before":""}"#;
        let notice = Duration::ZERO;
        assert_eq!(
            heard(line, Stamp::from_micros(5)),
            Some(Heard::Noticed { notice })
        );
    }

    /// The lines are read in the form in which a pod writes them.
    #[test]
    fn what_a_consumer_logs_in_a_pod_is_heard() {
        let (read, write) = std::io::pipe().unwrap();
        let write = std::sync::Mutex::new(write);
        let lines = workflow::telemetry::json_lines(write);
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(endpoint = "e", "scheduled events answer");
            let not_before = "Mon, 23 Nov 2026 13:14:15 GMT";
            tracing::warn!(
                event.id = "e",
                event.not_before = not_before,
                "Spot eviction announced: draining"
            );
        });
        let mut text = String::new();
        std::io::BufReader::new(read)
            .read_to_string(&mut text)
            .unwrap();
        let now = moment("Mon, 23 Nov 2026 13:14:00 GMT").unwrap();
        let heard: Vec<_> = text.lines().filter_map(|line| heard(line, now)).collect();
        let notice = Duration::from_secs(15);
        assert_eq!(heard, [Heard::Answered, Heard::Noticed { notice }]);
    }

    /// The consumer's source has both messages.
    #[test]
    fn the_consumer_says_what_is_listened_for() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../consumer/src/preempt.rs");
        let source = std::fs::read_to_string(source).unwrap();
        for sentence in [ANSWERS, ANNOUNCED] {
            assert!(source.contains(&format!("\"{sentence}\"")), "{sentence}");
        }
    }

    use std::path::Path;
}
