//! Latency limits, and their judgement.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Hop, Hops, Interval, Micros, Percentile};
use crate::outcome::Outcome;

/// The part of a limit that the generator's lateness, at the same percentile, may take before an end-to-end latency is
/// not judged: a quarter. A generator later than that did not offer the planned load, and a figure that counts from
/// the plan tells more about the generator than about the system.
pub const LAG_SHARE: f64 = 0.25;

/// A promise: `percentile` of `hop` is at most `max_us`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyLimit {
    /// What is limited.
    pub hop: Hop,
    /// At which percentile.
    pub percentile: Percentile,
    /// The most it may be, in microseconds.
    pub max_us: u64,
}

impl LatencyLimit {
    /// A limit of `max`, in whole microseconds.
    pub fn new(hop: Hop, percentile: Percentile, max: Duration) -> Self {
        Self {
            hop,
            percentile,
            max_us: u64::try_from(max.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// How a limit was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyVerdict {
    /// The limit.
    pub limit: LatencyLimit,
    /// Whether it holds.
    pub outcome: Outcome,
    /// The percentile as found, in microseconds.
    pub observed_us: Option<i64>,
    /// Lower end of its 95 % confidence interval, widened by the clock offset.
    pub low_us: Option<i64>,
    /// Upper end.
    pub high_us: Option<i64>,
    /// How many samples there were.
    pub samples: u64,
    /// How many this percentile needs.
    pub samples_needed: u64,
    /// Why the outcome is what it is, in words.
    pub reason: String,
    /// Why it cannot be told whether the limit holds; absent where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<Untold>,
}

/// Why it cannot be told whether a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Untold {
    /// The percentile needs more samples.
    TooFewSamples,
    /// The load was not what was planned: the generator was late.
    LateGenerator,
    /// Clocks disagree.
    ClocksApart,
    /// Rows lack a stamp.
    StampsMissing,
    /// The limit is inside the confidence interval.
    TooClose,
}

impl LatencyVerdict {
    /// What was promised: `end to end p99 at most 500 ms`.
    pub fn promised(&self) -> String {
        let max = Micros(i64::try_from(self.limit.max_us).unwrap_or(i64::MAX));
        format!("{} {} at most {max}", self.limit.hop, self.limit.percentile)
    }

    /// What was found against the limit, in as few words as will do: `end to end p99 is 89.6 ms, limit 1.00 ms`.
    pub fn missed(&self) -> String {
        let max = Micros(i64::try_from(self.limit.max_us).unwrap_or(i64::MAX));
        let LatencyLimit {
            hop, percentile, ..
        } = self.limit;
        format!("{hop} {percentile} is {}, limit {max}", self.found())
    }

    /// What was found: the percentile, or that there are no samples.
    pub fn found(&self) -> String {
        self.observed_us
            .map_or("no samples".into(), |observed| Micros(observed).to_string())
    }

    /// The confidence interval, and why the outcome is what it is.
    pub fn detail(&self) -> String {
        let interval = match (self.low_us, self.high_us) {
            (Some(low), Some(high)) => format!("95 %: {} to {}; ", Micros(low), Micros(high)),
            (Some(low), None) => format!("95 %: {} or more; ", Micros(low)),
            (None, Some(high)) => format!("95 %: up to {}; ", Micros(high)),
            (None, None) => String::new(),
        };
        format!("{interval}{}", self.reason)
    }

    /// All of it in a line.
    pub fn sentence(&self) -> String {
        format!(
            "{}: found {} ({})",
            self.promised(),
            self.found(),
            self.detail()
        )
    }
}

/// Judges each limit by itself; [`Outcome::of_parts`] combines them.
///
/// - Too few samples, no judgement: see [`super::SAMPLES_BEYOND`].
/// - Pass when the whole 95 % confidence interval is within the limit, fail when all of it is beyond, inconclusive when
///   the limit is inside it.
/// - The interval is widened by the clock offset, known from negative samples: clocks that disagree by more than the
///   distance to the limit, or by more than the limit itself, cannot tell.
/// - End-to-end latency is not judged when the generator was late by more than [`LAG_SHARE`] of the limit, unless even
///   the naive figure, which forgives the generator, is beyond it.
/// - Rows that lack a stamp cannot be within a limit: with any of them, a pass becomes inconclusive.
pub fn judge(hops: &Hops, limits: &[LatencyLimit]) -> Vec<LatencyVerdict> {
    limits.iter().map(|limit| judge_one(hops, *limit)).collect()
}

fn judge_one(hops: &Hops, limit: LatencyLimit) -> LatencyVerdict {
    let samples = hops.samples(limit.hop);
    let offset = i64::try_from(hops.clock_offset_micros(limit.hop)).unwrap_or(i64::MAX);
    let interval = Interval::of(samples, limit.percentile);
    let mut verdict = LatencyVerdict {
        limit,
        outcome: Outcome::Inconclusive,
        observed_us: samples.at(limit.percentile),
        low_us: interval.low.map(|low| low.saturating_sub(offset)),
        high_us: interval.high.map(|high| high.saturating_add(offset)),
        samples: samples.count(),
        samples_needed: limit.percentile.samples_needed(),
        reason: String::new(),
        untold: None,
    };
    match decide(hops, &verdict, offset) {
        Ok(decided) => (verdict.outcome, verdict.reason) = decided,
        Err((untold, reason)) => (verdict.untold, verdict.reason) = (Some(untold), reason),
    }
    verdict
}

/// The outcome and its reason, or why there is none.
fn decide(
    hops: &Hops,
    verdict: &LatencyVerdict,
    offset: i64,
) -> Result<(Outcome, String), (Untold, String)> {
    let LatencyLimit {
        hop,
        percentile,
        max_us,
    } = verdict.limit;
    if verdict.samples < verdict.samples_needed {
        let reason = format!(
            "{percentile} needs {} samples, there are {}",
            verdict.samples_needed, verdict.samples
        );
        return Err((Untold::TooFewSamples, reason));
    }
    let max = i64::try_from(max_us).unwrap_or(i64::MAX);
    if let Some(reason) = generator_was_late(hops, verdict, max) {
        return Err((Untold::LateGenerator, reason));
    }
    let missing = hops.samples(hop).missing();
    match (verdict.low_us, verdict.high_us) {
        (Some(low), _) if low > max => Ok((
            Outcome::Fail,
            "the whole interval is beyond the limit".into(),
        )),
        (_, Some(high)) if high <= max && offset >= max => {
            let offset = Micros(offset);
            let reason =
                format!("clocks disagree by {offset} or more, which is more than the limit");
            Err((Untold::ClocksApart, reason))
        }
        (_, Some(high)) if high <= max && missing == 0 => Ok((
            Outcome::Pass,
            "the whole interval is within the limit".into(),
        )),
        (_, Some(high)) if high <= max => {
            let reason = format!("{missing} rows lack a stamp and could not be measured");
            Err((Untold::StampsMissing, reason))
        }
        _ if offset > 0 => {
            let offset = Micros(offset);
            let reason =
                format!("the limit is inside the interval; clocks disagree by {offset} or more");
            Err((Untold::ClocksApart, reason))
        }
        _ => {
            let reason = "the limit is inside the interval: more samples would tell";
            Err((Untold::TooClose, reason.into()))
        }
    }
}

fn generator_was_late(hops: &Hops, verdict: &LatencyVerdict, max: i64) -> Option<String> {
    let percentile = verdict.limit.percentile;
    if verdict.limit.hop != Hop::EndToEnd {
        return None;
    }
    let lag = hops.samples(Hop::ScheduleLag).at(percentile)?;
    if lag as f64 <= LAG_SHARE * max as f64 {
        return None;
    }
    let naive = Interval::of(hops.samples(Hop::EndToEndNaive), percentile);
    let offset = i64::try_from(hops.clock_offset_micros(Hop::EndToEnd)).unwrap_or(i64::MAX);
    let fails_all_the_same = naive
        .low
        .is_some_and(|low| low.saturating_sub(offset) > max);
    (!fails_all_the_same).then(|| {
        format!(
            "the generator was late by {} at {percentile}, more than {:.0} % of the limit",
            Micros(lag),
            LAG_SHARE * 100.0
        )
    })
}

#[cfg(test)]
mod tests {
    use workflow::contract::{Stamp, StoredRow};

    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);

    /// Rows with the given schedule lags and queue waits in microseconds, and 1 ms of work.
    fn hops(rows: impl Iterator<Item = (i64, i64)>) -> Hops {
        let mut hops = Hops::default();
        for (lag, wait) in rows {
            let stamp = |micros| Some(Stamp::from_micros(micros));
            hops.record(&StoredRow {
                src_stamp: stamp(0),
                sent_stamp: stamp(lag),
                dequeued_stamp: stamp(lag + wait),
                date_stamp: stamp(lag + wait + 1_000),
                ..StoredRow::default()
            });
        }
        hops
    }

    fn verdict(hops: &Hops, hop: Hop) -> LatencyVerdict {
        judge(hops, &[LatencyLimit::new(hop, Percentile::P99, LIMIT)]).remove(0)
    }

    #[test]
    fn a_limit_well_kept_passes_and_one_well_broken_fails() {
        let fast = hops((0..2_000).map(|n| (0, 1_000 + n)));
        let verdict_fast = verdict(&fast, Hop::EndToEnd);
        assert_eq!(verdict_fast.outcome, Outcome::Pass);
        assert!(verdict_fast.low_us <= verdict_fast.observed_us);
        assert!(verdict_fast.observed_us <= verdict_fast.high_us);
        let slow = hops((0..2_000).map(|n| (0, 100 * n)));
        assert_eq!(verdict(&slow, Hop::EndToEnd).outcome, Outcome::Fail);
    }

    #[test]
    fn too_few_samples_are_inconclusive_and_say_how_many_it_takes() {
        let verdict = verdict(&hops((0..999).map(|_| (0, 1))), Hop::EndToEnd);
        assert_eq!(verdict.outcome, Outcome::Inconclusive);
        assert_eq!(verdict.reason, "p99 needs 1000 samples, there are 999");
    }

    #[test]
    fn a_limit_inside_the_interval_is_inconclusive() {
        // Exactly 1 % of the samples are beyond the limit.
        let edge = hops((0..2_000).map(|n| (0, if n % 100 == 0 { 200_000 } else { 1_000 })));
        assert_eq!(verdict(&edge, Hop::EndToEnd).outcome, Outcome::Inconclusive);
    }

    #[test]
    fn a_late_generator_is_inconclusive_unless_the_system_is_slow_without_it() {
        let late = hops((0..2_000).map(|_| (150_000, 1_000)));
        let verdict_late = verdict(&late, Hop::EndToEnd);
        assert_eq!(verdict_late.outcome, Outcome::Inconclusive);
        assert_eq!(verdict_late.untold, Some(Untold::LateGenerator));
        let slow_too = hops((0..2_000).map(|_| (150_000, 150_000)));
        assert_eq!(verdict(&slow_too, Hop::EndToEnd).outcome, Outcome::Fail);
        assert_eq!(verdict(&late, Hop::QueueWait).outcome, Outcome::Pass);
    }

    #[test]
    fn clocks_that_disagree_by_more_than_the_distance_to_the_limit_cannot_tell() {
        let good = || (0..2_000).map(|_| (0, 50_000));
        let offset = |micros: i64| hops(good().chain([(0, -micros)]));
        assert_eq!(
            verdict(&offset(10_000), Hop::QueueWait).outcome,
            Outcome::Pass
        );
        let apart = verdict(&offset(60_000), Hop::QueueWait);
        assert_eq!(apart.outcome, Outcome::Inconclusive);
        assert_eq!(apart.untold, Some(Untold::ClocksApart));
        assert!(apart.reason.contains("clocks disagree by 60.0 ms"));
    }

    #[test]
    fn clocks_that_disagree_by_more_than_the_limit_cannot_tell_however_small_the_latency_looks() {
        let behind = hops((0..2_000).map(|_| (0, -9_000_000)));
        let verdict = verdict(&behind, Hop::QueueWait);
        assert_eq!(verdict.outcome, Outcome::Inconclusive);
        assert!(
            verdict.reason.contains("more than the limit"),
            "{}",
            verdict.reason
        );
    }

    #[test]
    fn rows_that_could_not_be_measured_spoil_a_pass() {
        let mut hops = hops((0..2_000).map(|_| (0, 1_000)));
        hops.record(&StoredRow::default());
        assert_eq!(verdict(&hops, Hop::EndToEnd).outcome, Outcome::Inconclusive);
    }
}
