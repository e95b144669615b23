//! Judges a search for the highest rate that keeps the limits.

use evidence::audit::Audit;
use evidence::outcome::Outcome;
use evidence::rate::RateStep;

use crate::{Crowded, Part, crowded};

/// The judgement of a search that was not cut short. It passes if a rate kept the limits, and fails if none did and one broke
/// them; if no rate could be judged, it is inconclusive.
pub fn search(steps: &[RateStep]) -> Part {
    let some = |outcome| steps.iter().any(|step| step.outcome == outcome);
    if some(Outcome::Pass) {
        return Part::bare(Outcome::Pass);
    }
    if some(Outcome::Fail) {
        return Part::new(Outcome::Fail, "no rate that was tried keeps the limits");
    }
    let why = steps.iter().flat_map(|step| &step.reasons).next_back();
    Part::new(
        Outcome::Inconclusive,
        match why {
            Some(why) => format!("of no rate could it be told whether it keeps the limits: {why}"),
            None => "no rate was tried".to_owned(),
        },
    )
}

/// Whether the run of `step` failed for another reason than a limit that it missed, such as a lost message or a consumer that
/// ended unasked.
pub fn breaks_more_than_limits(step: &RateStep) -> bool {
    let of_limits: Vec<_> = step
        .verdicts
        .iter()
        .flat_map(|it| Part::from(it).reasons)
        .collect();
    let parts = Part::each(step.outcome, step.reasons.clone(), &step.reason_outcomes);
    let failed = parts
        .into_iter()
        .filter(|part| part.outcome == Outcome::Fail);
    failed
        .flat_map(|part| part.reasons)
        .any(|reason| !of_limits.contains(&reason))
}

/// Why nothing can be told of the rate of `step`: its run kept its promises and missed a limit, while others took much of a machine
/// that had no processor time to spare. `None` if the rate can be told.
pub fn disturbed(step: &RateStep) -> Option<String> {
    let has_missed = step.outcome == Outcome::Fail && !breaks_more_than_limits(step);
    let load = step.measured.usage.as_ref();
    let Crowded { cores, others, .. } = load.and_then(crowded).filter(|_| has_missed)?;
    Some(format!(
        "others took {others:.2} of {cores} cores meanwhile: whether the rate keeps the limits on a free machine is unknown"
    ))
}

/// Why the search cannot go on after `step`, whose run had this audit: the run broke a promise other than its limits, could not be
/// audited, or was cut off; else empty.
pub fn breaks_a_promise(step: &RateStep, audit: Option<&Audit>) -> Vec<Part> {
    let is_broken =
        audit.is_none() || breaks_more_than_limits(step) || step.outcome == Outcome::Incomplete;
    if !is_broken {
        return Vec::new();
    }
    let at = step.rate_per_s;
    let reasons = step.reasons.iter();
    let reasons = reasons.map(|reason| format!("at {at:.0} messages a second: {reason}"));
    Part::each(step.outcome, reasons.collect(), &step.reason_outcomes)
}

#[cfg(test)]
mod tests {
    use contract::{PayloadSize, Payloads};
    use evidence::Usage;
    use evidence::latency::{Hop, LatencyLimit, LatencyVerdict};
    use evidence::rate::{Bottleneck, BottleneckPart, StepMeasured};

    use super::*;
    use crate::audit::{Auditor, Expectation};

    #[test]
    fn a_limit_that_is_missed_while_others_take_the_machine_tells_nothing_of_the_rate() {
        let busy = |mut step: RateStep, machine_busy_ms| {
            step.measured.usage = Some(Usage {
                phase: "load".to_owned(),
                lasted_ms: 10_000,
                messages: 100,
                cores: 2,
                machine_busy_ms: Some(machine_busy_ms),
                parts: vec![],
            });
            disturbed(&step)
        };
        assert_eq!(
            busy(missed(), 19_000).as_deref(),
            Some(
                "others took 1.90 of 2 cores meanwhile: whether the rate keeps the limits on a free machine is unknown"
            )
        );
        assert_eq!(busy(missed(), 9_000), None);
        // A broken promise is one, also if others took the processors.
        assert_eq!(busy(step(Outcome::Fail), 19_000), None);
        assert_eq!(busy(step(Outcome::Pass), 19_000), None);
        assert_eq!(disturbed(&missed()), None);
    }

    /// A step that missed its limit, and nothing else.
    fn missed() -> RateStep {
        let verdict = LatencyVerdict {
            limit: LatencyLimit {
                hop: Hop::EndToEnd,
                percentile: "p99".parse().unwrap(),
                max_us: 50_000,
            },
            outcome: Outcome::Fail,
            observed_us: Some(80_000),
            low_us: Some(70_000),
            high_us: Some(90_000),
            samples: 2_000,
            samples_needed: 1_000,
            reason: "missed".to_owned(),
            untold: None,
        };
        RateStep {
            reasons: Part::from(&verdict).reasons,
            verdicts: vec![verdict],
            ..step(Outcome::Fail)
        }
    }

    /// The audit of a run without messages.
    fn audit() -> Audit {
        let payloads = Payloads {
            seed: 1,
            size: PayloadSize::Sample,
        };
        let expectation = Expectation::new("r1".parse().unwrap(), payloads, 0);
        Auditor::new(expectation).unwrap().finish()
    }

    fn step(outcome: Outcome) -> RateStep {
        RateStep {
            rate_per_s: 250.0,
            stored_per_s: None,
            messages: 1_000,
            run_dir: "r1".to_owned(),
            outcome,
            reasons: vec![format!("{outcome} at 250")],
            reason_outcomes: vec![outcome],
            verdicts: vec![],
            hops: vec![],
            measured: StepMeasured::default(),
            bottleneck: Bottleneck {
                part: BottleneckPart::None,
                why: String::new(),
            },
        }
    }

    #[test]
    fn a_search_passes_with_a_rate_and_fails_only_where_one_broke_the_limits() {
        use Outcome::{Fail, Inconclusive, Pass};
        let none = "no rate that was tried keeps the limits";
        for (outcomes, outcome, reason) in [
            (&[Fail, Pass][..], Pass, ""),
            (&[Pass, Inconclusive], Pass, ""),
            (&[Inconclusive, Fail], Fail, none),
            (
                &[Inconclusive, Inconclusive],
                Inconclusive,
                "of no rate could it be told whether it keeps the limits: inconclusive at 250",
            ),
            (&[], Inconclusive, "no rate was tried"),
        ] {
            let part = search(&outcomes.iter().copied().map(step).collect::<Vec<_>>());
            let found = (part.outcome, part.reasons.concat());
            assert_eq!(found, (outcome, reason.to_owned()), "{outcomes:?}");
        }
    }

    #[test]
    fn a_search_ends_at_a_broken_promise_and_goes_on_after_a_missed_limit() {
        let audit = audit();
        assert_eq!(breaks_a_promise(&missed(), Some(&audit)), []);
        for (outcome, audit) in [
            (Outcome::Fail, Some(&audit)),
            (Outcome::Incomplete, Some(&audit)),
            (Outcome::Inconclusive, None),
        ] {
            let parts = breaks_a_promise(&step(outcome), audit);
            let expected = [
                Part::bare(outcome),
                Part::new(
                    outcome,
                    format!("at 250 messages a second: {outcome} at 250"),
                ),
            ];
            assert_eq!(parts, expected);
        }
    }

    /// The rate is no reason for a consumer to die, whether the limit is kept or missed.
    #[test]
    fn a_consumer_that_ended_unasked_ends_the_search() {
        let died = "consumer-1 ended unasked: signal: 9 (SIGKILL)".to_owned();
        let mut step = missed();
        step.reasons.push(died.clone());
        step.reason_outcomes = vec![Outcome::Fail; 2];
        let parts = breaks_a_promise(&step, Some(&audit()));
        let reason = format!("at 250 messages a second: {died}");
        assert!(
            parts.iter().any(|part| part.reasons.contains(&reason)),
            "{parts:?}"
        );
        // A generator that was lost tells nothing of the workload.
        step.reason_outcomes = vec![Outcome::Fail, Outcome::Inconclusive];
        assert_eq!(breaks_a_promise(&step, Some(&audit())), []);
    }
}
