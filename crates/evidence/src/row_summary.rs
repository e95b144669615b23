//! A summary of a row that is fit to show.

use contract::{Digest, Stamp, StoredRow};
use serde::{Deserialize, Serialize};

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
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        None => text.to_owned(),
        Some((cut, _)) => format!("{}… ({} bytes)", &text[..cut], text.len()),
    }
}
