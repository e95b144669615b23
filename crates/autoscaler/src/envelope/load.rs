//! The queue over time, independent of the replicas.

use std::num::NonZeroU64;
use std::time::Duration;

use crate::{Observation, Queue, ScalerError};

/// The queue over time: a function, or a recording ([`RecordedQueue`]).
pub trait Load {
    /// The result of a read at this time.
    fn at(&self, now: Duration) -> Observation;

    /// Until when a read that begins at this time gets no answer; `None`: it gets one at once. The reaction of a cluster is
    /// unknown: it may give up the read, at once or later, or wait for the answer.
    fn silent_until(&self, _now: Duration) -> Option<Duration> {
        None
    }

    /// Until when reads give the same result as at this time. The model skips ticks that cannot change anything, so the cost of
    /// a load that tells this depends on its changes and not on its length. `now` itself: not known.
    fn steady_until(&self, now: Duration) -> Duration {
        now
    }
}

impl<F: Fn(Duration) -> Observation> Load for F {
    fn at(&self, now: Duration) -> Observation {
        self(now)
    }
}

/// A recorded queue: each sample is valid until the next one; before the first sample the queue is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedQueue {
    seen: Vec<(Duration, Option<Observation>)>,
    /// Number of samples up to the end of each part of the recorded time. All parts have the same length, `part` nanoseconds.
    /// Every poll and sync of every run looks up a time: most parts have at most one sample, so that almost no search is left.
    parts: Vec<usize>,
    part: NonZeroU64,
}

impl RecordedQueue {
    /// Makes a queue from samples in any order.
    pub fn new(samples: impl IntoIterator<Item = (Duration, Observation)>) -> Self {
        Self::with_silence(samples.into_iter().map(|(at, seen)| (at, Some(seen))))
    }

    /// Makes a queue from samples in any order; `None`: from this time until the next sample, the queue gave no answer.
    pub fn with_silence(
        samples: impl IntoIterator<Item = (Duration, Option<Observation>)>,
    ) -> Self {
        let mut samples: Vec<_> = samples.into_iter().collect();
        samples.sort_by_key(|(at, _)| *at);
        let last = samples.last().map_or(0, |(at, _)| nanos(*at));
        let count = u64::try_from(samples.len()).unwrap_or(u64::MAX);
        let part = NonZeroU64::new(last / count.max(1)).unwrap_or(NonZeroU64::MIN);
        let mut parts = Vec::with_capacity(samples.len() + 1);
        let mut up_to = 0;
        let mut end = part.get();
        while up_to < samples.len() {
            up_to += samples[up_to..].partition_point(|(at, _)| nanos(*at) <= end);
            parts.push(up_to);
            end = end.saturating_add(part.get());
        }
        Self {
            seen: samples,
            parts,
            part,
        }
    }

    /// The number of samples up to this time.
    fn until(&self, now: Duration) -> usize {
        let part = usize::try_from(nanos(now) / self.part).unwrap_or(usize::MAX);
        let count = self.seen.len();
        let until = self.parts.get(part).copied().unwrap_or(count);
        let from = part
            .checked_sub(1)
            .map_or(0, |before| self.parts.get(before).copied().unwrap_or(count));
        from + self.seen[from..until].partition_point(|(at, _)| *at <= now)
    }
}

/// Nanoseconds; enough for 584 years.
fn nanos(at: Duration) -> u64 {
    u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)
}

impl Load for RecordedQueue {
    fn at(&self, now: Duration) -> Observation {
        let last = self.until(now).checked_sub(1);
        last.map_or(Ok(Queue::default()), |last| {
            self.seen[last].1.unwrap_or(Err(ScalerError))
        })
    }

    fn silent_until(&self, now: Duration) -> Option<Duration> {
        let next = self.until(now);
        if self.seen[next.checked_sub(1)?].1.is_some() {
            return None;
        }
        let answered = self.seen[next..].iter().find(|(_, seen)| seen.is_some());
        Some(answered.map_or(Duration::MAX, |(at, _)| *at))
    }

    fn steady_until(&self, now: Duration) -> Duration {
        let next = self.until(now);
        let seen = next.checked_sub(1).map(|last| self.seen[last].1);
        let changed = self.seen[next..].iter().find(|(_, it)| Some(*it) != seen);
        changed.map_or(Duration::MAX, |(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_finds_as_many_samples_as_counting_does() {
        let evenly: Vec<u64> = (0..50).map(|second| second * 1_000).collect();
        let unevenly = vec![0, 0, 1, 1, 2, 700, 700, 701, 90_000, 90_001];
        for moments in [evenly, unevenly, vec![5], vec![0], vec![]] {
            let samples = moments.iter().map(|at| {
                let queue = Queue {
                    visible: *at,
                    ..Queue::default()
                };
                (Duration::from_millis(*at), Ok(queue))
            });
            let samples = RecordedQueue::new(samples);
            for now in (0..95_000).chain([u64::MAX]) {
                let counted = moments.iter().filter(|at| **at <= now).count();
                assert_eq!(
                    samples.until(Duration::from_millis(now)),
                    counted,
                    "{now} of {moments:?}"
                );
            }
        }
    }
}
