//! What the queue is like over time, whatever the replicas do.

use std::time::Duration;

use crate::{Observation, Queue};

/// A queue over time: a function of it, or a recording ([`Samples`]).
pub trait Load {
    /// What a read at this moment gives.
    fn at(&self, now: Duration) -> Observation;
}

impl<F: Fn(Duration) -> Observation> Load for F {
    fn at(&self, now: Duration) -> Observation {
        self(now)
    }
}

/// A recorded queue: each sample holds until the next, an empty queue until the first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Samples(Vec<(Duration, Observation)>);

impl Samples {
    /// Samples in any order.
    pub fn new(samples: impl IntoIterator<Item = (Duration, Observation)>) -> Self {
        let mut samples: Vec<_> = samples.into_iter().collect();
        samples.sort_by_key(|(at, _)| *at);
        Self(samples)
    }
}

impl Load for Samples {
    fn at(&self, now: Duration) -> Observation {
        let after = self.0.partition_point(|(at, _)| *at <= now);
        let last = after.checked_sub(1);
        last.map_or(Ok(Queue::default()), |last| self.0[last].1)
    }
}
