//! What goes wrong with a ScaledJob.

use std::time::Duration;

use autoscaler::{JobFigures, JobSettings, JobStrategy, LengthStrategy, QueueTrigger, Reads};

use super::{Finding, spread};
use crate::report::clock;
use crate::simulate::jobs::{JobOutlook, JobQuestion};

/// A part of all jobs, one in so many, that may be made in vain without being a finding.
const SOME: u64 = 10;
/// Most jobs that are tried.
const MOST: u32 = 1_000;

/// Everything that is found, worst first.
pub(in crate::simulate) fn of(
    question: &JobQuestion,
    outlook: &JobOutlook,
    max_wait: Duration,
) -> Vec<Finding> {
    let case = Case { question, outlook };
    let found = [
        case.paused(),
        case.never(),
        case.stranded(),
        case.in_vain(),
        case.falls_behind(),
        case.waits(max_wait),
    ];
    found.into_iter().flatten().collect()
}

struct Case<'a> {
    question: &'a JobQuestion,
    outlook: &'a JobOutlook,
}

/// What is counted before and after a change.
type Count = fn(&JobFigures) -> u64;
type Change<'a> = (String, Box<dyn Fn(&mut JobSettings) + 'a>);

impl Case<'_> {
    fn likely(&self) -> &JobFigures {
        &self.outlook.runs[0]
    }

    fn any(&self, is_so: impl Fn(&JobFigures) -> bool) -> bool {
        self.outlook.runs.iter().any(is_so)
    }

    fn most(&self, count: impl Fn(&JobFigures) -> u64) -> u64 {
        self.outlook.runs.iter().map(count).max().unwrap_or(0)
    }

    /// The first change that leaves a tenth or less of what is wrong, and no more messages than before.
    fn advice(&self, name: &str, changes: Vec<Change<'_>>, count: Count) -> String {
        let worst = |question: &JobQuestion| {
            let phases = question.some_phases().into_iter();
            let runs: Vec<_> = phases.map(|phase| question.run(phase, |_| {})).collect();
            let most = |count: Count| runs.iter().map(count).max().unwrap_or(0);
            (most(count), most(|run| run.figures.left))
        };
        let (before, left) = worst(self.question);
        let mut tried = Vec::new();
        for (words, change) in changes {
            let mut question = self.question.clone();
            change(&mut question.settings);
            let (after, left_after) = worst(&question);
            if after * 10 <= before && left_after <= left {
                return format!(
                    "{words}; tried on the model, {name} then goes from {before} to {after}"
                );
            }
            tried.push(words);
        }
        format!(
            "nothing that was tried on the model helps: {}",
            tried.join("; ")
        )
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

    /// KEDA `pkg/scaling/scaledjob/metrics.go`, `CalculateQueueLengthAndMaxValue`.
    fn never(&self) -> Option<Finding> {
        let mut queues = self.question.settings.triggers.iter();
        let none =
            queues.position(|it| matches!(it, Reads::Queue(queue) if queue.queue_length == 0));
        let index = none?;
        Some(Finding {
            name: "no-job-ever",
            field: format!("spec.triggers[{index}].metadata.queueLength"),
            reason: "0: no job is made for this queue, whatever it holds".to_owned(),
            mend: "write \"1\", or as many messages as one job works on".to_owned(),
        })
    }

    fn stranded(&self) -> Option<Finding> {
        let strands = |run: &JobFigures| {
            run.figures.stranded_longest > self.question.settings.polling_interval
        };
        if !self.any(strands) {
            return None;
        }
        let longest = self.most(|run| run.figures.stranded_longest.as_secs());
        let none: Change<'_> = (
            "write \"0\"".to_owned(),
            Box::new(|it| each_queue(it, |queue| queue.activation_queue_length = 0)),
        );
        Some(Finding {
            name: "messages-stranded",
            field: "activationQueueLength".to_owned(),
            reason: format!(
                "a queue of so few messages is not active, so that no job is made for the last messages of a load: up to {} are \
                 left at the end, and they waited for up to {}",
                self.most(|run| run.figures.stranded),
                clock::words(Duration::from_secs(longest))
            ),
            mend: self.advice("the longest such wait in seconds", vec![none], |run| {
                run.figures.stranded_longest.as_secs()
            }),
        })
    }

    /// Jobs that find no message: they start a pod, and often a node, for nothing.
    fn in_vain(&self) -> Option<Finding> {
        let many = |run: &JobFigures| run.in_vain * SOME > run.made;
        // Those that there are to be at least have nothing to do at rest.
        if self.question.settings.least() > 0 || !self.any(many) {
            return None;
        }
        let likely = self.likely();
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
        let changes: Vec<Change<'_>> = vec![
            (
                "write strategy: default".to_owned(),
                Box::new(|it| it.strategy = JobStrategy::Default),
            ),
            (
                "write strategy: accurate, and queueLengthStrategy: visibleonly".to_owned(),
                Box::new(|it| {
                    it.strategy = JobStrategy::Accurate;
                    each_queue(it, |queue| queue.strategy = LengthStrategy::VisibleOnly);
                }),
            ),
        ];
        let in_vain = self.outlook.runs.iter().map(|run| run.in_vain);
        Some(Finding {
            name: "jobs-in-vain",
            field: "spec.scalingStrategy.strategy".to_owned(),
            reason: format!(
                "{strategy}: {why}. {} of {} find no message",
                spread(likely.in_vain, "job", in_vain),
                likely.made
            ),
            mend: self.advice("the number of jobs in vain", changes, |run| run.in_vain),
        })
    }

    fn is_behind(run: &JobFigures) -> bool {
        let jobs = u64::from(run.figures.most_replicas);
        run.figures.never_below > jobs && run.figures.stranded == 0
    }

    fn falls_behind(&self) -> Option<Finding> {
        if self.question.settings.paused || !self.any(Self::is_behind) {
            return None;
        }
        let likely = &self.likely().figures;
        let (field, why) = self.limit();
        let left = self.outlook.runs.iter().map(|run| run.figures.left);
        Some(Finding {
            name: "falls-behind",
            field,
            reason: format!(
                "{why}. At the end {} are left, and never fewer than {} in the second half of the time",
                spread(likely.left, "message", left),
                likely.never_below
            ),
            mend: self.advice(
                "the number of messages that are never caught up with",
                self.faster(),
                |run| run.figures.never_below,
            ),
        })
    }

    fn waits(&self, max_wait: Duration) -> Option<Finding> {
        let too_long =
            |run: &JobFigures| run.figures.longest_wait > max_wait && run.figures.stranded == 0;
        if self.question.settings.paused || !self.any(too_long) || self.any(Self::is_behind) {
            return None;
        }
        let longest = self.most(|run| run.figures.longest_wait.as_secs());
        let (field, why) = self.limit();
        Some(Finding {
            name: "messages-wait",
            field,
            reason: format!(
                "{why}: a message waits for up to {} before a job takes it. More than {} is found; --max-wait says what may be",
                clock::words(Duration::from_secs(longest)),
                clock::words(max_wait)
            ),
            mend: self.advice("the longest wait in seconds", self.faster(), |run| {
                run.figures.longest_wait.as_secs()
            }),
        })
    }

    /// What keeps the jobs from doing more.
    fn limit(&self) -> (String, String) {
        let settings = &self.question.settings;
        let most = settings.least().saturating_add(settings.most_besides());
        let reached = self.most(|run| run.figures.most_replicas.into());
        if reached >= u64::from(most) {
            let why = format!("{most}: there are no more jobs than this at a time");
            return ("spec.maxReplicaCount".to_owned(), why);
        }
        let why = format!(
            "jobs are made at polls alone, and no more than {reached} of at most {most} at a time"
        );
        ("spec.pollingInterval".to_owned(), why)
    }

    fn faster(&self) -> Vec<Change<'static>> {
        let settings = &self.question.settings;
        let most = settings.least().saturating_add(settings.most_besides());
        let mut changes: Vec<Change<'static>> = Vec::new();
        if settings.polling_interval > Duration::from_secs(5) {
            changes.push((
                "write pollingInterval: 5".to_owned(),
                Box::new(|it| it.polling_interval = Duration::from_secs(5)),
            ));
        }
        let more = [2, 4, 10].map(|times| most.saturating_mul(times));
        for most in more.into_iter().filter(|most| *most <= MOST) {
            changes.push((
                format!("write maxReplicaCount: {most}"),
                Box::new(move |it| it.max_replica_count = Some(most)),
            ));
        }
        changes
    }
}

fn each_queue(settings: &mut JobSettings, change: impl Fn(&mut QueueTrigger)) {
    for reads in &mut settings.triggers {
        if let Reads::Queue(queue) = reads {
            change(queue);
        }
    }
}
