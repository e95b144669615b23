//! Where a real cluster's replicas must stay, although nobody knows when its loops tick.
//!
//! # How it is made
//!
//! The model runs for every pair of phases of the two loops on a grid, each with the wall clock's second at both of its
//! ends, and each with several patterns of lateness: on time, one loop or both late by the whole slack every time, both by
//! some part of it every time, and random lateness from fixed seeds. Where a read gets no answer ([`Load::silent_until`]),
//! each of these runs is made with every way to take that: given up at once or late, waited for, or
//! tried as KEDA does (`unanswered`). Every run is
//! widened in time by the slack and by one step of the grid. The envelope spans all of them.
//!
//! # What it guarantees
//!
//! - A cluster whose loops tick at one of the phases tried, with one of the patterns of lateness, is inside, exactly.
//! - A cluster with phases between two of the grid is inside as far as it decides as one of its neighbours does, up to a
//!   step earlier or later. It decides otherwise only where the load changes and changes back within a step.
//! - Arbitrary lateness up to the slack is inside as far as one of the patterns stands for it: a property test holds
//!   thousands of random runs against their envelopes. A load of several short peaks, each seen or missed by chance, is
//!   where the patterns could fall short; the band spans all counts between the lowest and the highest run, which makes
//!   that rare.
//! - What is outside did not follow these rules with this load: other settings, another version, or a loop that was
//!   later than the slack.
//!
//! - Where the load stays as it is ([`Load::steady_until`]) and nothing in the model remembers a change any more, runs go on
//!   with the last ticks before the load changes. So a recording costs what its changes cost, not what its hours would.
//!
//! It says nothing of how probable a count is. [`Envelope::likely`] is the run with both loops in the middle of their
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

/// The finest time an envelope tells apart.
const CELL: Duration = Duration::from_millis(250);

/// Counts of replicas that are possible, over time.
#[derive(Debug, Clone)]
pub struct Envelope {
    bands: Vec<Band>,
    reaches: Vec<Reach>,
    likely: ReplicaSeries,
    horizon: Duration,
}

/// Between `from` and `until` there may be `low` to `high` replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "said above")]
pub struct Band {
    pub from: Duration,
    pub until: Duration,
    pub low: u32,
    pub high: u32,
}

/// When there can and must be so many replicas or more, for the first and for the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// So many.
    pub replicas: u32,
    /// Not before.
    pub earliest: Duration,
    /// Not later; `None`: some runs never have so many.
    pub latest: Option<Duration>,
    /// Fewer again, for good, not before; `None`: no run comes so far.
    pub left_earliest: Option<Duration>,
    /// Fewer again, for good, not later; `None`: some runs have so many at the end.
    pub left_latest: Option<Duration>,
}

/// A recording leaves the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excursion {
    /// From here.
    pub from: Duration,
    /// To here.
    pub until: Duration,
    /// With so many replicas.
    pub replicas: u32,
    /// The lowest and highest count that was possible when it began.
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
    /// The envelope from time zero to `horizon`, under this load. `start.phases` do not count: they are what is not known;
    /// give those that are in `uncertainty`.
    pub fn new(
        settings: &Settings,
        start: &Start,
        load: &impl Load,
        horizon: Duration,
        uncertainty: &Uncertainty,
    ) -> Self {
        Self::with_progress(settings, start, load, horizon, uncertainty, &mut |_| ())
    }

    /// Makes the envelope as [`Envelope::new`] does, and tells from time to time which part of its runs is done, from 0 to 1.
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

    /// The envelope of one run, whose changes may be seen up to `slack` earlier or later than they are.
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

    /// The bands, one after the other.
    pub fn bands(&self) -> &[Band] {
        &self.bands
    }

    /// Least and most replicas at a moment; after the horizon those of the horizon.
    pub fn at(&self, now: Duration) -> (u32, u32) {
        let after = self.bands.partition_point(|band| band.from <= now);
        let band = after.checked_sub(1).and_then(|n| self.bands.get(n));
        band.map_or((0, 0), |band| (band.low, band.high))
    }

    /// Earliest and latest times of each count that any run has, from 1 on.
    pub fn reaches(&self) -> &[Reach] {
        &self.reaches
    }

    /// The run with both loops in the middle of their periods, or at the phases that are known.
    pub fn likely(&self) -> &ReplicaSeries {
        &self.likely
    }

    /// Where a recording of `spec.replicas` leaves the envelope, up to the horizon. Nothing: it is inside.
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

/// What the runs say of one count.
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
