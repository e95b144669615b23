//! The judgement of latency limits.

use std::time::Duration;

use evidence::latency::{
    Hop, Hops, LatencyLimit, LatencyVerdict, Micros, Percentile, Samples, Untold, WITHOUT_PLAN,
};
use evidence::outcome::{NotPassed, Outcome};

use super::Interval;
use crate::Kept;

/// The share of a limit that the generator's lateness, at the same percentile, may reach before an end-to-end latency is not
/// judged: a quarter. A generator that was later did not offer the planned load, and a latency from the planned time then says
/// more about the generator than about the system.
pub const LAG_SHARE: f64 = 0.25;

/// Judges each limit separately; [`Outcome::of_parts`] combines the results.
///
/// - With too few samples, a limit is not judged: see [`SAMPLES_BEYOND`](evidence::latency::SAMPLES_BEYOND).
/// - Pass if the whole 95 % confidence interval is within the limit, fail if all of it is beyond, inconclusive if the limit
///   lies inside it.
/// - The interval is widened by the clock offset, known from negative samples. The result is inconclusive if the offset exceeds
///   the distance to the limit, or the limit itself.
/// - End-to-end latency is not judged if the generator was late by more than [`LAG_SHARE`] of the limit, unless even the naive
///   figure, which counts from the actual send, is beyond the limit.
/// - A row without a stamp cannot be shown to be within a limit: with any such row, a pass becomes inconclusive.
/// - Both stamps of [`Hop::Work`] are the worker's own, and on the wire, a worker that stamps the receive late, or the end of
///   the work early, looks like one that gets no CPU time. So with a wire, such a limit is kept only if the time from the
///   receive's answer to the insert, as seen on the wire, is within it as well.
/// - If storage kept requests waiting, or the harness was paused, a limit is missed only if the rows of other times alone miss
///   it. For [`Hop::Send`], which is not in the rows, as many of the slowest are left out as there are disturbed rows.
pub fn judge(hops: &Hops, limits: &[LatencyLimit]) -> Vec<LatencyVerdict> {
    limits.iter().map(|limit| judge_one(hops, *limit)).collect()
}

/// Whether `samples` are as many as `percentile` needs; with fewer, the figure proves nothing.
pub fn has_enough(samples: &Samples, percentile: Percentile) -> bool {
    samples.count() >= percentile.samples_needed()
}

/// The judgement of all limits together, with a sentence for each that is not kept.
pub fn kept(verdicts: &[LatencyVerdict]) -> Kept {
    let missed = verdicts.iter().filter(|it| it.outcome != Outcome::Pass);
    let missed: Vec<_> = missed.collect();
    if missed.is_empty() {
        return Ok(());
    }
    let outcome = Outcome::of_parts(missed.iter().map(|verdict| verdict.outcome));
    let told: Vec<_> = missed.iter().map(|verdict| verdict.sentence()).collect();
    NotPassed::unless_pass(outcome, told.join("\n"))
}

/// Fails unless at least half of the messages took `time` or more in `hop`. Inconclusive without samples, or if rows lack the stamps
/// that would show it.
pub fn median_at_least(hops: &Hops, hop: Hop, time: Duration) -> Kept {
    let Some(median) = hops.samples(hop).at(Percentile::P50) else {
        return Err(NotPassed::inconclusive("the hop has no samples"));
    };
    if median >= i64::try_from(time.as_micros()).unwrap_or(i64::MAX) {
        return match hops.samples(hop).missing() {
            0 => Ok(()),
            missing => Err(NotPassed::inconclusive(format!(
                "{missing} rows lack a stamp of {hop}"
            ))),
        };
    }
    let median = Micros(median);
    Err(NotPassed::fail(format!("the median of {hop} is {median}")))
}

fn judge_one(hops: &Hops, limit: LatencyLimit) -> LatencyVerdict {
    let mut verdict = judge_rows(hops, limit);
    if let (Outcome::Fail, Some((undisturbed, why))) = (verdict.outcome, hops.undisturbed()) {
        let sends = match limit.hop {
            Hop::Send => hops.undisturbed_sends(),
            _ => None,
        };
        let without = judge_rows(sends.as_ref().unwrap_or(undisturbed), limit);
        if without.outcome != Outcome::Fail {
            verdict.outcome = Outcome::Inconclusive;
            verdict.untold = Some(Untold::Disturbed);
            let rest = match sends {
                Some(_) => "what is left without the slowest",
                None => "what was measured at other times",
            };
            verdict.reason = format!(
                "{why}; {rest} (samples: {}) does not show that it is missed",
                without.samples
            );
        }
    }
    verdict
}

fn judge_rows(hops: &Hops, limit: LatencyLimit) -> LatencyVerdict {
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

/// The outcome and its reason, or why the limit cannot be judged.
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
    let missing = hops.samples(hop).missing();
    if hop.is_from_plan() && hops.lacks_plan() {
        return Err((Untold::StampsMissing, WITHOUT_PLAN.to_owned()));
    }
    if !has_enough(hops.samples(hop), percentile) {
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
        (_, Some(high)) if high <= max && missing == 0 => match borne_out(hops, verdict, max) {
            None => Ok((
                Outcome::Pass,
                "the whole interval is within the limit".into(),
            )),
            Some(reason) => Err((Untold::OwnWordAlone, reason)),
        },
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

/// Why the wire does not confirm the rows' claims about their work, if the wire has seen them.
fn borne_out(hops: &Hops, verdict: &LatencyVerdict, max: i64) -> Option<String> {
    let percentile = verdict.limit.percentile;
    let seen = hops.in_hand();
    if verdict.limit.hop != Hop::Work || seen.count() + seen.missing() == 0 {
        return None;
    }
    if seen.missing() > 0 {
        let missing = seen.missing();
        return Some(format!(
            "only the rows say so: of {missing} of them the wire has not seen the receive"
        ));
    }
    let interval = Interval::of(seen, percentile);
    if interval.high.is_some_and(|high| high <= max) {
        return None;
    }
    let found = seen
        .at(percentile)
        .map_or_else(String::new, |at| Micros(at).to_string());
    Some(format!(
        "only the rows say so: on the wire it is {found} from the answer to the receive until the insert, and nobody else can tell how \
         much of that was work; stamp the receive as soon as it is answered, and the end of the work just before the insert"
    ))
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
mod tests;
