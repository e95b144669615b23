//! Recordings of a ScaledJob in a real cluster, and their comparison with the model.
//!
//! Jobs that are created within half a polling interval of each other belong to one poll. KEDA starts its timer before it reads
//! the queue (`pkg/scaling/scale_handler.go`, `startScaleLoop`), so polls keep their distance: the times of created Jobs also
//! give the times of the polls in between, which created none. The Jobs of each poll are compared with those that the model
//! creates for the queue and the Jobs in the time before, as long as a poll may take.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::Unfinished;
use crate::recording::{EARLIEST, Head, Row, Table, at};
use crate::{JobSettings, Observation, Reads, RecordingError, ScalerError, Surroundings};

#[cfg(test)]
mod tests;

const APART: &str = "t_s,visible,leased,jobs,pending,made";
const TOTAL: &str = "t_s,total,jobs,pending,made";

/// Queue and Jobs of one ScaledJob over time: a table like that of a [`Recording`](crate::Recording), with the columns
/// `t_s,visible,leased,jobs,pending,made` or `t_s,total,jobs,pending,made`.
///
/// - `jobs`: Jobs that are not finished.
/// - `pending`: those of them without a pod that runs or has succeeded.
/// - `made`: all Jobs that KEDA has created since the begin; it never decreases.
#[derive(Debug, Clone)]
pub struct JobRecording {
    head: Head,
    apart: bool,
    wall: Duration,
    moments: Vec<Moment>,
}

/// The state from `at` on.
#[derive(Debug, Clone, Copy)]
struct Moment {
    at: Duration,
    observed: Observation,
    unfinished: Unfinished,
    made: u32,
}

/// The Jobs that one poll has created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Burst {
    /// When the first of them existed.
    at: Duration,
    made: u32,
}

/// A poll that created another number of Jobs than the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobExcursion {
    /// The time of the poll.
    pub at: Duration,
    /// The number of Jobs that it created.
    pub made: u32,
    /// The least and the most Jobs that the model creates at this time; `None`: no poll is possible then.
    pub possible: Option<(u32, u32)>,
}

impl fmt::Display for JobExcursion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, made) = (self.at.as_secs_f64(), self.made);
        match self.possible {
            Some((least, most)) if least == most => {
                write!(
                    f,
                    "{made} jobs made at {at:.1} s, where the model makes {least}"
                )
            }
            Some((least, most)) => write!(
                f,
                "{made} jobs made at {at:.1} s, where the model makes {least} to {most}"
            ),
            None => write!(
                f,
                "{made} jobs made at {at:.1} s, where no poll comes: it is no whole number of polling intervals after the jobs before"
            ),
        }
    }
}

/// The result of comparing a recording with the model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFindings {
    /// Number of polls that created Jobs.
    pub bursts: usize,
    /// Number of polls that created none.
    pub idle: usize,
    /// Number of Jobs created.
    pub made: u32,
    /// Polls at which the model creates another number.
    pub excursions: Vec<JobExcursion>,
}

impl JobRecording {
    /// Compares every poll with the model. `slack`: the longest time from the read of the queue to the first Job of that poll,
    /// and the longest delay of a poll.
    ///
    /// # Errors
    ///
    /// The settings need data that the recording does not have: visible messages, or the time of day.
    pub fn judge(
        &self,
        settings: &JobSettings,
        slack: Duration,
    ) -> Result<JobFindings, RecordingError> {
        let visible_only = |reads: &Reads| match reads {
            Reads::Queue(queue) => queue.strategy == crate::LengthStrategy::VisibleOnly,
            Reads::Cron(_) => false,
        };
        if !self.apart && settings.triggers.iter().any(visible_only) {
            return Err(RecordingError::TotalOnly);
        }
        let is_cron = |reads: &Reads| matches!(reads, Reads::Cron(_));
        if self.wall < EARLIEST && settings.triggers.iter().any(is_cron) {
            return Err(RecordingError::NoClock);
        }
        let bursts = self.bursts(settings.polling_interval / 2);
        let mut findings = JobFindings {
            bursts: bursts.len(),
            made: bursts.iter().map(|burst| burst.made).sum(),
            ..JobFindings::default()
        };
        for burst in &bursts {
            // The Jobs of the burst itself exist from its begin on, and not before.
            let until = burst.at.saturating_sub(Duration::from_nanos(1));
            let possible = self.possible(settings, burst.at.saturating_sub(slack), until);
            if !(possible.0..=possible.1).contains(&burst.made) {
                findings.excursions.push(JobExcursion {
                    at: burst.at,
                    made: burst.made,
                    possible: Some(possible),
                });
            }
        }
        self.between(settings, slack, &bursts, &mut findings);
        findings.excursions.sort_by_key(|it| it.at);
        Ok(findings)
    }

    /// The queues that the ScaledJob reads, as the recording states them, for making its settings.
    pub fn surroundings(&self) -> Surroundings {
        self.head.surroundings()
    }

    /// Time from the begin to the last row.
    pub fn end(&self) -> Duration {
        self.moments.last().map_or(Duration::ZERO, |last| last.at)
    }

    /// The created Jobs, by poll.
    fn bursts(&self, apart: Duration) -> Vec<Burst> {
        let mut bursts: Vec<(Burst, Duration)> = Vec::new();
        for pair in self.moments.windows(2) {
            let (now, more) = (pair[1].at, pair[1].made - pair[0].made);
            match bursts.last_mut() {
                _ if more == 0 => {}
                Some((burst, last)) if now.saturating_sub(*last) < apart => {
                    burst.made += more;
                    *last = now;
                }
                _ => bursts.push((
                    Burst {
                        at: now,
                        made: more,
                    },
                    now,
                )),
            }
        }
        bursts.into_iter().map(|(burst, _)| burst).collect()
    }

    /// Polls that created nothing: those before, between and after the polls that created Jobs. Without any Jobs the times of
    /// polls are unknown.
    fn between(
        &self,
        settings: &JobSettings,
        slack: Duration,
        bursts: &[Burst],
        findings: &mut JobFindings,
    ) {
        let interval = settings.polling_interval;
        let idle = |at: Duration, findings: &mut JobFindings| {
            findings.idle += 1;
            let possible =
                self.possible(settings, at.saturating_sub(slack), at.saturating_add(slack));
            if possible.0 > 0 {
                findings.excursions.push(JobExcursion {
                    at,
                    made: 0,
                    possible: Some(possible),
                });
            }
        };
        let Some(first) = bursts.first() else {
            return;
        };
        let mut before = first.at;
        while let Some(earlier) = before.checked_sub(interval).filter(|it| *it >= slack) {
            idle(earlier, findings);
            before = earlier;
        }
        for pair in bursts.windows(2) {
            let gap = pair[1].at.saturating_sub(pair[0].at);
            let polls = (gap.as_secs_f64() / interval.as_secs_f64()).round();
            let off = (gap.as_secs_f64() - polls * interval.as_secs_f64()).abs();
            if off > slack.as_secs_f64() {
                findings.excursions.push(JobExcursion {
                    at: pair[1].at,
                    made: pair[1].made,
                    possible: None,
                });
                continue;
            }
            let mut next = pair[0].at + interval;
            while next + interval / 2 < pair[1].at {
                idle(next, findings);
                next += interval;
            }
        }
        let mut next = bursts.last().map_or(first.at, |last| last.at) + interval;
        while next + slack < self.end() {
            idle(next, findings);
            next += interval;
        }
    }

    /// The least and the most Jobs that a poll creates between two times, for the states in between and at the begin.
    fn possible(&self, settings: &JobSettings, from: Duration, until: Duration) -> (u32, u32) {
        let first = self.moments.partition_point(|it| it.at <= from);
        let last = self.moments.partition_point(|it| it.at <= until);
        let there = &self.moments[first.saturating_sub(1)..last.max(1)];
        let made = there.iter().map(|moment| {
            let wall = self.wall + moment.at;
            settings.jobs_to_make(moment.observed, wall, moment.unfinished)
        });
        made.fold((u32::MAX, 0), |(least, most), made| {
            (least.min(made), most.max(made))
        })
    }
}

impl FromStr for JobRecording {
    type Err = RecordingError;

    fn from_str(text: &str) -> Result<Self, RecordingError> {
        let table = Table::read(text, &[APART, TOTAL])?;
        let moment = |row: &Row| {
            let count = |n: usize| row.counts.get(n).copied().unwrap_or_default();
            let (all, pending, made) = (count(0), count(1), count(2));
            if pending > all {
                let reason = format!("{pending} jobs are pending, of {all} that are not finished");
                return Err(at(row.line, reason));
            }
            Ok(Moment {
                at: row.at,
                observed: row.queue.ok_or(ScalerError),
                unfinished: Unfinished { all, pending },
                made,
            })
        };
        let moments: Vec<Moment> = table.rows.iter().map(moment).collect::<Result<_, _>>()?;
        for (pair, row) in moments.windows(2).zip(&table.rows[1..]) {
            if pair[1].made < pair[0].made {
                let reason =
                    "made is less than in the row before; it counts all jobs since the begin";
                return Err(at(row.line, reason.to_owned()));
            }
        }
        Ok(Self {
            head: table.head,
            apart: table.columns == 0,
            wall: table.begun,
            moments,
        })
    }
}
