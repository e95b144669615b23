//! Problems in words: each with the field that causes it, the reason, and advice.
//!
//! Advice is first tried on the model ([`trial`]): it says what it changes there, or that no tried change helps. Advice of
//! several findings is made consistent (`settle`). `waiting` is about messages that wait, `faster` about changes that make them
//! wait less, `cut` about a horizon in the middle of a drain, `ending` about replicas that are removed, `cooldown` about
//! changes of when KEDA removes them.

mod cooldown;
mod cut;
mod ending;
mod faster;
mod grace;
mod jobs;
mod settle;
mod trial;
mod tried;
mod waiting;

use std::collections::BTreeSet;
use std::time::Duration;

use autoscaler::Figures;
use serde::Serialize;

use super::outlook::{Outlook, Question};
use cut::Cut;
pub(super) use jobs::of as of_job;
use trial::{Change, Trial};

/// An unintended effect of the settings on the load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A name that does not change between versions.
    pub name: &'static str,
    /// The field, as a path in the ScaledObject, or in the Deployment if it begins with `Deployment`.
    pub field: String,
    /// The effect and its cause.
    pub reason: String,
    /// The advice.
    pub mend: String,
}

/// The findings, and a remark.
pub(super) struct Found {
    /// The most serious first.
    pub(super) findings: Vec<Finding>,
    /// That the horizon is in the middle of a drain, if it is.
    pub(super) cut: Option<String>,
}

/// The data from which findings are made.
struct Case<'a> {
    question: &'a Question,
    outlook: &'a Outlook,
    trial: Trial<Question>,
    max_wait: Duration,
    cut: Option<Cut<Question>>,
}

/// A finding, and the changes in its advice.
type Advised<Q> = (Finding, Vec<Change<Q>>);

/// All findings, the most serious first.
pub(super) fn of(question: &Question, outlook: &Outlook, max_wait: Duration) -> Found {
    let trial = Trial::new(question, max_wait).knowing(question, &outlook.runs);
    let case = Case::new(question, outlook, max_wait, trial);
    let findings = settle::settled(case.all(), &case.trial);
    Found {
        findings,
        cut: case.cut.map(|cut| cut.text),
    }
}

/// The names of all findings, without advice.
fn names(question: &Question, outlook: &Outlook, max_wait: Duration) -> BTreeSet<&'static str> {
    let trial = Trial::silent(question, max_wait);
    let found = Case::new(question, outlook, max_wait, trial).all();
    found.into_iter().map(|(finding, _)| finding.name).collect()
}

impl<'a> Case<'a> {
    fn new(
        question: &'a Question,
        outlook: &'a Outlook,
        max_wait: Duration,
        trial: Trial<Question>,
    ) -> Self {
        let arrivals = &question.workload.arrivals;
        Self {
            question,
            outlook,
            trial,
            max_wait,
            cut: Cut::new(question, arrivals, &outlook.runs, |run| run),
        }
    }

    fn all(&self) -> Vec<Advised<Question>> {
        let looks: [fn(&Case<'_>) -> Option<Finding>; 11] = [
            waiting::stranded,
            ending::fleet_ended,
            ending::cut_off,
            grace::short_grace,
            ending::thrash,
            waiting::falls_behind,
            waiting::waits,
            ending::abrupt,
            waiting::paused,
            waiting::paused_scale_out,
            waiting::paused_scale_in,
        ];
        let found = looks.into_iter().filter_map(|look| {
            let finding = look(self)?;
            Some((finding, self.trial.take_chosen()))
        });
        found.collect()
    }
}

impl Case<'_> {
    /// In how many of the runs `is_so` is true, in words.
    fn often(&self, is_so: impl Fn(&Figures) -> bool) -> String {
        let all = self.outlook.runs.len();
        let so = self.outlook.runs.iter().filter(|run| is_so(run)).count();
        if so == all {
            "whatever the phases of the two loops".to_owned()
        } else {
            format!("in {so} of {all} phases of the two loops")
        }
    }

    fn any(&self, is_so: impl Fn(&Figures) -> bool) -> bool {
        self.outlook.runs.iter().any(is_so)
    }

    fn most<T: Ord + Default>(&self, figure: impl Fn(&Figures) -> T) -> T {
        let runs = self.outlook.runs.iter().map(figure);
        runs.max().unwrap_or_default()
    }
}

/// `3 messages (1 to 7 in other phases)`, or `3 messages` if all runs have the same number. `one` is the
/// singular, whose plural ends with `s`.
fn spread(likely: u64, one: &str, all: impl Iterator<Item = u64>) -> String {
    let (least, most) = all.fold((likely, likely), |(low, high), it| {
        (low.min(it), high.max(it))
    });
    let several = if likely == 1 { "" } else { "s" };
    if least == most {
        format!("{likely} {one}{several}")
    } else {
        format!("{likely} {one}{several} ({least} to {most} in other phases)")
    }
}
