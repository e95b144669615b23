//! Judges a search for the highest rate that keeps the limits.

use evidence::Usage;
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

/// Why nothing can be told of a rate whose run came to `outcome`: it kept its promises and missed a limit, while others took much of a
/// machine that had no processor time to spare. `None` if the rate can be told.
pub fn disturbed(outcome: Outcome, audit: Option<&Audit>, load: Option<&Usage>) -> Option<String> {
    let has_missed = outcome == Outcome::Fail
        && audit.is_some_and(|audit| Part::from(audit).outcome != Outcome::Fail);
    let Crowded { cores, others, .. } = load.and_then(crowded).filter(|_| has_missed)?;
    Some(format!(
        "others took {others:.2} of {cores} cores meanwhile: whether the rate keeps the limits on a free machine is unknown"
    ))
}

/// Why the search cannot go on after `step`, whose run had this audit: the run broke a promise other than its limits, or was cut
/// off; else empty.
pub fn breaks_a_promise(step: &RateStep, audit: Option<&Audit>) -> Vec<Part> {
    let audit = audit.map(Part::from);
    let is_broken = audit.is_none_or(|part| part.outcome == Outcome::Fail)
        || step.outcome == Outcome::Incomplete;
    if is_broken {
        Part::each(step.outcome, step.reasons.clone(), &step.reason_outcomes)
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use contract::{PayloadSize, Payloads};
    use evidence::rate::{Bottleneck, BottleneckPart, StepMeasured};

    use super::*;
    use crate::audit::{Auditor, Expectation};

    #[test]
    fn a_limit_that_is_missed_while_others_take_the_machine_tells_nothing_of_the_rate() {
        let (good, bad) = (audit(0), audit(1));
        let usage = |machine_busy_ms| Usage {
            phase: "load".to_owned(),
            lasted_ms: 10_000,
            messages: 100,
            cores: 2,
            machine_busy_ms: Some(machine_busy_ms),
            parts: vec![],
        };
        let (full, free) = (usage(19_000), usage(9_000));
        let of = |outcome, audit, usage| disturbed(outcome, Some(audit), Some(usage));
        assert_eq!(
            of(Outcome::Fail, &good, &full).as_deref(),
            Some(
                "others took 1.90 of 2 cores meanwhile: whether the rate keeps the limits on a free machine is unknown"
            )
        );
        assert_eq!(of(Outcome::Fail, &good, &free), None);
        // A lost message breaks a promise, also if others took the processors.
        assert_eq!(of(Outcome::Fail, &bad, &full), None);
        assert_eq!(of(Outcome::Pass, &good, &full), None);
        assert_eq!(disturbed(Outcome::Fail, None, Some(&full)), None);
        assert_eq!(disturbed(Outcome::Fail, Some(&good), None), None);
    }

    /// The audit of a run of so many messages, none of which has a row.
    fn audit(messages: u64) -> Audit {
        let payloads = Payloads {
            seed: 1,
            size: PayloadSize::Sample,
        };
        let expectation = Expectation::new("r1".parse().unwrap(), payloads, messages);
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
        // A message without a row was lost.
        let (good, bad) = (audit(0), audit(1));
        assert_eq!(breaks_a_promise(&step(Outcome::Fail), Some(&good)), []);
        for (outcome, audit) in [
            (Outcome::Fail, Some(&bad)),
            (Outcome::Incomplete, Some(&good)),
            (Outcome::Inconclusive, None),
        ] {
            let parts = breaks_a_promise(&step(outcome), audit);
            let expected = [
                Part::bare(outcome),
                Part::new(outcome, format!("{outcome} at 250")),
            ];
            assert_eq!(parts, expected);
        }
    }
}
