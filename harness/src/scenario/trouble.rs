//! Why a scenario does not pass: an outcome and its reason, kept as a type from the step to the report.
//!
//! Cucumber's macros turn the error of a step into a panic with the error's text (`cucumber-codegen`, `attribute.rs`,
//! `unwrap_or_else(|e| panic!("{}", e))`). No outcome is read from that text: when the text of an error is written for the panic,
//! the error stores itself in a slot of its thread, where [`Trouble::of_panic`] finds it. A panic without such an error is a bug of
//! the harness, whatever its text says.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;

use crate::outcome::Outcome;
use crate::panics;

/// What a step returns.
pub(super) type StepResult = Result<(), StepError>;

/// Why a step did not pass. What that means for its scenario is the outcome of the error: that of a judgement; a failure if the
/// workload has left something undone; inconclusive for every other error, which comes from the harness or its storage.
#[derive(Debug)]
pub(super) struct StepError(anyhow::Error);

/// An outcome other than pass, and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Never [`Outcome::Pass`].
    outcome: Outcome,
    reason: String,
}

thread_local! {
    /// The last error of a step on this thread whose text was written.
    static SLOT: RefCell<Option<(String, Trouble)>> = const { RefCell::new(None) };
}

impl<E: Into<anyhow::Error>> From<E> for StepError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text includes all causes.
        let (outcome, reason) = (Outcome::of_error(&self.0), format!("{:#}", self.0));
        let text = format!("{outcome}: {reason}");
        f.write_str(&text)?;
        SLOT.set(Some((text, Trouble::new(outcome, reason))));
        Ok(())
    }
}

impl Trouble {
    /// An error cannot have the outcome pass: that would be a bug of the harness.
    pub(super) fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        if outcome == Outcome::Pass {
            return Self {
                outcome: Outcome::Inconclusive,
                reason: format!(
                    "an error says that the step passed, which is a bug of the harness: {reason}"
                ),
            };
        }
        Self { outcome, reason }
    }

    /// Why a step has panicked: it returned an error, or the harness has a bug.
    pub(super) fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        let text = text.unwrap_or("no message");
        let at = panics::last_place().unwrap_or_default();
        match SLOT.take() {
            // The text is compared only to tell the error behind this panic from an earlier one that the step has handled.
            Some((written, trouble)) if written == text => trouble,
            _ => Self::new(
                Outcome::Inconclusive,
                format!("the step panicked at {at}, which is a bug of the harness: {text}"),
            ),
        }
    }

    /// The outcome of the scenario.
    pub(super) const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The reason.
    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    /// Adds that storage was lost, which is the cause of whatever followed.
    pub(super) fn after_loss(self, lost: String) -> Self {
        match self.outcome {
            Outcome::Incomplete => self,
            _ if self.reason == lost => Self::new(Outcome::Inconclusive, lost),
            _ => Self::new(
                Outcome::Inconclusive,
                format!("{lost}; after that: {}", self.reason),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use anyhow::anyhow;

    use super::*;
    use crate::outcome::{NotPassed, Unmet};

    /// The trouble of a step that runs `what` as the macros of `cucumber` do.
    fn played(what: impl FnOnce() -> StepResult) -> Option<Trouble> {
        #[expect(clippy::panic, reason = "as the macros do it")]
        let step = || what().unwrap_or_else(|e| panic!("{}", e));
        let ended = catch_unwind(AssertUnwindSafe(step));
        ended.err().map(|panic| Trouble::of_panic(&*panic))
    }

    fn outcome(what: impl FnOnce() -> StepResult) -> Option<Outcome> {
        played(what).map(|trouble| trouble.outcome())
    }

    #[test]
    fn the_outcome_of_an_error_is_its_type() {
        assert_eq!(outcome(|| Ok(())), None);
        for of in [Outcome::Fail, Outcome::Inconclusive, Outcome::Incomplete] {
            let trouble = played(|| Ok(NotPassed::unless_pass(of, "pass: three\nlines")?));
            assert_eq!(trouble, Some(Trouble::new(of, "pass: three\nlines")));
        }
        let unmet = || {
            Err(anyhow::Error::new(Unmet("late".to_owned()))
                .context("wait")
                .into())
        };
        assert_eq!(outcome(unmet), Some(Outcome::Fail));
        assert_eq!(
            outcome(|| Err(anyhow!("fail: x").into())),
            Some(Outcome::Inconclusive)
        );
    }

    #[test]
    #[expect(clippy::panic, reason = "what a bug does")]
    fn no_outcome_is_read_from_the_text_of_a_panic() {
        for text in ["pass: all is well", "fail: it is not", "incomplete: x"] {
            let trouble = played(|| panic!("{text}")).expect("a panic");
            assert_eq!(trouble.outcome(), Outcome::Inconclusive, "{text}");
            assert!(
                trouble.reason().contains("which is a bug of the harness"),
                "{trouble:?}"
            );
        }
    }

    #[test]
    #[expect(clippy::panic, reason = "what a bug does")]
    fn an_error_that_the_step_got_over_is_not_that_of_a_later_panic() {
        let got_over = || {
            let error = StepError::from(NotPassed::fail("seen"));
            assert_eq!(error.to_string(), "fail: seen");
            panic!("a bug");
        };
        assert_eq!(outcome(got_over), Some(Outcome::Inconclusive));
    }

    #[test]
    fn an_error_that_says_pass_is_no_pass() {
        let pass = Trouble::new(Outcome::Pass, "well done");
        assert_eq!(pass.outcome(), Outcome::Inconclusive);
    }
}
