//! Parses messages and rows in bodies. An unreadable body is not refused, because it is evidence of what a client sent; it is
//! reported as not understood.

use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};

use contract::StoredRow;
use contract::workload::{Lens, Name};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::headers::{Expected, Headers};
use super::request::Request;
use super::{Claimed, Handled, Keys, Operation, RowChange, fingerprint};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueMessagesList {
    #[serde(default)]
    queue_message: Vec<QueueMessage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueMessage {
    #[serde(default)]
    message_id: String,
    pop_receipt: Option<String>,
    dequeue_count: Option<u32>,
    message_text: Option<String>,
}

/// The messages in a response to Get Messages, Peek Messages or Put Message.
pub(super) fn answered_messages(lens: &Lens, xml: &[u8]) -> Result<Vec<Handled>, String> {
    let list: QueueMessagesList = std::str::from_utf8(xml)
        .ok()
        .and_then(|text| quick_xml::de::from_str(text.trim_start_matches('\u{feff}')).ok())
        .ok_or("an answer that is no list of messages")?;
    let handled = list.queue_message.into_iter().map(|message| Handled {
        queue_id: message.message_id,
        id: message
            .message_text
            .as_deref()
            .and_then(|text| lens.id_of_message(text)),
        print: message.message_text.as_deref().map(print),
        attempt: message.dequeue_count,
        receipt: message.pop_receipt.map(|receipt| encoded(&receipt)),
        ..Handled::default()
    });
    Ok(handled.collect())
}

/// The message in a request to Put Message to `queue`. In a poison queue, it gives another message up, with the last of its
/// parts.
pub(super) fn put_message(
    lens: &Lens,
    queue: &str,
    headers: &Headers,
    xml: &[u8],
) -> Result<Handled, String> {
    if let Some(strange) = headers.of_other_type(Expected::Xml) {
        return Err(strange);
    }
    let text = text_of(xml)?.ok_or(NO_MESSAGE)?;
    if lens.is_poison_queue(queue, None)
        && let Some(found) = lens.set_aside(&text)
    {
        let is_last = found.part == found.parts;
        // If the message has no id, its text identifies it.
        let is_unnamed = is_last && found.message_id.is_none();
        let claims = Claimed {
            date: found.stamp,
            attempt: found.attempt,
            consumer: found.consumer,
            ..Claimed::default()
        };
        let (whole, part) = if is_last {
            (found.message_id, None)
        } else {
            (None, found.message_id)
        };
        return Ok(Handled {
            id: lens.id_of_message(&found.body),
            print: is_unnamed.then(|| print(&found.body)),
            poisons: whole,
            poisons_in_part: part,
            claims: (claims != Claimed::default()).then_some(claims),
            ..Handled::default()
        });
    }
    let [intended, sent] = if needs_stamps(lens) {
        lens.stamps_of_message(&text)
    } else {
        [None; 2]
    };
    Ok(Handled {
        id: lens.id_of_message(&text),
        intended,
        sent,
        ..Handled::default()
    })
}

/// Whether rows lack the exact send time of their message.
fn needs_stamps(lens: &Lens) -> bool {
    let mut names = [Name::Intended, Name::Sent].into_iter();
    names.any(|name| !lens.described(name).is_some_and(|it| it.format.is_exact()))
}

/// The fingerprint of the body in a request to Update Message; `None` if it has no body, as in a renewal.
pub(super) fn updated_print(headers: &Headers, xml: &[u8]) -> Result<Option<u64>, String> {
    if xml.is_empty() {
        return Ok(None);
    }
    if let Some(strange) = headers.of_other_type(Expected::Xml) {
        return Err(strange);
    }
    Ok(text_of(xml)?.as_deref().map(print))
}

/// The text of a queue message in a request.
fn text_of(xml: &[u8]) -> Result<Option<String>, String> {
    let text = std::str::from_utf8(xml).ok();
    let message: Option<QueueMessage> =
        text.and_then(|text| quick_xml::de::from_str(text.trim_start_matches('\u{feff}')).ok());
    let message = message.ok_or_else(|| NO_MESSAGE.to_owned())?;
    Ok(message.message_text)
}

const NO_MESSAGE: &str = "a body that is no queue message";

/// A fingerprint of a body, the same in every process.
fn print(body: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(body.as_bytes());
    hasher.finish()
}

/// Encodes a pop receipt as in a URL, so that receipts of responses and of requests compare.
fn encoded(receipt: &str) -> String {
    percent_encoding::utf8_percent_encode(receipt, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The form of a decoded pop receipt in the history.
pub(super) fn canonical_receipt(receipt: &str) -> String {
    encoded(receipt)
}

/// The row that `request` concerns, with keys from the URL or from the JSON; `None` if it concerns none.
pub(super) fn row(
    lens: &Lens,
    request: &Request,
    headers: &Headers,
    json: &[u8],
) -> Result<Option<RowChange>, String> {
    let operation = request.operation;
    let bare = |keys: Keys| RowChange {
        operation,
        keys,
        part: None,
        digest: None,
        delivery: None,
        print: None,
        id: None,
        holds: None,
        lacking: Vec::new(),
    };
    if !operation.stores() || operation == Operation::Transaction {
        return Ok(request.keys.clone().map(bare));
    }
    if let Some(strange) = headers.of_other_type(Expected::Json) {
        return Err(strange);
    }
    let unread = || "a body that is no entity".to_owned();
    let Entity(mut entity) = serde_json::from_slice(json).map_err(|_| unread())?;
    let keys = match &request.keys {
        Some(keys) => keys.clone(),
        None => Keys {
            partition: key(&entity, "PartitionKey").ok_or_else(unread)?,
            row: key(&entity, "RowKey").ok_or_else(unread)?,
        },
    };
    // An update may have the keys in the URL only; the stored row has them anyway.
    for (name, value) in [("PartitionKey", &keys.partition), ("RowKey", &keys.row)] {
        entity.insert(name.to_owned(), Value::from(value.as_str()));
    }
    let row = lens.row(&entity);
    let [id, holds] = messages_of(lens, &row);
    Ok(Some(RowChange {
        digest: row.digest,
        delivery: Some(Claimed {
            dequeued: row.dequeued_stamp,
            date: row.date_stamp,
            attempt: row.attempt,
            consumer: row.consumer.clone(),
            node: row.node.clone(),
        }),
        print: Some(fingerprint(&row)),
        id,
        holds,
        lacking: lens.lacking(&entity),
        ..bare(keys)
    }))
}

/// The ids of the message that the columns of `row` name, if its keys do not name it, and of the message whose payload it holds, if that is another one. The
/// auditor finds the message of a row of the table in the same way, so that it knows a row at wrong keys again.
fn messages_of(lens: &Lens, row: &StoredRow) -> [Option<String>; 2] {
    let by_keys = lens.owner_of_keys(&row.partition_key, &row.row_key).seq();
    let by_payload = lens.count_in(row);
    let owner = lens.owner_of_row(row).seq().or(by_payload);
    let id = owner.filter(|seq| by_keys != Some(*seq));
    let holds = by_payload.filter(|seq| owner != Some(*seq));
    [id, holds].map(|seq| seq.map(|seq| lens.id(seq)))
}

/// The table that a request to Create Table names ("Create Table": `{"TableName": "mytable"}`).
pub(super) fn created_table(headers: &Headers, json: &[u8]) -> Result<String, String> {
    if let Some(strange) = headers.of_other_type(Expected::Json) {
        return Err(strange);
    }
    let named = serde_json::from_slice(json).ok();
    let named = named.and_then(|Entity(named)| key(&named, "TableName"));
    named.ok_or_else(|| "a body that names no table".to_owned())
}

/// The columns of a row. A repeated column is an error, because it is unknown which value storage would take.
struct Entity(Map<String, Value>);

impl<'de> Deserialize<'de> for Entity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Columns;
        impl<'de> Visitor<'de> for Columns {
            type Value = Map<String, Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the columns of a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut columns = Map::new();
                while let Some((name, value)) = map.next_entry()? {
                    if columns.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom("a column is said twice"));
                    }
                }
                Ok(columns)
            }
        }
        deserializer.deserialize_map(Columns).map(Self)
    }
}

fn key(entity: &Map<String, Value>, name: &str) -> Option<String> {
    Some(entity.get(name)?.as_str()?.to_owned())
}

/// The status of the failed operation in a transaction's response (whose own status is 202 all the same).
pub(super) fn failed_part(multipart: &[u8]) -> Option<u16> {
    String::from_utf8_lossy(multipart)
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
        .filter_map(|rest| rest.split(' ').next()?.parse().ok())
        .find(|status| *status >= 400)
}

/// The index of the operation that a failed transaction's response blames: it precedes the message, as in `3:The specified
/// entity already exists.` (Table service, "Performing entity group transactions").
pub(super) fn blamed_part(multipart: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(multipart);
    let mut bodies = text.lines().filter(|line| line.starts_with('{'));
    bodies.find_map(|json| {
        let body: Value = serde_json::from_str(json).ok()?;
        let message = body["odata.error"]["message"]["value"].as_str()?;
        message.split_once(':')?.0.parse().ok()
    })
}

/// The error code in an XML or JSON error body.
pub(super) fn error_code(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let from = |open: &str, close: &str| {
        let rest = &text[text.find(open)? + open.len()..];
        Some(rest[..rest.find(close)?].to_owned())
    };
    from("<Code>", "</Code>").or_else(|| from("\"code\":\"", "\""))
}

#[cfg(test)]
mod tests;
