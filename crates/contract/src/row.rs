//! The result row: as a consumer stores it, and as an auditor reads it.

use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::workload::{Format, time_text};
use super::{Digest, Message, MessageId, Stamp};

/// The row of one finished message. Its time stamps give the latency of every hop.
///
/// `RowKey` is the message id and `PartitionKey` a bucket of it within the run: a second delivery cannot make a second row, the
/// load is spread over partitions, and one run can be read alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultRow {
    /// `<run>.<bucket>`.
    #[serde(rename = "PartitionKey")]
    pub partition_key: String,
    /// The message id.
    #[serde(rename = "RowKey")]
    pub row_key: String,
    /// The payload (`msg`).
    pub data: String,
    /// The intended send time.
    #[serde(rename = "srcStamp")]
    pub src_stamp: Stamp,
    /// When the send began.
    #[serde(rename = "sentStamp")]
    pub sent_stamp: Stamp,
    /// When this consumer received the message.
    #[serde(rename = "dequeuedStamp")]
    pub dequeued_stamp: Stamp,
    /// When the work was done and the request to store this row began.
    #[serde(rename = "dateStamp")]
    pub date_stamp: Stamp,
    /// The number of the message's delivery, from 1. An `Edm.Int32`: the service counts deliveries in 32 bits, and an
    /// `Edm.Int64` would be sent as text.
    #[serde(serialize_with = "as_int32")]
    pub attempt: u32,
    /// The consumer's name.
    pub consumer: String,
    /// The consumer's node.
    pub node: String,
    /// The digest of the payload, as computed by the consumer.
    pub digest: Digest,
}

impl ResultRow {
    /// Makes the row of `message`, finished now.
    pub fn of(
        message: Message,
        dequeued_stamp: Stamp,
        attempt: u32,
        consumer: &str,
        node: &str,
    ) -> Self {
        Self {
            partition_key: message.id.partition_key(),
            row_key: message.id.row_key(),
            data: message.msg,
            src_stamp: message.src_stamp,
            sent_stamp: message.sent_stamp,
            dequeued_stamp,
            date_stamp: Stamp::now(),
            attempt,
            consumer: consumer.to_owned(),
            node: node.to_owned(),
            digest: message.digest,
        }
    }

    /// The id of this row's message.
    pub fn message_id(&self) -> Option<MessageId> {
        self.row_key.parse().ok()
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
fn as_int32<S: Serializer>(attempt: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i32(i32::try_from(*attempt).unwrap_or(i32::MAX))
}

/// A row as an auditor reads it, whatever a consumer wrote: a column that is missing or of another type is `None`. Only the
/// keys always exist.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct StoredRow {
    /// The stored key.
    #[serde(rename = "PartitionKey")]
    pub partition_key: String,
    /// The stored key.
    #[serde(rename = "RowKey")]
    pub row_key: String,
    /// The payload.
    #[serde(default, deserialize_with = "lenient")]
    pub data: Option<String>,
    /// The intended send time.
    #[serde(default, rename = "srcStamp", deserialize_with = "lenient_parsed")]
    pub src_stamp: Option<Stamp>,
    /// When the send began.
    #[serde(default, rename = "sentStamp", deserialize_with = "lenient_parsed")]
    pub sent_stamp: Option<Stamp>,
    /// When the message was received.
    #[serde(default, rename = "dequeuedStamp", deserialize_with = "lenient_parsed")]
    pub dequeued_stamp: Option<Stamp>,
    /// When the work was done.
    #[serde(default, rename = "dateStamp", deserialize_with = "lenient_parsed")]
    pub date_stamp: Option<Stamp>,
    /// When the table service wrote it, by the service's clock. With Azurite only the milliseconds are true; further digits
    /// only make values differ.
    #[serde(default, rename = "Timestamp", deserialize_with = "lenient_rfc3339")]
    pub timestamp: Option<Stamp>,
    /// The number of the delivery.
    #[serde(default, deserialize_with = "lenient_count")]
    pub attempt: Option<u32>,
    /// The consumer's name.
    #[serde(default, deserialize_with = "lenient")]
    pub consumer: Option<String>,
    /// The consumer's node.
    #[serde(default, deserialize_with = "lenient")]
    pub node: Option<String>,
    /// The digest.
    #[serde(default, deserialize_with = "lenient_parsed")]
    pub digest: Option<Digest>,
    /// Additional columns of a description, in its order ([`Lens::further`](crate::workload::Lens::further)).
    #[serde(skip)]
    pub further: Vec<Option<String>>,
    /// Columns of a description that are there, with a value that cannot be read as what they should hold: the name and the value.
    #[serde(skip)]
    pub unread: Vec<(String, String)>,
}

impl StoredRow {
    /// The row as an entity of the contract's table.
    pub fn entity(&self) -> Map<String, Value> {
        let stamp = |stamp: Option<Stamp>| stamp.map(|stamp| stamp.to_string());
        let service = |stamp| time_text(stamp, Format::Rfc3339);
        let texts = [
            ("PartitionKey", Some(self.partition_key.clone())),
            ("RowKey", Some(self.row_key.clone())),
            ("data", self.data.clone()),
            ("srcStamp", stamp(self.src_stamp)),
            ("sentStamp", stamp(self.sent_stamp)),
            ("dequeuedStamp", stamp(self.dequeued_stamp)),
            ("dateStamp", stamp(self.date_stamp)),
            ("Timestamp", self.timestamp.map(service)),
            ("consumer", self.consumer.clone()),
            ("node", self.node.clone()),
            ("digest", self.digest.map(|digest| digest.to_string())),
        ];
        let texts = texts.into_iter();
        let texts = texts.filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
        let attempt = self
            .attempt
            .map(|attempt| ("attempt".to_owned(), attempt.into()));
        texts.chain(attempt).collect()
    }
}

impl From<ResultRow> for StoredRow {
    fn from(row: ResultRow) -> Self {
        Self {
            partition_key: row.partition_key,
            row_key: row.row_key,
            data: Some(row.data),
            src_stamp: Some(row.src_stamp),
            sent_stamp: Some(row.sent_stamp),
            dequeued_stamp: Some(row.dequeued_stamp),
            date_stamp: Some(row.date_stamp),
            timestamp: None,
            attempt: Some(row.attempt),
            consumer: Some(row.consumer),
            node: Some(row.node),
            digest: Some(row.digest),
            further: Vec::new(),
            unread: Vec::new(),
        }
    }
}

/// A JSON scalar of any type; tables have no other values.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Count(u32),
    Other(serde::de::IgnoredAny),
}

fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Scalar::deserialize(deserializer)? {
        Scalar::Text(text) => Some(text),
        Scalar::Count(_) | Scalar::Other(_) => None,
    })
}

fn lenient_parsed<'de, D: Deserializer<'de>, T: std::str::FromStr>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(lenient(deserializer)?.and_then(|text| text.parse().ok()))
}

/// Parses the service's own time format.
fn lenient_rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Stamp>, D::Error> {
    let time = |text: String| OffsetDateTime::parse(&text, &Rfc3339).ok();
    Ok(lenient(deserializer)?
        .and_then(time)
        .map(|time| SystemTime::from(time).into()))
}

fn lenient_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    Ok(match Scalar::deserialize(deserializer)? {
        Scalar::Count(count) => Some(count),
        // Another worker may store an Edm.Int64, which is sent as text (OData JSON).
        Scalar::Text(text) => text.parse().ok(),
        Scalar::Other(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> ResultRow {
        let at = Stamp::from_micros(1_795_439_655_678_901);
        let message = Message::new("r1-33".parse().unwrap(), "payload".into(), at, at);
        ResultRow::of(message, at, 2, "consumer-1", "node-1")
    }

    #[test]
    fn keys_come_from_the_message_id_alone() {
        let row = row();
        assert_eq!(
            (row.partition_key.as_str(), row.row_key.as_str()),
            ("r1.01", "r1-33")
        );
        assert_eq!(row.message_id(), "r1-33".parse().ok());
    }

    #[test]
    fn a_stored_row_is_read_back_whole() {
        let json = serde_json::to_string(&row()).unwrap();
        let stored: StoredRow = serde_json::from_str(&json).unwrap();
        let expected = row();
        assert_eq!(
            stored,
            StoredRow {
                date_stamp: stored.date_stamp,
                ..expected.into()
            }
        );
        assert!(stored.date_stamp.is_some());
    }

    #[test]
    fn an_attempt_is_read_as_a_number_and_as_the_text_of_an_int64() {
        for attempt in ["2", "\"2\""] {
            let json = format!(r#"{{"PartitionKey":"p","RowKey":"r","attempt":{attempt}}}"#);
            let stored: StoredRow = serde_json::from_str(&json).unwrap();
            assert_eq!(stored.attempt, Some(2), "{json}");
        }
    }

    #[test]
    fn the_time_of_the_service_is_read_to_the_microsecond_or_not_at_all() {
        let read = |text: &str| {
            let json = format!(r#"{{"PartitionKey":"p","RowKey":"r","Timestamp":"{text}"}}"#);
            serde_json::from_str::<StoredRow>(&json).unwrap().timestamp
        };
        let at = Stamp::from_micros(1_795_439_655_678_901);
        assert_eq!(read("2026-11-23T13:14:15.6789017Z"), Some(at));
        assert_eq!(read("yesterday"), None);
    }

    #[test]
    fn a_foreign_row_is_read_as_far_as_it_goes() {
        let json = r#"{"PartitionKey":"p","RowKey":"r","data":7,"attempt":"one","digest":"x",
                       "srcStamp":"yesterday","consumer":null,"extra":{"deep":[1]}}"#;
        let stored: StoredRow = serde_json::from_str(json).unwrap();
        let keys = StoredRow {
            partition_key: "p".into(),
            row_key: "r".into(),
            ..Default::default()
        };
        assert_eq!(stored, keys);
    }
}
