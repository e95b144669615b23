//! Tries advice on the model before it is given; `words` describes the results.

mod rank;
mod words;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use autoscaler::{Behavior, Settings};

use super::tried::Tried;
use crate::simulate::outlook::Question;
use words::none_helps;

/// Longest simulation of a trial: problems that take days show in the first two.
const LONGEST: Duration = Duration::from_secs(48 * 3_600);
/// A change that leaves more than this share of a problem is no advice, unless the finding disappears.
const HELPS: f64 = 0.8;
/// A change that leaves less than this share is taken before all later ones, unless the finding disappears with one of them.
const MENDS: f64 = 0.1;

/// Runs of the same question with other settings: first in some phases, and helpful changes in all simulated phases.
pub(super) struct Trial<Q: Tried> {
    question: Q,
    max_wait: Duration,
    /// Whether advice is wanted.
    advises: bool,
    /// Runs of the question in all phases, if they exist already.
    known: Option<Vec<Q::Run>>,
    before: OnceCell<Before<Q::Run>>,
    /// The changes in the last advice.
    chosen: RefCell<Vec<Change<Q>>>,
    made: RefCell<Made<Q::Run>>,
}

/// Runs that were made, by whether they are in all phases, and by the words of the changes.
type Made<R> = BTreeMap<(bool, String), Rc<[R]>>;

/// The question without changes.
struct Before<R> {
    some: Vec<R>,
    all: Vec<R>,
    names: BTreeSet<&'static str>,
}

/// A change of settings, in words that complete "To mend it: ...".
#[derive(Clone)]
pub(super) struct Change<Q> {
    pub(super) words: String,
    /// The field, if the change is also tried together with changes of other fields.
    field: String,
    /// The effect of the field's present value, if the field is to blame when the change helps.
    why: String,
    /// Whether it changes two fields: tried only if no change of one field mends.
    is_double: bool,
    set: Rc<dyn Fn(&mut Q)>,
}

/// The number that is compared before and after a change.
pub(super) struct Score<'a, R> {
    /// Its name, for the worst run; completes "on the model, ... goes from 3 to 0".
    pub(super) name: &'static str,
    pub(super) of: fn(&R) -> u64,
    pub(super) words: fn(u64) -> String,
    /// Whether a run has the finding; `None`: if the number is above zero.
    pub(super) found: Option<&'a dyn Fn(&R) -> bool>,
    /// The finding that must be gone, if it depends on more than the runs.
    pub(super) finding: Option<&'static str>,
    /// What must not get worse.
    pub(super) harm: fn(&R) -> u64,
}

/// The advice, and the cause that follows from it.
#[derive(Default)]
pub(super) struct Advice {
    pub(super) text: String,
    /// The field whose change helps, and the effect of its present value.
    pub(super) blame: Option<(String, String)>,
}

/// The result of changes.
struct TrialResult<'a, Q> {
    changes: Vec<&'a Change<Q>>,
    /// The share of the problem that is left.
    left: f64,
    /// Whether the finding has disappeared.
    gone: bool,
    /// Whether the result is good enough to stop the search.
    mends: bool,
    /// The number in the worst run.
    to: u64,
    /// In how many runs the finding remains, and of how many.
    still: (usize, usize),
    /// New findings with these changes.
    makes: BTreeSet<&'static str>,
    /// What gets worse of the other findings, in words.
    worse: Vec<String>,
    /// The total time of all replicas in the likely course.
    replica_time: Duration,
}

impl<Q> Change<Q> {
    pub(super) fn new(words: impl Into<String>, set: impl Fn(&mut Q) + 'static) -> Self {
        Self {
            words: words.into(),
            field: String::new(),
            why: String::new(),
            is_double: false,
            set: Rc::new(set),
        }
    }

    /// Marks a change of two fields.
    pub(super) fn double(mut self) -> Self {
        self.is_double = true;
        self
    }

    /// Sets the field: the change is then also tried together with changes of other fields.
    pub(super) fn of(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }

    /// Whether it changes the same field.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.field == other.field
    }

    /// Sets the effect of the field's present value, which is to blame if the change helps.
    pub(super) fn since(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }
}

impl Change<Question> {
    /// A change of settings.
    pub(super) fn settings(
        words: impl Into<String>,
        set: impl Fn(&mut Settings) + 'static,
    ) -> Self {
        Self::new(words, move |it: &mut Question| set(&mut it.settings))
    }

    /// A change of the Deployment's grace period.
    pub(super) fn grace(words: impl Into<String>, grace: Duration) -> Self {
        Self::new(words, move |it: &mut Question| {
            it.workload.service.grace = grace;
        })
    }
}

impl<Q: Tried> Trial<Q> {
    /// Makes the trial of `question`; a message may wait for `max_wait`.
    pub(super) fn new(question: &Q, max_wait: Duration) -> Self {
        Self {
            question: question.within(question.horizon().min(LONGEST)),
            max_wait,
            advises: true,
            known: None,
            before: OnceCell::new(),
            chosen: RefCell::default(),
            made: RefCell::default(),
        }
    }

    /// Adds `runs`, those of the whole question in all phases.
    pub(super) fn knowing(self, question: &Q, runs: &[Q::Run]) -> Self {
        let is_whole = self.question.horizon() == question.horizon();
        Self {
            known: is_whole.then(|| runs.to_vec()),
            ..self
        }
    }

    /// Makes a trial for names only: it tries no change, and gives no advice.
    pub(super) fn silent(question: &Q, max_wait: Duration) -> Self {
        Self {
            advises: false,
            ..Self::new(question, max_wait)
        }
    }

    /// As this one, with another question.
    pub(super) fn with(&self, question: &Q) -> Self {
        Self {
            advises: self.advises,
            ..Self::new(question, self.max_wait)
        }
    }

    /// The changes that were advised since the last call.
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

    /// The names of all findings with `changes`, in all phases.
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

    /// The advice: of the changes of one field with which the finding disappears (or, for a mere number, nearly disappears),
    /// the one that leaves the fewest findings; among these the first. Else changes of two fields that do so; else the change
    /// that helps most; or that none helps. A change that causes another finding is taken only if no other helps.
    pub(super) fn advice(&self, changes: &[Change<Q>], score: &Score<'_, Q::Run>) -> Advice {
        self.advised(changes, score, false)
    }

    /// As [`Trial::advice`], but among the changes that leave equally few findings the cheapest, not the first.
    pub(super) fn cheapest(&self, changes: &[Change<Q>], score: &Score<'_, Q::Run>) -> Advice {
        self.advised(changes, score, true)
    }

    fn advised(
        &self,
        changes: &[Change<Q>],
        score: &Score<'_, Q::Run>,
        is_cheapest: bool,
    ) -> Advice {
        if !self.advises {
            return Advice::default();
        }
        let (mut best, mut pairs) = (None, false);
        let is_good = |best: &Option<TrialResult<'_, Q>>| {
            let best = best.as_ref();
            best.is_some_and(|best| best.mends && best.makes.is_empty())
        };
        let singles = || changes.iter().filter(|it| !it.is_double);
        let mending = self.mending(singles(), score, is_cheapest);
        for change in mending.into_iter().chain(singles()) {
            if self.keep(&mut best, vec![change], score, 1.0) {
                break;
            }
        }
        if !is_good(&best) {
            for change in changes.iter().filter(|it| it.is_double) {
                if self.keep(&mut best, vec![change], score, HELPS) {
                    break;
                }
            }
        }
        if !is_good(&best) {
            let all = changes.iter().enumerate();
            let all = all.flat_map(|(n, one)| changes[n + 1..].iter().map(move |two| (one, two)));
            let apart = |one: &Change<Q>, two: &Change<Q>| {
                one.field != two.field && !one.field.is_empty() && !two.field.is_empty()
            };
            for (one, two) in all.filter(|(one, two)| apart(one, two)) {
                pairs = true;
                // A pair must help enough.
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

    /// Keeps changes that mend the problem, or leave less than this share of what the best ones so far leave, and cause no
    /// other problem; returns whether they are enough.
    fn keep<'a>(
        &self,
        best: &mut Option<TrialResult<'a, Q>>,
        changes: Vec<&'a Change<Q>>,
        score: &Score<'_, Q::Run>,
        part: f64,
    ) -> bool {
        let weighed = self.weighed(false, &changes, score);
        let worth = |new: &Weighed, best: &Option<TrialResult<'a, Q>>| {
            let better =
                |best: &TrialResult<'a, Q>| best.left > MENDS && new.left < best.left * part;
            new.mends
                || best
                    .as_ref()
                    .is_none_or(|best| better(best) || !best.makes.is_empty())
        };
        if !weighed.is_some_and(|new| worth(&new, best)) {
            return false;
        }
        // A change that helps in some phases may not help in others.
        let after = self.runs(true, &changes);
        let Some(new) = self.weighed(true, &changes, score) else {
            return false;
        };
        if !worth(&new, best) {
            return false;
        }
        let replica_time = Q::replica_time(&after[0]);
        let names = self.names_of(&changes, &after);
        let makes: BTreeSet<_> = names.difference(&self.before().names).copied().collect();
        if !makes.is_empty() && best.is_some() {
            return false;
        }
        let is_enough = new.mends && makes.is_empty();
        let worse = self.worse(&after, score.name);
        *best = Some(TrialResult {
            changes,
            left: new.left,
            gone: new.gone,
            mends: new.mends,
            to: new.to,
            still: new.still,
            makes,
            worse,
            replica_time,
        });
        is_enough
    }
}

/// The remaining problem after changes.
struct Weighed {
    left: f64,
    gone: bool,
    mends: bool,
    to: u64,
    still: (usize, usize),
}

/// Whether `run` has the finding.
fn is_found<R>(run: &R, score: &Score<'_, R>) -> bool {
    match score.found {
        Some(found) => found(run),
        None => (score.of)(run) > 0,
    }
}

/// Compares runs after changes with those before; `None`: the changes do not help, or do harm.
fn weigh<R>(after: &[R], before: &[R], score: &Score<'_, R>, is_gone: bool) -> Option<Weighed> {
    let total = |runs: &[R], of: fn(&R) -> u64| -> f64 {
        let sum: f64 = runs.iter().map(|run| of(run) as f64).sum();
        // With another period the number of phases may be different.
        sum / runs.len().max(1) as f64
    };
    let few = 1.0 / before.len().max(1) as f64;
    let harmless = total(after, score.harm) <= total(before, score.harm) * 1.1 + few;
    let left = total(after, score.of) / total(before, score.of).max(few);
    let still = after.iter().filter(|run| is_found(*run, score)).count();
    let still = if is_gone { 0 } else { still };
    let gone = still == 0;
    (harmless && (gone || left <= HELPS)).then(|| Weighed {
        left,
        gone,
        mends: gone || (score.found.is_none() && left <= MENDS),
        to: after.iter().map(score.of).max().unwrap_or(0),
        still: (still, after.len()),
    })
}

/// The HPA's rules; the default ones are inserted if there are none.
pub(super) fn behavior(settings: &mut Settings) -> &mut Behavior {
    settings.behavior.get_or_insert_default()
}
