use contract::{PayloadSize, Payloads};

use super::*;
use crate::audit::{Auditor, Expectation};

#[test]
fn the_worst_part_decides_and_each_reason_is_told_once_the_worst_first() {
    let conclusion = Conclusion::of([
        Part::new(Outcome::Inconclusive, "few samples"),
        Part::new(Outcome::Fail, "2 lost"),
        Part::new(Outcome::Pass, "all is well"),
        Part::bare(Outcome::Incomplete),
        Part::new(Outcome::Fail, "2 lost"),
        Part::new(Outcome::Incomplete, "stopped"),
    ]);
    assert_eq!(conclusion.outcome, Outcome::Fail);
    assert_eq!(conclusion.reasons, ["2 lost", "stopped", "few samples"]);
    // A reason that could not be told stays one, also in a run that failed.
    let [worst, next, last] = conclusion.outcomes[..] else {
        panic!("{:?}", conclusion.outcomes)
    };
    assert_eq!((worst, next), (Outcome::Fail, Outcome::Incomplete));
    assert_eq!(last, Outcome::Inconclusive);
    assert_eq!(Conclusion::of([]).outcome, Outcome::Inconclusive);
}

#[test]
fn a_run_that_did_not_begin_says_why_and_is_incomplete_if_it_was_stopped() {
    let error = anyhow::anyhow!("no answer").context("reach storage");
    for (stopped, outcome) in [(false, Outcome::Inconclusive), (true, Outcome::Incomplete)] {
        let told = Conclusion::of_unopened(&error, stopped);
        assert_eq!(told.outcome, outcome);
        assert_eq!(
            told.reasons,
            ["the run did not begin: failed to reach storage: no answer"]
        );
    }
}

#[test]
fn a_part_is_kept_or_an_error_with_its_outcome_and_all_of_its_reasons() {
    assert_eq!(Part::bare(Outcome::Pass).kept(), Ok(()));
    let part = Part {
        outcome: Outcome::Incomplete,
        reasons: vec!["1 lost".to_owned(), "2 unfinished".to_owned()],
    };
    let error = part.kept().unwrap_err();
    assert_eq!(error.outcome(), Outcome::Incomplete);
    assert_eq!(error.reason(), "1 lost; 2 unfinished");
}

fn concluded(outcome: Outcome, outcomes: Vec<Outcome>) -> Stated {
    let reasons = outcomes.iter().map(|it| format!("{it} reason"));
    Stated {
        outcome,
        reasons: reasons.collect(),
        outcomes,
    }
}

#[test]
fn a_log_tells_what_each_reason_stands_for() {
    use Outcome::{Fail, Inconclusive};
    let event = |parts: [Part; 2]| match Conclusion::of(parts).event() {
        Event::Finished {
            outcome,
            reasons,
            outcomes,
        } => Stated {
            outcome,
            reasons,
            outcomes,
        },
        event => unreachable!("{event:?}"),
    };
    let (lost, few) = (Part::new(Fail, "lost"), Part::new(Inconclusive, "few"));
    let mixed = event([few.clone(), lost.clone()]);
    assert_eq!(mixed.outcomes, [Fail, Inconclusive]);
    let told = Told {
        stated: Some(&mixed),
        ..NOTHING
    };
    let read = Conclusion::of(told.parts());
    assert_eq!(read.outcome, Fail);
    assert_eq!(
        (read.reasons, read.outcomes),
        (mixed.reasons, mixed.outcomes)
    );
    // Nothing is written where all reasons stand for the outcome, as in logs of older harnesses.
    let alike = event([lost, Part::new(Fail, "late")]);
    assert_eq!(alike.outcomes, []);
    let parts = Part::each(alike.outcome, alike.reasons, &alike.outcomes);
    assert_eq!(Conclusion::of(parts).outcomes, [Fail, Fail]);
}

const NOTHING: Told<'_> = Told {
    stated: None,
    audit: None,
    limits: &[],
    consumers: None,
    scenarios: &[],
    never_begun: 0,
    steps: &[],
    damaged_lines: &[],
};

/// Each part alone can make the outcome worse, whatever the run stated.
#[test]
fn a_run_is_never_better_than_any_part_of_what_its_log_tells() {
    let passed = concluded(Outcome::Pass, vec![]);
    let stated = Told {
        stated: Some(&passed),
        ..NOTHING
    };
    let failed = [Step {
        sentence: "Then it holds".to_owned(),
        outcome: Outcome::Fail,
        detail: None,
        duration_ms: 1,
    }];
    let outcome = |told: Told<'_>| Conclusion::of(told.parts()).outcome;
    assert_eq!(outcome(stated), Outcome::Pass);
    assert_eq!(outcome(NOTHING), Outcome::Incomplete);
    for (told, expected) in [
        (
            Told {
                consumers: Some(Outcome::Fail),
                ..stated
            },
            Outcome::Fail,
        ),
        (
            Told {
                steps: &failed,
                ..stated
            },
            Outcome::Fail,
        ),
        (
            Told {
                never_begun: 1,
                ..stated
            },
            Outcome::Incomplete,
        ),
        (
            Told {
                damaged_lines: &[3],
                ..stated
            },
            Outcome::Inconclusive,
        ),
    ] {
        assert_eq!(outcome(told), expected, "{told:?}");
    }
}

/// A run that was stopped on purpose has its own word for what it left out.
#[test]
fn scenarios_that_were_never_begun_are_counted_among_all() {
    let begun = serde_json::json!([{
        "feature": "f", "name": "one", "location": "f:1", "outcome": "pass"
    }]);
    let begun: Vec<ScenarioEnd> = serde_json::from_value(begun).unwrap();
    let inconclusive = concluded(Outcome::Inconclusive, vec![]);
    for (stated, expected) in [
        (None, Outcome::Incomplete),
        (Some(&inconclusive), Outcome::Inconclusive),
    ] {
        let told = Told {
            stated,
            scenarios: &begun,
            never_begun: 3,
            ..NOTHING
        };
        let part = told.of_never_begun().unwrap();
        assert_eq!(part.outcome, expected);
        assert_eq!(part.reasons, ["3 of 4 scenarios were never begun"]);
    }
}

/// A run may have several things wrong with it: each counts for itself, beside those of other parts.
#[test]
fn each_reason_of_an_audit_is_a_part_with_its_own_outcome() {
    let payloads = Payloads {
        seed: 1,
        size: PayloadSize::Sample,
    };
    let expectation = Expectation::new("r1".parse().unwrap(), payloads, 3);
    let audit = Auditor::new(expectation).unwrap().finish();
    let parts = Part::all_of(&audit);
    let told = audit.weighed();
    assert!(!told.is_empty(), "{audit:?}");
    assert_eq!(parts[0], Part::bare(audit.outcome()));
    let of_parts = parts[1..]
        .iter()
        .map(|part| (part.outcome, part.reasons[0].clone()));
    assert_eq!(of_parts.collect::<Vec<_>>(), told);
}
