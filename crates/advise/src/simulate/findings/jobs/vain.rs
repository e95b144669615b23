//! Jobs that find no message.

use autoscaler::{JobFigures, JobStrategy, LengthStrategy, Reads};

use super::{Case, change, each_queue, score};
use crate::simulate::findings::trial::Change;
use crate::simulate::findings::{Finding, spread};
use crate::simulate::jobs::JobQuestion;

/// Of this many Jobs, one may be created in vain without a finding.
const SOME: u64 = 10;
const MINIMUM: &str = "spec.minReplicaCount";
const STRATEGY: &str = "spec.scalingStrategy.strategy";

impl Case<'_> {
    /// Jobs that find no message: each starts a pod, and often a node, for nothing.
    pub(super) fn in_vain(&self) -> Option<Finding> {
        let many = |run: &JobFigures| run.in_vain * SOME > run.made;
        if !self.any(many) {
            return None;
        }
        let likely = self.likely();
        let score = score("the number of jobs in vain", |run| run.in_vain, &many);
        let advice = self.trial.advice(&self.fewer_in_vain(), &score);
        let (field, why) = advice.blame.unwrap_or_else(|| self.why_in_vain());
        let in_vain = self.outlook.runs.iter().map(|run| run.in_vain);
        Some(Finding {
            name: "jobs-in-vain",
            field,
            reason: format!(
                "{why}. {} of {} find no message",
                spread(likely.in_vain, "job", in_vain),
                likely.made
            ),
            mend: advice.text,
        })
    }

    /// KEDA `pkg/scaling/executor/scale_jobs.go`, `getScalingDecision`: the minimum is kept without a message, too.
    fn at_least(&self) -> String {
        format!(
            "{}: with every poll there are at least so many jobs, and those that find no message end, and are made anew",
            self.question.settings.least()
        )
    }

    /// What makes Jobs in vain, if no change of it helps.
    fn why_in_vain(&self) -> (String, String) {
        if self.question.settings.least() > 0 {
            return (MINIMUM.to_owned(), self.at_least());
        }
        let elsewhere = self.wanted_elsewhere();
        elsewhere.unwrap_or_else(|| (STRATEGY.to_owned(), self.by_strategy()))
    }

    fn by_strategy(&self) -> String {
        let (strategy, why) = match self.question.settings.strategy {
            JobStrategy::Accurate => (
                "accurate",
                "it takes every message that the queue counts for one that no job works on, and azure-queue counts those that \
                 are being worked on too",
            ),
            JobStrategy::Eager => (
                "eager",
                "with every poll that finds a message it makes as many jobs as there may be, up to one for each message that is \
                 counted, those that are being worked on too",
            ),
            JobStrategy::Custom { .. } => (
                "custom",
                "it counts a part of the unfinished jobs alone, while the queue counts the messages of all of them",
            ),
            JobStrategy::Default => (
                "default",
                "jobs are made for messages that those before them take",
            ),
        };
        format!("{strategy}: {why}")
    }

    /// The trigger that asks for Jobs whatever the queue of the load holds.
    fn wanted_elsewhere(&self) -> Option<(String, String)> {
        let mut triggers = self.question.settings.triggers.iter().enumerate();
        triggers.find_map(|(index, reads)| {
            let field = format!("spec.triggers[{index}]");
            match reads {
                Reads::Cron(_) => {
                    let why = "a cron trigger asks for jobs at every poll of its time, whether there are messages or not";
                    Some((field, why.to_owned()))
                }
                Reads::Queue(queue) => {
                    let waiting = queue.elsewhere.filter(|waiting| *waiting > 0)?;
                    let why = format!(
                        "its queue holds {waiting} messages all the time, and jobs are made for them; the model's jobs take only those of the load"
                    );
                    Some((field, why))
                }
            }
        })
    }

    fn fewer_in_vain(&self) -> Vec<Change<JobQuestion>> {
        let mut changes = Vec::new();
        if self.question.settings.least() > 0 {
            let none = change("write minReplicaCount: 0", |it| {
                it.min_replica_count = Some(0);
            });
            changes.push(none.of(MINIMUM).since(self.at_least()));
        }
        let default = change("write strategy: default", |it| {
            it.strategy = JobStrategy::Default;
        });
        let accurate = change(
            "write strategy: accurate, and queueLengthStrategy: visibleonly",
            |it| {
                it.strategy = JobStrategy::Accurate;
                each_queue(it, |queue| queue.strategy = LengthStrategy::VisibleOnly);
            },
        );
        if !matches!(self.question.settings.strategy, JobStrategy::Default) {
            changes.push(default.of(STRATEGY).since(self.by_strategy()));
        }
        changes.push(accurate.of(STRATEGY).since(self.by_strategy()));
        changes
    }
}
