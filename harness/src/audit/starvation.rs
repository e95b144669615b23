//! How long storage kept the workload waiting: a consumer that was not let work has not been shown to be slow.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use workflow::contract::Stamp;
use workflow::duration;

use crate::wire::{Answer, Crossing};

/// What a request may wait for storage before storage is called starved. Azure Storage and a warm Azurite answer within tens
/// of milliseconds; a consumer gives up a request, and tries again, only after many times this.
const SLOW: Duration = Duration::from_millis(500);

/// One part in so many of a run is too much of it: a deadline leaves a good consumer several times what it needs, so that half
/// of it must do.
const TOO_MUCH: u64 = 2;

/// The time of a run, and what of it storage has wasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StorageTime {
    /// Time in which at least one request had waited for more than half a second, or nobody reached storage. Requests that a
    /// rule has broken are not counted.
    pub starved_ms: u64,
    /// From the first request to the last answer.
    pub observed_ms: u64,
}

impl StorageTime {
    /// Whether nothing can be said of what was not done in time.
    pub const fn is_starved(&self) -> bool {
        self.starved_ms > 0 && self.starved_ms.saturating_mul(TOO_MUCH) >= self.observed_ms
    }

    /// Whether it kept requests waiting for as long as `lease` lasts, all in all: then a consumer that renews in good time can
    /// have lost one all the same.
    pub fn outlasts(&self, lease: Duration) -> bool {
        Duration::from_millis(self.starved_ms) >= lease
    }
}

impl fmt::Display for StorageTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |ms| duration::text(Duration::from_millis(ms));
        let (starved, observed) = (text(self.starved_ms), text(self.observed_ms));
        write!(
            f,
            "storage kept requests waiting for {starved} of {observed}"
        )
    }
}

/// Adds up the time, crossing by crossing, in their order.
#[derive(Debug, Default)]
pub(super) struct Starvation {
    first: Option<Stamp>,
    last: Option<Stamp>,
    /// Since when nobody has reached storage.
    away_since: Option<Stamp>,
    /// Stretches of starvation, apart from each other and in order.
    stretches: Vec<(Stamp, Stamp)>,
}

impl Starvation {
    pub(super) fn crossing(&mut self, crossing: &Crossing) {
        let (began, ended) = (crossing.began, crossing.ended);
        self.first = Some(self.first.map_or(began, |first| first.min(began)));
        self.last = Some(self.last.map_or(ended, |last| last.max(ended)));
        if crossing.fault.is_some() {
            return;
        }
        if matches!(crossing.answer, Answer::NotAsked) {
            self.away_since.get_or_insert(began);
            return;
        }
        if let Some(since) = self.away_since.take() {
            self.add(since, began);
        }
        self.add(began.plus(SLOW), ended);
    }

    /// Answers come in order, so a stretch ends after those before it, and swallows those that it overlaps.
    fn add(&mut self, mut from: Stamp, mut to: Stamp) {
        if to <= from {
            return;
        }
        while let Some((start, end)) = self.stretches.pop_if(|(_, end)| *end >= from) {
            (from, to) = (from.min(start), to.max(end));
        }
        self.stretches.push((from, to));
    }

    pub(super) fn finish(mut self) -> StorageTime {
        if let (Some(since), Some(last)) = (self.away_since, self.last) {
            self.add(since, last);
        }
        let millis = |from: Stamp, to: Stamp| {
            u64::try_from(to.as_micros().saturating_sub(from.as_micros()) / 1000).unwrap_or(0)
        };
        let stretches = self.stretches.iter();
        StorageTime {
            starved_ms: stretches.fold(0, |sum: u64, (from, to)| {
                sum.saturating_add(millis(*from, *to))
            }),
            observed_ms: self
                .first
                .zip(self.last)
                .map_or(0, |(first, last)| millis(first, last)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Operation;

    const ANSWERED: fn() -> Answer = || Answer::Status(200, None);

    fn crossing(began_ms: i64, ended_ms: i64, answer: Answer) -> Crossing {
        Crossing {
            client: "consumer-1".to_owned(),
            operation: Operation::ReceiveMessages,
            resource: String::new(),
            began: Stamp::from_micros(began_ms * 1000),
            ended: Stamp::from_micros(ended_ms * 1000),
            answer,
            failed_part: None,
            fault: None,
            unheard: false,
            messages: vec![],
            rows: vec![],
        }
    }

    fn judged(crossings: impl IntoIterator<Item = Crossing>) -> (u64, u64) {
        let mut starvation = Starvation::default();
        for crossing in crossings {
            starvation.crossing(&crossing);
        }
        let StorageTime {
            starved_ms,
            observed_ms,
        } = starvation.finish();
        (starved_ms, observed_ms)
    }

    #[test]
    fn storage_that_answers_at_once_starves_nobody() {
        let quick = (0..100).map(|at| crossing(at * 10, at * 10 + 400, ANSWERED()));
        assert_eq!(judged(quick), (0, 1390));
        assert!(!StorageTime::default().is_starved());
    }

    #[test]
    fn waits_that_overlap_count_once() {
        let slow = [
            crossing(0, 1000, ANSWERED()),
            crossing(200, 1200, ANSWERED()),
            crossing(5000, 6000, Answer::None("reset".to_owned())),
            // Waited through all of it.
            crossing(100, 6100, ANSWERED()),
            crossing(9000, 10_000, ANSWERED()),
        ];
        assert_eq!(judged(slow), (5600 + 500, 10_000));
    }

    #[test]
    fn storage_is_away_from_the_first_refused_connection_until_it_answers() {
        let back = [
            crossing(1000, 1000, Answer::NotAsked),
            crossing(2000, 2000, Answer::NotAsked),
            crossing(3000, 3010, ANSWERED()),
        ];
        assert_eq!(judged(back), (2000, 2010));
        let never = [0, 500, 4000].map(|at| crossing(at, at, Answer::NotAsked));
        assert_eq!(judged(never), (4000, 4000));
    }

    #[test]
    fn what_a_rule_breaks_is_no_fault_of_storage() {
        let broken = |began, ended, answer| Crossing {
            fault: Some("503 ServerBusy".to_owned()),
            ..crossing(began, ended, answer)
        };
        let history = [
            broken(0, 0, Answer::NotAsked),
            broken(0, 9000, ANSWERED()),
            crossing(9000, 9001, ANSWERED()),
        ];
        assert_eq!(judged(history), (0, 9001));
    }

    #[test]
    fn half_of_the_run_is_too_much() {
        let of_ten_seconds = |starved_ms| StorageTime {
            starved_ms,
            observed_ms: 10_000,
        };
        assert!(!of_ten_seconds(4999).is_starved());
        assert!(of_ten_seconds(5000).is_starved());
        let text = of_ten_seconds(5000).to_string();
        assert_eq!(text, "storage kept requests waiting for 5s of 10s");
    }

    #[test]
    fn stamps_at_the_ends_of_time_are_survived() {
        let mut far = crossing(0, 0, ANSWERED());
        (far.began, far.ended) = (Stamp::from_micros(i64::MIN), Stamp::from_micros(i64::MAX));
        let (starved, observed) = judged([far.clone(), far]);
        assert!(starved <= observed, "{starved} of {observed}");
    }
}
