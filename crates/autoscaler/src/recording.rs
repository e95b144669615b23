//! A recording of a real cluster, and whether the model agrees with it.

use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use crate::{
    Envelope, Excursion, Nearest, Queue, ReplicaSeries, Samples, Settings, Start, Uncertainty,
};

/// Columns of a recording that tells visible and leased messages apart, and of one that does not.
const APART: &str = "t_s,visible,leased,replicas";
const TOTAL: &str = "t_s,total,replicas";

/// How long the last row holds, which nothing tells: a change in it is judged, and nothing is waited for.
const LAST: Duration = Duration::from_millis(1);

/// No time in seconds is so large, and every one in milliseconds since 1973 is.
const MILLISECONDS: f64 = 1e11;
/// A `t_s` that is less is no moment since 1970: KEDA began in 2019.
const EARLIEST: Duration = Duration::from_secs(1_500_000_000);
/// Nor is this one in microseconds or nanoseconds.
const NO_TIME: f64 = 1e19;

/// Queue and replicas of one scale target over time. As a text, it is a table of comma-separated values:
///
/// ```
/// let recording: autoscaler::Recording = "
/// ## Anything.
/// age_s,23.4
/// active_ago_s,never
/// t_s,visible,leased,replicas
/// 0.0,0,0,0
/// 5.3,200,0,0
/// 12.1,200,0,1
/// 20.0,180,20,4
/// ".parse()?;
/// assert_eq!(recording.replicas().counts(), [0, 1, 4]);
/// # Ok::<(), autoscaler::RecordingError>(())
/// ```
///
/// - `t_s`: seconds, counted from the first row, whatever that has: seconds since 1970 will do. Rows are in order, and each
///   holds until the next; of several at one time the last queue counts, and all replicas. Between two rows the queue is not known, so a sample should be taken each second or more often.
/// - `visible` and `leased`, or `total` alone, which holds for `queueLengthStrategy: all` only: messages.
///   Where the queue gave no answer, these are empty, from the begin of that read to the next row: nobody knows whether polls
///   and syncs of that time were given up, or waited.
/// - `replicas`: `spec.replicas` of the scale target. The first row has those at the begin; a row at each change, from a
///   watch, is better than samples.
/// - Before the columns, if they are known: `age_s`, for how long the ScaledObject had been there at the begin (0 unless
///   given), and `active_ago_s`, how long ago a poll last found the queue active (`never` unless given).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    start: Start,
    samples: Samples,
    replicas: ReplicaSeries,
    end: Duration,
    apart: bool,
}

/// What is wrong with the text of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordingError {
    /// A line of it.
    #[error("line {line}: {reason}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// Too little in it.
    #[error("there is no change and no time in it: a recording has two rows or more")]
    Empty,
    /// The settings ask for what the recording does not have.
    #[error("queueLengthStrategy visibleonly needs the columns {APART}")]
    TotalOnly,
    /// The settings ask for the time of day.
    #[error("a cron trigger goes by the clock: write t_s in seconds since 1970")]
    NoClock,
}

/// How model and recording go together.
#[derive(Debug, Clone)]
pub struct Findings {
    /// Where a cluster must stay, with this queue.
    pub envelope: Envelope,
    /// Where the recording leaves it.
    pub excursions: Vec<Excursion>,
    /// The model's run that stays nearest to the recording; `None`: all of them have other counts.
    pub nearest: Option<Nearest>,
}

impl Findings {
    /// Whether the recording can be explained at all: it is inside the envelope.
    pub fn is_inside(&self) -> bool {
        self.excursions.is_empty()
    }

    /// Whether the nearest run is within one sync period of the HPA of the recording.
    pub fn is_near(&self, settings: &Settings) -> bool {
        let near = |it: &Nearest| it.distance <= settings.controller.sync_period;
        self.nearest.as_ref().is_some_and(near)
    }
}

impl Recording {
    /// Holds it against the model, from its begin to its end.
    ///
    /// # Errors
    ///
    /// The settings count visible messages, and the recording does not.
    pub fn judge(
        &self,
        settings: &Settings,
        uncertainty: &Uncertainty,
    ) -> Result<Findings, RecordingError> {
        self.judge_with_progress(settings, uncertainty, &mut |_| ())
    }

    /// Judges as [`Recording::judge`] does, and tells from time to time which part of the work is done, from 0 to 1.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn judge_with_progress(
        &self,
        settings: &Settings,
        uncertainty: &Uncertainty,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Findings, RecordingError> {
        if !self.apart && settings.strategy == crate::LengthStrategy::VisibleOnly {
            return Err(RecordingError::TotalOnly);
        }
        if settings.has_cron() && self.start.wall < EARLIEST {
            return Err(RecordingError::NoClock);
        }
        let (start, samples, end) = (&self.start, &self.samples, self.end);
        let judged = end + LAST;
        let envelope =
            Envelope::with_progress(settings, start, samples, judged, uncertainty, progress);
        let excursions = envelope.excursions(&self.replicas);
        let nearest = Nearest::new(settings, start, samples, &self.replicas, end, uncertainty);
        Ok(Findings {
            envelope,
            excursions,
            nearest,
        })
    }

    /// How things stood at the begin; its phases are not known.
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// The queue.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The replicas.
    pub fn replicas(&self) -> &ReplicaSeries {
        &self.replicas
    }

    /// From the begin to the last row.
    pub fn end(&self) -> Duration {
        self.end
    }
}

impl FromStr for Recording {
    type Err = RecordingError;

    fn from_str(text: &str) -> Result<Self, RecordingError> {
        // Spreadsheets begin a file with a byte order mark, and old ones end its lines with CR alone.
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let text = text.replace('\r', "\n");
        let lines = text.lines().map(str::trim).enumerate();
        let mut lines = lines
            .map(|(n, line)| (n + 1, line))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .filter(|(n, line)| *n > 1 || !names_separator(line));
        let mut start = Start::default();
        let (apart, separator) = loop {
            let (line, text) = lines.next().ok_or(RecordingError::Empty)?;
            let separator = separator(text);
            let plain = text.replace([' ', '"'], "").replace(separator, ",");
            match &*plain.to_ascii_lowercase() {
                APART => break (true, separator),
                TOTAL => break (false, separator),
                _ => set(&mut start, &plain).map_err(|reason| at(line, reason))?,
            }
        };
        let mut rows = Vec::new();
        // Seconds since 1970, or since a start of the cluster, count from the first row.
        let mut begun: Option<Duration> = None;
        for (line, text) in lines {
            let mut row = row(text, apart, separator).map_err(|reason| at(line, reason))?;
            let begun = *begun.get_or_insert(row.0);
            let last: Option<&(Duration, Option<Queue>, u32)> = rows.last();
            let since = row.0.checked_sub(begun);
            let since = since.filter(|since| last.is_none_or(|last| last.0 <= *since));
            row.0 =
                since.ok_or_else(|| at(line, "t_s is less than in the row before".to_owned()))?;
            rows.push(row);
        }
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Err(RecordingError::Empty);
        };
        if last.0 == first.0 {
            return Err(RecordingError::Empty);
        }
        start.replicas = first.2;
        start.wall = begun.unwrap_or_default();
        let mut replicas = ReplicaSeries::starting_with(start.replicas);
        for (at, _, count) in &rows {
            replicas.push(*at, *count);
        }
        Ok(Self {
            start,
            replicas,
            end: last.0,
            samples: Samples::with_silence(rows.iter().map(|(at, queue, _)| (*at, queue.map(Ok)))),
            apart,
        })
    }
}

fn at(line: usize, reason: String) -> RecordingError {
    RecordingError::Line { line, reason }
}

fn set(start: &mut Start, line: &str) -> Result<(), String> {
    match line.split_once(',') {
        Some(("age_s", age)) => start.age = seconds(age)?,
        Some(("active_ago_s", "never")) => start.active_ago = None,
        Some(("active_ago_s", ago)) => start.active_ago = Some(seconds(ago)?),
        _ => {
            return Err(format!(
                "{line:?} is neither age_s nor active_ago_s with a value, nor the columns: {APART} or {TOTAL}"
            ));
        }
    }
    Ok(())
}

/// What stands between the columns of a table: semicolons where a comma is that of decimals, tabs where it was copied from.
fn separator(header: &str) -> char {
    let others = [';', '\t'];
    others
        .into_iter()
        .find(|it| header.contains(*it))
        .unwrap_or(',')
}

/// Whether a first line tells spreadsheets what stands between the columns, `sep=;`. The header shows it as well.
fn names_separator(line: &str) -> bool {
    let name = line.trim_matches('"').get(..4);
    name.is_some_and(|name| name.eq_ignore_ascii_case("sep="))
}

fn row(line: &str, apart: bool, separator: char) -> Result<(Duration, Option<Queue>, u32), String> {
    let fields = line.split(separator).map(str::trim);
    let fields: Vec<&str> = fields.map(|it| it.trim_matches('"').trim()).collect();
    let (time, visible, leased, replicas) = match (apart, fields.as_slice()) {
        (true, [time, visible, leased, replicas]) => (*time, *visible, *leased, *replicas),
        (false, [time, "", replicas]) => (*time, "", "", *replicas),
        (false, [time, total, replicas]) => (*time, *total, "0", *replicas),
        _ => return Err(format!("{} values, not as many as columns", fields.len())),
    };
    let queue = match (visible, leased) {
        ("", "") => None,
        _ => Some(Queue {
            visible: count(visible)?,
            leased: count(leased)?,
        }),
    };
    Ok((seconds(time)?, queue, count(replicas)?))
}

fn count<T: FromStr>(text: &str) -> Result<T, String> {
    let refused = |_: T::Err| format!("{text:?} is no count");
    // As tools write whole numbers in a column that is empty in places.
    let whole = text.strip_suffix(".0").unwrap_or(text);
    whole.parse().map_err(refused)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let refused = || format!("{text:?} is no time in seconds from 0 on, such as 12.5");
    let seconds: f64 = text.trim().parse().map_err(|_| refused())?;
    if (MILLISECONDS..NO_TIME).contains(&seconds) {
        return Err(format!(
            "{text:?} seconds are more than three thousand years; write t_s in seconds; milliseconds must be divided by 1,000"
        ));
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| refused())
}

#[cfg(test)]
mod tests;
