//! Ends of a run's processes: whether each consumer ended when it was asked to, and in order.

use contract::Stamp;
use evidence::departures::{Cause, End};
use evidence::events::Leeway;
use evidence::outcome::Outcome;
use evidence::processes::{CONSUMER, ProcessExit, ProcessRecord};

/// Time from the loss of storage until it is noticed, in microseconds. A process that ends after the loss may have ended
/// because of it.
const UNNOTICED_US: i64 = 1_000_000;

/// The ends of a run's consumers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerEnds<'a> {
    /// Consumers that ended unexpectedly, with their ends.
    pub unexpected: Vec<(&'a ProcessRecord, &'a ProcessExit)>,
    /// Number of consumers that had to end: all except those that were started again, as their description allows.
    pub all: usize,
    /// Most of them that ran at the same time. If it is less than `all`, consumers that had ended were replaced by others.
    pub at_once: usize,
    /// How many of them have ended, in any way.
    pub ended: usize,
    /// Whether storage was lost before.
    pub is_storage_lost: bool,
    /// Whether all of them ended when they were asked to, and in order. `None`: not judged, because the description says that
    /// the worker does not drain on SIGTERM.
    pub outcome: Option<Outcome>,
}

/// A promise about the ends of consumers that the description of their workload leaves open: it is neither kept nor broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOpen {
    /// Whether they end when asked to, and in order.
    InOrder,
    /// Whether any ends without being asked to.
    Unasked {
        /// How many did, and were started again.
        restarts: usize,
    },
}

impl LeftOpen {
    /// The promises that `leeway` leaves open for the consumers among `processes`; none if there was no consumer, and without
    /// those that are broken all the same.
    pub fn of(
        processes: &[ProcessRecord],
        leeway: &[Leeway],
        storage_lost: Option<Stamp>,
    ) -> Vec<Self> {
        if !processes.iter().any(|each| each.role == CONSUMER) {
            return Vec::new();
        }
        let ends = ConsumerEnds::of(processes, leeway, storage_lost);
        let is_judged = ends.is_some_and(|ends| ends.outcome.is_some());
        let exits = processes.iter().filter_map(|each| each.exit.as_ref());
        let restarts = exits.filter(|exit| exit.restarted).count();
        let open = leeway.iter().filter_map(|leeway| match leeway {
            Leeway::Drain => (!is_judged).then_some(Self::InOrder),
            Leeway::Restart => Some(Self::Unasked { restarts }),
        });
        open.collect()
    }
}

impl<'a> ConsumerEnds<'a> {
    /// How many consumers ended as they should.
    pub fn orderly(&self) -> usize {
        self.ended.saturating_sub(self.unexpected.len())
    }

    /// Whether SIGTERM ended one of the unexpected ones at once.
    pub fn is_terminated(&self) -> bool {
        let mut ends = self.unexpected.iter().filter_map(|(_, exit)| exit.end);
        ends.any(End::is_by_sigterm)
    }

    /// Whether one of the unexpected ones ended without being asked to.
    pub fn is_unasked(&self) -> bool {
        let mut exits = self.unexpected.iter().map(|(_, exit)| exit.cause);
        exits.any(|cause| cause == Some(Cause::Unasked))
    }

    /// Judges the ends of the consumers among `processes`; `storage_lost` is when storage was lost, if it was. `None` if there
    /// was no consumer.
    ///
    /// The producer is not judged here, because it is the harness's own: the audit accounts for messages that it could not
    /// send.
    pub fn of(
        processes: &'a [ProcessRecord],
        leeway: &[Leeway],
        storage_lost: Option<Stamp>,
    ) -> Option<Self> {
        let consumers = processes.iter().filter(|each| each.role == CONSUMER);
        let is_restarted =
            |each: &&ProcessRecord| each.exit.as_ref().is_some_and(|it| it.restarted);
        let had_to_end: Vec<_> = consumers.filter(|each| !is_restarted(each)).collect();
        if had_to_end.is_empty() {
            return None;
        }
        let unexpected: Vec<_> = unexpected_exits(processes, storage_lost)
            .filter(|(process, _)| process.role == CONSUMER)
            .collect();
        let all = had_to_end.len();
        let ended = had_to_end.iter().filter(|each| each.exit.is_some()).count();
        let is_storage_lost = storage_lost.is_some();
        let outcome = if !unexpected.is_empty() {
            Some(Outcome::Fail)
        } else if leeway.contains(&Leeway::Drain) {
            None
        } else if ended < all || is_storage_lost {
            Some(Outcome::Inconclusive)
        } else {
            Some(Outcome::Pass)
        };
        Some(Self {
            unexpected,
            all,
            at_once: most_at_once(&had_to_end),
            ended,
            is_storage_lost,
            outcome,
        })
    }
}

/// Most of `processes` that ran at the same time. One that starts when another ends takes its place.
fn most_at_once(processes: &[&ProcessRecord]) -> usize {
    let starts = processes.iter().map(|each| each.started);
    let running = |at: Stamp| {
        let running = processes.iter().filter(|each| {
            each.started <= at && each.exit.as_ref().is_none_or(|exit| exit.at > at)
        });
        running.count()
    };
    starts.map(running).max().unwrap_or(0)
}

/// Processes that ended unexpectedly, with their ends; leaves out those that had lost their storage.
pub fn unexpected_exits(
    processes: &[ProcessRecord],
    storage_lost: Option<Stamp>,
) -> impl Iterator<Item = (&ProcessRecord, &ProcessExit)> {
    let had_storage = move |at: Stamp| {
        storage_lost.is_none_or(|lost: Stamp| lost.micros_since(at) > UNNOTICED_US)
    };
    processes
        .iter()
        .filter_map(|process| Some((process, process.exit.as_ref()?)))
        .filter(move |(_, exit)| !exit.expected && had_storage(exit.at))
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    fn process(role: &str, exit: Option<(i64, bool, bool)>) -> ProcessRecord {
        let exit = exit.map(|(at, expected, restarted)| ProcessExit {
            at: Stamp::from_micros(at),
            status: "exit status: 1".to_owned(),
            expected,
            last_lines: None,
            restarted,
            end: None,
            cause: None,
        });
        ProcessRecord {
            name: format!("{role}-1"),
            role: role.to_owned(),
            pid: None,
            started: Stamp::default(),
            exit,
        }
    }

    fn judged(
        processes: &[ProcessRecord],
        leeway: &[Leeway],
        lost: Option<i64>,
    ) -> Result<Outcome, &'static str> {
        let lost = lost.map(Stamp::from_micros);
        let ends = ConsumerEnds::of(processes, leeway, lost).ok_or("no consumer")?;
        ends.outcome.ok_or("not judged")
    }

    const ORDERLY: Option<(i64, bool, bool)> = Some((5_000_000, true, false));
    const BY_ITSELF: Option<(i64, bool, bool)> = Some((5_000_000, false, false));
    const RESTARTED: Option<(i64, bool, bool)> = Some((5_000_000, true, true));

    #[test]
    fn a_consumer_that_ends_by_itself_fails_and_one_of_which_the_log_does_not_tell_is_inconclusive()
    {
        let orderly = process(CONSUMER, ORDERLY);
        let running = process(CONSUMER, None);
        let by_itself = process(CONSUMER, BY_ITSELF);
        let told = |processes: &[&ProcessRecord]| {
            let processes: Vec<_> = processes.iter().map(|&it| it.clone()).collect();
            judged(&processes, &[], None)
        };
        assert_eq!(told(&[&orderly]), Ok(Outcome::Pass));
        assert_eq!(told(&[&orderly, &running]), Ok(Outcome::Inconclusive));
        assert_eq!(told(&[&orderly, &running, &by_itself]), Ok(Outcome::Fail));
        let all = [orderly.clone(), running, by_itself, orderly];
        let ends = ConsumerEnds::of(&all, &[], None).unwrap();
        assert_eq!((ends.all, ends.ended, ends.orderly()), (4, 3, 2));
    }

    #[test]
    fn only_consumers_are_judged_and_only_those_that_had_to_end() {
        let producer = process("producer", BY_ITSELF);
        let restarted = process(CONSUMER, RESTARTED);
        assert_eq!(
            judged(slice::from_ref(&producer), &[], None),
            Err("no consumer")
        );
        assert_eq!(
            judged(slice::from_ref(&restarted), &[], None),
            Err("no consumer")
        );
        let orderly = process(CONSUMER, ORDERLY);
        let all = [producer, restarted, orderly];
        let ends = ConsumerEnds::of(&all, &[], None).unwrap();
        assert_eq!((ends.all, ends.ended), (1, 1));
        assert_eq!(ends.outcome, Some(Outcome::Pass));
    }

    #[test]
    fn consumers_that_replace_others_are_told_from_those_that_run_at_once() {
        let from = |started: i64, exit| ProcessRecord {
            started: Stamp::from_micros(started),
            ..process(CONSUMER, exit)
        };
        let all = [
            from(0, BY_ITSELF),
            from(1, None),
            from(5_000_000, None),
            from(6_000_000, Some((7_000_000, true, false))),
        ];
        let at_once = |all: &[ProcessRecord]| {
            let ends = ConsumerEnds::of(all, &[], None).unwrap();
            (ends.all, ends.at_once)
        };
        assert_eq!(at_once(&all[..2]), (2, 2));
        assert_eq!(at_once(&all[..3]), (3, 2));
        assert_eq!(at_once(&all), (4, 3));
    }

    /// Ends are told by their types: a status is for people, and earlier versions of the log have nothing else.
    #[test]
    fn an_unexpected_end_tells_whether_sigterm_or_nobody_asked_for_it() {
        let told = |end, cause| {
            let mut process = process(CONSUMER, BY_ITSELF);
            let exit = process.exit.as_mut().unwrap();
            (exit.end, exit.cause) = (end, cause);
            exit.status = "signal: 15 (SIGTERM)".to_owned();
            let all = [process];
            let ends = ConsumerEnds::of(&all, &[], None).unwrap();
            (ends.is_terminated(), ends.is_unasked())
        };
        let sigterm = End::Signalled(15);
        assert_eq!(told(Some(sigterm), Some(Cause::Told)), (true, false));
        assert_eq!(
            told(Some(End::Exited(1)), Some(Cause::Unasked)),
            (false, true)
        );
        assert_eq!(
            told(Some(End::Signalled(9)), Some(Cause::Told)),
            (false, false)
        );
        assert_eq!(told(None, None), (false, false));
    }

    /// A consumer that ended more than 1 s before the loss was noticed ended for a reason of its own.
    #[test]
    fn whoever_ends_for_want_of_storage_is_not_at_fault() {
        let all = [process(CONSUMER, BY_ITSELF)];
        let inconclusive = Ok(Outcome::Inconclusive);
        assert_eq!(judged(&all, &[], Some(4_000_000)), inconclusive);
        assert_eq!(judged(&all, &[], Some(6_000_000)), inconclusive);
        assert_eq!(judged(&all, &[], Some(6_000_001)), Ok(Outcome::Fail));
    }

    #[test]
    fn a_promise_is_left_open_only_for_consumers_and_only_if_it_is_not_broken() {
        use Leeway::{Drain, Restart};
        let open =
            |processes: &[ProcessRecord], leeway: &[Leeway]| LeftOpen::of(processes, leeway, None);
        let (orderly, by_itself) = (process(CONSUMER, ORDERLY), process(CONSUMER, BY_ITSELF));
        let restarted = process(CONSUMER, RESTARTED);
        let producer = process("producer", ORDERLY);
        assert_eq!(open(slice::from_ref(&producer), &[Restart, Drain]), []);
        assert_eq!(open(slice::from_ref(&orderly), &[]), []);
        let both = open(&[orderly, restarted.clone()], &[Restart, Drain]);
        assert_eq!(both, [LeftOpen::Unasked { restarts: 1 }, LeftOpen::InOrder]);
        // A worker that may drain as it likes, and ended without being asked to, has broken the promise.
        assert_eq!(open(&[by_itself], &[Drain]), []);
        // All were started again: none had to end.
        assert_eq!(open(&[restarted], &[Drain]), [LeftOpen::InOrder]);
    }

    #[test]
    fn a_worker_that_does_not_drain_is_judged_only_where_it_ended_by_itself() {
        let orderly = process(CONSUMER, ORDERLY);
        let by_itself = process(CONSUMER, BY_ITSELF);
        let leeway = [Leeway::Drain];
        assert_eq!(judged(&[orderly], &leeway, None), Err("not judged"));
        assert_eq!(judged(&[by_itself], &leeway, None), Ok(Outcome::Fail));
    }
}
