//! A recording of a real cluster, and whether the model agrees with it.

use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use crate::{
    Envelope, Excursion, Nearest, RecordedQueue, ReplicaSeries, Settings, Start, Surroundings,
    Uncertainty,
};
pub(crate) use table::{Head, Row, Table, at};

mod table;

/// Columns of a recording that tells visible and leased messages apart, and of one that does not.
const APART: &str = "t_s,visible,leased,replicas";
const TOTAL: &str = "t_s,total,replicas";

/// How long the last row holds, which nothing tells: a change in it is judged, and nothing is waited for.
const LAST: Duration = Duration::from_millis(1);

/// A `t_s` that is less is no moment since 1970: KEDA began in 2019.
pub(crate) const EARLIEST: Duration = Duration::from_secs(1_500_000_000);

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
///   holds until the next. Of two rows of one time the queue of the last counts, and the replicas of both, in their order: a poll and
///   a sync can fall together. Between two rows the queue is not known, so a sample should be taken each second or more often.
/// - `visible` and `leased`, or `total` alone, which holds for `queueLengthStrategy: all` only: messages.
///   Where the queue gave no answer, these are empty, from the begin of that read to the next row: nobody knows whether polls
///   and syncs of that time were given up, or waited.
/// - `replicas`: `spec.replicas` of the scale target. The first row has those at the begin; a row at each change, from a
///   watch, is better than samples.
/// - Before the columns, if they are known: `age_s`, for how long the ScaledObject had been there at the begin (0 unless
///   given), and `active_ago_s`, how long ago a poll last found the queue active (`never` unless given). Where there are several
///   queues, `queue,NAME` says which the columns are of, and `waiting,NAME,MESSAGES` how many were in another, all the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    start: Start,
    samples: RecordedQueue,
    replicas: ReplicaSeries,
    end: Duration,
    apart: bool,
    surroundings: Head,
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

    /// What it says of the queues that its ScaledObject reads, with which its settings are made.
    pub fn surroundings(&self) -> Surroundings {
        self.surroundings.surroundings()
    }

    /// The queue.
    pub fn samples(&self) -> &RecordedQueue {
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
