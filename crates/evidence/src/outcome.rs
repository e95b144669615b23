//! The four outcomes of a run, their exit codes, and the combination of the parts' outcomes into one.

use std::fmt;
use std::process::{ExitCode, Termination};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// Outcome of a run, a scenario or a single judgement. "The system is wrong" and "we could not tell" have different names, exit
/// codes and reports.
///
/// The exit codes start at 10 to differ from those of `workflow::exit::Exit`, from clap's 2 and from a panic's 101: for a
/// script, 10 means that the harness worked and the system did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
#[strum(serialize_all = "lowercase")]
pub enum Outcome {
    /// Exit code 0. Every promise was judged, and kept.
    Pass = 0,
    /// Exit code 10. The system under test broke a promise; a witness proves it.
    Fail = 10,
    /// Exit code 11. The run ended by itself, but the harness could not tell: too few samples, a late generator, a send with an
    /// unknown outcome, a loss of storage.
    Inconclusive = 11,
    /// Exit code 12. The run was cut off before everything in its plan had happened.
    Incomplete = 12,
}

impl Outcome {
    /// Every outcome, worst first.
    pub const WORST_FIRST: [Self; 4] =
        [Self::Fail, Self::Incomplete, Self::Inconclusive, Self::Pass];

    /// The process exit code.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The outcome's serialised name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The worse of two outcomes.
    ///
    /// Fail is worse than all others, since a violation remains one however the run ended. Incomplete is worse than
    /// inconclusive: a run that was cut off can be repeated as it is, and must first be allowed to finish, while an
    /// inconclusive one needs another plan. Pass is the best: a whole passes only if every part does.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |outcome| Self::WORST_FIRST.iter().position(|each| *each == outcome);
        if rank(other) < rank(self) {
            other
        } else {
            self
        }
    }

    /// The outcome of an error: that of a judgement ([`NotPassed`]); fail for [`Unmet`], because the workload has not done what
    /// it should; inconclusive for any other error.
    pub fn of_error(error: &anyhow::Error) -> Self {
        if let Some(judged) = error.downcast_ref::<NotPassed>() {
            judged.outcome
        } else if error.downcast_ref::<Unmet>().is_some() {
            Self::Fail
        } else {
            Self::Inconclusive
        }
    }

    /// The outcome of a whole: the worst of its parts. [`Outcome::Inconclusive`] if there are none, since a run that judged
    /// nothing has proven nothing.
    pub fn of_parts(parts: impl IntoIterator<Item = Self>) -> Self {
        parts
            .into_iter()
            .reduce(Self::worse)
            .unwrap_or(Self::Inconclusive)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::WORST_FIRST
            .into_iter()
            .find(|outcome| outcome.as_str() == text);
        named.ok_or_else(|| format!("{text:?} is no outcome"))
    }
}

/// Something that the workload should have done by then and has not: this error is about the workload, while other errors mean
/// that the harness could not tell.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unmet(pub String);

/// The result of a judgement that is not a pass, as an error: the outcome, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotPassed {
    outcome: Outcome,
    reason: String,
}

impl NotPassed {
    /// The system under test broke a promise.
    pub fn fail(reason: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Fail,
            reason: reason.into(),
        }
    }

    /// Nothing can be said about the promise.
    pub fn inconclusive(reason: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Inconclusive,
            reason: reason.into(),
        }
    }

    /// `Ok` for a pass, else the error with `reason`.
    pub fn unless_pass(outcome: Outcome, reason: impl Into<String>) -> Result<(), Self> {
        match outcome {
            Outcome::Pass => Ok(()),
            outcome => Err(Self {
                outcome,
                reason: reason.into(),
            }),
        }
    }

    /// The outcome; never [`Outcome::Pass`].
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The reason.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.code())
    }
}

impl Termination for Outcome {
    fn report(self) -> ExitCode {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome::{Fail, Incomplete, Inconclusive, Pass};
    use super::*;

    #[test]
    fn the_worst_part_decides_whatever_the_order() {
        for (a, b, worst) in [
            (Pass, Fail, Fail),
            (Incomplete, Fail, Fail),
            (Inconclusive, Fail, Fail),
            (Inconclusive, Incomplete, Incomplete),
            (Pass, Incomplete, Incomplete),
            (Pass, Inconclusive, Inconclusive),
            (Pass, Pass, Pass),
        ] {
            assert_eq!((a.worse(b), b.worse(a)), (worst, worst), "{a} and {b}");
        }
    }

    #[test]
    fn judging_nothing_is_not_a_pass() {
        assert_eq!(Outcome::of_parts([]), Inconclusive);
        assert_eq!(Outcome::of_parts([Pass, Pass]), Pass);
    }

    #[test]
    fn an_error_has_the_outcome_of_the_judgement_in_it() {
        let of = |error: anyhow::Error| Outcome::of_error(&error.context("judge the run"));
        assert_eq!(of(NotPassed::fail("it is wrong").into()), Fail);
        assert_eq!(
            of(NotPassed::inconclusive("who knows").into()),
            Inconclusive
        );
        assert_eq!(of(Unmet("it is late".to_owned()).into()), Fail);
        assert_eq!(of(anyhow::anyhow!("fail: a text")), Inconclusive);
        let cut_off = NotPassed::unless_pass(Incomplete, "it was cut off").unwrap_err();
        assert_eq!(of(cut_off.into()), Incomplete);
        assert_eq!(NotPassed::unless_pass(Pass, "all is well"), Ok(()));
    }

    #[test]
    fn exit_codes_are_the_documented_ones() {
        let codes = Outcome::WORST_FIRST.map(Outcome::code);
        assert_eq!(codes, [10, 12, 11, 0]);
    }

    #[test]
    fn outcomes_serialise_as_their_names() {
        for outcome in Outcome::WORST_FIRST {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
            assert_eq!(outcome.as_str().parse(), Ok(outcome));
        }
    }
}
