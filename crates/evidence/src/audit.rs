//! What an audit found. The outcome that follows from it is for a judge to say.

use std::fmt;

use contract::RunId;
use serde::{Deserialize, Serialize};

pub use crate::finding::{Finding, MAX_WITNESSES, Violation, Witness};
pub use crate::row_summary::RowSummary;
pub use crate::traffic::{AnswerTimes, ClientTraffic, QueueTraffic, StorageTime, Traffic};

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The run.
    pub run: RunId,
    /// Messages planned.
    pub planned: u64,
    /// Messages the producer began to send.
    pub begun: u64,
    /// Whether the run went to its end.
    pub complete: bool,
    /// What was not judged, since the description of the workload does not let it be known, or nothing saw what crossed the wire.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_judged: Vec<NotJudged>,
    /// What the description says that words about findings depend on; absent where the workload is the project's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Foreign>,
    /// How the sends ended.
    pub sends: SendCounts,
    /// Rows read, those of other runs not counted.
    pub rows: u64,
    /// Rows and bodies of other runs, which were not judged; in a queue that is shared, bodies without an id too.
    pub other_runs: u64,
    /// Messages in the queue that could not be looked at (leased).
    pub hidden: u64,
    /// Those of them in a queue that other runs use too which are none of the messages without a row: finished messages of this
    /// run that were not deleted, or messages of other runs.
    #[serde(default)]
    pub unattributed: u64,
    /// Rows of a table that others use too which name no message of any run, and were not there before it: of others, or made up by
    /// consumers of this run.
    #[serde(default)]
    pub unattributed_rows: u64,
    /// Rows of no message that name several: one row for many messages, which nobody can judge.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows_of_many: u64,
    /// Whether the queue was still being worked on when the evidence was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_work: Option<AtWork>,
    /// What became of the messages.
    pub fates: Fates,
    /// Bodies without an id of this run that are in the poison queue, each counted once.
    pub foreign_poison: u64,
    /// Messages put into the poison queue more than once: a consumer that dies between the put and its delete does
    /// that; at-least-once, no violation.
    pub poison_repeats: u64,
    /// Poison envelopes of which a part is missing or makes no sense.
    pub unreadable_poison: u64,
    /// How far the stamps of the rows could be compared with the producer's; absent where it gave no sums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamps: Option<StampBlocks>,
    /// Rows whose stamps are in the wrong order, which a wall clock explains that was set in mid-run.
    #[serde(default)]
    pub reversed: u64,
    /// Rows that workers deleted once they were stored.
    #[serde(default, skip_serializing_if = "Removals::is_none")]
    pub removals: Removals,
    /// The broken promises, the gravest first, but for rows that were deleted, where messages are lost by that; empty when there are none.
    pub findings: Vec<Finding>,
    /// What the history of the wire told; absent where there is none, and then the promises about the way are not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
}

/// Rows that workers deleted once they were stored, as the wire saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Removals {
    /// Requests that deleted one.
    pub rows: u64,
    /// Lost messages whose row was deleted: the deletion is the cause.
    pub lost: u64,
}

impl Removals {
    /// Whether there are none.
    pub const fn is_none(&self) -> bool {
        self.rows == 0 && self.lost == 0
    }
}

/// What the description of a workload that is not the project's own says, as far as words about findings depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// Whether rows may be updated (`row.written: updated`).
    pub updates: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// How the queue was still being worked on when the evidence was read: what was in it may have been finished since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtWork {
    /// So many messages were leased to a consumer.
    Leased(u64),
    /// The number of messages in it was still changing.
    Changing,
}

impl fmt::Display for AtWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leased(1) => {
                f.write_str("1 message in the queue was leased to a consumer when it was read")
            }
            Self::Leased(count) => {
                write!(
                    f,
                    "{count} messages in the queue were leased to consumers when it was read"
                )
            }
            Self::Changing => f.write_str(
                "the number of messages in the queue was still changing when it was read",
            ),
        }
    }
}

/// How the sends ended; sums to `begun`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SendCounts {
    /// Storage has them.
    pub acknowledged: u64,
    /// Nobody knows.
    pub unknown: u64,
    /// Storage does not have them.
    pub failed: u64,
}

/// What became of the messages. Every message that was begun, or that a scenario put into the queue under an id of the
/// run, is counted exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fates {
    /// Exactly one row, in its place, with the right content; its time stamps are judged by the block, not here.
    pub kept: u64,
    /// Bad messages in the poison queue, where they belong.
    pub set_aside: u64,
    /// The send failed, and nothing is there.
    pub not_sent: u64,
    /// The send's outcome is unknown, and nothing is there: never sent, or lost.
    pub undecidable: u64,
    /// Still in the queue.
    pub unfinished: u64,
    /// Gone.
    pub lost: u64,
    /// There, but not as promised: see the findings.
    pub spoiled: u64,
}

impl Fates {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.kept
            + self.set_aside
            + self.not_sent
            + self.undecidable
            + self.unfinished
            + self.lost
            + self.spoiled
    }
}

/// A promise that was not judged, since nothing lets it be known. It is neither kept nor broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotJudged {
    /// The violation that would break it.
    pub violation: Violation,
    /// Why it cannot be known, and what would let it be.
    pub why: String,
}

/// Blocks of messages whose stamps could be compared with the producer's, and could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StampBlocks {
    /// Every acknowledged message has exactly one sound row.
    pub judged: u64,
    /// Some row is absent, surplus or corrupted, and the sum cannot be complete.
    pub unjudged: u64,
    /// Rows of the blocks that were found restamped: at most so many are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suspected: u64,
}

impl Audit {
    /// How many violations of one kind there are.
    pub fn count(&self, violation: Violation) -> u64 {
        let of_kind = |finding: &&Finding| finding.violation == violation;
        self.findings
            .iter()
            .find(of_kind)
            .map_or(0, |finding| finding.count)
    }

    /// The promise that a violation of this kind breaks, in words that fit the workload.
    pub const fn promise(&self, violation: Violation) -> &'static str {
        match violation {
            Violation::Overwritten if self.updates() => "no row is deleted once it is stored",
            _ => violation.promise(),
        }
    }

    /// A finding in words that fit the workload, such as `3 rows misplaced`.
    pub fn counted(&self, finding: &Finding) -> String {
        let Finding {
            violation, count, ..
        } = finding;
        let s = if *count == 1 { "" } else { "s" };
        match violation {
            Violation::Overwritten if self.updates() || self.removals.rows == *count => {
                format!("{count} row{s} deleted once stored")
            }
            Violation::Overwritten if self.removals.rows > 0 => {
                let deleted = self.removals.rows;
                format!("{}, {deleted} of them deleted", violation.counted(*count))
            }
            Violation::Lost if self.removals.lost == *count => {
                let whose = if *count == 1 {
                    "its row was"
                } else {
                    "their rows were"
                };
                format!("{}, since {whose} deleted", violation.counted(*count))
            }
            Violation::Lost if self.removals.lost > 0 => {
                let lost = self.removals.lost;
                format!(
                    "{}, {lost} of them since the row was deleted",
                    violation.counted(*count)
                )
            }
            Violation::Restamped if self.suspected() > 0 => {
                let rows = self.suspected();
                let of_rows = if rows == 1 { "" } else { "s" };
                format!(
                    "up to {rows} row{of_rows}, in {count} block{s} of messages, with a srcStamp or sentStamp that did not come with \
                     them"
                )
            }
            _ => violation.counted(*count),
        }
    }

    /// At most so many rows are restamped; 0 where the log is of a harness that did not tell.
    pub fn suspected(&self) -> u64 {
        self.stamps.map_or(0, |stamps| stamps.suspected)
    }

    /// Whether rows may be updated.
    pub const fn updates(&self) -> bool {
        matches!(self.foreign, Some(Foreign { updates: true }))
    }
}
