//! The effect of a ScaledJob on a load: the same questions as for a ScaledObject, with Jobs as replicas.
//!
//! There is only one loop, and its phase is unknown: the model runs for phases all over its period.

use std::time::Duration;

use autoscaler::{
    JobFigures, JobPoll, JobSettings, JobStart, JobWorkload, Nodes, Point, ReplicaSeries,
    simulate_jobs,
};

use super::outlook::{Band, Outlook, before_a_burst, drawn};

/// Number of tried phases of the poll.
const POLLS: u32 = 30;
/// Lowest number of phases.
const FEWEST: u32 = 4;
/// Most messages in all runs together: takes some seconds.
const BUDGET: f64 = 3e6;

/// The question: settings under a load.
#[derive(Debug, Clone)]
pub(super) struct JobQuestion {
    pub(super) settings: JobSettings,
    pub(super) workload: JobWorkload,
    /// Whether the messages of a job were given; otherwise they follow from `queueLength`.
    pub(super) has_own_length: bool,
    pub(super) horizon: Duration,
    pub(super) nodes: Nodes,
    /// The wall clock's time when the load begins.
    pub(super) wall: Duration,
}

/// A course of Jobs and messages, and its figures.
#[derive(Debug, Clone)]
pub(super) struct JobOutlook {
    /// With Jobs as replicas.
    pub(super) outlook: Outlook,
    /// The figures of each run, the likely one first.
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
    /// The results of `runs`, the likely one first; without courses, which only views need.
    pub(super) fn of_runs(runs: Vec<JobFigures>) -> Self {
        let figures = runs.iter().map(|run| run.figures.clone()).collect();
        Self {
            outlook: Outlook::of_runs(figures),
            runs,
        }
    }
}

impl JobQuestion {
    /// Makes one run, whose first poll is at `poll`.
    pub(super) fn run(&self, poll: Duration, each: impl FnMut(&JobPoll)) -> JobFigures {
        let start = JobStart {
            poll,
            wall: self.wall,
        };
        let (settings, workload) = (&self.settings, &self.workload);
        let horizon = before_a_burst(&workload.arrivals, self.horizon);
        simulate_jobs(settings, &start, workload, horizon, self.nodes, each)
    }

    /// The phase of a loop in the middle of its period.
    pub(super) fn likely(&self) -> Duration {
        self.settings.polling_interval / 2
    }

    /// All simulated phases except the likely one.
    pub(super) fn phases(&self) -> Vec<Duration> {
        let messages = self.workload.arrivals.count(self.horizon).max(1.0);
        let affordable = BUDGET / messages;
        let polls = (FEWEST..=POLLS)
            .rev()
            .find(|it| f64::from(*it) <= affordable);
        self.grid(polls.unwrap_or(FEWEST))
    }

    /// Some phases, the likely one first, for trials.
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

/// A poll as a tick of the model: Jobs that it created count already.
fn point(poll: &JobPoll) -> Point {
    let replicas = poll.unfinished.all.saturating_add(poll.made);
    Point {
        at: poll.at,
        replicas,
        working: poll.unfinished.all - poll.unfinished.pending,
        queue: poll.queue,
        peak: poll.peak,
        longest_wait: Duration::ZERO,
        empty_since: None,
        ended_at_work: 0.0,
        interrupted: 0.0,
        cut_off: 0.0,
    }
}
