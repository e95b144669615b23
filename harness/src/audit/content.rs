//! What is wrong with a row's content, and a summary of it that is fit to show.

use std::fmt;

use serde::{Deserialize, Serialize};
use workflow::contract::{Digest, Payloads, Seq, Stamp, StoredRow};

use super::Layout;

/// One thing wrong with the content of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// `data` is not the payload that was sent.
    WrongData {
        /// The first byte, from 0, in which they differ.
        at: usize,
        /// Bytes stored.
        stored: usize,
        /// Bytes sent.
        sent: usize,
    },
    /// `digest` is not that of the payload that was sent.
    WrongDigest,
    /// The column is absent, of another type, or cannot be read.
    Missing(&'static str),
    /// The first stamp is later than the second, and one process wrote both.
    Reversed(&'static str, &'static str),
    /// `attempt` is 0; deliveries count from 1.
    AttemptZero,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongData { at, stored, sent } => write!(
                f,
                "`data` is not what was sent: differs from byte {at} on, {stored} bytes stored, {sent} sent"
            ),
            Self::WrongDigest => f.write_str("`digest` is not that of what was sent"),
            Self::Missing(column) => write!(f, "`{column}` is missing or malformed"),
            Self::Reversed(first, second) => {
                write!(
                    f,
                    "`{first}` is later than `{second}`, and one clock gave both"
                )
            }
            Self::AttemptZero => f.write_str("`attempt` is 0, deliveries count from 1"),
        }
    }
}

/// Recomputes what should be in a row, in one buffer for all rows.
#[derive(Debug)]
pub(super) struct Content {
    payloads: Payloads,
    layout: Layout,
    expected: String,
}

impl Content {
    pub(super) fn of(payloads: Payloads, layout: Layout) -> Self {
        Self {
            payloads,
            layout,
            expected: String::new(),
        }
    }

    /// Everything wrong with the content of `row` as that of message `seq`. Allocates only when something is.
    pub(super) fn flaws(&mut self, seq: Seq, row: &StoredRow) -> Vec<Flaw> {
        self.payloads.write_payload(seq, &mut self.expected);
        let mut flaws = Vec::new();
        match &row.data {
            None => flaws.push(Flaw::Missing("data")),
            Some(data) if *data != self.expected => flaws.push(difference(data, &self.expected)),
            Some(_) => {}
        }
        match row.digest {
            None if self.layout == Layout::PayloadOnly => {}
            None => flaws.push(Flaw::Missing("digest")),
            Some(digest) if digest != Digest::of(&self.expected) => flaws.push(Flaw::WrongDigest),
            Some(_) => {}
        }
        for (column, present) in [
            ("srcStamp", row.src_stamp.is_some()),
            ("sentStamp", row.sent_stamp.is_some()),
            ("dequeuedStamp", row.dequeued_stamp.is_some()),
            ("dateStamp", row.date_stamp.is_some()),
            ("attempt", row.attempt.is_some()),
            ("consumer", row.consumer.is_some()),
            ("node", row.node.is_some()),
        ] {
            if !present && self.layout == Layout::Contract {
                flaws.push(Flaw::Missing(column));
            }
        }
        for (first, second, columns) in [
            (row.src_stamp, row.sent_stamp, ("srcStamp", "sentStamp")),
            (
                row.dequeued_stamp,
                row.date_stamp,
                ("dequeuedStamp", "dateStamp"),
            ),
        ] {
            // An absent stamp is a flaw of its own.
            if first
                .zip(second)
                .is_some_and(|(first, second)| first > second)
            {
                flaws.push(Flaw::Reversed(columns.0, columns.1));
            }
        }
        if row.attempt == Some(0) {
            flaws.push(Flaw::AttemptZero);
        }
        flaws
    }

    /// The message whose payload `row` holds, whatever its keys are.
    pub(super) fn seq_of(&self, row: &StoredRow) -> Option<Seq> {
        self.payloads.seq_of(row.data.as_deref()?)
    }
}

fn difference(stored: &str, sent: &str) -> Flaw {
    let pairs = stored.bytes().zip(sent.bytes());
    Flaw::WrongData {
        at: pairs.take_while(|(a, b)| a == b).count(),
        stored: stored.len(),
        sent: sent.len(),
    }
}

/// Most characters of a stored text that a summary quotes.
const MAX_QUOTED: usize = 80;

/// A row as a witness shows it: whole but for its payload, which is cut and says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowSummary {
    /// As stored.
    #[serde(rename = "PartitionKey")]
    pub partition_key: String,
    /// As stored.
    #[serde(rename = "RowKey")]
    pub row_key: String,
    /// The payload, cut.
    pub data: Option<String>,
    /// The payload's column, where it is not `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_column: Option<String>,
    /// The intended send time.
    pub src_stamp: Option<Stamp>,
    /// When the send began.
    pub sent_stamp: Option<Stamp>,
    /// When the message was received.
    pub dequeued_stamp: Option<Stamp>,
    /// When the work was done.
    pub date_stamp: Option<Stamp>,
    /// Which delivery.
    pub attempt: Option<u32>,
    /// Who.
    pub consumer: Option<String>,
    /// Where.
    pub node: Option<String>,
    /// The digest.
    pub digest: Option<Digest>,
}

impl RowSummary {
    /// The summary of `row`.
    pub fn of(row: &StoredRow) -> Self {
        Self {
            partition_key: quoted(&row.partition_key),
            row_key: quoted(&row.row_key),
            data: row.data.as_deref().map(quoted),
            data_column: None,
            src_stamp: row.src_stamp,
            sent_stamp: row.sent_stamp,
            dequeued_stamp: row.dequeued_stamp,
            date_stamp: row.date_stamp,
            attempt: row.attempt,
            consumer: row.consumer.as_deref().map(quoted),
            node: row.node.as_deref().map(quoted),
            digest: row.digest,
        }
    }

    /// Column names and values as text, in the order of the contract; an absent column is `None`.
    pub fn columns(&self) -> [(&str, Option<String>); 11] {
        let text = |stamp: Option<Stamp>| stamp.map(|stamp| stamp.to_string());
        [
            ("PartitionKey", Some(self.partition_key.clone())),
            ("RowKey", Some(self.row_key.clone())),
            (
                self.data_column.as_deref().unwrap_or("data"),
                self.data.clone(),
            ),
            ("digest", self.digest.map(|digest| digest.to_string())),
            ("srcStamp", text(self.src_stamp)),
            ("sentStamp", text(self.sent_stamp)),
            ("dequeuedStamp", text(self.dequeued_stamp)),
            ("dateStamp", text(self.date_stamp)),
            ("attempt", self.attempt.map(|attempt| attempt.to_string())),
            ("consumer", self.consumer.clone()),
            ("node", self.node.clone()),
        ]
    }
}

/// `text`, cut where it is long, with its true length.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        None => text.to_owned(),
        Some((cut, _)) => format!("{}… ({} bytes)", &text[..cut], text.len()),
    }
}
