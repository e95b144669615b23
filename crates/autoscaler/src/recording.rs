//! Recordings of a real cluster, and their comparison with the model.

use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use crate::{
    Envelope, Excursion, Nearest, RecordedQueue, ReplicaSeries, Settings, Start, Surroundings,
    Uncertainty,
};
pub(crate) use table::{Head, Row, Table, at};

mod table;

/// Columns of a recording with separate numbers of visible and leased messages, and of one with their total.
const APART: &str = "t_s,visible,leased,replicas";
const TOTAL: &str = "t_s,total,replicas";

/// Assumed duration of the last row, which the recording does not tell: a change in it is judged, and nothing later.
const LAST: Duration = Duration::from_millis(1);

/// Earliest `t_s` that counts as a time since 1970: KEDA began in 2019.
pub(crate) const EARLIEST: Duration = Duration::from_secs(1_500_000_000);

/// Queue and replicas of one scale target over time. In text form, it is a table of comma-separated values:
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
/// - `t_s`: seconds from the first row on, which may have any number, such as seconds since 1970. Rows are in order, and each
///   is valid until the next. For two rows with the same time, the queue of the last one counts, and the replicas of both in
///   their order, because a poll and a sync may coincide. Between two rows the queue is unknown, so take a sample every second
///   or more often.
/// - `visible` and `leased`, or `total` alone, which is enough for `queueLengthStrategy: all` only: messages. If the queue gave
///   no answer, these are empty, from the begin of that read to the next row: it is unknown whether polls and syncs of that
///   time gave up or waited.
/// - `replicas`: `spec.replicas` of the scale target. The first row has the initial number; a row for each change, from a
///   watch, is better than samples.
/// - Before the columns, if they are known: `age_s`, the age of the ScaledObject at the begin (default 0), and `active_ago_s`,
///   the time since a poll last found the queue active (default `never`). If there are several queues, `queue,NAME` names the
///   queue of the columns, and `waiting,NAME,MESSAGES` gives the constant number of messages in another queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    start: Start,
    samples: RecordedQueue,
    replicas: ReplicaSeries,
    end: Duration,
    apart: bool,
    surroundings: Head,
}

/// Error in the text of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordingError {
    /// A line is wrong.
    #[error("line {line}: {reason}")]
    Line {
        /// The line's number, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The recording has too few rows.
    #[error("there is no change and no time in it: a recording has two rows or more")]
    Empty,
    /// The settings need separate numbers of visible and leased messages.
    #[error("queueLengthStrategy visibleonly needs the columns {APART}")]
    TotalOnly,
    /// The settings need the time of day.
    #[error("a cron trigger goes by the clock: write t_s in seconds since 1970")]
    NoClock,
}

/// The result of comparing a recording with the model.
#[derive(Debug, Clone)]
pub struct Findings {
    /// The possible replicas of a cluster with this queue.
    pub envelope: Envelope,
    /// The parts of the recording outside of the envelope.
    pub excursions: Vec<Excursion>,
    /// The model's run that is closest to the recording; `None`: all runs have other counts.
    pub nearest: Option<Nearest>,
}

impl Findings {
    /// Whether the recording is inside the envelope, so that the model explains it.
    pub fn is_inside(&self) -> bool {
        self.excursions.is_empty()
    }

    /// Whether the nearest run is within one sync period of the HPA from the recording.
    pub fn is_near(&self, settings: &Settings) -> bool {
        let near = |it: &Nearest| it.distance <= settings.controller.sync_period;
        self.nearest.as_ref().is_some_and(near)
    }
}

impl Recording {
    /// Compares the recording with the model, from its begin to its end.
    ///
    /// # Errors
    ///
    /// The settings count visible messages only, and the recording has totals only.
    pub fn judge(
        &self,
        settings: &Settings,
        uncertainty: &Uncertainty,
    ) -> Result<Findings, RecordingError> {
        self.judge_with_progress(settings, uncertainty, &mut |_| ())
    }

    /// As [`Recording::judge`], and reports the finished part of the work, from 0 to 1.
    ///
    /// # Errors
    ///
    /// As for [`Recording::judge`].
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

    /// The state at the begin; its phases are unknown.
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// The queues that the ScaledObject reads, as the recording states them, for making its settings.
    pub fn surroundings(&self) -> Surroundings {
        self.surroundings.surroundings()
    }

    /// The queue over time.
    pub fn samples(&self) -> &RecordedQueue {
        &self.samples
    }

    /// The replicas over time.
    pub fn replicas(&self) -> &ReplicaSeries {
        &self.replicas
    }

    /// Time from the begin to the last row.
    pub fn end(&self) -> Duration {
        self.end
    }
}

impl FromStr for Recording {
    type Err = RecordingError;

    fn from_str(text: &str) -> Result<Self, RecordingError> {
        let table = Table::read(text, &[APART, TOTAL])?;
        let count = |row: &Row| row.counts.first().copied().unwrap_or_default();
        let start = Start {
            age: table.head.age,
            active_ago: table.head.active_ago,
            replicas: table.rows.first().map_or(0, count),
            wall: table.begun,
            ..Start::default()
        };
        let mut replicas = ReplicaSeries::starting_with(start.replicas);
        for row in &table.rows {
            replicas.push(row.at, count(row));
        }
        let samples = table.rows.iter().map(|row| (row.at, row.queue.map(Ok)));
        Ok(Self {
            start,
            replicas,
            end: table.rows.last().map_or(Duration::ZERO, |row| row.at),
            samples: RecordedQueue::with_silence(samples),
            apart: table.columns == 0,
            surroundings: table.head,
        })
    }
}

#[cfg(test)]
mod tests;
