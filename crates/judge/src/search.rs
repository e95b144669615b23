//! Judges a search for the highest rate that keeps the limits.

use evidence::audit::Audit;
use evidence::outcome::Outcome;
use evidence::rate::RateStep;

use crate::Part;

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
        let payloads = Payloads {
            seed: 1,
            size: PayloadSize::Sample,
        };
        let audit = |messages| {
            let expectation = Expectation::new("r1".parse().unwrap(), payloads, messages);
            Auditor::new(expectation).unwrap().finish()
        };
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
