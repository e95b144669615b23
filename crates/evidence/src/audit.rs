//! Results of an audit. A judge decides which outcome follows from them.

use std::fmt;

use contract::RunId;
use serde::{Deserialize, Serialize};

pub use crate::finding::{Finding, MAX_WITNESSES, Violation, Witness};
pub use crate::row_summary::RowSummary;
pub use crate::storage_names::StorageNames;
pub use crate::traffic::{AnswerTimes, ClientTraffic, QueueTraffic, StorageTime, Traffic};

/// Results of an audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The run.
    pub run: RunId,
    /// Messages planned.
    pub planned: u64,
    /// Messages the producer began to send.
    pub begun: u64,
    /// Whether the run ended by itself.
    pub complete: bool,
    /// Promises that were not judged, because of the workload's description or because there was no wire.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_judged: Vec<NotJudged>,
    /// The part of the description that texts about findings depend on; absent if the workload is the project's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Foreign>,
    /// Counts of the sends by outcome.
    pub sends: SendCounts,
    /// Rows read, without those of other runs.
    pub rows: u64,
    /// Rows and bodies of other runs, which were not judged; in a shared queue also bodies without an id.
    pub other_runs: u64,
    /// Messages in the queue that could not be read, because they are leased.
    pub hidden: u64,
    /// In a queue that other runs use too: the part of `hidden` that cannot be messages without a row. They are finished
    /// messages of this run that were not deleted, or messages of other runs.
    #[serde(default)]
    pub unattributed: u64,
    /// In a table that others use too: rows that name no message of any run and did not exist before this run. They are of
    /// others, or were invented by consumers of this run.
    #[serde(default)]
    pub unattributed_rows: u64,
    /// Rows that name several messages: one row for many messages cannot be judged.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows_of_many: u64,
    /// Rows that name no message, and that the wire has seen a consumer write; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub further_rows: Option<FurtherRows>,
    /// Whether consumers still worked on the queue when the evidence was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_work: Option<AtWork>,
    /// Counts of the messages by their fate.
    pub fates: Fates,
    /// Bodies without an id of this run in the poison queue, each counted once.
    pub foreign_poison: u64,
    /// Messages put into the poison queue more than once. A consumer that dies between the put and the delete causes this; with
    /// at-least-once delivery it is no violation.
    pub poison_repeats: u64,
    /// Poison messages of which a part is missing or invalid.
    pub unreadable_poison: u64,
    /// How many stamps of the rows could be compared with the producer's; absent if the producer gave no sums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamps: Option<StampBlocks>,
    /// Rows with stamps in the wrong order, which a change of the wall clock during the run explains.
    #[serde(default)]
    pub reversed: u64,
    /// Rows that workers deleted after they were stored.
    #[serde(default, skip_serializing_if = "Removals::is_none")]
    pub removals: Removals,
    /// The violations, the most serious kind first, except that deleted rows come first if messages are lost because of them;
    /// empty if there are none.
    pub findings: Vec<Finding>,
    /// Statistics of the wire's history; absent without a wire, and then the promises that need it are not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
}

/// Rows that workers deleted after they were stored, as seen on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Removals {
    /// Requests that deleted a row.
    pub rows: u64,
    /// Lost messages whose row was deleted: the deletion is the cause.
    pub lost: u64,
}

impl Removals {
    /// Whether no row was deleted.
    pub const fn is_none(&self) -> bool {
        self.rows == 0 && self.lost == 0
    }
}

/// Rows that name no message, and that the wire has seen a consumer write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FurtherRows {
    /// Number of rows.
    pub rows: u64,
    /// The consumer that wrote one of them.
    pub client: String,
}

/// The part of the description, of a workload that is not the project's own, that texts about findings depend on.
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

/// How consumers still worked on the queue when the evidence was read: messages in the queue may have been finished since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtWork {
    /// This many messages were leased to a consumer.
    Leased(u64),
    /// The number of messages in the queue was still changing.
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

/// Counts of the sends by outcome; their sum is `begun`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SendCounts {
    /// Storage acknowledged them.
    pub acknowledged: u64,
    /// The outcome is unknown.
    pub unknown: u64,
    /// Storage does not have them.
    pub failed: u64,
    /// How many of the failed ones were never begun because the run was stopped; storage did not take the others.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stopped: u64,
}

/// Counts of the messages by their fate. Every message that was begun, or that a scenario put into the queue with an id of the
/// run, counts exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fates {
    /// Exactly one row, at its keys, with the right content; time stamps are judged by the block, not here.
    pub kept: u64,
    /// Bad messages in the poison queue, as expected.
    pub set_aside: u64,
    /// The send failed, and the message left no trace.
    pub not_sent: u64,
    /// The outcome of the send is unknown, and the message left no trace: never sent, or lost.
    pub undecidable: u64,
    /// Still in the queue.
    pub unfinished: u64,
    /// Acknowledged, and without any trace.
    pub lost: u64,
    /// Present, but with a violation: see the findings.
    pub spoiled: u64,
}

impl Fates {
    /// The sum of all counts.
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

/// A promise that was not judged, because its violation could not be seen. It is neither kept nor broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotJudged {
    /// The kind of violation that would break it.
    pub violation: Violation,
    /// Why it cannot be judged, and what would make that possible.
    pub why: String,
}

/// Counts of the blocks of messages whose stamps could, or could not, be compared with the producer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StampBlocks {
    /// Blocks in which every acknowledged message has exactly one sound row.
    pub judged: u64,
    /// Blocks with a missing, additional or corrupted row, so that their sum is not comparable.
    pub unjudged: u64,
    /// Rows of the blocks that were found restamped: an upper bound of the restamped rows.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suspected: u64,
}

impl Audit {
    /// The number of violations of one kind.
    pub fn count(&self, violation: Violation) -> u64 {
        let of_kind = |finding: &&Finding| finding.violation == violation;
        self.findings
            .iter()
            .find(of_kind)
            .map_or(0, |finding| finding.count)
    }

    /// The promise that a violation of this kind breaks, worded for the workload.
    pub const fn promise(&self, violation: Violation) -> &'static str {
        match violation {
            // Columns have other names there.
            Violation::Restamped if self.foreign.is_some() => {
                "the time intended and the time of sending are as they came"
            }
            Violation::Overwritten if self.updates() => "no row is deleted once it is stored",
            _ => violation.promise(),
        }
    }

    /// A finding worded for the workload, such as `3 rows misplaced`.
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
                let stamps = self.stamps_in_words();
                format!(
                    "up to {rows} row{of_rows}, in {count} block{s} of messages, with {stamps} that did not come with them"
                )
            }
            Violation::Restamped if self.foreign.is_some() => {
                let stamps = self.stamps_in_words();
                format!("{count} block{s} of messages with {stamps} that did not come with them")
            }
            _ => violation.counted(*count),
        }
    }

    /// The stamps of a message: by the names of the project's own columns, or in words for other workloads.
    const fn stamps_in_words(&self) -> &'static str {
        if self.foreign.is_some() {
            "a time intended or a time of sending"
        } else {
            "a srcStamp or sentStamp"
        }
    }

    /// Upper bound of the restamped rows; 0 if the log is of a harness that did not record it.
    pub fn suspected(&self) -> u64 {
        self.stamps.map_or(0, |stamps| stamps.suspected)
    }

    /// Whether rows may be updated.
    pub const fn updates(&self) -> bool {
        matches!(self.foreign, Some(Foreign { updates: true }))
    }
}
