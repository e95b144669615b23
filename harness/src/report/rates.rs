//! The search for the highest rate in words: the rates that were tried, and the result.

use super::RunRecord;
use crate::events::{Bottleneck, RateFound, RateStep};
use crate::measure::{Hop, Micros};
use crate::outcome::Outcome;
use views::thousands;

/// How many columns a row has.
pub(super) const COLUMNS: usize = 8;

/// The headings of the columns. Latencies are end to end, from the intended time of each send.
pub(super) const HEADS: [&str; COLUMNS] = [
    "RATE/S",
    "STORED/S",
    "P50",
    "P90",
    "P99",
    "P99.9",
    "LATE P99",
    "ANSWER P99",
];

/// A row for each rate, the lowest first, with the outcome of its run.
pub(super) fn rows(record: &RunRecord) -> Vec<(Outcome, [String; COLUMNS])> {
    let steps = by_rate(record).into_iter();
    steps.map(|step| (step.outcome, row(step))).collect()
}

/// The steps, the lowest rate first.
pub(super) fn by_rate(record: &RunRecord) -> Vec<&RateStep> {
    let mut steps: Vec<&RateStep> = record.rate_steps.iter().collect();
    steps.sort_by(|a, b| a.rate_per_s.total_cmp(&b.rate_per_s));
    steps
}

fn row(step: &RateStep) -> [String; COLUMNS] {
    let whole = step.hops.iter().find(|it| it.hop == Hop::EndToEnd);
    let time = |micros: Option<i64>| micros.map_or("-".to_owned(), |us| Micros(us).to_string());
    let late = step.measured.lateness_us_p99;
    [
        rate(step.rate_per_s),
        step.stored_per_s.map_or("-".to_owned(), rate),
        time(whole.and_then(|it| it.p50_us)),
        time(whole.and_then(|it| it.p90_us)),
        time(whole.and_then(|it| it.p99_us)),
        time(whole.and_then(|it| it.p99_9_us)),
        time(late.map(|us| i64::try_from(us).unwrap_or(i64::MAX))),
        time(step.measured.answer_us_p99),
    ]
}

/// A rate without decimals.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is not negative, and far below 2^53"
)]
pub(super) fn rate(per_second: f64) -> String {
    thousands(per_second.round() as u64)
}

/// The result of the search, and the bottleneck as measured; empty if there was no search.
pub(super) fn found(record: &RunRecord) -> Vec<String> {
    if record.rate_steps.is_empty() {
        return Vec::new();
    }
    let Some(found) = &record.rate_found else {
        return vec![cut_off(record)];
    };
    let mut told = vec![kept(record, found)];
    told.extend(beyond(record, found));
    let Bottleneck { part, why } = &found.bottleneck;
    told.push(format!("bottleneck, as measured: {part}: {why}"));
    told
}

/// What a search that was cut off had found until then.
fn cut_off(record: &RunRecord) -> String {
    let mut kept = by_rate(record).into_iter();
    let kept = kept.rfind(|step| step.outcome == Outcome::Pass);
    match kept {
        Some(step) => format!(
            "the search was cut off; the highest rate that had kept the limits until then: {} messages a second",
            rate(step.rate_per_s)
        ),
        None => "the search was cut off before a rate had kept the limits".to_owned(),
    }
}

/// Why the search went no higher: what stood against the rates beyond the one that was found.
fn beyond(record: &RunRecord, found: &RateFound) -> Vec<String> {
    let broken_off = broken_off(record).map(|step| step.rate_per_s);
    let rates = [found.untold_at_per_s, found.broken_at_per_s, broken_off];
    let mut told = Vec::new();
    for at in rates.into_iter().flatten() {
        if let Some(step) = last_try(record, at).filter(|step| !step.reasons.is_empty()) {
            let why = format!(
                "at {} messages a second: {}",
                rate(at),
                step.reasons.join("; ")
            );
            if !told.contains(&why) {
                told.push(why);
            }
        }
    }
    told
}

/// The last try of a rate, which is the one that counts.
fn last_try(record: &RunRecord, rate_per_s: f64) -> Option<&RateStep> {
    let mut steps = record.rate_steps.iter();
    steps.rfind(|step| step.rate_per_s.total_cmp(&rate_per_s).is_eq())
}

/// The step at which the search ended, since its run broke a promise other than the limits.
fn broken_off(record: &RunRecord) -> Option<&RateStep> {
    let last = record.rate_steps.last()?;
    judge::breaks_more_than_limits(last).then_some(last)
}

/// The highest rate that keeps the limits, and what is known of the rates above it.
fn kept(record: &RunRecord, found: &RateFound) -> String {
    let untold = untold(record, found);
    // Logs of older harnesses give a rate of which nothing could be told as one that broke a limit.
    let broken = found.broken_at_per_s.filter(|it| Some(*it) != untold);
    let of_untold = untold.map(|it| format!("of {} it could not be told", rate(it)));
    let broken_off = broken_off(record).map(|step| rate(step.rate_per_s));
    let Some(kept) = found.rate_per_s else {
        let lowest = by_rate(record).first().map_or(0.0, |step| step.rate_per_s);
        return match (broken, broken_off) {
            (_, Some(at)) => {
                format!("a promise was broken at {at} messages a second, where the search ended")
            }
            (Some(_), None) => format!(
                "no rate that was tried keeps the limits; the lowest was {} messages a second",
                rate(lowest)
            ),
            (None, None) => "no rate could be judged".to_owned(),
        };
    };
    let kept = rate(kept);
    let of_broken = broken.map(|it| format!("{} does not", rate(it)));
    let of_promise = broken_off.map(|at| format!("at {at} a promise was broken"));
    let beyond = of_promise.into_iter().chain(of_untold).chain(of_broken);
    let beyond: Vec<_> = beyond.collect();
    match &beyond[..] {
        [] => format!(
            "highest rate that was tried: {kept} messages a second, and it keeps the limits"
        ),
        beyond => format!(
            "highest rate that keeps the limits: {kept} messages a second; {}",
            beyond.join("; ")
        ),
    }
}

/// What to do if the search went no higher because nothing could be told of a rate.
pub(super) fn again(record: &RunRecord) -> Option<String> {
    let untold = untold(record, record.rate_found.as_ref()?)?;
    let command = &record.run.as_ref()?.command;
    Some(format!(
        "search again where nothing else runs, since of {} messages a second it could not be told: {command}",
        rate(untold)
    ))
}

/// The rate at which the search went no higher because nothing could be told of it.
fn untold(record: &RunRecord, found: &RateFound) -> Option<f64> {
    let is_untold = |rate: &f64| {
        last_try(record, *rate).is_some_and(|step| step.outcome == Outcome::Inconclusive)
    };
    let older = found.broken_at_per_s.filter(is_untold);
    found.untold_at_per_s.or(older)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::events::{BottleneckPart, HopLatency, StepMeasured};

    /// A search that kept 4,000 a second and broke at 8,000.
    pub(in crate::report) fn searched() -> RunRecord {
        let bottleneck = Bottleneck {
            part: BottleneckPart::Processor,
            why: "1.98 of 2 cores were busy".to_owned(),
        };
        let step = |rate_per_s: f64, p99_us, outcome| RateStep {
            rate_per_s,
            stored_per_s: Some(rate_per_s * 0.99),
            messages: 40_000,
            run_dir: format!("r1-{rate_per_s}"),
            outcome,
            reasons: vec![],
            reason_outcomes: vec![],
            verdicts: vec![],
            hops: vec![HopLatency {
                hop: Hop::EndToEnd,
                samples: 40_000,
                p50_us: Some(p99_us / 4),
                p90_us: Some(p99_us / 2),
                p99_us: Some(p99_us),
                p99_9_us: Some(p99_us * 2),
                max_us: Some(p99_us * 3),
            }],
            measured: StepMeasured::default(),
            bottleneck: bottleneck.clone(),
        };
        RunRecord {
            rate_steps: vec![
                step(8_000.0, 900_000, Outcome::Fail),
                step(4_000.0, 20_000, Outcome::Pass),
            ],
            rate_found: Some(RateFound {
                rate_per_s: Some(4_000.0),
                broken_at_per_s: Some(8_000.0),
                untold_at_per_s: None,
                bottleneck,
            }),
            ..RunRecord::default()
        }
    }

    #[test]
    fn rates_are_told_in_their_order_with_what_came_of_them() {
        let rows = rows(&searched());
        assert_eq!(rows[0].0, Outcome::Pass);
        assert_eq!(
            rows[0].1[..5],
            ["4,000", "3,960", "5.00 ms", "10.0 ms", "20.0 ms"]
        );
        assert_eq!((rows[1].0, &*rows[1].1[0]), (Outcome::Fail, "8,000"));
        assert_eq!(
            found(&searched()),
            [
                "highest rate that keeps the limits: 4,000 messages a second; 8,000 does not",
                "bottleneck, as measured: the processor: 1.98 of 2 cores were busy",
            ]
        );
    }

    #[test]
    fn a_rate_of_which_nothing_could_be_told_is_not_said_to_break_the_limits() {
        let mut record = searched();
        record.rate_steps[0].outcome = Outcome::Inconclusive;
        let told = |broken, untold| {
            let mut record = record.clone();
            let found = record.rate_found.as_mut().unwrap();
            (found.broken_at_per_s, found.untold_at_per_s) = (broken, untold);
            super::found(&record).swap_remove(0)
        };
        let kept = "highest rate that keeps the limits: 4,000 messages a second; ";
        let untold = format!("{kept}of 8,000 it could not be told");
        assert_eq!(told(None, Some(8_000.0)), untold);
        // A log of an older harness, which did not tell the two apart.
        assert_eq!(told(Some(8_000.0), None), untold);
        let both = format!("{untold}; 16,000 does not");
        assert_eq!(told(Some(16_000.0), Some(8_000.0)), both);
    }

    #[test]
    fn what_stands_against_the_next_rate_is_told() {
        let mut record = searched();
        record.rate_steps[0].reasons = vec!["end to end p99 is 900 ms".to_owned()];
        record.rate_steps[0].verdicts = vec![];
        let told = |record: &RunRecord| found(record)[..2].join(" | ");
        assert_eq!(
            told(&record),
            "highest rate that keeps the limits: 4,000 messages a second; 8,000 does not | \
             at 8,000 messages a second: end to end p99 is 900 ms"
        );
        // The search ended there: a consumer died.
        record.rate_steps.reverse();
        let found = record.rate_found.as_mut().unwrap();
        found.broken_at_per_s = None;
        record.rate_steps[1].reasons = vec!["consumer-1 ended unasked".to_owned()];
        assert_eq!(
            told(&record),
            "highest rate that keeps the limits: 4,000 messages a second; at 8,000 a promise was broken | \
             at 8,000 messages a second: consumer-1 ended unasked"
        );
        record.rate_found.as_mut().unwrap().rate_per_s = None;
        let none = "a promise was broken at 8,000 messages a second, where the search ended";
        assert!(told(&record).starts_with(none), "{}", told(&record));
    }

    #[test]
    fn a_search_that_was_cut_off_says_so() {
        let record = RunRecord {
            rate_found: None,
            ..searched()
        };
        let told = |record: &RunRecord| found(record).concat();
        let until = "the search was cut off; the highest rate that had kept the limits until then: 4,000 messages a second";
        assert_eq!(told(&record), until);
        let mut none = record.clone();
        none.rate_steps.truncate(1);
        let before = "the search was cut off before a rate had kept the limits";
        assert_eq!(told(&none), before);
        assert_eq!(found(&RunRecord::default()), [""; 0]);
    }
}
