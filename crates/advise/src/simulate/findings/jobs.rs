//! Problems of a ScaledJob.

mod faster;
mod vain;

use std::collections::BTreeSet;
use std::time::Duration;

use autoscaler::{JobFigures, JobSettings, QueueTrigger, Reads};

use super::cut::Cut;
use super::trial::{Change, Score, Trial};
use super::{Advised, Finding, Found, settle, spread};
use crate::simulate::jobs::{JobOutlook, JobQuestion};
use views::clock;

const ACTIVATION: &str = "activationQueueLength";
const INACTIVE: &str = "a queue of so few messages is not active";

/// All findings, the most serious first.
pub(in crate::simulate) fn of(
    question: &JobQuestion,
    outlook: &JobOutlook,
    max_wait: Duration,
) -> Found {
    let trial = Trial::new(question, max_wait).knowing(question, &outlook.runs);
    let case = Case::new(question, outlook, trial);
    let findings = settle::settled(case.all(max_wait), &case.trial);
    Found {
        findings,
        cut: case.cut.map(|cut| cut.text),
    }
}

/// The names of all findings, without advice.
pub(super) fn names(
    question: &JobQuestion,
    outlook: &JobOutlook,
    max_wait: Duration,
) -> BTreeSet<&'static str> {
    let case = Case::new(question, outlook, Trial::silent(question, max_wait));
    let found = case.all(max_wait).into_iter();
    found.map(|(finding, _)| finding.name).collect()
}

struct Case<'a> {
    question: &'a JobQuestion,
    outlook: &'a JobOutlook,
    trial: Trial<JobQuestion>,
    cut: Option<Cut<JobQuestion>>,
}

fn change(
    words: impl Into<String>,
    set: impl Fn(&mut JobSettings) + 'static,
) -> Change<JobQuestion> {
    Change::new(words, move |it: &mut JobQuestion| set(&mut it.settings))
}

fn score<'a>(
    name: &'static str,
    of: fn(&JobFigures) -> u64,
    found: &'a dyn Fn(&JobFigures) -> bool,
) -> Score<'a, JobFigures> {
    Score {
        name,
        of,
        words: |count| count.to_string(),
        found: Some(found),
        finding: None,
        harm: |run| run.figures.left,
    }
}

fn seconds(seconds: u64) -> String {
    clock::words(Duration::from_secs(seconds))
}

impl<'a> Case<'a> {
    fn new(question: &'a JobQuestion, outlook: &'a JobOutlook, trial: Trial<JobQuestion>) -> Self {
        let arrivals = &question.workload.arrivals;
        Self {
            question,
            outlook,
            trial,
            cut: Cut::new(question, arrivals, &outlook.runs, |run| &run.figures),
        }
    }
}

impl Case<'_> {
    fn all(&self, max_wait: Duration) -> Vec<Advised<JobQuestion>> {
        let looks: [&dyn Fn() -> Option<Finding>; 6] = [
            &|| self.paused(),
            &|| self.never(),
            &|| self.stranded(),
            &|| self.in_vain(),
            &|| self.falls_behind(),
            &|| self.waits(max_wait),
        ];
        let found = looks.into_iter().filter_map(|look| {
            let finding = look()?;
            Some((finding, self.trial.take_chosen()))
        });
        found.collect()
    }

    fn likely(&self) -> &JobFigures {
        &self.outlook.runs[0]
    }

    fn any(&self, is_so: impl Fn(&JobFigures) -> bool) -> bool {
        self.outlook.runs.iter().any(is_so)
    }

    fn most(&self, count: impl Fn(&JobFigures) -> u64) -> u64 {
        self.outlook.runs.iter().map(count).max().unwrap_or(0)
    }

    fn paused(&self) -> Option<Finding> {
        self.question.settings.paused.then(|| Finding {
            name: "paused",
            field: "metadata.annotations".to_owned(),
            reason: format!(
                "autoscaling.keda.sh/paused: no job is made, whatever the queue holds: {} messages at the end",
                self.likely().figures.left
            ),
            mend: "take the annotation away".to_owned(),
        })
    }

    /// The trigger of a queue for which no job is ever made, the load's own queue before others (KEDA
    /// `pkg/scaling/scaledjob/metrics.go`, `CalculateQueueLengthAndMaxValue`).
    fn jobless(&self) -> Option<(usize, &QueueTrigger)> {
        let queues = self.question.settings.triggers.iter().enumerate();
        let none = queues.filter_map(|(index, it)| match it {
            Reads::Queue(queue) if queue.queue_length == 0 => Some((index, queue)),
            _ => None,
        });
        none.min_by_key(|(_, queue)| queue.elsewhere.is_some())
    }

    /// Whether no job is made for the queue of the load.
    fn makes_none(&self) -> bool {
        let of_the_load = self
            .jobless()
            .filter(|(_, queue)| queue.elsewhere.is_none());
        self.question.settings.paused || of_the_load.is_some()
    }

    fn never(&self) -> Option<Finding> {
        let (index, _) = self.jobless()?;
        Some(Finding {
            name: "no-job-ever",
            field: format!("spec.triggers[{index}].metadata.queueLength"),
            reason: "0: no job is made for this queue, whatever it holds".to_owned(),
            mend: "write \"1\", or as many messages as one job works on".to_owned(),
        })
    }

    /// Whether messages wait that are too few to be active.
    fn strands(&self, run: &JobFigures) -> bool {
        run.figures.stranded_longest > self.question.settings.polling_interval
    }

    fn stranded(&self) -> Option<Finding> {
        let strands = |run: &JobFigures| self.strands(run);
        if !self.any(strands) {
            return None;
        }
        let longest = self.most(|run| run.figures.stranded_longest.as_secs());
        let none = change("write \"0\"", activate);
        let score = Score {
            words: seconds,
            ..score(
                "the longest such wait",
                |run| run.figures.stranded_longest.as_secs(),
                &strands,
            )
        };
        Some(Finding {
            name: "messages-stranded",
            field: ACTIVATION.to_owned(),
            reason: format!(
                "{INACTIVE}, so that no job is made for the last messages of a load: up to {} are \
                 left at the end, and they waited for up to {}",
                self.most(|run| run.figures.stranded),
                clock::words(Duration::from_secs(longest))
            ),
            mend: self.trial.advice(&[none], &score).text,
        })
    }

    fn is_behind(run: &JobFigures) -> bool {
        let jobs = u64::from(run.figures.most_replicas);
        run.figures.never_below > jobs && run.figures.stranded == 0
    }

    fn falls_behind(&self) -> Option<Finding> {
        if self.makes_none() || self.cut.is_some() || !self.any(Self::is_behind) {
            return None;
        }
        let likely = &self.likely().figures;
        let left = self.outlook.runs.iter().map(|run| run.figures.left);
        let score = score(
            "the number of messages that are never caught up with",
            |run| run.figures.never_below,
            &Self::is_behind,
        );
        let advice = self.trial.advice(&self.faster(), &score);
        let (field, why) = advice.blame.unwrap_or_else(|| self.limit());
        Some(Finding {
            name: "falls-behind",
            field,
            reason: format!(
                "{why}. At the end {} are left, and never fewer than {} in the second half of the time",
                spread(likely.left, "message", left),
                likely.never_below
            ),
            mend: advice.text,
        })
    }

    fn waits(&self, max_wait: Duration) -> Option<Finding> {
        let too_long = |run: &JobFigures| run.figures.longest_unstranded_wait > max_wait;
        if self.makes_none() {
            return None;
        }
        // If the horizon is in the middle of a drain, the whole drain counts.
        let (longest, trial) = match &self.cut {
            Some(cut) => {
                let question = JobQuestion {
                    horizon: cut.horizon,
                    ..self.question.clone()
                };
                let longest = cut.runs.iter().filter(|run| too_long(run));
                let longest = longest
                    .map(|run| run.figures.longest_unstranded_wait.as_secs())
                    .max()?;
                (longest, &self.trial.with(&question))
            }
            None if !self.any(too_long) => return None,
            None if self.any(Self::is_behind) => return None,
            None => (
                self.most(|run| run.figures.longest_unstranded_wait.as_secs()),
                &self.trial,
            ),
        };
        let score = Score {
            words: seconds,
            ..score(
                "the longest wait",
                |run| run.figures.longest_unstranded_wait.as_secs(),
                &too_long,
            )
        };
        let advice = trial.advice(&self.faster(), &score);
        let (field, why) = advice.blame.unwrap_or_else(|| self.limit());
        Some(Finding {
            name: "messages-wait",
            field,
            reason: format!(
                "{why}: a message waits for up to {} before a job takes it. More than {} is found; --max-wait says what may be",
                seconds(longest),
                clock::words(max_wait)
            ),
            mend: advice.text,
        })
    }
}

fn activate(settings: &mut JobSettings) {
    each_queue(settings, |queue| queue.activation_queue_length = 0);
}

fn each_queue(settings: &mut JobSettings, change: impl Fn(&mut QueueTrigger)) {
    for reads in &mut settings.triggers {
        if let Reads::Queue(queue) = reads {
            change(queue);
        }
    }
}
