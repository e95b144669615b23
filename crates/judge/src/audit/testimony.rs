//! Results of the wire's history: its own findings, and facts with which storage is compared.

use contract::{Seq, Stamp};

use super::inserts::Inserts;
use super::nameless::Nameless;
use super::starvation::Disturbances;
use super::ways::Ways;
use super::{Finding, Traffic, Violation};

/// A message that was put into the poison queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenUp {
    pub(super) seq: Seq,
    pub(super) client: String,
    /// The last delivery before it was given up; `None`: none was seen.
    pub(super) attempt: Option<u32>,
}

/// Results of a whole history.
#[derive(Debug)]
pub struct Testimony {
    /// Statistics of the requests.
    pub traffic: Traffic,
    /// The violations in the history.
    pub findings: Vec<Finding>,
    pub(super) inserts: Inserts,
    /// Number of requests that deleted a row.
    pub(super) removed_rows: u64,
    pub(super) ways: Ways,
    pub(super) nameless: Nameless,
    pub(super) given_up: Vec<GivenUp>,
    pub(super) disturbances: Disturbances,
    /// The largest single change back of the wall clock, in microseconds.
    pub(super) clock_back_us: i64,
    /// Number of messages that must still be in the queue.
    pub(super) inside: u64,
    /// How many of these messages workers have put there.
    pub(super) put_by_workers: u64,
}

impl Testimony {
    /// The violations that the history proves whatever storage holds, each with the client and its request. They are the
    /// reasons of a failure if storage cannot be read any more, for example because a worker has deleted it. Empty if there are
    /// none.
    ///
    /// Uses only what each request shows together with earlier ones, because the history may break off at any point.
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

    /// When storage acknowledged the row of `seq`, by the wall clock.
    pub(super) fn answered(&self, seq: Seq) -> Option<Stamp> {
        self.inserts.answered(seq)
    }

    /// How long the worker that stored the row of `seq` had its message in hand before, in microseconds.
    pub(super) fn in_hand_us(&self, seq: Seq) -> Option<i64> {
        self.inserts.in_hand_us(seq)
    }

    /// The last delivery of `seq` before it was given up.
    pub(super) fn given_up_after(&self, seq: Seq) -> Option<u32> {
        let of_seq = self.given_up.iter().filter(|each| each.seq == seq);
        of_seq.filter_map(|each| each.attempt).max()
    }

    /// Whether a request that is not understood may have changed the table.
    pub(super) fn is_blurred(&self) -> bool {
        !self.traffic.strange.is_empty()
    }
}
