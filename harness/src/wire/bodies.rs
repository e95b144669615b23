//! What bodies say about messages and rows. Whatever cannot be read is no message and no row: a body is evidence of what a
//! client sent, not something to refuse.

use std::borrow::Cow;

use hyper::Method;
use serde::Deserialize;
use serde_json::Value;
use workflow::contract::{Digest, POISON_SUFFIX, PoisonEnvelope, id_of_body};

use super::operation::Request;
use super::{Claimed, Handled, Keys, Operation, RowChange};

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
pub(super) fn answered_messages(xml: &[u8]) -> Vec<Handled> {
    let list = std::str::from_utf8(xml).ok().and_then(|text| {
        quick_xml::de::from_str::<QueueMessagesList>(text.trim_start_matches('\u{feff}')).ok()
    });
    let messages = list.map(|list| list.queue_message).unwrap_or_default();
    let handled = messages.into_iter().map(|message| Handled {
        queue_id: message.message_id,
        id: message
            .message_text
            .as_deref()
            .and_then(id_of_body)
            .map(Cow::into_owned),
        attempt: message.dequeue_count,
        receipt: message.pop_receipt.map(|receipt| encoded(&receipt)),
        ..Handled::default()
    });
    handled.collect()
}

/// The message of a request to Put Message to `queue`. What is in a poison queue sets a message aside, with the last of its
/// parts.
pub(super) fn put_message(queue: &str, xml: &[u8]) -> Option<Handled> {
    let message: QueueMessage = quick_xml::de::from_str(std::str::from_utf8(xml).ok()?).ok()?;
    let text = message.message_text?;
    let poison = queue
        .ends_with(POISON_SUFFIX)
        .then(|| serde_json::from_str::<PoisonEnvelope>(&text).ok())
        .flatten();
    let body = poison.as_ref().map_or(&text, |envelope| &envelope.body);
    Some(Handled {
        id: id_of_body(body).map(Cow::into_owned),
        poisons: poison
            .filter(|envelope| envelope.part == envelope.parts)
            .map(|envelope| envelope.message_id),
        ..Handled::default()
    })
}

/// As a URL carries it, so that receipts of answers and of requests compare.
fn encoded(receipt: &str) -> String {
    percent_encoding::utf8_percent_encode(receipt, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A receipt of a URL, encoded in the one way of [`encoded`]: clients differ in what they escape.
pub(super) fn canonical_receipt(receipt: &str) -> String {
    encoded(&percent_encoding::percent_decode_str(receipt).decode_utf8_lossy())
}

#[derive(Deserialize)]
struct Entity<'a> {
    #[serde(rename = "PartitionKey", borrow)]
    partition: Option<Cow<'a, str>>,
    #[serde(rename = "RowKey", borrow)]
    row: Option<Cow<'a, str>>,
    digest: Option<Cow<'a, str>>,
    // Of any type: what a worker writes wrong must not hide the rest of its row.
    #[serde(rename = "dequeuedStamp")]
    dequeued: Option<Value>,
    #[serde(rename = "dateStamp")]
    date: Option<Value>,
    attempt: Option<Value>,
    consumer: Option<Value>,
}

impl Entity<'_> {
    fn claimed(&self) -> Option<Claimed> {
        let stamp = |value: &Option<Value>| value.as_ref()?.as_str()?.parse().ok();
        let attempt = self.attempt.as_ref()?;
        let attempt = attempt
            .as_u64()
            .or_else(|| attempt.as_str()?.parse().ok())?;
        Some(Claimed {
            dequeued: stamp(&self.dequeued)?,
            date: stamp(&self.date)?,
            attempt: attempt.try_into().ok()?,
            consumer: self.consumer.as_ref()?.as_str()?.to_owned(),
        })
    }
}

/// The row of an insert, update or upsert whose keys are in the URL or in the JSON.
pub(super) fn row(operation: Operation, keys: Option<Keys>, json: &[u8]) -> Option<RowChange> {
    let entity: Option<Entity> = serde_json::from_slice(json).ok();
    let digest = entity.as_ref().and_then(|entity| entity.digest.as_ref());
    let digest = digest.and_then(|text| text.parse::<Digest>().ok());
    let delivery = entity.as_ref().and_then(Entity::claimed);
    let keys = keys.or_else(|| {
        let entity = entity?;
        Some(Keys {
            partition: entity.partition?.into_owned(),
            row: entity.row?.into_owned(),
        })
    })?;
    Some(RowChange {
        operation,
        keys,
        part: None,
        digest,
        delivery,
    })
}

/// The table and the rows of an entity group transaction. `base` is the base path of the endpoint.
pub(super) fn transaction(base: &str, multipart: &[u8]) -> (String, Vec<RowChange>) {
    let (mut table, mut rows) = (String::new(), Vec::new());
    let text = String::from_utf8_lossy(multipart);
    // Each part is an HTTP request: its line, its headers, an empty line, and one line of JSON where it has a body.
    let mut lines = text.lines();
    let mut parts = 0..;
    while let Some(line) = lines.next() {
        let Some((method, url)) = request_line(line) else {
            continue;
        };
        let mut matched = false;
        for header in lines.by_ref().take_while(|header| !header.is_empty()) {
            let name = header.split(':').next().unwrap_or_default();
            matched |= name.eq_ignore_ascii_case("if-match");
        }
        let path = url
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]))
            .unwrap_or(url);
        let path = path.split('?').next().unwrap_or_default();
        let path = path
            .strip_prefix(base)
            .unwrap_or(path)
            .trim_start_matches('/');
        let request = Request::of_table(&method, path, matched);
        let json = match method {
            Method::DELETE | Method::GET => "",
            _ => lines.next().unwrap_or_default(),
        };
        request.resource.clone_into(&mut table);
        // Counted also where the row cannot be read: storage blames an operation by its place.
        let part = parts.next();
        let row = row(request.operation, request.keys, json.as_bytes());
        rows.extend(row.map(|row| RowChange { part, ..row }));
    }
    (table, rows)
}

fn request_line(line: &str) -> Option<(Method, &str)> {
    let (method, rest) = line.split_once(' ')?;
    let (url, version) = rest.rsplit_once(' ')?;
    (version.starts_with("HTTP/1") && !url.is_empty())
        .then_some(())
        .and_then(|()| Some((method.parse().ok()?, url)))
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
mod tests {
    use super::*;

    #[test]
    fn deliveries_are_read_with_their_ids_and_counts() {
        let xml = br#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><QueueMessagesList>
            <QueueMessage><MessageId>m1</MessageId><InsertionTime>x</InsertionTime><PopReceipt>a=/</PopReceipt>
            <DequeueCount>2</DequeueCount><MessageText>{&quot;id&quot;:&quot;r1-7&quot;,&quot;msg&quot;:&quot;&lt;&quot;}</MessageText></QueueMessage>
            <QueueMessage><MessageId>m2</MessageId><DequeueCount>1</DequeueCount><MessageText>no JSON</MessageText></QueueMessage>
            </QueueMessagesList>"#;
        let found = answered_messages(xml);
        let told: Vec<_> = found
            .iter()
            .map(|m| (&*m.queue_id, m.id.as_deref(), m.attempt))
            .collect();
        assert_eq!(told, [("m1", Some("r1-7"), Some(2)), ("m2", None, Some(1))]);
        assert_eq!(found[0].receipt, Some(canonical_receipt("a%3D%2f")));
        assert_eq!(answered_messages(b"<QueueMessagesList/>"), []);
        assert_eq!(answered_messages(b"<Queue"), []);
    }

    #[test]
    fn a_put_tells_its_message_and_what_it_poisons() {
        let plain = put_message(
            "q",
            b"<QueueMessage><MessageText>{\"id\":\"r1-7\"}</MessageText></QueueMessage>",
        );
        assert_eq!(plain.unwrap().id.as_deref(), Some("r1-7"));
        let envelope = serde_json::json!({
            "reason": "digest-mismatch", "detail": "", "messageId": "m9", "attempt": 1, "consumer": "c",
            "poisonedStamp": workflow::contract::Stamp::from_micros(1), "part": 1, "parts": 1, "body": "{\"id\":\"r1-8\"}",
        });
        let xml = format!("<QueueMessage><MessageText>{envelope}</MessageText></QueueMessage>");
        let poison = put_message("q-poison", xml.as_bytes()).unwrap();
        assert_eq!(
            (poison.id.as_deref(), poison.poisons.as_deref()),
            (Some("r1-8"), Some("m9"))
        );
        let elsewhere = put_message("q", xml.as_bytes()).unwrap();
        assert_eq!((elsewhere.id, elsewhere.poisons), (None, None));
        let part = xml.replace("\"parts\":1", "\"parts\":2");
        let unfinished = put_message("q-poison", part.as_bytes()).unwrap();
        assert_eq!(
            (unfinished.id.as_deref(), unfinished.poisons),
            (Some("r1-8"), None)
        );
    }

    #[test]
    fn the_rows_of_a_transaction_are_read() {
        let digest = Digest::of("x");
        let body = format!(
            "--batch_1\r\nContent-Type: multipart/mixed; boundary=changeset_1\r\n\r\n--changeset_1\r\n\
             Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
             POST http://h:1/acc/T HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n\
             {{\"PartitionKey\":\"p\",\"RowKey\":\"r-1\",\"digest\":\"{digest}\"}}\r\n--changeset_1\r\n\
             Content-Type: application/http\r\n\r\nPUT http://h:1/acc/T(PartitionKey='p',RowKey='r-2') HTTP/1.1\r\n\
             X: y\r\n\r\n{{}}\r\n--changeset_1\r\n\r\nDELETE /acc/T(PartitionKey='p',RowKey='r-3') HTTP/1.1\r\n\
             If-Match: *\r\n\r\n--changeset_1--\r\n"
        );
        let (table, rows) = transaction("/acc", body.as_bytes());
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.operation, &*row.keys.row, row.digest))
            .collect();
        assert_eq!(table, "T");
        assert_eq!(
            told,
            [
                (Operation::InsertEntity, "r-1", Some(digest)),
                (Operation::UpsertEntity, "r-2", None),
                (Operation::DeleteEntity, "r-3", None),
            ]
        );
        // A row that cannot be read does not move the others.
        let (_, rows) = transaction("/acc", body.replace("\"RowKey\"", "\"Row\"").as_bytes());
        let parts: Vec<_> = rows.iter().map(|row| (row.part, &*row.keys.row)).collect();
        assert_eq!(parts, [(Some(1), "r-2"), (Some(2), "r-3")]);
    }

    #[test]
    fn the_operation_that_a_failed_transaction_blames_is_read() {
        let answer = |message: &str| {
            format!(
                "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 409 Conflict\r\nContent-ID: 2\r\n\r\n\
                 {{\"odata.error\":{{\"code\":\"EntityAlreadyExists\",\"message\":{{\"lang\":\"en-US\",\"value\":\"{message}\"}}}}}}\r\n--b--\r\n"
            )
        };
        for (message, part) in [
            (
                "1:The specified entity already exists.\\nRequestId:1",
                Some(1),
            ),
            ("0:The specified entity already exists.", Some(0)),
            ("The specified entity already exists.", None),
            ("RequestId:1", None),
            (":", None),
        ] {
            assert_eq!(blamed_part(answer(message).as_bytes()), part, "{message}");
        }
        assert_eq!(blamed_part(b"HTTP/1.1 409 Conflict\r\n\r\n{"), None);
    }

    #[test]
    fn errors_are_read_from_both_services_and_from_parts() {
        assert_eq!(
            error_code(b"<?xml?><Error><Code>ServerBusy</Code></Error>").as_deref(),
            Some("ServerBusy")
        );
        let json = br#"{"odata.error":{"code":"EntityAlreadyExists","message":{}}}"#;
        assert_eq!(error_code(json).as_deref(), Some("EntityAlreadyExists"));
        assert_eq!(error_code(b"<html>"), None);
        let parts = b"--b\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 409 Conflict\r\n";
        assert_eq!(failed_part(parts), Some(409));
        assert_eq!(failed_part(b"HTTP/1.1 204 No Content"), None);
    }
}
