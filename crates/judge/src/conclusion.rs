//! How the parts of a judgement come to one outcome and its reasons.

use evidence::audit::Audit;
use evidence::events::Event;
use evidence::latency::LatencyVerdict;
use evidence::outcome::Outcome;

use crate::audit::Verdict as _;

/// What one part of the judgement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is no pass, most important first.
    pub reasons: Vec<String>,
}

impl Part {
    /// A part that ended with `outcome` for one reason.
    pub fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reasons: vec![reason.into()],
        }
    }

    /// A part whose reasons others tell.
    pub const fn bare(outcome: Outcome) -> Self {
        Self {
            outcome,
            reasons: Vec::new(),
        }
    }

    /// What an error says: that the workload has left something undone, or nothing about it.
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

/// The outcome of a whole, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// The worst of its parts'; inconclusive where there are none.
    pub outcome: Outcome,
    /// Those of every part that is no pass, the worst first; each once.
    pub reasons: Vec<String>,
}

impl Conclusion {
    /// What follows from `parts`.
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

    /// The last event of a log.
    pub fn event(self) -> Event {
        Event::Finished {
            outcome: self.outcome,
            reasons: self.reasons,
        }
    }
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
}
