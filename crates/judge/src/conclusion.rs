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
}

impl Conclusion {
    /// Combines `parts`.
    pub fn of(parts: impl IntoIterator<Item = Part>) -> Self {
        let parts: Vec<Part> = parts.into_iter().collect();
        let outcome = Outcome::of_parts(parts.iter().map(|part| part.outcome));
        let mut reasons = Vec::new();
        for worst in Outcome::WORST_FIRST {
            if worst == Outcome::Pass {
                continue;
            }
            for part in parts.iter().filter(|part| part.outcome == worst) {
                for reason in &part.reasons {
                    if !reasons.contains(reason) {
                        reasons.push(reason.clone());
                    }
                }
            }
        }
        Self { outcome, reasons }
    }

    /// The event with which a log ends.
    pub fn event(self) -> Event {
        Event::Finished {
            outcome: self.outcome,
            reasons: self.reasons,
        }
    }
}

/// The facts in a run's log that are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told<'a> {
    /// The outcome and reasons that the run itself stated at its end; `None`: it was cut off before.
    pub stated: Option<&'a (Outcome, Vec<String>)>,
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
        let mut parts = vec![match self.stated.cloned() {
            Some((outcome, reasons)) => Part { outcome, reasons },
            None => Part::new(
                Outcome::Incomplete,
                "the event log ends without an outcome: the run was killed, or still goes on",
            ),
        }];
        parts.extend(self.audit.map(Part::from));
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
            Some((Outcome::Inconclusive, _)) => Outcome::Inconclusive,
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
        assert_eq!(Conclusion::of([]).outcome, Outcome::Inconclusive);
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
        let passed = (Outcome::Pass, Vec::new());
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
        let inconclusive = (Outcome::Inconclusive, Vec::new());
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
