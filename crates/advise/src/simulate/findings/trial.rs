//! Advice is tried on the model before it is given; `words` says what came of it.

mod words;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use autoscaler::{Behavior, Settings};

use super::tried::Tried;
use crate::simulate::outlook::Question;
use words::none_helps;

/// Longer than this is not tried: what goes wrong in days does in the first two.
const LONGEST: Duration = Duration::from_secs(48 * 3_600);
/// A change that leaves more than this part of what is wrong is no advice, unless nothing is found with it any more.
const HELPS: f64 = 0.8;
/// One that leaves less than this part is taken before any that comes after, unless nothing is found with that one.
const MENDS: f64 = 0.1;

/// Runs of the same question with other settings: in some phases first, and what helps there in all phases that are simulated.
pub(super) struct Trial<Q: Tried> {
    question: Q,
    max_wait: Duration,
    /// Whether advice is looked for.
    advises: bool,
    /// Runs of the question in all phases, where there are some already.
    known: Option<Vec<Q::Run>>,
    before: OnceCell<Before<Q::Run>>,
    /// What was advised last.
    chosen: RefCell<Vec<Change<Q>>>,
}

/// The question as it is.
struct Before<R> {
    some: Vec<R>,
    all: Vec<R>,
    names: BTreeSet<&'static str>,
}

/// A change of settings, in words that complete "To mend it: ...".
#[derive(Clone)]
pub(super) struct Change<Q> {
    pub(super) words: String,
    /// The field, if the change is of one that goes together with changes of others.
    field: String,
    /// What its value does, if the field is to blame where the change helps.
    why: String,
    set: Rc<dyn Fn(&mut Q)>,
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
#[derive(Default)]
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
    /// In how many runs it is still found, and of how many.
    still: (usize, usize),
    /// What is found with them, and was not before.
    makes: BTreeSet<&'static str>,
    /// The time of all replicas in the likely course.
    replica_time: Duration,
}

impl<Q> Change<Q> {
    pub(super) fn new(words: impl Into<String>, set: impl Fn(&mut Q) + 'static) -> Self {
        Self {
            words: words.into(),
            field: String::new(),
            why: String::new(),
            set: Rc::new(set),
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
    /// Of `question`; a message may wait for `max_wait`.
    pub(super) fn new(question: &Q, max_wait: Duration) -> Self {
        Self {
            question: question.within(question.horizon().min(LONGEST)),
            max_wait,
            advises: true,
            known: None,
            before: OnceCell::new(),
            chosen: RefCell::default(),
        }
    }

    /// The same, where `runs` are those of the whole question in all phases.
    pub(super) fn knowing(self, question: &Q, runs: &[Q::Run]) -> Self {
        let is_whole = self.question.horizon() == question.horizon();
        Self {
            known: is_whole.then(|| runs.to_vec()),
            ..self
        }
    }

    /// For what looks for names alone: no change is tried, and no advice given.
    pub(super) fn silent(question: &Q, max_wait: Duration) -> Self {
        Self {
            advises: false,
            ..Self::new(question, max_wait)
        }
    }

    /// The same with another question.
    pub(super) fn with(&self, question: &Q) -> Self {
        Self {
            advises: self.advises,
            ..Self::new(question, self.max_wait)
        }
    }

    /// The changes that were advised since this was last asked.
    pub(super) fn take_chosen(&self) -> Vec<Change<Q>> {
        self.chosen.take()
    }

    /// The question with `changes`.
    pub(super) fn changed<'a>(&self, changes: impl IntoIterator<Item = &'a Change<Q>>) -> Q
    where
        Q: 'a,
    {
        let mut question = self.question.clone();
        for change in changes {
            (change.set)(&mut question);
        }
        question
    }

    /// The names of what is found with `changes`, in all phases.
    pub(super) fn names_with(&self, changes: &[Change<Q>]) -> BTreeSet<&'static str> {
        let question = self.changed(changes);
        question.names(question.all_runs(), self.max_wait)
    }

    fn before(&self) -> &Before<Q::Run> {
        self.before.get_or_init(|| {
            let known = self.known.clone();
            let all = known.unwrap_or_else(|| self.question.all_runs());
            Before {
                some: self.question.some_runs(),
                names: self.question.names(all.clone(), self.max_wait),
                all,
            }
        })
    }

    /// What to write: the first change with which nothing is found (or, of a mere count, nearly nothing is left); else two
    /// changes together that do so; else what helps most; or that none helps. One with which something else is found is taken where
    /// nothing else helps.
    pub(super) fn advice(&self, changes: &[Change<Q>], score: &Score<'_, Q::Run>) -> Advice {
        if !self.advises {
            return Advice::default();
        }
        let (mut best, mut pairs) = (None, false);
        for change in changes {
            if self.keep(&mut best, vec![change], score, 1.0) {
                break;
            }
        }
        let is_good = |best: &Outcome<'_, Q>| best.mends && best.makes.is_empty();
        if !best.as_ref().is_some_and(is_good) {
            let all = changes.iter().enumerate();
            let all = all.flat_map(|(n, one)| changes[n + 1..].iter().map(move |two| (one, two)));
            let apart = |one: &Change<Q>, two: &Change<Q>| {
                one.field != two.field && !one.field.is_empty() && !two.field.is_empty()
            };
            for (one, two) in all.filter(|(one, two)| apart(one, two)) {
                pairs = true;
                // Two must be worth it.
                if self.keep(&mut best, vec![one, two], score, HELPS) {
                    break;
                }
            }
        }
        let Some(best) = best else {
            return none_helps(changes, pairs);
        };
        let chosen = best.changes.iter().copied().cloned().collect();
        self.chosen.replace(chosen);
        let blamed = best.changes.iter().filter(|it| !it.why.is_empty());
        let (fields, whys): (Vec<_>, Vec<_>) = blamed
            .map(|it| (it.field.as_str(), it.why.as_str()))
            .unzip();
        Advice {
            text: self.told(&best, score),
            blame: (!fields.is_empty()).then(|| (fields.join(" and "), whys.join("; "))),
        }
    }

    /// Keeps what mends, or leaves less than this part of what the best one before does, and makes nothing else wrong; whether that is
    /// enough.
    fn keep<'a>(
        &self,
        best: &mut Option<Outcome<'a, Q>>,
        changes: Vec<&'a Change<Q>>,
        score: &Score<'_, Q::Run>,
        part: f64,
    ) -> bool {
        let question = self.changed(changes.iter().copied());
        let weighed = weigh(&question.some_runs(), &self.before().some, score);
        let worth = |new: &Weighed, best: &Option<Outcome<'a, Q>>| {
            let better = |best: &Outcome<'a, Q>| best.left > MENDS && new.left < best.left * part;
            new.mends
                || best
                    .as_ref()
                    .is_none_or(|best| better(best) || !best.makes.is_empty())
        };
        if !weighed.is_some_and(|new| worth(&new, best)) {
            return false;
        }
        // What helps in some phases may not in others.
        let after = question.all_runs();
        let Some(new) = weigh(&after, &self.before().all, score) else {
            return false;
        };
        if !worth(&new, best) {
            return false;
        }
        let replica_time = Q::replica_time(&after[0]);
        let names = question.names(after, self.max_wait);
        let makes: BTreeSet<_> = names.difference(&self.before().names).copied().collect();
        if !makes.is_empty() && best.is_some() {
            return false;
        }
        let is_enough = new.mends && makes.is_empty();
        *best = Some(Outcome {
            changes,
            left: new.left,
            gone: new.gone,
            mends: new.mends,
            to: new.to,
            still: new.still,
            makes,
            replica_time,
        });
        is_enough
    }
}

/// What is left after changes.
struct Weighed {
    left: f64,
    gone: bool,
    mends: bool,
    to: u64,
    still: (usize, usize),
}

/// Whether the finding is there in `run`.
fn is_found<R>(run: &R, score: &Score<'_, R>) -> bool {
    match score.found {
        Some(found) => found(run),
        None => (score.of)(run) > 0,
    }
}

/// Weighs runs after changes; `None`: they do not help, or do harm.
fn weigh<R>(after: &[R], before: &[R], score: &Score<'_, R>) -> Option<Weighed> {
    let total = |runs: &[R], of: fn(&R) -> u64| -> f64 {
        let sum: f64 = runs.iter().map(|run| of(run) as f64).sum();
        // With another period there may be another number of phases.
        sum / runs.len().max(1) as f64
    };
    let few = 1.0 / before.len().max(1) as f64;
    let harmless = total(after, score.harm) <= total(before, score.harm) * 1.1 + few;
    let left = total(after, score.of) / total(before, score.of).max(few);
    let still = after.iter().filter(|run| is_found(*run, score)).count();
    let gone = still == 0;
    (harmless && (gone || left <= HELPS)).then(|| Weighed {
        left,
        gone,
        mends: gone || (score.found.is_none() && left <= MENDS),
        to: after.iter().map(score.of).max().unwrap_or(0),
        still: (still, after.len()),
    })
}

/// The rules of the HPA, made if there are none.
pub(super) fn behavior(settings: &mut Settings) -> &mut Behavior {
    settings.behavior.get_or_insert_default()
}
