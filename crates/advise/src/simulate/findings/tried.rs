//! Questions that can be asked with other settings, and the data with which their answers are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use autoscaler::{Figures, JobFigures, Phases};

use crate::simulate::jobs::{JobOutlook, JobQuestion};
use crate::simulate::outlook::{Outlook, Question};

/// With longer horizons, only the likely phases are tried first.
const LONG: Duration = Duration::from_secs(6 * 3_600);

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
            ("scalingStrategy", format!("{:?}", settings.strategy)),
            ("triggers", format!("{:?}", settings.triggers)),
        ])
    }
}
