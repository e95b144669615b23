//! What the queue is like over time, whatever the replicas do.

use std::time::Duration;

use crate::{Observation, Queue, ScalerError};

/// A queue over time: a function of it, or a recording ([`Samples`]).
pub trait Load {
    /// What a read at this moment gives.
    fn at(&self, now: Duration) -> Observation;

    /// Until when a read that begins at this moment gets no answer; `None`: it gets one at once. What a cluster makes of it is
    /// not known: the read may be given up, at once or later, or wait for the answer.
    fn silent_until(&self, _now: Duration) -> Option<Duration> {
        None
    }

    /// Until when a read gives what it gives at this moment. Loops need not be run where nothing can come of it, so that a load
    /// that tells this costs as much as it has changes, however long it is. `now` itself: not known.
    fn steady_until(&self, now: Duration) -> Duration {
        now
    }
}

impl<F: Fn(Duration) -> Observation> Load for F {
    fn at(&self, now: Duration) -> Observation {
        self(now)
    }
}

/// A recorded queue: each sample holds until the next, an empty queue until the first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Samples(Vec<(Duration, Option<Observation>)>);

impl Samples {
    /// Samples in any order.
    pub fn new(samples: impl IntoIterator<Item = (Duration, Observation)>) -> Self {
        Self::with_silence(samples.into_iter().map(|(at, seen)| (at, Some(seen))))
    }

    /// Samples in any order; `None`: from then until the next, the queue gave no answer.
    pub fn with_silence(
        samples: impl IntoIterator<Item = (Duration, Option<Observation>)>,
    ) -> Self {
        let mut samples: Vec<_> = samples.into_iter().collect();
        samples.sort_by_key(|(at, _)| *at);
        Self(samples)
    }

    /// How many samples there are up to this moment.
    fn until(&self, now: Duration) -> usize {
        self.0.partition_point(|(at, _)| *at <= now)
    }
}

impl Load for Samples {
    fn at(&self, now: Duration) -> Observation {
        let last = self.until(now).checked_sub(1);
        last.map_or(Ok(Queue::default()), |last| {
            self.0[last].1.unwrap_or(Err(ScalerError))
        })
    }

    fn silent_until(&self, now: Duration) -> Option<Duration> {
        let next = self.until(now);
        if self.0[next.checked_sub(1)?].1.is_some() {
            return None;
        }
        let answered = self.0[next..].iter().find(|(_, seen)| seen.is_some());
        Some(answered.map_or(Duration::MAX, |(at, _)| *at))
    }

    fn steady_until(&self, now: Duration) -> Duration {
        let next = self.until(now);
        let seen = next.checked_sub(1).map(|last| self.0[last].1);
        let changed = self.0[next..].iter().find(|(_, it)| Some(*it) != seen);
        changed.map_or(Duration::MAX, |(at, _)| *at)
    }
}
