//! Advice is tried on the model before it is given.

use std::time::Duration;

use autoscaler::{Behavior, Figures, Phases, Settings};

use crate::simulate::outlook::Question;

/// Longer than this is not tried: what goes wrong in days does in the first two.
const LONGEST: Duration = Duration::from_secs(48 * 3_600);
/// With long horizons, the likely phases alone are tried.
const LONG: Duration = Duration::from_secs(6 * 3_600);
/// A change that leaves more than this part of what is wrong is no advice.
const HELPS: f64 = 0.5;
/// One that leaves less than this part is taken before any that comes after.
const MENDS: f64 = 0.1;

/// Runs of the same question with other settings.
pub(super) struct Trial<'a> {
    question: &'a Question,
    horizon: Duration,
}

/// A change of settings, in words that complete "To mend it: ...".
pub(super) struct Change {
    words: String,
    question: Question,
}

/// What is counted before and after a change.
#[derive(Clone, Copy)]
pub(super) struct Score {
    /// Its name, of the worst run, that completes "on the model, ... goes from 3 to 0".
    pub(super) name: &'static str,
    pub(super) of: fn(&Figures) -> u64,
    pub(super) words: fn(u64) -> String,
    /// What else must not get worse.
    pub(super) harm: fn(&Figures) -> u64,
}

impl<'a> Trial<'a> {
    pub(super) fn new(question: &'a Question) -> Self {
        Self {
            question,
            horizon: question.horizon.min(LONGEST),
        }
    }

    /// The question with other settings.
    pub(super) fn change(
        &self,
        words: impl Into<String>,
        set: impl FnOnce(&mut Settings),
    ) -> Change {
        let mut question = self.question.clone();
        set(&mut question.settings);
        Change {
            words: words.into(),
            question,
        }
    }

    /// The question with another grace.
    pub(super) fn grace(&self, words: impl Into<String>, grace: Duration) -> Change {
        let mut question = self.question.clone();
        question.workload.service.grace = grace;
        Change {
            words: words.into(),
            question,
        }
    }

    /// What to write: the first change that mends nearly all, or the one that helps most; or that none helps.
    pub(super) fn advice(&self, changes: Vec<Change>, score: Score) -> String {
        let before = self.runs(self.question);
        let total = |runs: &[Figures], of: fn(&Figures) -> u64| -> f64 {
            runs.iter().map(|run| of(run) as f64).sum()
        };
        let (wrong, harm) = (total(&before, score.of), total(&before, score.harm));
        let told = |runs: &[Figures]| (score.words)(runs.iter().map(score.of).max().unwrap_or(0));
        let mut best: Option<(f64, String)> = None;
        let mut tried = Vec::new();
        for change in changes {
            let after = self.runs(&change.question);
            let left = total(&after, score.of) / wrong.max(1.0);
            let harmless = total(&after, score.harm) <= harm * 1.1 + 1.0;
            let name = score.name;
            if harmless && left <= HELPS && best.as_ref().is_none_or(|best| left < best.0) {
                let (words, from, to) = (&change.words, told(&before), told(&after));
                best = Some((
                    left,
                    format!("{words}; tried on the model, {name} then goes from {from} to {to}"),
                ));
            }
            if best.as_ref().is_some_and(|best| best.0 <= MENDS) {
                break;
            }
            tried.push(change.words);
        }
        match best {
            Some((_, advice)) => advice,
            None if tried.is_empty() => "give the load other settings".to_owned(),
            None => format!(
                "nothing that was tried on the model helps: {}",
                tried.join("; ")
            ),
        }
    }

    fn runs(&self, question: &Question) -> Vec<Figures> {
        let question = Question {
            horizon: self.horizon,
            ..question.clone()
        };
        let mut phases: Vec<Phases> = question.some_phases();
        if self.horizon > LONG {
            phases.truncate(1);
        }
        let run = |phases| question.run(phases, |_, _| {});
        phases.into_iter().map(run).collect()
    }
}

/// The rules of the HPA, made if there are none.
pub(super) fn behavior(settings: &mut Settings) -> &mut Behavior {
    settings.behavior.get_or_insert_default()
}
