//! How long storage kept the workload waiting: consumers that had to wait for storage have not been shown to be slow.

use std::time::Duration;

use contract::Stamp;
use evidence::audit::StorageTime;
use evidence::{Answer, Crossing, Pause};

/// Response time from which storage counts as starving its clients. Azure Storage and a warm Azurite answer within tens of
/// milliseconds; a consumer gives up a request, and retries, only after many times this.
pub(crate) const SLOW: Duration = Duration::from_millis(500);

/// Storage counts as too slow if it starved clients for more than one part in this many of the run. A deadline gives a good
/// consumer several times the time that it needs, so half of it must be enough.
const TOO_MUCH: u64 = 2;

/// Whether storage or the harness itself kept the consumers from their work.
pub trait Starved {
    /// Whether delays cannot be blamed on the consumers.
    fn is_starved(&self) -> bool;

    /// Whether requests were kept waiting, in total, for as long as half of a `lease`: a good consumer renews when half of it is
    /// left, and may have lost it.
    fn may_cost(&self, lease: Duration) -> bool;
}

impl Starved for StorageTime {
    fn is_starved(&self) -> bool {
        let wasted = self.starved_ms.saturating_add(self.paused_ms);
        wasted > 0 && wasted.saturating_mul(TOO_MUCH) >= self.observed_ms
    }

    fn may_cost(&self, lease: Duration) -> bool {
        Duration::from_millis(self.starved_ms.saturating_add(self.paused_ms)) >= lease / 2
    }
}

/// Periods in which latencies say nothing about the consumers: storage kept a request waiting, or the harness was paused; each
/// with the following time in which consumers catch up.
#[derive(Debug, Clone, Default)]
pub(super) struct Disturbances(Vec<(Stamp, Stamp)>);

/// How many times its own length a disturbance has effects afterwards: consumers that are busy for three quarters of their time
/// need three seconds to work off the backlog of one second; one more for safety.
const AFTERMATH: i64 = 4;

impl Disturbances {
    fn of(mut stretches: Vec<(Stamp, Stamp)>) -> Self {
        for (from, to) in &mut stretches {
            let length = to.as_micros().saturating_sub(from.as_micros());
            let aftermath = length.saturating_mul(AFTERMATH);
            *to = Stamp::from_micros(to.as_micros().saturating_add(aftermath));
        }
        stretches.sort_unstable();
        let mut merged: Vec<(Stamp, Stamp)> = Vec::new();
        for (from, to) in stretches {
            match merged.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => merged.push((from, to)),
            }
        }
        Self(merged)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a disturbance overlaps the time between `from` and `to`.
    pub(super) fn touch(&self, from: Stamp, to: Stamp) -> bool {
        let first = self.0.partition_point(|(_, end)| *end < from);
        self.0.get(first).is_some_and(|(start, _)| *start <= to)
    }
}

/// Adds up the time of starvation, crossing by crossing in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Starvation {
    first: Option<Stamp>,
    last: Option<Stamp>,
    /// Since when no request has reached storage.
    away_since: Option<Stamp>,
    /// Periods of starvation, disjoint and in order.
    stretches: Vec<(Stamp, Stamp)>,
    /// Periods in which the harness was paused.
    pauses: Vec<(Stamp, Stamp)>,
    /// The end of the observation, if the harness was paused after the last crossing.
    until: Option<Stamp>,
}

impl Starvation {
    pub(super) fn crossing(&mut self, crossing: &Crossing) {
        let (began, ended) = (crossing.began, crossing.ended);
        self.first = Some(self.first.map_or(began, |first| first.min(began)));
        self.last = Some(self.last.map_or(ended, |last| last.max(ended)));
        let pauses = crossing.pauses.iter();
        self.pauses
            .extend(pauses.map(|pause| (pause.from, pause.to)));
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

    /// Adds pauses after the last crossing, at the end of the history. Time without requests counts as observed only with them,
    /// because without a request nobody waits for storage.
    pub(super) fn end(&mut self, pauses: &[Pause], now: Stamp) {
        if !pauses.is_empty() && self.first.is_some() {
            let pauses = pauses.iter();
            self.pauses
                .extend(pauses.map(|pause| (pause.from, pause.to)));
            self.until = Some(now);
        }
    }

    /// Adds a period. Answers come in order, so it ends last, and it is merged with the periods that it overlaps.
    fn add(&mut self, mut from: Stamp, mut to: Stamp) {
        if to <= from {
            return;
        }
        while let Some((start, end)) = self.stretches.pop_if(|(_, end)| *end >= from) {
            (from, to) = (from.min(start), to.max(end));
        }
        self.stretches.push((from, to));
    }

    /// How long storage kept requests waiting between `from` and `to`.
    pub(super) fn waited(&self, from: Stamp, to: Stamp) -> Duration {
        let away = self.away_since.zip(self.last);
        let all = self.stretches.iter().copied().chain(away);
        let inside = all.map(|(start, end)| end.min(to).micros_since(start.max(from)).max(0));
        Duration::from_micros(inside.sum::<i64>().unsigned_abs())
    }

    pub(super) fn finish(mut self) -> (StorageTime, Disturbances) {
        if let (Some(since), Some(last)) = (self.away_since, self.last) {
            self.add(since, last);
        }
        let millis = |from: Stamp, to: Stamp| {
            u64::try_from(to.as_micros().saturating_sub(from.as_micros()) / 1000).unwrap_or(0)
        };
        let sum = |stretches: &[(Stamp, Stamp)]| {
            let stretches = stretches.iter();
            stretches.fold(0, |sum: u64, (from, to)| {
                sum.saturating_add(millis(*from, *to))
            })
        };
        // If a request waited through a pause, the harness was the cause.
        let paused = |from: &Stamp, to: &Stamp| {
            let mut pauses = self.pauses.iter();
            pauses.any(|(start, end)| start <= to && end >= from)
        };
        let storage: Vec<_> = self.stretches.clone();
        let storage: Vec<_> = storage
            .into_iter()
            .filter(|(from, to)| !paused(from, to))
            .collect();
        let time = StorageTime {
            starved_ms: sum(&storage),
            paused_ms: sum(&self.pauses),
            observed_ms: self
                .first
                .zip(self.last.max(self.until))
                .map_or(0, |(first, last)| millis(first, last)),
        };
        // The wait began before it was long enough to count.
        let slow = i64::try_from(SLOW.as_micros()).unwrap_or(i64::MAX);
        let waited = storage.into_iter().map(|(from, to)| {
            let from = from.as_micros().saturating_sub(slow);
            (Stamp::from_micros(from), to)
        });
        (time, Disturbances::of(waited.chain(self.pauses).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::sample_crossing;
    use evidence::Operation;

    const ANSWERED: fn() -> Answer = || Answer::Status(200, None);

    fn crossing(began_ms: i64, ended_ms: i64, answer: Answer) -> Crossing {
        Crossing {
            began: Stamp::from_micros(began_ms * 1000),
            ended: Stamp::from_micros(ended_ms * 1000),
            answer,
            ..sample_crossing(Operation::ReceiveMessages)
        }
    }

    fn judged(crossings: impl IntoIterator<Item = Crossing>) -> (u64, u64) {
        let mut starvation = Starvation::default();
        for crossing in crossings {
            starvation.crossing(&crossing);
        }
        let (time, _) = starvation.finish();
        (time.starved_ms, time.observed_ms)
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
            // The request waited through the whole pause.
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
            paused_ms: 0,
            observed_ms: 10_000,
        };
        assert!(!of_ten_seconds(4999).is_starved());
        assert!(of_ten_seconds(5000).is_starved());
        let text = of_ten_seconds(5000).to_string();
        assert_eq!(text, "storage kept requests waiting for 5s of 10s");
    }

    /// Consumers that have not started yet make no request that could record the pause.
    #[test]
    fn a_harness_that_stood_still_after_the_last_request_is_known_at_the_end() {
        let ended = |pauses: &[(i64, i64)]| {
            let mut starvation = Starvation::default();
            starvation.crossing(&crossing(0, 400, ANSWERED()));
            let at = |millis: i64| Stamp::from_micros(millis * 1000);
            let pauses = pauses.iter().map(|(from, to)| Pause {
                from: at(*from),
                to: at(*to),
            });
            starvation.end(&pauses.collect::<Vec<_>>(), at(16_000));
            let (time, _) = starvation.finish();
            (time.paused_ms, time.observed_ms, time.is_starved())
        };
        assert_eq!(ended(&[]), (0, 400, false));
        assert_eq!(ended(&[(2_000, 10_000)]), (8_000, 16_000, true));
        assert_eq!(ended(&[(2_000, 9_999)]), (7_999, 16_000, false));
    }

    #[test]
    fn stamps_at_the_ends_of_time_are_survived() {
        let mut far = crossing(0, 0, ANSWERED());
        (far.began, far.ended) = (Stamp::from_micros(i64::MIN), Stamp::from_micros(i64::MAX));
        let (starved, observed) = judged([far.clone(), far]);
        assert!(starved <= observed, "{starved} of {observed}");
    }

    #[test]
    fn a_harness_that_stood_still_is_not_storage_that_did() {
        let mut starvation = Starvation::default();
        starvation.crossing(&crossing(0, 10, ANSWERED()));
        // The request waited through the pause, which is recorded with the next crossing.
        starvation.crossing(&crossing(1_000, 7_000, ANSWERED()));
        let pause = Pause {
            from: Stamp::from_micros(1_500_000),
            to: Stamp::from_micros(6_900_000),
        };
        starvation.crossing(&Crossing {
            pauses: vec![pause],
            ..crossing(9_000, 10_000, ANSWERED())
        });
        let (time, disturbances) = starvation.finish();
        assert_eq!((time.starved_ms, time.paused_ms), (500, 5_400));
        assert!(time.is_starved());
        assert!(
            time.to_string()
                .contains("the harness itself stood still for 5400ms"),
            "{time}"
        );
        let touch = |from: i64, to: i64| {
            disturbances.touch(
                Stamp::from_micros(from * 1000),
                Stamp::from_micros(to * 1000),
            )
        };
        assert!(!touch(0, 1_000));
        assert!(touch(1_000, 1_600) && touch(5_000, 5_001) && touch(8_000, 20_000));
        // After four times the length of the disturbance, the backlog is worked off.
        assert!(!touch(6_900 + 4 * 5_400 + 1, i64::MAX / 1000));
    }

    #[test]
    fn only_a_wait_that_touches_a_pause_is_the_harnesss_own() {
        for (pause_ms, starved_ms) in [
            ((0, 1_999), 500),
            ((0, 2_500), 0),
            ((3_000, 5_000), 0),
            ((3_001, 5_000), 500),
        ] {
            let mut starvation = Starvation::default();
            starvation.crossing(&crossing(2_000, 3_000, ANSWERED()));
            let (from, to) = pause_ms;
            let pause = Pause {
                from: Stamp::from_micros(from * 1_000),
                to: Stamp::from_micros(to * 1_000),
            };
            starvation.crossing(&Crossing {
                pauses: vec![pause],
                ..crossing(9_000, 9_010, ANSWERED())
            });
            let (time, _) = starvation.finish();
            assert_eq!(time.starved_ms, starved_ms, "{pause_ms:?}");
            let paused = i64::try_from(time.paused_ms).unwrap();
            assert_eq!(paused, to - from, "{pause_ms:?}");
        }
    }

    #[test]
    fn all_waits_and_pauses_together_may_cost_a_lease_of_twice_their_length() {
        let time = StorageTime {
            starved_ms: 100,
            paused_ms: 200,
            observed_ms: 10_000,
        };
        assert!(time.may_cost(Duration::from_millis(600)));
        assert!(!time.may_cost(Duration::from_millis(601)));
    }

    #[test]
    fn disturbances_last_with_their_aftermath_and_long_ones_swallow_short_ones() {
        let at = Stamp::from_micros;
        let of = |stretches: &[(i64, i64)]| {
            let stretches = stretches.iter().map(|(from, to)| (at(*from), at(*to)));
            Disturbances::of(stretches.collect())
        };
        assert!(of(&[]).is_empty());
        // From 100 to 110, and four times as long afterwards; from 200 to 201, and 4 more.
        let two = of(&[(200, 201), (100, 110)]);
        assert!(!two.is_empty());
        for (from, to, touched) in [
            (0, 99, false),
            (0, 100, true),
            (120, 130, true),
            (150, 160, true),
            (151, 199, false),
            (151, 200, true),
            (205, 300, true),
            (206, 300, false),
        ] {
            assert_eq!(two.touch(at(from), at(to)), touched, "{from} to {to}");
        }
        let one = of(&[(100, 200), (110, 111)]);
        assert!(one.touch(at(300), at(301)) && one.touch(at(600), at(601)));
        assert!(!one.touch(at(601), at(602)));
    }
}
