//! Summary of a row for display.

use contract::workload::{Lens, Name};
use contract::{Digest, Stamp, StoredRow};
use serde::{Deserialize, Serialize};

/// Most characters of a stored text in a summary.
const MAX_QUOTED: usize = 80;

/// A row as a witness shows it: complete, except that a long payload is cut and marked as cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowSummary {
    /// The stored key.
    #[serde(rename = "PartitionKey")]
    pub partition_key: String,
    /// The stored key.
    #[serde(rename = "RowKey")]
    pub row_key: String,
    /// The payload, cut.
    pub data: Option<String>,
    /// The intended send time.
    pub src_stamp: Option<Stamp>,
    /// When the send began.
    pub sent_stamp: Option<Stamp>,
    /// When the message was received.
    pub dequeued_stamp: Option<Stamp>,
    /// When the work was done.
    pub date_stamp: Option<Stamp>,
    /// The number of the delivery.
    pub attempt: Option<u32>,
    /// The consumer's name.
    pub consumer: Option<String>,
    /// The consumer's node.
    pub node: Option<String>,
    /// The digest.
    pub digest: Option<Digest>,
    /// Every column of the description except the keys, under its own name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub described: Vec<(String, Option<String>)>,
}

impl RowSummary {
    /// Makes the summary of `row`.
    pub fn of(row: &StoredRow) -> Self {
        Self {
            partition_key: quoted(&row.partition_key),
            row_key: quoted(&row.row_key),
            data: row.data.as_deref().map(quoted),
            src_stamp: row.src_stamp,
            sent_stamp: row.sent_stamp,
            dequeued_stamp: row.dequeued_stamp,
            date_stamp: row.date_stamp,
            attempt: row.attempt,
            consumer: row.consumer.as_deref().map(quoted),
            node: row.node.as_deref().map(quoted),
            digest: row.digest,
            described: Vec::new(),
        }
    }

    /// Makes the summary of `row` with the columns of a description only, under their names.
    pub fn through(lens: &Lens, row: &StoredRow) -> Self {
        let mut summary = Self::of(row);
        let values = summary.values();
        let named = values.into_iter().filter_map(|(name, value)| {
            let described = lens.described(name)?;
            Some((described.column.clone(), value))
        });
        let further = lens.further().iter().zip(&row.further);
        let further =
            further.map(|(column, value)| (column.name.clone(), value.as_deref().map(quoted)));
        summary.described = named.chain(further).collect();
        summary
    }

    fn values(&self) -> [(Name, Option<String>); 9] {
        let text = |stamp: Option<Stamp>| stamp.map(|stamp| stamp.to_string());
        [
            (Name::Payload(1), self.data.clone()),
            (Name::Digest, self.digest.map(|digest| digest.to_string())),
            (Name::Intended, text(self.src_stamp)),
            (Name::Sent, text(self.sent_stamp)),
            (Name::Received, text(self.dequeued_stamp)),
            (Name::Done, text(self.date_stamp)),
            (
                Name::Attempt,
                self.attempt.map(|attempt| attempt.to_string()),
            ),
            (Name::Worker, self.consumer.clone()),
            (Name::Node, self.node.clone()),
        ]
    }

    /// Column names and values as text, in the order of the contract; a missing column is `None`.
    pub fn columns(&self) -> Vec<(&str, Option<String>)> {
        const OWN: [&str; 9] = [
            "data",
            "digest",
            "srcStamp",
            "sentStamp",
            "dequeuedStamp",
            "dateStamp",
            "attempt",
            "consumer",
            "node",
        ];
        let keys = [
            ("PartitionKey", Some(self.partition_key.clone())),
            ("RowKey", Some(self.row_key.clone())),
        ];
        let described = self.described.iter();
        let described = described.map(|(name, value)| (name.as_str(), value.clone()));
        let own = OWN
            .into_iter()
            .zip(self.values())
            .map(|(name, (_, value))| (name, value));
        // A log of an earlier version has no such columns.
        let own = own.filter(|_| self.described.is_empty());
        keys.into_iter().chain(described).chain(own).collect()
    }
}

/// `text`, cut with its full length if it is long.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        None => text.to_owned(),
        Some((cut, _)) => format!("{}… ({} bytes)", &text[..cut], text.len()),
    }
}
