//! Replicas over time.

mod distance;

use std::time::Duration;

/// A number of replicas from a time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The time.
    pub at: Duration,
    /// The number.
    pub replicas: u32,
}

/// Replicas over time: each count is valid until the next. Times do not go back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplicaSeries(Vec<Step>);

impl ReplicaSeries {
    /// Makes a series that begins with this many replicas.
    pub fn starting_with(replicas: u32) -> Self {
        Self(vec![Step {
            at: Duration::ZERO,
            replicas,
        }])
    }

    /// Adds `replicas` from `at` on. A time before the last one becomes the last one; an unchanged count is ignored.
    pub fn push(&mut self, at: Duration, replicas: u32) {
        let last = self.0.last();
        if last.is_none_or(|last| last.replicas != replicas) {
            let at = last.map_or(at, |last| at.max(last.at));
            self.0.push(Step { at, replicas });
        }
    }

    /// The changes, including the begin.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The counts in their order.
    pub fn counts(&self) -> Vec<u32> {
        self.0.iter().map(|step| step.replicas).collect()
    }

    /// The replicas at a time; 0 before the first step.
    pub fn at(&self, now: Duration) -> u32 {
        let after = self.0.partition_point(|step| step.at <= now);
        after.checked_sub(1).map_or(0, |last| self.0[last].replicas)
    }

    /// The first time with at least this many replicas.
    pub fn reached(&self, replicas: u32) -> Option<Duration> {
        let step = self.0.iter().find(|step| step.replicas >= replicas);
        step.map(|step| step.at)
    }

    /// The time after which there are fewer replicas for good; `None` if there were never this many, or still are.
    pub fn left(&self, replicas: u32) -> Option<Duration> {
        let last = self.0.iter().rposition(|step| step.replicas >= replicas)?;
        self.0.get(last + 1).map(|step| step.at)
    }

    /// Each count with its time: from, until, replicas. The last one ends at `horizon`.
    pub fn spans(&self, horizon: Duration) -> impl Iterator<Item = (Duration, Duration, u32)> + '_ {
        let ends = self.0.iter().skip(1).map(|step| step.at);
        let ends = ends.chain(std::iter::once(horizon));
        let spans = self.0.iter().zip(ends);
        spans.map(|(step, end)| (step.at, end, step.replicas))
    }
}

impl FromIterator<(Duration, u32)> for ReplicaSeries {
    fn from_iter<I: IntoIterator<Item = (Duration, u32)>>(samples: I) -> Self {
        let mut series = Self::default();
        for (at, replicas) in samples {
            series.push(at, replicas);
        }
        series
    }
}
