//! What a ScaledJob would do to a load: the same questions as of a ScaledObject, with jobs for replicas.
//!
//! There is one loop alone, and nobody knows where in its period it is: the model runs for phases all over it.

use std::time::Duration;

use autoscaler::{
    JobFigures, JobPoll, JobSettings, JobStart, JobWorkload, Nodes, Point, ReplicaSeries,
    simulate_jobs,
};

use super::outlook::{Band, Outlook, before_a_burst, drawn};

/// Phases of the poll that are tried.
const POLLS: u32 = 30;
/// Fewest of them.
const FEWEST: u32 = 4;
/// Messages that all runs may have together: some seconds.
const BUDGET: f64 = 3e6;

/// What is asked: settings under a load.
#[derive(Debug, Clone)]
pub(super) struct JobQuestion {
    pub(super) settings: JobSettings,
    pub(super) workload: JobWorkload,
    pub(super) horizon: Duration,
    pub(super) nodes: Nodes,
    /// What the wall clock shows when the load begins.
    pub(super) wall: Duration,
}

/// A course of jobs and messages, and what it comes to.
#[derive(Debug, Clone)]
pub(super) struct JobOutlook {
    /// With jobs as replicas.
    pub(super) outlook: Outlook,
    /// Of each run, the likely one first.
    pub(super) runs: Vec<JobFigures>,
}

impl JobOutlook {
    pub(super) fn new(question: &JobQuestion) -> Self {
        let horizon = question.horizon;
        let mut replicas = ReplicaSeries::starting_with(0);
        let mut messages: Vec<(f64, f64)> = vec![(0.0, 0.0)];
        let mut band = Band::default();
        let likely = {
            let mut widen = band.widener(horizon);
            question.run(question.likely(), |poll| {
                let point = point(poll);
                replicas.push(poll.at, point.replicas);
                drawn(&mut messages, &point);
                widen(&point, &[]);
            })
        };
        messages.push((horizon.as_secs_f64(), likely.figures.left as f64));
        let mut runs = vec![likely];
        for phase in question.phases() {
            let mut widen = band.widener(horizon);
            runs.push(question.run(phase, |poll| widen(&point(poll), &[])));
        }
        Self {
            outlook: Outlook {
                likely: runs[0].figures.clone(),
                replicas,
                messages,
                runs: runs.iter().map(|run| run.figures.clone()).collect(),
                band,
            },
            runs,
        }
    }
}

impl JobOutlook {
    /// What `runs`, the likely one first, come to; without courses, which are for views alone.
    pub(super) fn of_runs(runs: Vec<JobFigures>) -> Self {
        let figures = runs.iter().map(|run| run.figures.clone()).collect();
        Self {
            outlook: Outlook::of_runs(figures),
            runs,
        }
    }
}

impl JobQuestion {
    /// One run, whose first poll is then.
    pub(super) fn run(&self, poll: Duration, each: impl FnMut(&JobPoll)) -> JobFigures {
        let start = JobStart {
            poll,
            wall: self.wall,
        };
        let (settings, workload) = (&self.settings, &self.workload);
        let horizon = before_a_burst(&workload.arrivals, self.horizon);
        simulate_jobs(settings, &start, workload, horizon, self.nodes, each)
    }

    /// The loop in the middle of its period.
    pub(super) fn likely(&self) -> Duration {
        self.settings.polling_interval / 2
    }

    /// All phases that are simulated besides the likely one.
    pub(super) fn phases(&self) -> Vec<Duration> {
        let messages = self.workload.arrivals.count(self.horizon).max(1.0);
        let affordable = BUDGET / messages;
        let polls = (FEWEST..=POLLS)
            .rev()
            .find(|it| f64::from(*it) <= affordable);
        self.grid(polls.unwrap_or(FEWEST))
    }

    /// Some phases, for what is tried out besides: the likely one first.
    pub(super) fn some_phases(&self) -> Vec<Duration> {
        let mut phases = self.grid(FEWEST);
        phases.insert(0, self.likely());
        phases
    }

    fn grid(&self, polls: u32) -> Vec<Duration> {
        let step = self.settings.polling_interval / polls;
        (0..polls).map(|n| step * n).collect()
    }
}

/// A poll as a tick of the model: what it made counts already.
fn point(poll: &JobPoll) -> Point {
    let replicas = poll.unfinished.all.saturating_add(poll.made);
    Point {
        at: poll.at,
        replicas,
        working: poll.unfinished.all - poll.unfinished.pending,
        queue: poll.queue,
        peak: poll.peak,
        oldest_wait: Duration::ZERO,
        empty_since: None,
        ended_at_work: 0.0,
        interrupted: 0.0,
        cut_off: 0.0,
    }
}
