//! What the history of the wire has to say: what it found by itself, and what storage is to be held against.

use contract::{Seq, Stamp};

use super::inserts::Inserts;
use super::starvation::Disturbances;
use super::ways::Ways;
use super::{Finding, Traffic, Violation};

/// A message that was put into the poison queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenUp {
    pub(super) seq: Seq,
    pub(super) client: String,
    /// Which delivery of it was the last before; `None`: nobody saw one.
    pub(super) attempt: Option<u32>,
}

/// What a whole history has to say.
#[derive(Debug)]
pub struct Testimony {
    /// What was done.
    pub traffic: Traffic,
    /// The promises that were broken on the way.
    pub findings: Vec<Finding>,
    pub(super) inserts: Inserts,
    /// Requests that deleted a row.
    pub(super) removed_rows: u64,
    pub(super) ways: Ways,
    pub(super) given_up: Vec<GivenUp>,
    pub(super) disturbances: Disturbances,
    /// Messages that must still be in the queue.
    pub(super) inside: u64,
    /// How many of them workers have put there.
    pub(super) put_by_workers: u64,
}

impl Testimony {
    /// The broken promises that the history proves whatever storage holds, each with who did what: the reasons of a failure where
    /// storage cannot be read any more, since a worker has deleted it, say. Empty where there are none.
    ///
    /// Only what each request shows together with those before it: the history may be cut off at any point.
    pub fn proven(&self) -> Vec<String> {
        let proven = self.findings.iter().filter(|finding| {
            matches!(
                finding.violation,
                Violation::Meddled | Violation::Unsecured | Violation::Overwritten
            )
        });
        let told = proven.map(|finding| {
            let counted = finding.violation.counted(finding.count);
            match finding.witnesses.first() {
                Some(first) => format!("{counted}: {}: {}", first.subject, first.detail),
                None => counted,
            }
        });
        told.collect()
    }

    /// When storage answered that the row of `seq` is stored, by the wall clock.
    pub(super) fn answered(&self, seq: Seq) -> Option<Stamp> {
        self.inserts.answered(seq)
    }

    /// For how long the worker that stored the row of `seq` had its message in hand before, in microseconds.
    pub(super) fn in_hand_us(&self, seq: Seq) -> Option<i64> {
        self.inserts.in_hand_us(seq)
    }

    /// Which delivery of `seq` was the last before it was given up.
    pub(super) fn given_up_after(&self, seq: Seq) -> Option<u32> {
        let of_seq = self.given_up.iter().filter(|each| each.seq == seq);
        of_seq.filter_map(|each| each.attempt).max()
    }

    /// Whether a request that is not understood may have changed the table.
    pub(super) fn is_blurred(&self) -> bool {
        !self.traffic.strange.is_empty()
    }
}
