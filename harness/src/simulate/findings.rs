//! What goes wrong, in words: each with the field that makes it so, the reason, and what to write instead.
//!
//! What to write is tried on the model first ([`trial`]): advice says what it changes there, and where nothing that was tried
//! helps, it says so. `waiting` is about messages that wait, `faster` about what makes them wait less, `cut` about a horizon that comes
//! too early to say so, `ending` about replicas that are taken away.

mod cut;
mod ending;
mod faster;
mod jobs;
mod trial;
mod waiting;

use std::time::Duration;

use autoscaler::Figures;
use serde::Serialize;

use super::outlook::{Outlook, Question};
use cut::Cut;
pub(super) use jobs::of as of_job;
use trial::{Trial, Tried};

/// Something that the settings do to the load and that nobody means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A name that stays.
    pub name: &'static str,
    /// The field, as a path in the ScaledObject; of the Deployment where it begins with `Deployment`.
    pub field: String,
    /// What happens, and why.
    pub reason: String,
    /// What to do.
    pub mend: String,
}

/// What is found, and what is said besides.
pub(super) struct Found {
    /// Worst first.
    pub(super) findings: Vec<Finding>,
    /// That the horizon cuts into a drain, if it does.
    pub(super) cut: Option<String>,
}

/// What findings are made of.
struct Case<'a> {
    question: &'a Question,
    outlook: &'a Outlook,
    trial: Trial<Question>,
    max_wait: Duration,
    cut: Option<Cut<Question>>,
}

/// Everything that is found, worst first.
pub(super) fn of(question: &Question, outlook: &Outlook, max_wait: Duration) -> Found {
    let left = outlook.runs.iter().map(|run| run.left).max();
    let arrivals = &question.workload.arrivals;
    let case = Case {
        question,
        outlook,
        trial: Trial {
            question: question.clone(),
        },
        max_wait,
        cut: Cut::new(question, arrivals, left.unwrap_or(0), |run| run),
    };
    let found = [
        waiting::stranded(&case),
        ending::fleet_ended(&case),
        ending::cut_off(&case),
        ending::short_grace(&case),
        ending::thrash(&case),
        waiting::falls_behind(&case),
        waiting::waits(&case),
        ending::abrupt(&case),
        waiting::paused(&case),
        waiting::paused_scale_out(&case),
        waiting::paused_scale_in(&case),
    ];
    Found::new(found, case.cut)
}

impl Found {
    /// What was found, worst first, and the cut.
    fn new<Q: Tried>(
        found: impl IntoIterator<Item = Option<Finding>>,
        cut: Option<Cut<Q>>,
    ) -> Self {
        Self {
            findings: found.into_iter().flatten().collect(),
            cut: cut.map(|cut| cut.text),
        }
    }
}

impl Case<'_> {
    /// In how many of the runs something is so, in words.
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

/// `3 messages (1 to 7 in other phases of the two loops)`, or `3 messages` where all runs have as many. `one`: what one is
/// called, to which an `s` makes several.
fn spread(likely: u64, one: &str, all: impl Iterator<Item = u64>) -> String {
    let (least, most) = all.fold((likely, likely), |(low, high), it| {
        (low.min(it), high.max(it))
    });
    let several = if likely == 1 { "" } else { "s" };
    if least == most {
        format!("{likely} {one}{several}")
    } else {
        format!("{likely} {one}{several} ({least} to {most} in other phases of the two loops)")
    }
}
