//! Advice is tried on the model before it is given.

use std::time::Duration;

use autoscaler::{Behavior, Figures, JobFigures, Phases, Settings};

use crate::simulate::jobs::JobQuestion;
use crate::simulate::outlook::Question;

/// Longer than this is not tried: what goes wrong in days does in the first two.
const LONGEST: Duration = Duration::from_secs(48 * 3_600);
/// With long horizons, the likely phases alone are tried.
const LONG: Duration = Duration::from_secs(6 * 3_600);
/// A change that leaves more than this part of what is wrong is no advice, unless nothing is found with it any more.
const HELPS: f64 = 0.8;
/// One that leaves less than this part is taken before any that comes after, unless nothing is found with that one.
const MENDS: f64 = 0.1;

/// What can be asked of the model with other settings.
pub(super) trait Tried: Clone {
    /// What one run comes to.
    type Run;

    fn horizon(&self) -> Duration;
    /// Runs in some phases, the likely ones first, for this long.
    fn runs(&self, horizon: Duration) -> Vec<Self::Run>;
    /// As [`Self::runs`], for as long as is tried.
    fn tried(&self) -> Vec<Self::Run> {
        self.runs(self.horizon().min(LONGEST))
    }
}

impl Tried for Question {
    type Run = Figures;

    fn horizon(&self) -> Duration {
        self.horizon
    }

    fn runs(&self, horizon: Duration) -> Vec<Figures> {
        let question = Self {
            horizon,
            ..self.clone()
        };
        let mut phases: Vec<Phases> = question.some_phases();
        if horizon > LONG {
            phases.truncate(1);
        }
        let run = |phases| question.run(phases, |_, _| {});
        phases.into_iter().map(run).collect()
    }
}

impl Tried for JobQuestion {
    type Run = JobFigures;

    fn horizon(&self) -> Duration {
        self.horizon
    }

    fn runs(&self, horizon: Duration) -> Vec<JobFigures> {
        let question = Self {
            horizon,
            ..self.clone()
        };
        let phases = question.some_phases().into_iter();
        phases.map(|phase| question.run(phase, |_| {})).collect()
    }
}

/// Runs of the same question with other settings.
pub(super) struct Trial<Q> {
    pub(super) question: Q,
}

/// A change of settings, in words that complete "To mend it: ...".
pub(super) struct Change<Q> {
    words: String,
    /// The field, if the change is of one that goes together with changes of others.
    field: String,
    /// What its value does, if the field is to blame where the change helps.
    why: String,
    set: Box<dyn Fn(&mut Q)>,
}

/// What is counted before and after a change.
pub(super) struct Score<'a, R> {
    /// Its name, of the worst run, that completes "on the model, ... goes from 3 to 0".
    pub(super) name: &'static str,
    pub(super) of: fn(&R) -> u64,
    pub(super) words: fn(u64) -> String,
    /// Whether the finding is there in a run; `None`: as soon as one is counted.
    pub(super) found: Option<&'a dyn Fn(&R) -> bool>,
    /// What else must not get worse.
    pub(super) harm: fn(&R) -> u64,
}

/// What to write, and what is to blame by that.
pub(super) struct Advice {
    pub(super) text: String,
    /// The field whose change helps, and what its present value does.
    pub(super) blame: Option<(String, String)>,
}

/// What changes come to.
struct Outcome<'a, Q> {
    changes: Vec<&'a Change<Q>>,
    /// The part of what is wrong that is left.
    left: f64,
    /// Nothing is found any more.
    gone: bool,
    /// Nothing better need be looked for.
    mends: bool,
    /// What is counted in the worst run.
    to: u64,
}

impl<Q> Change<Q> {
    pub(super) fn new(words: impl Into<String>, set: impl Fn(&mut Q) + 'static) -> Self {
        Self {
            words: words.into(),
            field: String::new(),
            why: String::new(),
            set: Box::new(set),
        }
    }

    /// Of a field: tried together with changes of other fields too.
    pub(super) fn of(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }

    /// What the field does as it is now, so that it is to blame where the change helps.
    pub(super) fn since(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }
}

impl Change<Question> {
    /// Of settings.
    pub(super) fn settings(
        words: impl Into<String>,
        set: impl Fn(&mut Settings) + 'static,
    ) -> Self {
        Self::new(words, move |it: &mut Question| set(&mut it.settings))
    }

    /// Of the Deployment's grace.
    pub(super) fn grace(words: impl Into<String>, grace: Duration) -> Self {
        Self::new(words, move |it: &mut Question| {
            it.workload.service.grace = grace;
        })
    }
}

impl<Q: Tried> Trial<Q> {
    /// What to write: the first change with which nothing is found (or, of a mere count, nearly nothing is left); else two
    /// changes together that do so; else what helps most; or that none helps.
    pub(super) fn advice(&self, changes: &[Change<Q>], score: &Score<'_, Q::Run>) -> Advice {
        let before = self.question.tried();
        let (mut best, mut pairs) = (None, false);
        for change in changes {
            let after = self.outcome(vec![change], &before, score);
            if keep(&mut best, after, 1.0) {
                break;
            }
        }
        if !best.as_ref().is_some_and(|best| best.mends) {
            let all = changes.iter().enumerate();
            let all = all.flat_map(|(n, one)| changes[n + 1..].iter().map(move |two| (one, two)));
            let apart = |one: &Change<Q>, two: &Change<Q>| {
                one.field != two.field && !one.field.is_empty() && !two.field.is_empty()
            };
            for (one, two) in all.filter(|(one, two)| apart(one, two)) {
                pairs = true;
                let after = self.outcome(vec![one, two], &before, score);
                // Two must be worth it.
                if keep(&mut best, after, HELPS) {
                    break;
                }
            }
        }
        let Some(best) = best else {
            return none_helps(changes, pairs);
        };
        let words: Vec<_> = best.changes.iter().map(|it| it.words.as_str()).collect();
        let from = (score.words)(before.iter().map(score.of).max().unwrap_or(0));
        let still = if best.gone || best.left <= MENDS {
            ""
        } else {
            ", which is less, and still too much"
        };
        let blamed = best.changes.iter().filter(|it| !it.why.is_empty());
        let (fields, whys): (Vec<_>, Vec<_>) = blamed
            .map(|it| (it.field.as_str(), it.why.as_str()))
            .unzip();
        Advice {
            text: format!(
                "{}; tried on the model, {} then goes from {from} to {}{still}",
                words.join(", and "),
                score.name,
                (score.words)(best.to)
            ),
            blame: (!fields.is_empty()).then(|| (fields.join(" and "), whys.join("; "))),
        }
    }

    /// What is left after changes; `None`: they do not help, or do harm.
    fn outcome<'a>(
        &self,
        changes: Vec<&'a Change<Q>>,
        before: &[Q::Run],
        score: &Score<'_, Q::Run>,
    ) -> Option<Outcome<'a, Q>> {
        let mut question = self.question.clone();
        for change in &changes {
            (change.set)(&mut question);
        }
        let after = question.tried();
        let total = |runs: &[Q::Run], of: fn(&Q::Run) -> u64| -> f64 {
            runs.iter().map(|run| of(run) as f64).sum()
        };
        let harmless = total(&after, score.harm) <= total(before, score.harm) * 1.1 + 1.0;
        let left = total(&after, score.of) / total(before, score.of).max(1.0);
        let is_found = |run: &Q::Run| match score.found {
            Some(found) => found(run),
            None => (score.of)(run) > 0,
        };
        let gone = !after.iter().any(is_found);
        (harmless && (gone || left <= HELPS)).then(|| Outcome {
            changes,
            left,
            gone,
            mends: gone || (score.found.is_none() && left <= MENDS),
            to: after.iter().map(score.of).max().unwrap_or(0),
        })
    }
}

/// Keeps what mends, or leaves less than this part of what the best one before does; whether that is enough.
fn keep<'a, Q>(best: &mut Option<Outcome<'a, Q>>, new: Option<Outcome<'a, Q>>, part: f64) -> bool {
    let Some(new) = new else { return false };
    let mends = new.mends;
    let better = |best: &Outcome<'a, Q>| best.left > MENDS && new.left < best.left * part;
    if mends || best.as_ref().is_none_or(better) {
        *best = Some(new);
    }
    mends
}

fn none_helps<Q>(changes: &[Change<Q>], pairs: bool) -> Advice {
    let words: Vec<_> = changes.iter().map(|it| it.words.as_str()).collect();
    let together = if pairs { ", alone or two together" } else { "" };
    let text = if changes.is_empty() {
        "give the load other settings".to_owned()
    } else {
        format!(
            "nothing that was tried on the model helps{together}: {}",
            words.join("; ")
        )
    };
    Advice { text, blame: None }
}

/// The rules of the HPA, made if there are none.
pub(super) fn behavior(settings: &mut Settings) -> &mut Behavior {
    settings.behavior.get_or_insert_default()
}
