//! Combines the parts of a judgement into one outcome and its reasons.

use evidence::audit::Audit;
use evidence::events::{Event, ScenarioEnd, Step};
use evidence::latency::LatencyVerdict;
use evidence::outcome::{NotPassed, Outcome};

use crate::Kept;
use crate::audit::Judged as _;

/// The result of one part of the judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its outcome.
    pub outcome: Outcome,
    /// Why it is not a pass, most important first.
    pub reasons: Vec<String>,
}

impl Part {
    /// Makes a part with `outcome` and one reason.
    pub fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reasons: vec![reason.into()],
        }
    }

    /// Makes a part whose reasons are given elsewhere.
    pub const fn bare(outcome: Outcome) -> Self {
        Self {
            outcome,
            reasons: Vec::new(),
        }
    }

    /// `Ok` for a pass, else the outcome and the reasons as an error.
    pub fn kept(&self) -> Kept {
        NotPassed::unless_pass(self.outcome, self.reasons.join("; "))
    }

    /// Makes the part of an error: either the workload failed to do something, or nothing is known about it.
    pub fn of_error(error: &anyhow::Error) -> Self {
        Self::new(Outcome::of_error(error), format!("failed to {error:#}"))
    }
}

impl From<&Audit> for Part {
    fn from(audit: &Audit) -> Self {
        Self {
            outcome: audit.outcome(),
            reasons: audit.reasons(),
        }
    }
}

impl Part {
    /// The parts of an audit: a broken promise, a run that was cut off and what could not be judged have an outcome each.
    pub fn all_of(audit: &Audit) -> Vec<Self> {
        let (outcomes, reasons): (Vec<_>, Vec<_>) = audit.weighed().into_iter().unzip();
        Self::each(audit.outcome(), reasons, &outcomes)
    }

    /// The parts of a judgement with this outcome. `outcomes` has the outcome of each reason; if it is empty, all reasons stand for
    /// `outcome`.
    pub fn each(outcome: Outcome, reasons: Vec<String>, outcomes: &[Outcome]) -> Vec<Self> {
        if outcomes.len() != reasons.len() {
            return vec![Self { outcome, reasons }];
        }
        let each = outcomes.iter().zip(reasons);
        let each = each.map(|(outcome, reason)| Self::new(*outcome, reason));
        [Self::bare(outcome)].into_iter().chain(each).collect()
    }
}

impl From<&LatencyVerdict> for Part {
    fn from(verdict: &LatencyVerdict) -> Self {
        Self::new(verdict.outcome, verdict.sentence())
    }
}

/// The outcome of the whole judgement, and its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// The worst outcome of the parts; inconclusive if there are no parts.
    pub outcome: Outcome,
    /// The reasons of every part that is not a pass, the worst part first; without repetitions.
    pub reasons: Vec<String>,
    /// The outcome of the part that gives each reason, in their order.
    pub outcomes: Vec<Outcome>,
}

impl Conclusion {
    /// Combines `parts`.
    pub fn of(parts: impl IntoIterator<Item = Part>) -> Self {
        let parts: Vec<Part> = parts.into_iter().collect();
        let outcome = Outcome::of_parts(parts.iter().map(|part| part.outcome));
        let (mut reasons, mut outcomes) = (Vec::new(), Vec::new());
        for worst in Outcome::WORST_FIRST {
            if worst == Outcome::Pass {
                continue;
            }
            for part in parts.iter().filter(|part| part.outcome == worst) {
                for reason in &part.reasons {
                    if !reasons.contains(reason) {
                        reasons.push(reason.clone());
                        outcomes.push(worst);
                    }
                }
            }
        }
        Self {
            outcome,
            reasons,
            outcomes,
        }
    }

    /// Judges a run for which no stage could be opened, because of `error`: incomplete if it was `stopped`.
    pub fn of_unopened(error: &anyhow::Error, stopped: bool) -> Self {
        let mut part = Part::of_error(error);
        if stopped {
            part.outcome = Outcome::Incomplete;
        }
        for reason in &mut part.reasons {
            *reason = format!("the run did not begin: {reason}");
        }
        Self::of([part])
    }

    /// The event with which a log ends.
    pub fn event(self) -> Event {
        let differ = self.outcomes.iter().any(|it| *it != self.outcome);
        Event::Finished {
            outcome: self.outcome,
            reasons: self.reasons,
            outcomes: if differ { self.outcomes } else { vec![] },
        }
    }
}

/// The judgement that a run itself stated at the end of its log, as in [`Event::Finished`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The outcome.
    pub outcome: Outcome,
    /// Why it is not a pass.
    pub reasons: Vec<String>,
    /// The outcome of each reason; empty if all stand for `outcome`.
    pub outcomes: Vec<Outcome>,
}

/// The facts in a run's log that are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told<'a> {
    /// The judgement that the run itself stated at its end; `None`: it was cut off before.
    pub stated: Option<&'a Stated>,
    /// The audit.
    pub audit: Option<&'a Audit>,
    /// The verdicts on its latency limits.
    pub limits: &'a [LatencyVerdict],
    /// The outcome of its consumers' ends, if they are judged.
    pub consumers: Option<Outcome>,
    /// The scenarios of a suite.
    pub scenarios: &'a [ScenarioEnd],
    /// How many further scenarios were never begun.
    pub never_begun: usize,
    /// The steps of a scenario.
    pub steps: &'a [Step],
    /// Lines of the log that cannot be read.
    pub damaged_lines: &'a [usize],
}

impl Told<'_> {
    /// The parts of the judgement.
    pub fn parts(&self) -> Vec<Part> {
        // The run's own statement comes first: it knows the causes.
        let mut parts = match self.stated {
            Some(Stated {
                outcome,
                reasons,
                outcomes,
            }) => Part::each(*outcome, reasons.clone(), outcomes),
            None => vec![Part::new(
                Outcome::Incomplete,
                "the event log ends without an outcome: the run was killed, or still goes on",
            )],
        };
        parts.extend(self.audit.into_iter().flat_map(Part::all_of));
        parts.extend(self.limits.iter().map(Part::from));
        // The run's statement has the reason, but the outcome must not depend on whether it does.
        parts.extend(self.consumers.map(Part::bare));
        parts.extend(self.scenarios.iter().map(of_scenario));
        parts.extend(self.of_never_begun());
        // The run's statement has the reason.
        parts.extend(self.steps.iter().map(|step| Part::bare(step.outcome)));
        if let [first, ..] = self.damaged_lines {
            let count = self.damaged_lines.len();
            let reason = format!(
                "evidence is missing: {count} lines of the event log are damaged (first: line {first})"
            );
            parts.push(Part::new(Outcome::Inconclusive, reason));
        }
        parts
    }

    fn of_never_begun(&self) -> Option<Part> {
        let never = self.never_begun;
        let all = self.scenarios.len() + never;
        // The run may have stopped for a reason of its own, which is then a new one.
        let outcome = match self.stated {
            Some(stated) if stated.outcome == Outcome::Inconclusive => Outcome::Inconclusive,
            _ => Outcome::Incomplete,
        };
        let reason = format!("{never} of {all} scenarios were never begun");
        (never > 0).then(|| Part::new(outcome, reason))
    }
}

fn of_scenario(scenario: &ScenarioEnd) -> Part {
    let ScenarioEnd {
        name,
        outcome,
        detail,
        ..
    } = scenario;
    let why = detail.as_deref().and_then(|it| it.lines().next());
    let why = why.unwrap_or_default();
    Part::new(*outcome, format!("scenario {name:?}: {outcome}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
