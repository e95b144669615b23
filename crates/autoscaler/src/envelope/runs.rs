//! The runs of the model that an envelope spans.

use std::sync::Arc;
use std::time::Duration;

use super::Load;
use super::quiet::{Quiet, last_before};
use super::unanswered::{Ended, Unanswered};
use crate::keda::{Health, Reader};
use crate::{Autoscaler, Observation, Phases, ReplicaSeries, ScalerError, Settings, Start};

/// Most phases of a period: long polling intervals get a coarser grid, not longer searches.
const MAX_PHASES: u32 = 60;
/// Number of patterns of random lateness, in addition to the regular ones.
const SEEDS: u64 = 16;
/// No tick is late.
const ON_TIME: Late = Late::Always(0, 0);

/// What is unknown about a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncertainty {
    /// How late a tick of either loop, or the report of a change, may be.
    pub slack: Duration,
    /// Step of the grid of phases, at least a sixtieth of the period.
    pub step: Duration,
    /// The time of the first poll, if it is known.
    pub poll: Option<Duration>,
    /// The time of the first sync, if it is known.
    pub sync: Option<Duration>,
}

impl Default for Uncertainty {
    /// Nothing is known; a slack of two seconds allows for metric reads, writes and watches in a cluster that is not
    /// overloaded.
    fn default() -> Self {
        Self {
            slack: Duration::from_secs(2),
            step: Duration::from_millis(500),
            poll: None,
            sync: None,
        }
    }
}

impl Uncertainty {
    /// How much a run is widened in time, at both ends.
    pub(super) fn widening(&self, settings: &Settings) -> Duration {
        let poll = self
            .poll
            .map_or(self.grid(settings.polling_interval), |_| Duration::ZERO);
        let sync = settings.controller.sync_period;
        let sync = self.sync.map_or(self.grid(sync), |_| Duration::ZERO);
        self.slack + poll.max(sync)
    }

    fn grid(&self, period: Duration) -> Duration {
        self.step
            .max(period / MAX_PHASES)
            .max(Duration::from_millis(1))
    }

    fn phases(&self, known: Option<Duration>, period: Duration) -> Vec<Duration> {
        let Some(known) = known else {
            let step = self.grid(period);
            let phases = std::iter::successors(Some(Duration::ZERO), |at| Some(*at + step));
            return phases.take_while(|at| *at < period).collect();
        };
        vec![known]
    }
}

#[derive(Clone, Copy)]
pub(super) enum Late {
    /// Lateness of every poll and of every sync, in eighths of the slack. A tick is due one period after the actual time of the
    /// one before, so lateness adds up: an effect that takes several syncs comes at very different times.
    Always(u32, u32),
    Random(u64),
}

impl Late {
    fn all() -> impl Iterator<Item = Self> {
        let regular = [0, 1, 2, 3, 4, 6, 8].map(|eighths| (eighths, eighths));
        let regular = regular
            .into_iter()
            .chain([(8, 0), (0, 8)])
            .map(|(poll, sync)| Self::Always(poll, sync));
        regular.chain((1..=SEEDS).map(Self::Random))
    }

    /// The lateness of the tick of a loop (0 polls, 1 syncs) that is due at `due`.
    fn of(self, which: u64, due: Duration, slack: Duration) -> Duration {
        match self {
            Self::Always(poll, sync) => slack * if which == 0 { poll } else { sync } / 8,
            Self::Random(seed) => slack.mul_f64(share(draw(seed << 1 | which, due))),
        }
    }

    /// The average lateness of a loop's ticks.
    fn usual(self, which: u64, slack: Duration) -> Duration {
        match self {
            Self::Always(..) => self.of(which, Duration::ZERO, slack),
            Self::Random(_) => slack / 2,
        }
    }
}

/// A pseudo-random number for a tick at `at`.
pub(super) fn draw(seed: u64, at: Duration) -> u64 {
    mix(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX) ^ mix(seed))
}

/// The upper bits as a number from 0 to 1.
pub(super) fn share(bits: u64) -> f64 {
    (bits >> 44) as f64 / f64::from(1_u32 << 20)
}

/// `SplitMix64`: lateness must be the same whenever an envelope is computed again.
pub(super) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Runs the model for every uncertainty.
pub(super) fn each(
    settings: &Settings,
    start: &Start,
    load: &impl Load,
    horizon: Duration,
    uncertainty: &Uncertainty,
    mut run: impl FnMut(&ReplicaSeries),
    progress: &mut dyn FnMut(f64),
) {
    let settings = Arc::new(settings.clone());
    let starts = starts(&settings, start, uncertainty);
    let all = starts.len() as f64;
    for (done, start) in (0_u32..).zip(starts) {
        progress(f64::from(done) / all);
        for late in Late::all() {
            let slack = uncertainty.slack;
            answered_or_not(&settings, &start, load, horizon, late, slack, &mut run);
        }
    }
}

/// Makes one run, or, if a read gets no answer, one for each way in which a cluster may react.
fn answered_or_not(
    settings: &Arc<Settings>,
    start: &Start,
    load: &impl Load,
    horizon: Duration,
    late: Late,
    slack: Duration,
    run: &mut impl FnMut(&ReplicaSeries),
) {
    for how in Unanswered::ALL {
        // The two copies of the status differ only in failure counts, which matter only with a fallback.
        if how.cached_by_poll() && settings.fallback.is_none() {
            continue;
        }
        let (series, silence) = one(settings, start, load, horizon, (late, how), slack);
        run(&series);
        if !silence {
            return;
        }
    }
}

/// Runs the model for all possible phases, with no tick late.
pub(super) fn each_on_time(
    settings: &Settings,
    start: &Start,
    load: &impl Load,
    horizon: Duration,
    uncertainty: &Uncertainty,
    mut run: impl FnMut(Phases, &ReplicaSeries),
) {
    let settings = Arc::new(settings.clone());
    for start in starts(&settings, start, uncertainty) {
        let mut run = |series: &ReplicaSeries| run(start.phases, series);
        answered_or_not(
            &settings,
            &start,
            load,
            horizon,
            ON_TIME,
            Duration::ZERO,
            &mut run,
        );
    }
}

/// The start with every pair of phases, at both ends of the wall clock's second.
fn starts(settings: &Settings, start: &Start, uncertainty: &Uncertainty) -> Vec<Start> {
    let sync_period = settings.controller.sync_period;
    // Half a step apart, so that no poll and sync coincide: only one order of the two would be tried then.
    let aside = uncertainty
        .sync
        .map_or(uncertainty.grid(sync_period) / 2, |_| Duration::ZERO);
    let resolution = settings.controller.status_resolution;
    let end = resolution.saturating_sub(Duration::from_millis(1));
    let mut starts = Vec::new();
    for poll in uncertainty.phases(uncertainty.poll, settings.polling_interval) {
        for sync in uncertainty.phases(uncertainty.sync, sync_period) {
            for second in [Duration::ZERO, end] {
                let sync = sync + aside;
                let phases = Phases { poll, sync, second };
                starts.push(Start { phases, ..*start });
            }
        }
    }
    starts
}

pub(super) fn likely(
    settings: &Settings,
    start: &Start,
    load: &impl Load,
    horizon: Duration,
    uncertainty: &Uncertainty,
) -> ReplicaSeries {
    let phases = Phases {
        poll: uncertainty.poll.unwrap_or(settings.polling_interval / 2),
        sync: uncertainty
            .sync
            .unwrap_or(settings.controller.sync_period / 2),
        second: settings.controller.status_resolution / 2,
    };
    let start = Start { phases, ..*start };
    let settings = Arc::new(settings.clone());
    let waits = (ON_TIME, Unanswered::Waits);
    one(&settings, &start, load, horizon, waits, Duration::ZERO).0
}

/// The replicas of one run, and whether a tick's read got no answer.
fn one(
    settings: &Arc<Settings>,
    start: &Start,
    load: &impl Load,
    horizon: Duration,
    (late, how): (Late, Unanswered),
    slack: Duration,
) -> (ReplicaSeries, bool) {
    let mut model = Autoscaler::new(Arc::clone(settings), start);
    if how.cached_by_poll() {
        model.health = Health::cached_by_poll();
    }
    let mut series = ReplicaSeries::starting_with(start.replicas);
    let mut silence = false;
    let mut reads = Reads::default();
    let mut delayed = |reader: Reader, due: Duration, reads: &mut Reads| {
        let now = due.saturating_add(late.of(reader as u64, due, slack));
        let Some(until) = load.silent_until(now) else {
            return now;
        };
        silence = true;
        let ended = how.ended(late, reader, now, until, load);
        reads.slow[reader as usize] = Some((now, ended));
        ended.at
    };
    model.next_poll = delayed(Reader::Poll, model.next_poll, &mut reads);
    model.next_sync = delayed(Reader::Sync, model.next_sync, &mut reads);
    let mut quiet = Quiet::new(settings, slack);
    while let Some(now) = model.next_due().filter(|due| *due <= horizon) {
        let (poll, sync) = (model.next_poll, model.next_sync);
        let observed = reads.until(now, &mut model).unwrap_or_else(|| load.at(now));
        let decisions = model.step(now, observed);
        for decision in &decisions {
            series.push(now, decision.to);
        }
        if model.next_poll != poll {
            model.next_poll = delayed(Reader::Poll, model.next_poll, &mut reads);
        }
        if model.next_sync != sync {
            model.next_sync = delayed(Reader::Sync, model.next_sync, &mut reads);
        }
        if quiet.is_over(now, !decisions.is_empty(), load) {
            let until = quiet.until.min(horizon);
            let periods = (settings.polling_interval, settings.controller.sync_period);
            for (which, next, period) in [
                (0, &mut model.next_poll, periods.0),
                (1, &mut model.next_sync, periods.1),
            ] {
                *next = last_before(until, *next, period + late.usual(which, slack));
            }
        }
    }
    (series, silence)
}

/// The pending read of each loop: when it began, and how it ends.
#[derive(Debug, Default)]
struct Reads {
    slow: [Option<(Duration, Ended)>; 2],
}

impl Reads {
    /// Tells the model which reads have begun up to `now`, and returns the result of the read that ends now, if it differs from
    /// a read made now.
    fn until(&mut self, now: Duration, model: &mut Autoscaler) -> Option<Observation> {
        let mut begun: Vec<_> = [Reader::Poll, Reader::Sync]
            .into_iter()
            .filter_map(|reader| Some((self.slow[reader as usize]?.0, reader)))
            .filter(|(at, _)| *at <= now)
            .collect();
        begun.sort_by_key(|(at, _)| *at);
        for (_, reader) in begun {
            if !model.health.is_under_way(reader) {
                model.health.begin(reader);
            }
        }
        let mut observed = None;
        for reader in [Reader::Poll, Reader::Sync] {
            let slow = &mut self.slow[reader as usize];
            let Some((_, ended)) = slow.filter(|(_, ended)| ended.at <= now) else {
                continue;
            };
            *slow = None;
            if ended.failed {
                observed = Some(Err(ScalerError));
            }
            if reader == Reader::Sync {
                model.sync_cut = ended.cut;
            }
        }
        observed
    }
}

#[cfg(test)]
mod tests;
