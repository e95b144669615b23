//! What bodies say about messages and rows. A body that cannot be read is not refused, since it is evidence of what a client
//! sent; it is not understood, and says so.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher as _};

use contract::{Digest, POISON_SUFFIX, PoisonEnvelope, StoredRow, id_of_body};
use serde::Deserialize;
use serde_json::Value;

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

/// The messages of an answer to Get Messages, Peek Messages or Put Message.
pub(super) fn answered_messages(xml: &[u8]) -> Result<Vec<Handled>, String> {
    let list: QueueMessagesList = std::str::from_utf8(xml)
        .ok()
        .and_then(|text| quick_xml::de::from_str(text.trim_start_matches('\u{feff}')).ok())
        .ok_or("an answer that is no list of messages")?;
    let handled = list.queue_message.into_iter().map(|message| Handled {
        queue_id: message.message_id,
        id: message
            .message_text
            .as_deref()
            .and_then(id_of_body)
            .map(Cow::into_owned),
        print: message.message_text.as_deref().map(print),
        attempt: message.dequeue_count,
        receipt: message.pop_receipt.map(|receipt| encoded(&receipt)),
        ..Handled::default()
    });
    Ok(handled.collect())
}

/// The message of a request to Put Message to `queue`. What is in a poison queue sets a message aside, with the last of its
/// parts.
pub(super) fn put_message(queue: &str, headers: &Headers, xml: &[u8]) -> Result<Handled, String> {
    if let Some(strange) = headers.of_other_type(Expected::Xml) {
        return Err(strange);
    }
    let text = text_of(xml)?.ok_or(NO_MESSAGE)?;
    let poison = queue
        .ends_with(POISON_SUFFIX)
        .then(|| serde_json::from_str::<PoisonEnvelope>(&text).ok())
        .flatten();
    let body = poison.as_ref().map_or(&text, |envelope| &envelope.body);
    Ok(Handled {
        id: id_of_body(body).map(Cow::into_owned),
        poisons: poison
            .filter(|envelope| envelope.part == envelope.parts)
            .map(|envelope| envelope.message_id),
        ..Handled::default()
    })
}

/// The print of the body that a request to Update Message asks for; `None` where it asks for none, as a renewal does.
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

/// A number for a body, the same in every process.
fn print(body: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(body.as_bytes());
    hasher.finish()
}

/// As a URL carries it, so that receipts of answers and of requests compare.
fn encoded(receipt: &str) -> String {
    percent_encoding::utf8_percent_encode(receipt, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A receipt that was decoded, as the history has it.
pub(super) fn canonical_receipt(receipt: &str) -> String {
    encoded(receipt)
}

#[derive(Deserialize)]
struct Entity {
    #[serde(rename = "PartitionKey")]
    partition: Option<String>,
    #[serde(rename = "RowKey")]
    row: Option<String>,
    // Of any type: what a worker writes wrong must not hide the rest of its row.
    digest: Option<Value>,
    #[serde(rename = "dequeuedStamp")]
    dequeued: Option<Value>,
    #[serde(rename = "dateStamp")]
    date: Option<Value>,
    attempt: Option<Value>,
    consumer: Option<Value>,
}

impl Entity {
    fn claimed(&self) -> Claimed {
        let text = |value: &Option<Value>| Some(value.as_ref()?.as_str()?.to_owned());
        let stamp = |value: &Option<Value>| text(value)?.parse().ok();
        let attempt = self.attempt.as_ref().and_then(|attempt| {
            attempt
                .as_u64()
                .or_else(|| attempt.as_str()?.parse().ok())?
                .try_into()
                .ok()
        });
        Claimed {
            dequeued: stamp(&self.dequeued),
            date: stamp(&self.date),
            attempt,
            consumer: text(&self.consumer),
        }
    }
}

/// The row that `request` is about, whose keys are in the URL or in the JSON; `None` where it is about none.
pub(super) fn row(
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
    };
    if !operation.stores() || operation == Operation::Transaction {
        return Ok(request.keys.clone().map(bare));
    }
    if let Some(strange) = headers.of_other_type(Expected::Json) {
        return Err(strange);
    }
    let unread = || "a body that is no entity".to_owned();
    let entity: Entity = serde_json::from_slice(json).map_err(|_| unread())?;
    let delivery = entity.claimed();
    let digest = entity.digest.as_ref().and_then(Value::as_str);
    let digest = digest.and_then(|text| text.parse::<Digest>().ok());
    let keys = match &request.keys {
        Some(keys) => keys.clone(),
        None => Keys {
            partition: entity.partition.ok_or_else(unread)?,
            row: entity.row.ok_or_else(unread)?,
        },
    };
    let print = serde_json::from_slice::<StoredRow>(json).ok();
    Ok(Some(RowChange {
        digest,
        delivery: Some(delivery),
        print: print.map(|row| fingerprint(&row)),
        ..bare(keys)
    }))
}

/// The status of the part that failed, where a transaction's answer (202 all the same) has one.
pub(super) fn failed_part(multipart: &[u8]) -> Option<u16> {
    String::from_utf8_lossy(multipart)
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
        .filter_map(|rest| rest.split(' ').next()?.parse().ok())
        .find(|status| *status >= 400)
}

/// Which operation a failed transaction's answer blames: the place stands before the message, as in `3:The specified entity
/// already exists.` (Table service, "Performing entity group transactions").
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
