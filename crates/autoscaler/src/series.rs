//! Replicas over time.

mod distance;

use std::time::Duration;

/// From `at` on there are so many replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Duration,
    /// How many.
    pub replicas: u32,
}

/// A series of replicas: each count holds until the next. Times do not go back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplicaSeries(Vec<Step>);

impl ReplicaSeries {
    /// A series that begins with so many replicas.
    pub fn starting_with(replicas: u32) -> Self {
        Self(vec![Step {
            at: Duration::ZERO,
            replicas,
        }])
    }

    /// From `at` on `replicas`. A time before the last is taken for the last, a count that does not change for nothing.
    pub fn push(&mut self, at: Duration, replicas: u32) {
        let last = self.0.last();
        if last.is_none_or(|last| last.replicas != replicas) {
            let at = last.map_or(at, |last| at.max(last.at));
            self.0.push(Step { at, replicas });
        }
    }

    /// The changes, with the begin.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The counts in their order.
    pub fn counts(&self) -> Vec<u32> {
        self.0.iter().map(|step| step.replicas).collect()
    }

    /// Replicas at a moment; 0 before the first.
    pub fn at(&self, now: Duration) -> u32 {
        let after = self.0.partition_point(|step| step.at <= now);
        after.checked_sub(1).map_or(0, |last| self.0[last].replicas)
    }

    /// When there are first so many or more.
    pub fn reached(&self, replicas: u32) -> Option<Duration> {
        let step = self.0.iter().find(|step| step.replicas >= replicas);
        step.map(|step| step.at)
    }

    /// When there are last fewer than so many again, for good; `None` if there were never so many, or are still.
    pub fn left(&self, replicas: u32) -> Option<Duration> {
        let last = self.0.iter().rposition(|step| step.replicas >= replicas)?;
        self.0.get(last + 1).map(|step| step.at)
    }

    /// Each count with its time: from, until, replicas. The last ends with `horizon`.
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
