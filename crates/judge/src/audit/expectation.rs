//! Expected result of a run, computed from its id, its seed and the producer's summary, without storing each message.

use std::ops::RangeInclusive;
use std::sync::Arc;

use contract::workload::Description;
use contract::{Payloads, RunId, Seq, Stamp, StampSums};
use serde::{Deserialize, Serialize};

/// Most messages that one audit takes. At under one byte per message this is about 1 GiB; beyond it, audit run by run.
pub const MAX_MESSAGES: u64 = 1_000_000_000;

/// Expected result of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// The run.
    pub run: RunId,
    /// Number of messages in the plan.
    pub planned: u64,
    /// Number of messages that the producer began to send: sequence numbers `1..=begun`. Less than `planned` if it was stopped.
    pub begun: u64,
    /// Their payloads.
    pub payloads: Payloads,
    /// How the sends ended.
    pub sends: Sends,
    /// The sums of the acknowledged messages' time stamps, from the producer; without them, the stamps of rows are not
    /// compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp_sums: Option<StampSums>,
    /// Messages that must end in the poison queue.
    pub poison: ExpectedPoison,
    /// The description of its messages and rows.
    #[serde(skip, default = "Description::own")]
    pub description: Arc<Description>,
    /// Whether the table is the run's alone: then a row with the id of another run is a phantom; otherwise such a row is not
    /// judged.
    #[serde(default)]
    pub own_table: bool,
    /// Whether others use the queue, the poison queue and the table too: then messages that cannot be read, and rows that name
    /// no message, cannot be attributed to the run; and bodies without an id are not judged.
    #[serde(default)]
    pub shared_storage: bool,
    /// When the producer began, by its clock: in a shared table, a row that names no message and was stored long before this
    /// time belongs to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Stamp>,
    /// Whether the run ended by itself: its queue drained, or its deadline passed. Then messages that are still in the queue
    /// are violations; in a run that was cut off they are only unfinished.
    pub complete: bool,
}

impl Expectation {
    /// A run of `messages` messages that ended by itself: all begun and acknowledged, none poisonous.
    pub fn new(run: RunId, payloads: Payloads, messages: u64) -> Self {
        Self {
            run,
            planned: messages,
            begun: messages,
            payloads,
            sends: Sends::default(),
            stamp_sums: None,
            poison: ExpectedPoison::default(),
            description: Description::own(),
            own_table: false,
            shared_storage: false,
            begun_at: None,
            complete: true,
        }
    }
}

/// How the sends ended. Messages in neither list were acknowledged by storage.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sends {
    /// Sends without an answer: the message may be in the queue or not.
    #[serde(default)]
    pub unknown: Vec<RangeInclusive<u64>>,
    /// Sends that were refused or never left the producer: the message must not be in the queue.
    #[serde(default)]
    pub failed: Vec<RangeInclusive<u64>>,
    /// How many of the failed ones were never begun because the run was stopped, and not refused by storage.
    #[serde(default)]
    pub stopped: u64,
}

/// Messages that must end in the poison queue; no others may.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExpectedPoison {
    /// Messages with an id of the run. Numbers beyond `begun` are messages that a scenario put into the queue itself.
    #[serde(default)]
    pub seqs: Vec<RangeInclusive<u64>>,
    /// Number of bodies without an id of this run that were put into the queue.
    #[serde(default)]
    pub foreign: u64,
}

/// Contradiction in an expectation: an error of its author, not of the system under test.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectationError {
    /// More messages were begun than planned.
    #[error("{begun} messages begun, but only {planned} planned")]
    MoreThanPlanned {
        /// Messages begun.
        begun: u64,
        /// Messages planned.
        planned: u64,
    },
    /// More messages than an audit takes.
    #[error("{0} messages; one audit takes {MAX_MESSAGES}: split the run")]
    TooMany(u64),
    /// A range is reversed, starts at 0, or exceeds the messages begun.
    #[error("{list} has the range {from}..={to}; sequence numbers are 1..={last}")]
    Range {
        /// The list's name.
        list: &'static str,
        /// First number of the range.
        from: u64,
        /// Last number of the range.
        to: u64,
        /// The last number that exists.
        last: u64,
    },
    /// A send has two outcomes.
    #[error("send {0} is both unknown and failed")]
    TwoOutcomes(u64),
}

/// Outcome of one send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SendOutcome {
    /// Storage acknowledged the message.
    Acknowledged,
    /// Unknown.
    Unknown,
    /// Storage does not have the message.
    Failed,
    /// The producer did not send it: a scenario put it there, or its origin is unknown.
    None,
}

/// The expectation after its check, in a form for lookups by sequence number.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) unknown: Ranges,
    pub(super) failed: Ranges,
    pub(super) poison: Ranges,
    pub(super) begun: u64,
    /// The last sequence number that may exist.
    pub(super) last: u64,
}

impl Checked {
    pub(super) fn of(expectation: &Expectation) -> Result<Self, ExpectationError> {
        let (planned, begun) = (expectation.planned, expectation.begun);
        if begun > planned {
            return Err(ExpectationError::MoreThanPlanned { begun, planned });
        }
        let unknown = Ranges::of("sends.unknown", &expectation.sends.unknown, begun)?;
        let failed = Ranges::of("sends.failed", &expectation.sends.failed, begun)?;
        if let Some(seq) = unknown.first_shared(&failed) {
            return Err(ExpectationError::TwoOutcomes(seq));
        }
        let poison = Ranges::of("poison.seqs", &expectation.poison.seqs, MAX_MESSAGES)?;
        let last = begun.max(poison.last().unwrap_or(0));
        if last > MAX_MESSAGES {
            return Err(ExpectationError::TooMany(last));
        }
        Ok(Self {
            unknown,
            failed,
            poison,
            begun,
            last,
        })
    }

    pub(super) fn send_of(&self, seq: Seq) -> SendOutcome {
        if seq.get() > self.begun {
            SendOutcome::None
        } else if self.failed.contains(seq) {
            SendOutcome::Failed
        } else if self.unknown.contains(seq) {
            SendOutcome::Unknown
        } else {
            SendOutcome::Acknowledged
        }
    }
}

/// Sequence numbers as sorted ranges that do not touch. A lookup is a binary search, usually in an empty list.
#[derive(Debug, Default)]
pub(super) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    fn of(
        list: &'static str,
        ranges: &[RangeInclusive<u64>],
        highest: u64,
    ) -> Result<Self, ExpectationError> {
        let mut sorted: Vec<(u64, u64)> = ranges.iter().map(|r| (*r.start(), *r.end())).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::with_capacity(sorted.len());
        for (from, to) in sorted {
            if from == 0 || from > to || to > highest {
                return Err(ExpectationError::Range {
                    list,
                    from,
                    to,
                    last: highest,
                });
            }
            match merged.last_mut() {
                Some((_, end)) if from <= end.saturating_add(1) => *end = to.max(*end),
                _ => merged.push((from, to)),
            }
        }
        Ok(Self(merged))
    }

    pub(super) fn contains(&self, seq: Seq) -> bool {
        let at = self.0.partition_point(|(from, _)| *from <= seq.get());
        at > 0 && self.0[at - 1].1 >= seq.get()
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|(from, to)| to - from + 1).sum()
    }

    fn last(&self) -> Option<u64> {
        self.0.last().map(|(_, to)| *to)
    }

    fn first_shared(&self, other: &Self) -> Option<u64> {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some((a, b)), Some((c, d))) = (left.peek(), right.peek()) {
            if a.max(c) <= b.min(d) {
                return Some(*a.max(c));
            }
            // Ranges with a common end overlap.
            if b <= d {
                left.next();
            } else {
                right.next();
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expectation(unknown: &[RangeInclusive<u64>], failed: &[RangeInclusive<u64>]) -> Expectation {
        let payloads = Payloads {
            seed: 1,
            size: contract::PayloadSize::Sample,
        };
        Expectation {
            sends: Sends {
                unknown: unknown.to_vec(),
                failed: failed.to_vec(),
                stopped: 0,
            },
            ..Expectation::new("r".parse().unwrap(), payloads, 100)
        }
    }

    #[test]
    fn every_send_has_the_outcome_its_range_says() {
        let checked = Checked::of(&expectation(&[40..=50, 3..=3], &[51..=51, 4..=9, 8..=12]));
        let checked = checked.unwrap();
        for n in 1..=110 {
            let expected = match n {
                3 | 40..=50 => SendOutcome::Unknown,
                4..=12 | 51 => SendOutcome::Failed,
                101.. => SendOutcome::None,
                _ => SendOutcome::Acknowledged,
            };
            assert_eq!(checked.send_of(Seq::new(n).unwrap()), expected, "send {n}");
        }
    }

    #[test]
    fn senseless_expectations_are_refused() {
        let (five_to_three, zero, beyond) = (RangeInclusive::new(5, 3), 0..=1, 100..=101);
        for range in [five_to_three, zero, beyond] {
            let error = Checked::of(&expectation(&[], std::slice::from_ref(&range))).unwrap_err();
            assert!(matches!(error, ExpectationError::Range { .. }), "{range:?}");
        }
        // The last number is within the limit.
        assert!(Checked::of(&expectation(&[100..=100], &[])).is_ok());
        assert_eq!(
            Checked::of(&expectation(&[10..=20], &[1..=2, 15..=30])).unwrap_err(),
            ExpectationError::TwoOutcomes(15)
        );
        let more = Expectation {
            begun: 101,
            ..expectation(&[], &[])
        };
        assert!(matches!(
            Checked::of(&more).unwrap_err(),
            ExpectationError::MoreThanPlanned { .. }
        ));
    }

    #[test]
    fn ranges_that_overlap_or_follow_each_other_are_one() {
        let ranges = [5..=9, 1..=3, 8..=12, 4..=4, 20..=20];
        let merged = Ranges::of("sends.unknown", &ranges, 100).unwrap();
        assert_eq!(merged.0, [(1, 12), (20, 20)]);
        assert_eq!(merged.count(), 13);
    }

    #[test]
    fn the_first_send_with_two_outcomes_is_found_in_either_list() {
        for (unknown, failed, shared) in [
            (&[10..=20][..], &[1..=2, 15..=30][..], Some(15)),
            (&[1..=2, 15..=30], &[10..=20], Some(15)),
            (&[1..=2, 5..=5], &[3..=4, 5..=5], Some(5)),
            (&[1..=2, 7..=9], &[3..=6, 10..=11], None),
        ] {
            let found = Checked::of(&expectation(unknown, failed)).err();
            let expected = shared.map(ExpectationError::TwoOutcomes);
            assert_eq!(found, expected, "{unknown:?} {failed:?}");
        }
    }

    #[test]
    fn an_audit_takes_so_many_messages_and_no_more() {
        let of = |messages| {
            let begun = Expectation {
                planned: messages,
                begun: messages,
                ..expectation(&[], &[])
            };
            Checked::of(&begun).map(|checked| checked.last)
        };
        assert_eq!(of(MAX_MESSAGES), Ok(MAX_MESSAGES));
        let more = MAX_MESSAGES + 1;
        assert_eq!(of(more), Err(ExpectationError::TooMany(more)));
    }

    #[test]
    fn messages_of_a_scenario_may_lie_beyond_those_begun() {
        let beyond = Expectation {
            poison: ExpectedPoison {
                seqs: vec![105..=107, 3..=3],
                foreign: 0,
            },
            ..expectation(&[2..=3], &[8..=8])
        };
        let checked = Checked::of(&beyond).unwrap();
        assert_eq!((checked.begun, checked.last), (100, 107));
        let counts = [&checked.unknown, &checked.failed, &checked.poison].map(Ranges::count);
        assert_eq!(counts, [2, 1, 4]);
    }
}
