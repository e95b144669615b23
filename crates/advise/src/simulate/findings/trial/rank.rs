//! Which changes are tried first, and what a change makes worse.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Change, Score, Trial, Weighed, weigh};
use crate::simulate::findings::tried::Tried;

/// Replica times within about this factor count as equal.
const ALIKE: f64 = 1.05;

impl<Q: Tried> Trial<Q> {
    /// Runs with these changes, in all simulated phases or in some.
    pub(super) fn runs(&self, in_all: bool, changes: &[&Change<Q>]) -> Rc<[Q::Run]> {
        let words: Vec<_> = changes.iter().map(|it| it.words.as_str()).collect();
        let key = (in_all, words.join("; "));
        if let Some(made) = self.made.borrow().get(&key) {
            return Rc::clone(made);
        }
        let question = self.changed(changes.iter().copied());
        let runs: Rc<[_]> = if in_all {
            question.all_runs().into()
        } else {
            question.some_runs().into()
        };
        self.made.borrow_mut().insert(key, Rc::clone(&runs));
        runs
    }

    /// The names of all findings in these runs with these changes.
    pub(super) fn names_of(
        &self,
        changes: &[&Change<Q>],
        runs: &[Q::Run],
    ) -> BTreeSet<&'static str> {
        let question = self.changed(changes.iter().copied());
        question.names(runs.to_vec(), self.max_wait)
    }

    /// What these changes leave of the problem; `None`: they do not help, or do harm.
    pub(super) fn weighed(
        &self,
        in_all: bool,
        changes: &[&Change<Q>],
        score: &Score<'_, Q::Run>,
    ) -> Option<Weighed> {
        let runs = self.runs(in_all, changes);
        let is_gone = score
            .finding
            .is_some_and(|name| !self.names_of(changes, &runs).contains(name));
        let before = self.before();
        let before = if in_all { &before.all } else { &before.some };
        weigh(&runs, before, score, is_gone)
    }

    /// The changes that mend the problem in some phases: first those that leave the fewest findings; among these the cheapest,
    /// if that is asked for; then in their order.
    pub(super) fn mending<'a>(
        &self,
        changes: impl Iterator<Item = &'a Change<Q>>,
        score: &Score<'_, Q::Run>,
        is_cheapest: bool,
    ) -> Vec<&'a Change<Q>>
    where
        Q: 'a,
    {
        let mut mending: Vec<_> = changes
            .filter_map(|change| {
                let runs = self.runs(false, &[change]);
                self.weighed(false, &[change], score)
                    .filter(|new| new.mends)?;
                let left = self.names_of(&[change], &runs).len();
                let seconds = Q::replica_time(&runs[0]).as_secs_f64();
                let cost = if is_cheapest { grade(seconds) } else { 0 };
                Some(((left, cost), change))
            })
            .collect();
        mending.sort_by_key(|(rank, _)| *rank);
        mending.into_iter().map(|(_, change)| change).collect()
    }

    /// What is found without changes, and gets clearly worse in the worst of these runs.
    pub(super) fn worse(&self, after: &[Q::Run], own: &str) -> Vec<String> {
        let before = self.before();
        let most = |runs: &[Q::Run], of: fn(&Q::Run) -> u64| runs.iter().map(of).max();
        let others = Q::measures()
            .into_iter()
            .filter(|it| it.name != own && before.names.contains(it.finding));
        let worse = others.filter_map(|it| {
            let from = most(&before.all, it.of)?;
            let to = most(after, it.of).filter(|to| *to > from + from / 10)?;
            let (from, to) = ((it.words)(from), (it.words)(to));
            Some(format!("{} goes from {from} to {to}", it.name))
        });
        worse.collect()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a logarithm of seconds is small"
)]
fn grade(seconds: f64) -> i64 {
    (seconds.max(1.0).ln() / ALIKE.ln()).round() as i64
}
