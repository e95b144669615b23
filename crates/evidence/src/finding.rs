//! Violations, and the witnesses that prove them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::{Crossing, RowSummary};

/// Most witnesses of each kind of violation; further cases are only counted.
pub const MAX_WITNESSES: usize = 10;

/// A kind of broken promise. Kinds are not exclusive: one row can be misplaced and corrupted, and then counts for both.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Violation {
    /// An acknowledged message with no row, not in the queue and not in the poison queue. Counts messages.
    Lost,
    /// An additional row of a message, which may have only one. Counts the rows beyond the first.
    Duplicated,
    /// A row whose data or digest differ from those computed from seed and sequence number, that lacks a column, or whose
    /// stamps of one clock are in the wrong order. Counts rows.
    Corrupted,
    /// Two contents for one message: a right and a wrong row, or an insert that storage refused because the row had other
    /// content. Counts messages, and refused inserts.
    Conflicting,
    /// A message or row that was never sent: an id beyond the messages begun, a failed send that is there all the same, a row
    /// of no known message. Counts rows and bodies.
    Phantom,
    /// A row whose keys are not those of its message by the contract. Counts rows.
    Misplaced,
    /// Rows whose `srcStamp` or `sentStamp` is not the message's, so that their latencies are meaningless. Counts blocks of
    /// [`STAMP_BLOCK`](contract::STAMP_BLOCK) messages, each with at least one such row.
    Restamped,
    /// A row whose `dequeuedStamp`, `dateStamp`, `attempt` or `consumer` is not that of its delivery, or is unreadable, so that
    /// its latencies are meaningless; or a row whose `node` is not the consumer's node, if the platform knows that; or a message
    /// in the poison queue whose `attempt`, `consumer` or `poisonedStamp` is not that of its delivery. Counts rows and messages.
    Misreported,
    /// A good message that was given up to the poison queue. Counts messages.
    Poisoned,
    /// A bad message that was stored as a result, although it belongs in the poison queue. Counts messages.
    Accepted,
    /// A message without a row that is still in the queue at the end of a run that had enough time. Counts messages.
    Unfinished,
    /// A message that is still in the queue although it is stored or in the poison queue, at the end of a run that had enough
    /// time. Counts messages.
    Undeleted,
    /// A message that was deleted before storage had acknowledged its row or its poison message: at the next crash it would be
    /// lost, even if its row exists now. Counts messages.
    Unsecured,
    /// A row that was updated, upserted or deleted. Counts requests.
    Overwritten,
    /// A row, a delete or a receive that the wire has not seen, although the wire is the only way to storage: a consumer has
    /// bypassed it. Counts rows and messages.
    Unwitnessed,
    /// A request on something that is not the consumer's own: a message that another client has received, or that gets another
    /// body; the row of a message that nobody has received; a queue that is cleared or deleted; a table that is deleted; a queue or table of another run. Counts requests.
    Meddled,
    /// A consumer that repeats a request which storage has finally refused. Counts messages.
    Stubborn,
}

impl Violation {
    /// Every kind, the most serious first.
    pub const ALL: [Self; 17] = [
        Self::Lost,
        Self::Duplicated,
        Self::Corrupted,
        Self::Conflicting,
        Self::Phantom,
        Self::Misplaced,
        Self::Restamped,
        Self::Misreported,
        Self::Poisoned,
        Self::Accepted,
        Self::Unfinished,
        Self::Undeleted,
        Self::Unsecured,
        Self::Overwritten,
        Self::Unwitnessed,
        Self::Meddled,
        Self::Stubborn,
    ];

    /// The kind's serialised name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The kind in plain words, as they follow a number or "none", such as `deleted too early`.
    pub const fn plain(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Duplicated => "duplicated",
            Self::Corrupted => "corrupted",
            Self::Conflicting => "with two contents",
            Self::Phantom => "never sent",
            Self::Misplaced => "misplaced",
            Self::Restamped => "with other times",
            Self::Misreported => "misreported",
            Self::Poisoned => "given up",
            Self::Accepted => "bad but stored",
            Self::Unfinished => "unfinished",
            Self::Undeleted => "finished but not deleted",
            Self::Unsecured => "deleted too early",
            Self::Overwritten => "overwritten",
            Self::Unwitnessed => "not seen by the proxy",
            Self::Meddled => "touched without right",
            Self::Stubborn => "repeated after a refusal",
        }
    }

    /// Whether only a history of the wire can prove it.
    pub const fn needs_history(self) -> bool {
        matches!(
            self,
            Self::Misreported
                | Self::Unsecured
                | Self::Overwritten
                | Self::Unwitnessed
                | Self::Meddled
                | Self::Stubborn
        )
    }

    /// Whether a message with it may lack its one right row. A finished message that is left in the queue has this row.
    pub const fn is_of_rows(self) -> bool {
        !self.needs_history() && !matches!(self, Self::Undeleted)
    }

    /// Whether it means that something was not done in time: more time might have prevented it.
    pub const fn is_of_time(self) -> bool {
        matches!(self, Self::Unfinished | Self::Undeleted)
    }

    /// The promise that it breaks, in words.
    pub const fn promise(self) -> &'static str {
        match self {
            Self::Lost => "every acknowledged message is stored",
            Self::Duplicated => "no message is stored twice",
            Self::Corrupted => "every row holds what was sent",
            Self::Conflicting => "no message has two contents",
            Self::Phantom => "nothing is stored that was not sent",
            Self::Misplaced => "every row is at the keys of its message",
            Self::Restamped => "srcStamp and sentStamp are as they came",
            Self::Misreported => "rows and poison messages tell of their delivery as it was",
            Self::Poisoned => "no good message is given up",
            Self::Accepted => "bad messages go to the poison queue, not to the table",
            Self::Unfinished => "no message is left in the queue",
            Self::Undeleted => "finished messages are deleted from the queue",
            Self::Unsecured => "no message is deleted before its row is confirmed",
            Self::Overwritten => "rows are inserted, and never changed",
            Self::Unwitnessed => "all requests to storage go through the harness's proxy",
            Self::Meddled => "consumers touch only their own messages, queues and table",
            Self::Stubborn => "what storage refuses for good is not tried again",
        }
    }

    /// `count` cases in words, such as `3 rows misplaced`.
    pub fn counted(self, count: u64) -> String {
        let (one, many, what) = match self {
            Self::Lost => ("message", "messages", "lost"),
            Self::Duplicated => ("surplus row", "surplus rows", "of a message stored before"),
            Self::Corrupted => ("row", "rows", "corrupted"),
            Self::Conflicting => ("case", "cases", "of two contents for one message"),
            Self::Phantom => ("row or body", "rows or bodies", "that nobody sent"),
            Self::Misplaced => ("row", "rows", "misplaced"),
            Self::Restamped => (
                "block of messages",
                "blocks of messages",
                "with a srcStamp or sentStamp that did not come with them",
            ),
            Self::Misreported => (
                "row or poison message",
                "rows or poison messages",
                "with claims about another delivery",
            ),
            Self::Poisoned => ("good message", "good messages", "given up as poison"),
            Self::Accepted => ("bad message", "bad messages", "stored as a result"),
            Self::Unfinished => ("message", "messages", "left unfinished in the queue"),
            Self::Undeleted => ("finished message", "finished messages", "left in the queue"),
            Self::Unsecured => (
                "message",
                "messages",
                "deleted before the row was confirmed",
            ),
            Self::Overwritten => ("row", "rows", "changed after the insert, or without one"),
            Self::Unwitnessed => (
                "row or message",
                "rows or messages",
                "that the harness's proxy has not seen stored, received or deleted",
            ),
            Self::Meddled => (
                "request",
                "requests",
                "to a message, queue or table that is not the consumer's",
            ),
            Self::Stubborn => (
                "message",
                "messages",
                "with a request repeated that storage had refused for good",
            ),
        };
        format!("{count} {} {what}", if count == 1 { one } else { many })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One case of a violation, with details for a person to look it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The subject: a message id, or the keys of a row.
    pub subject: String,
    /// The problem, in a sentence.
    pub detail: String,
    /// The queue of its message, if the run has several and the history tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The row, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<RowSummary>,
    /// The first crossings that name the subject, if there is a history.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Crossing>,
}

impl Witness {
    /// Makes a witness without a row, and without crossings yet.
    pub fn new(subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            detail: detail.into(),
            queue: None,
            row: None,
            history: Vec::new(),
        }
    }

    /// The subject in words: with its queue, if the run has several.
    pub fn named(&self) -> String {
        match &self.queue {
            Some(queue) => format!("{} in queue {queue}", self.subject),
            None => self.subject.clone(),
        }
    }
}

/// All cases of one kind of violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The kind.
    pub violation: Violation,
    /// The number of cases.
    pub count: u64,
    /// The first witnesses, at most [`MAX_WITNESSES`].
    pub witnesses: Vec<Witness>,
}

impl Finding {
    /// Adds further cases of the same kind.
    pub fn merge(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        let room = MAX_WITNESSES.saturating_sub(self.witnesses.len());
        self.witnesses
            .extend(other.witnesses.into_iter().take(room));
    }

    /// In which queues the cases are, as far as the witnesses tell: `1 in q1, 2 in q2`. `None` if no witness names a queue, as in a
    /// run with one queue.
    pub fn in_queues(&self) -> Option<String> {
        let mut counts = BTreeMap::<&str, u64>::new();
        for queue in self.witnesses.iter().filter_map(|it| it.queue.as_deref()) {
            *counts.entry(queue).or_default() += 1;
        }
        let known: u64 = counts.values().sum();
        let told = match counts.iter().collect::<Vec<_>>()[..] {
            [] => return None,
            [(queue, count)] if *count == self.count => return Some(format!("in {queue}")),
            ref several => several
                .iter()
                .map(|(queue, count)| format!("{count} in {queue}"))
                .collect::<Vec<_>>()
                .join(", "),
        };
        Some(if known < self.count {
            format!("of the {known} that are known: {told}")
        } else {
            told
        })
    }

    /// How many cases have no witness here.
    pub fn omitted(&self) -> u64 {
        self.count.saturating_sub(self.witnesses.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_in_which_queues_its_cases_are_as_far_as_that_is_known() {
        let told = |queues: &[Option<&str>], count| {
            let witness = |queue: Option<&str>| Witness {
                queue: queue.map(str::to_owned),
                ..Witness::new("r-1", "")
            };
            let finding = Finding {
                violation: Violation::Lost,
                count,
                witnesses: queues.iter().copied().map(witness).collect(),
            };
            finding.in_queues()
        };
        assert_eq!(told(&[None, None], 2), None, "one queue only");
        let (one, two) = (Some("q1"), Some("q2"));
        assert_eq!(told(&[two, two], 2).as_deref(), Some("in q2"));
        assert_eq!(
            told(&[two, one, two], 3).as_deref(),
            Some("1 in q1, 2 in q2")
        );
        let known = "of the 2 that are known: 2 in q2";
        assert_eq!(told(&[two, two], 9).as_deref(), Some(known));
        assert_eq!(told(&[two, None, two], 3).as_deref(), Some(known));
    }

    #[test]
    fn a_witness_of_a_run_with_several_queues_is_named_with_its_own() {
        let mut witness = Witness::new("r-1", "lost");
        assert_eq!(witness.named(), "r-1");
        witness.queue = Some("q2".to_owned());
        assert_eq!(witness.named(), "r-1 in queue q2");
    }
}
