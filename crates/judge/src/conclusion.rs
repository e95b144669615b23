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
mod tests;
