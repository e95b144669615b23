//! The replica counts that a real cluster may have over time, although the times of its loops' ticks are unknown.
//!
//! # How it is made
//!
//! The model runs for every pair of phases of the two loops on a grid, each with the wall clock's second at both of its ends,
//! and each with several patterns of lateness: on time; one loop or both late by the whole slack every time; both late by a
//! part of it every time; and random lateness from fixed seeds. If a read gets no answer ([`Load::silent_until`]), each of
//! these runs is repeated for every way in which a cluster may react: give up at once or late, wait, or retry as KEDA does
//! (`unanswered`). Every run is widened in time by the slack and by one step of the grid. The envelope spans all of them.
//!
//! # What it guarantees
//!
//! - A cluster whose loops tick at one of the tried phases, with one of the patterns of lateness, is inside, exactly.
//! - A cluster with phases between two grid points is inside if it decides as one of its neighbours does, up to a step earlier
//!   or later. It decides otherwise only if the load changes and changes back within a step.
//! - Arbitrary lateness up to the slack is inside as far as one of the patterns represents it: a property test compares
//!   thousands of random runs with their envelopes. The patterns could be insufficient for a load of several short peaks, each
//!   of which a poll sees or misses by chance; but the band spans all counts between the lowest and the highest run, which
//!   makes this rare.
//! - A recording that is outside did not follow these rules with this load: it had other settings, another version, or a loop
//!   that was later than the slack.
//!
//! - While the load stays constant ([`Load::steady_until`]) and nothing in the model remembers a change any more, runs skip to
//!   the last ticks before the load changes. So the cost of a recording depends on its changes, not on its length.
//!
//! The envelope does not tell how probable a count is. [`Envelope::likely`] is the run with both loops in the middle of their
//! periods, on time.

mod coverage;
mod load;
mod nearest;
mod quiet;
mod runs;
#[cfg(test)]
mod tests;
mod unanswered;

use std::fmt;
use std::time::Duration;

pub use load::{Load, RecordedQueue};
pub use nearest::Nearest;
pub(crate) use quiet::memory;
pub use runs::Uncertainty;

use crate::{ReplicaSeries, Settings, Start};
use coverage::Coverage;

/// Time resolution of an envelope.
const CELL: Duration = Duration::from_millis(250);

/// Counts of replicas that are possible, over time.
#[derive(Debug, Clone)]
pub struct Envelope {
    bands: Vec<Band>,
    reaches: Vec<Reach>,
    likely: ReplicaSeries,
    horizon: Duration,
}

/// From `from` until `until` there may be `low` to `high` replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "said above")]
pub struct Band {
    pub from: Duration,
    pub until: Duration,
    pub low: u32,
    pub high: u32,
}

/// The earliest and latest times at which at least this many replicas are first reached and finally left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// The number of replicas.
    pub replicas: u32,
    /// The earliest time at which it is reached.
    pub earliest: Duration,
    /// The latest time at which it is reached; `None`: some runs never reach it.
    pub latest: Option<Duration>,
    /// The earliest time at which it is left for good; `None`: no run reaches and leaves it.
    pub left_earliest: Option<Duration>,
    /// The latest time at which it is left for good; `None`: some runs still have it at the end.
    pub left_latest: Option<Duration>,
}

/// A part of a recording that is outside of the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excursion {
    /// Its begin.
    pub from: Duration,
    /// Its end.
    pub until: Duration,
    /// The recorded number of replicas.
    pub replicas: u32,
    /// The lowest and highest count that was possible at its begin.
    pub possible: (u32, u32),
}

impl fmt::Display for Excursion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.possible;
        write!(
            f,
            "{} replicas from {:.1} s to {:.1} s, where {low} to {high} are possible",
            self.replicas,
            self.from.as_secs_f64(),
            self.until.as_secs_f64()
        )
    }
}

impl Envelope {
    /// Makes the envelope from time zero to `horizon`, under this load. `start.phases` are ignored, because phases are unknown;
    /// known phases go into `uncertainty`.
    pub fn new(
        settings: &Settings,
        start: &Start,
        load: &impl Load,
        horizon: Duration,
        uncertainty: &Uncertainty,
    ) -> Self {
        Self::with_progress(settings, start, load, horizon, uncertainty, &mut |_| ())
    }

    /// As [`Envelope::new`], and reports the finished part of the work, from 0 to 1.
    pub fn with_progress(
        settings: &Settings,
        start: &Start,
        load: &impl Load,
        horizon: Duration,
        uncertainty: &Uncertainty,
        progress: &mut dyn FnMut(f64),
    ) -> Self {
        let widening = uncertainty.widening(settings);
        let mut coverage = Coverage::default();
        let mut all = 0_usize;
        let mut tally: Vec<Tally> = Vec::new();
        let run = |series: &ReplicaSeries| {
            all += 1;
            let highest = series
                .steps()
                .iter()
                .map(|step| step.replicas)
                .max()
                .unwrap_or(0);
            if let Ok(highest) = usize::try_from(highest) {
                tally.resize(tally.len().max(highest), Tally::default());
            }
            for (replicas, tally) in (1..=highest).zip(&mut tally) {
                tally.add(series, replicas);
            }
            for (from, until, replicas) in series.spans(horizon) {
                let until = (until + widening).min(horizon);
                coverage.add(replicas, from.saturating_sub(widening), until);
            }
        };
        runs::each(settings, start, load, horizon, uncertainty, run, progress);
        let tally = (1..).zip(&tally);
        Self {
            bands: coverage.bands(horizon),
            reaches: tally
                .map(|(n, tally)| tally.reach(n, all, widening))
                .collect(),
            likely: runs::likely(settings, start, load, horizon, uncertainty),
            horizon,
        }
    }

    /// Makes the envelope of one run whose changes may be seen up to `slack` earlier or later.
    pub fn around(run: &ReplicaSeries, slack: Duration, horizon: Duration) -> Self {
        let spans: Vec<(Duration, Duration, u32)> = run
            .spans(horizon)
            .map(|(from, until, replicas)| {
                let until = (until + slack).min(horizon);
                (from.saturating_sub(slack), until, replicas)
            })
            .collect();
        let mut changes: Vec<Duration> = spans.iter().flat_map(|it| [it.0, it.1]).collect();
        changes.sort_unstable();
        changes.dedup();
        let bands = changes.windows(2).filter_map(|between| {
            let (from, until) = (between[0], between[1]);
            let holds = |span: &&(Duration, Duration, u32)| span.0 <= from && from < span.1;
            let counts = || spans.iter().filter(holds).map(|it| it.2);
            Some(Band {
                from,
                until,
                low: counts().min()?,
                high: counts().max()?,
            })
        });
        let highest = run.counts().into_iter().max().unwrap_or(0);
        let reaches = (1..=highest).map(|replicas| {
            let mut tally = Tally::default();
            tally.add(run, replicas);
            tally.reach(replicas, 1, slack)
        });
        Self {
            bands: bands.collect(),
            reaches: reaches.collect(),
            likely: run.clone(),
            horizon,
        }
    }

    /// The bands in the order of time.
    pub fn bands(&self) -> &[Band] {
        &self.bands
    }

    /// The least and most replicas at a time; after the horizon, those at the horizon.
    pub fn at(&self, now: Duration) -> (u32, u32) {
        let after = self.bands.partition_point(|band| band.from <= now);
        let band = after.checked_sub(1).and_then(|n| self.bands.get(n));
        band.map_or((0, 0), |band| (band.low, band.high))
    }

    /// The earliest and latest times for each count that any run has, from 1 on.
    pub fn reaches(&self) -> &[Reach] {
        &self.reaches
    }

    /// The run with both loops in the middle of their periods, or at their known phases.
    pub fn likely(&self) -> &ReplicaSeries {
        &self.likely
    }

    /// The parts of a recording of `spec.replicas` outside of the envelope, up to the horizon; empty if it is inside.
    pub fn excursions(&self, recording: &ReplicaSeries) -> Vec<Excursion> {
        let mut excursions: Vec<Excursion> = Vec::new();
        for (from, until, replicas) in recording.spans(self.horizon) {
            let until = until.min(self.horizon);
            let mut open = false;
            let first = self.bands.partition_point(|band| band.until <= from);
            for band in &self.bands[first..] {
                let at = band.from.max(from);
                if at >= until {
                    break;
                }
                if (band.low..=band.high).contains(&replicas) {
                    open = false;
                    continue;
                }
                let end = band.until.min(until);
                match excursions.last_mut() {
                    Some(last) if open => last.until = end,
                    _ => excursions.push(Excursion {
                        from: at,
                        until: end,
                        replicas,
                        possible: (band.low, band.high),
                    }),
                }
                open = true;
            }
        }
        excursions
    }
}

/// The times of one count in all runs.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    reached: Option<(Duration, Duration)>,
    times_reached: usize,
    left: Option<(Duration, Duration)>,
    times_left: usize,
}

impl Tally {
    fn add(&mut self, series: &ReplicaSeries, replicas: u32) {
        let widen = |span: &mut Option<(Duration, Duration)>, at: Duration| {
            let (first, last) = span.unwrap_or((at, at));
            *span = Some((first.min(at), last.max(at)));
        };
        if let Some(at) = series.reached(replicas) {
            self.times_reached += 1;
            widen(&mut self.reached, at);
        }
        if let Some(at) = series.left(replicas) {
            self.times_left += 1;
            widen(&mut self.left, at);
        }
    }

    fn reach(&self, replicas: u32, runs: usize, widening: Duration) -> Reach {
        let earliest =
            |span: Option<(Duration, Duration)>| span.map(|it| it.0.saturating_sub(widening));
        let latest = |span: Option<(Duration, Duration)>| span.map(|it| it.1 + widening);
        Reach {
            replicas,
            earliest: earliest(self.reached).unwrap_or_default(),
            latest: latest(self.reached).filter(|_| self.times_reached == runs),
            left_earliest: earliest(self.left),
            left_latest: latest(self.left).filter(|_| self.times_left == self.times_reached),
        }
    }
}
