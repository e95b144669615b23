//! Times at which each client used storage: they distinguish a row that had to wait from one that was stamped too early.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use contract::Stamp;

use evidence::{Answer, Crossing};

use super::deliveries::Attempted;

/// Most requests of a client that are remembered. Nothing is concluded about the time before them.
const MOST: usize = 20_000;

/// The latest requests of each client.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity(HashMap<String, Requests>);

#[derive(Debug, Clone, Default)]
struct Requests {
    /// In the order of their answers.
    all: VecDeque<Request>,
    forgotten: bool,
}

#[derive(Debug, Clone, Copy)]
struct Request {
    began: Stamp,
    ended: Stamp,
    writes: bool,
    /// Whether it is a write only of rows that were known to be stored.
    is_in_vain: bool,
    /// Whether it is a write that has to be made again: storage was busy or did not answer.
    is_repeated: bool,
}

impl Activity {
    /// Adds a request; `is_in_vain`: it concerns only rows that were known to be stored before.
    pub(super) fn crossing(&mut self, crossing: &Crossing, is_in_vain: bool) {
        let requests = self.0.entry(crossing.client.clone()).or_default();
        if requests.all.len() >= MOST {
            requests.all.pop_front();
            requests.forgotten = true;
        }
        requests.all.push_back(Request {
            began: crossing.began,
            ended: crossing.ended,
            // A row does not wait for a write that could store nothing.
            writes: crossing.operation.stores()
                && Attempted::of(crossing, false) == Attempted::Able,
            is_in_vain,
            is_repeated: crossing.operation.stores()
                && matches!(
                    crossing.answer,
                    Answer::NotAsked | Answer::None(_) | Answer::Status(429 | 500 | 503 | 504, _)
                ),
        });
    }

    /// Total time between `from` and `to`, in microseconds, during which a write of `client` was pending. A finished row may
    /// have had to wait for such a write.
    pub(super) fn writing_us(&self, client: &str, from: Stamp, to: Stamp) -> i64 {
        let Some(requests) = self.0.get(client) else {
            return 0;
        };
        let first = requests
            .all
            .partition_point(|request| request.ended <= from);
        let (mut writing, mut written) = (0, from);
        for request in requests.all.range(first..) {
            if request.writes && !request.is_in_vain && request.began < to {
                let (began, ended) = (request.began.max(written), request.ended.min(to));
                writing += since(ended, began).max(0);
                written = written.max(ended);
            }
        }
        writing
    }

    /// Total time between `from` and `to` during which `client` could have sent a finished row. Leaves out the times of its
    /// pending writes, for which the row may have had to wait, those before it repeated one, and its longest silence, in which the
    /// process may have been stopped.
    pub(super) fn idle(&self, client: &str, from: Stamp, to: Stamp) -> Duration {
        let Some(requests) = self.0.get(client) else {
            return Duration::ZERO;
        };
        let reaches_back = requests
            .all
            .front()
            .is_some_and(|oldest| oldest.ended <= from);
        if requests.forgotten && !reaches_back {
            return Duration::ZERO;
        }
        let first = requests
            .all
            .partition_point(|request| request.ended <= from);
        let (mut silence, mut last, mut writing, mut written) = (0, from, 0, from);
        let mut earlier = requests.all.range(..first).rev();
        let mut waits = earlier
            .find(|it| it.writes)
            .is_some_and(|it| it.is_repeated);
        for request in requests.all.range(first..) {
            if request.began >= to {
                continue;
            }
            if request.writes && waits {
                writing += since(request.began, written).max(0);
                written = written.max(request.began);
            }
            if request.writes {
                waits = request.is_repeated;
            }
            let (began, ended) = (request.began.max(from), request.ended.min(to));
            for at in [began, ended] {
                silence = silence.max(since(at, last));
                last = last.max(at);
            }
            if request.writes {
                writing += since(ended, began.max(written)).max(0);
                written = written.max(ended);
            }
        }
        // The row itself is the write that is made again, or waited for it.
        if waits {
            writing += since(to, written).max(0);
        }
        silence = silence.max(since(to, last));
        let idle = since(to, from)
            .saturating_sub(silence)
            .saturating_sub(writing);
        Duration::from_micros(u64::try_from(idle).unwrap_or(0))
    }
}

/// Time from `from` to `to`, in microseconds.
const fn since(to: Stamp, from: Stamp) -> i64 {
    to.as_micros().saturating_sub(from.as_micros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::sample_crossing;
    use evidence::Operation;

    const fn at(millis: i64) -> Stamp {
        Stamp::from_micros(millis * 1_000)
    }

    /// Idle time of a client with these requests between 0 and 10 s, in milliseconds.
    fn idle(requests: &[(Operation, i64, i64)]) -> u128 {
        let mut activity = Activity::default();
        for (operation, began, ended) in requests {
            let mut crossing = sample_crossing(*operation);
            (crossing.began, crossing.ended) = (at(*began), at(*ended));
            activity.crossing(&crossing, false);
        }
        activity.idle("consumer-1", at(0), at(10_000)).as_millis()
    }

    /// A row that is ready from 0 to 10 s, while its client asks for messages every second and writes another row at these times.
    #[test]
    fn a_row_may_wait_for_another_until_that_has_been_written_again() {
        let idle = |writes: &[(i64, Answer)]| {
            let mut activity = Activity::default();
            let polls = (0..10).map(|second| (second * 1_000, Operation::ReceiveMessages, None));
            let writes = writes
                .iter()
                .map(|(at, answer)| (*at, Operation::InsertEntity, Some(answer.clone())));
            let mut all: Vec<_> = polls.chain(writes).collect();
            all.sort_by_key(|(at, ..)| *at);
            for (millis, operation, answer) in all {
                let mut crossing = sample_crossing(operation);
                (crossing.began, crossing.ended) = (at(millis), at(millis));
                crossing.answer = answer.unwrap_or(crossing.answer);
                activity.crossing(&crossing, false);
            }
            activity.idle("consumer-1", at(0), at(10_000)).as_millis()
        };
        let status = |status| Answer::Status(status, None);
        assert_eq!(idle(&[]), 9_000);
        assert_eq!(idle(&[(2_500, status(201)), (7_500, status(201))]), 9_000);
        for busy in [status(503), status(500), status(429), Answer::NotAsked] {
            let again = |last: &Answer| idle(&[(2_500, busy.clone()), (7_500, last.clone())]);
            assert_eq!(again(&status(201)), 4_000, "{busy:?}");
            // It is still to be written, or the row is what is written again.
            assert_eq!(again(&busy), 1_500, "{busy:?}");
            let before = idle(&[(-500, busy.clone()), (7_500, status(201))]);
            assert_eq!(before, 1_500, "{busy:?}");
        }
    }

    #[test]
    fn a_client_that_is_silent_cannot_be_told_from_one_that_is_stopped() {
        use Operation::{InsertEntity, ReceiveMessages};
        assert_eq!(idle(&[]), 0);
        assert_eq!(idle(&[(ReceiveMessages, 1, 2)]), 2);
        let polls: Vec<_> = (0..10)
            .map(|n| (ReceiveMessages, n * 1_000, n * 1_000 + 1))
            .collect();
        assert_eq!(idle(&polls), 9_001);
        // A write is pending all the time, and the row may wait for it.
        let busy: Vec<_> = (0..10)
            .map(|n| (InsertEntity, n * 1_000, n * 1_000 + 1_000))
            .collect();
        assert_eq!(idle(&busy), 0);
        // Overlapping writes count once; requests that do not write do not count.
        assert_eq!(
            idle(&[
                (InsertEntity, 0, 4_000),
                (InsertEntity, 1_000, 5_000),
                (ReceiveMessages, 5_000, 9_000),
                (ReceiveMessages, 9_000, 10_000),
            ]),
            1_000
        );
        // Requests outside of the period do not count; of requests that reach into it, only that part does.
        assert_eq!(idle(&[(InsertEntity, -2_000, -1_000)]), 0);
        assert_eq!(
            idle(&[
                (ReceiveMessages, -500, 4_000),
                (InsertEntity, 4_000, 8_000),
                (InsertEntity, 8_000, 12_000),
                (InsertEntity, 10_001, 10_002),
            ]),
            0
        );
        assert_eq!(
            idle(&[
                (ReceiveMessages, 0, 3_000),
                (ReceiveMessages, 3_000, 6_000),
                (ReceiveMessages, 6_000, 9_000),
                (InsertEntity, 9_000, 12_000),
            ]),
            6_000
        );
        // Stopped for 9 s, after one request.
        assert_eq!(
            idle(&[(ReceiveMessages, 1, 2), (ReceiveMessages, 9_002, 9_003)]),
            1_000
        );
    }

    #[test]
    fn writes_under_way_are_added_up_once_and_as_far_as_they_reach_into_the_time() {
        use Operation::{InsertEntity, ReceiveMessages};
        let mut activity = Activity::default();
        for (operation, began, ended) in [
            (InsertEntity, -500, -100),
            (InsertEntity, -100, 200),
            (InsertEntity, 100, 300),
            (ReceiveMessages, 300, 400),
            (InsertEntity, 900, 1_100),
            (InsertEntity, 1_000, 1_200),
        ] {
            let mut crossing = sample_crossing(operation);
            (crossing.began, crossing.ended) = (at(began), at(ended));
            activity.crossing(&crossing, false);
        }
        let writing = |client: &str| activity.writing_us(client, at(0), at(1_000));
        assert_eq!(writing("consumer-1"), 400_000);
        assert_eq!(writing("consumer-2"), 0);
    }

    #[test]
    fn nothing_is_said_of_a_client_whose_requests_are_forgotten() {
        let request = |activity: &mut Activity, millis: i64| {
            let mut crossing = sample_crossing(Operation::ReceiveMessages);
            (crossing.began, crossing.ended) = (at(millis), at(millis + 1));
            activity.crossing(&crossing, false);
        };
        let mut activity = Activity::default();
        let most = i64::try_from(MOST).expect("a small number");
        for millis in 0..most {
            request(&mut activity, millis);
        }
        let idle = |activity: &Activity, from: i64| activity.idle("consumer-1", at(from), at(most));
        let whole = Duration::from_millis(u64::try_from(most).expect("a positive number") - 1);
        assert_eq!(idle(&activity, 0), whole);
        // One request more: the first is forgotten, and nothing is known of the time before the second one's end.
        request(&mut activity, most);
        assert_eq!(idle(&activity, 0), Duration::ZERO);
        assert_eq!(idle(&activity, 1), Duration::ZERO);
        assert!(idle(&activity, 2) > Duration::ZERO);
        assert_eq!(activity.idle("consumer-2", at(0), at(1)), Duration::ZERO);
    }
}
