//! Questions that can be asked with other settings, and the data with which their answers are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use autoscaler::{Figures, JobFigures, Phases};

use crate::simulate::jobs::{JobOutlook, JobQuestion};
use crate::simulate::outlook::{Outlook, Question};
use views::clock;

/// With longer horizons, only the likely phases are tried first.
const LONG: Duration = Duration::from_secs(6 * 3_600);

/// A number that shows how bad a finding is.
pub(in crate::simulate) struct Measure<R> {
    /// The name of the finding.
    pub(super) finding: &'static str,
    /// Its name, for the worst run.
    pub(super) name: &'static str,
    pub(super) of: fn(&R) -> u64,
    pub(super) words: fn(u64) -> String,
}

fn measure<R>(
    finding: &'static str,
    name: &'static str,
    words: fn(u64) -> String,
    of: fn(&R) -> u64,
) -> Measure<R> {
    Measure {
        finding,
        name,
        of,
        words,
    }
}

fn seconds(seconds: u64) -> String {
    clock::words(Duration::from_secs(seconds))
}

fn number(count: u64) -> String {
    count.to_string()
}

/// A question that can be asked with other settings.
pub(in crate::simulate) trait Tried: Clone {
    /// The result of one run.
    type Run: Clone;

    fn horizon(&self) -> Duration;
    /// The same question with this horizon.
    fn within(&self, horizon: Duration) -> Self;
    /// Runs in some phases, the likely ones first.
    fn some_runs(&self) -> Vec<Self::Run>;
    /// Runs in all simulated phases, the likely ones first.
    fn all_runs(&self) -> Vec<Self::Run>;
    /// The names of all findings in these runs.
    fn names(&self, runs: Vec<Self::Run>, max_wait: Duration) -> BTreeSet<&'static str>;
    /// The total time of all replicas in a run.
    fn replica_time(run: &Self::Run) -> Duration;
    /// The values of all fields that advice may change, by field.
    fn values(&self) -> BTreeMap<&'static str, String>;
    /// The numbers of findings that advice for another finding must not make worse in silence.
    fn measures() -> Vec<Measure<Self::Run>> {
        Vec::new()
    }
}

impl Tried for Question {
    type Run = Figures;

    fn horizon(&self) -> Duration {
        self.horizon
    }

    fn within(&self, horizon: Duration) -> Self {
        Self {
            horizon,
            ..self.clone()
        }
    }

    fn some_runs(&self) -> Vec<Figures> {
        let mut phases: Vec<Phases> = self.some_phases();
        if self.horizon > LONG {
            phases.truncate(1);
        }
        let run = |phases| self.run(phases, |_, _| {});
        phases.into_iter().map(run).collect()
    }

    fn all_runs(&self) -> Vec<Figures> {
        let phases = std::iter::once(self.likely()).chain(self.other_phases());
        phases.map(|phases| self.run(phases, |_, _| {})).collect()
    }

    fn names(&self, runs: Vec<Figures>, max_wait: Duration) -> BTreeSet<&'static str> {
        super::names(self, &Outlook::of_runs(runs), max_wait)
    }

    fn replica_time(run: &Figures) -> Duration {
        run.replica_time
    }

    fn values(&self) -> BTreeMap<&'static str, String> {
        let settings = &self.settings;
        let behavior = settings.behavior.clone().unwrap_or_default();
        let target = settings.modifiers.as_ref().map(|it| it.target);
        BTreeMap::from([
            (
                "cooldownPeriod",
                settings.cooldown_period.as_secs().to_string(),
            ),
            (
                "pollingInterval",
                settings.polling_interval.as_secs().to_string(),
            ),
            ("maxReplicaCount", settings.max_replica_count.to_string()),
            ("queueLength", settings.queue_length.to_string()),
            (
                "activationQueueLength",
                settings.activation_queue_length.to_string(),
            ),
            ("queueLengthStrategy", format!("{:?}", settings.strategy)),
            ("target", format!("{target:?}")),
            ("behavior.scaleUp", format!("{:?}", behavior.scale_up)),
            (
                "behavior.scaleDown.stabilizationWindowSeconds",
                format!("{:?}", behavior.scale_down.stabilization_window),
            ),
            (
                "behavior.scaleDown.policies",
                format!("{:?}", behavior.scale_down.policies),
            ),
            (
                "terminationGracePeriodSeconds",
                self.workload.service.grace.as_secs().to_string(),
            ),
        ])
    }

    fn measures() -> Vec<Measure<Figures>> {
        vec![
            measure::<Figures>(
                "messages-stranded",
                "the longest such wait",
                seconds,
                |run| run.stranded_longest.as_secs(),
            ),
            measure::<Figures>(
                "work-cut-off",
                "the number of messages whose work is lost",
                number,
                |run| run.cut_off,
            ),
            measure::<Figures>(
                "thrash",
                "the number of scale-outs soon after a scale-in",
                number,
                |run| run.thrash.into(),
            ),
            measure::<Figures>("messages-wait", "the longest wait", seconds, |run| {
                run.longest_unstranded_wait.as_secs()
            }),
            measure::<Figures>(
                "falls-behind",
                "the number of messages that are never caught up with",
                number,
                |run| run.never_below,
            ),
        ]
    }
}

impl Tried for JobQuestion {
    type Run = JobFigures;

    fn horizon(&self) -> Duration {
        self.horizon
    }

    fn within(&self, horizon: Duration) -> Self {
        Self {
            horizon,
            ..self.clone()
        }
    }

    fn some_runs(&self) -> Vec<JobFigures> {
        let phases = self.some_phases().into_iter();
        phases.map(|phase| self.run(phase, |_| {})).collect()
    }

    fn all_runs(&self) -> Vec<JobFigures> {
        let phases = std::iter::once(self.likely()).chain(self.phases());
        phases.map(|phase| self.run(phase, |_| {})).collect()
    }

    fn names(&self, runs: Vec<JobFigures>, max_wait: Duration) -> BTreeSet<&'static str> {
        super::jobs::names(self, &JobOutlook::of_runs(runs), max_wait)
    }

    fn replica_time(run: &JobFigures) -> Duration {
        run.figures.replica_time
    }

    fn values(&self) -> BTreeMap<&'static str, String> {
        let settings = &self.settings;
        BTreeMap::from([
            (
                "pollingInterval",
                settings.polling_interval.as_secs().to_string(),
            ),
            (
                "maxReplicaCount",
                format!("{:?}", settings.max_replica_count),
            ),
            (
                "minReplicaCount",
                format!("{:?}", settings.min_replica_count),
            ),
            ("scalingStrategy", format!("{:?}", settings.strategy)),
            ("triggers", format!("{:?}", settings.triggers)),
        ])
    }

    fn measures() -> Vec<Measure<JobFigures>> {
        vec![
            measure::<JobFigures>(
                "jobs-in-vain",
                "the number of jobs in vain",
                number,
                |run| run.in_vain,
            ),
            measure::<JobFigures>("messages-wait", "the longest wait", seconds, |run| {
                run.figures.longest_unstranded_wait.as_secs()
            }),
            measure::<JobFigures>(
                "falls-behind",
                "the number of messages that are never caught up with",
                number,
                |run| run.figures.never_below,
            ),
        ]
    }
}
