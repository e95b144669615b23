//! Operations on messages: "Put Message", "Get Messages", "Peek Messages", "Update Message", "Delete Message", "Clear Messages",
//! Azure Storage REST reference.

use hyper::StatusCode;

use crate::{
    call::{Call, drop_later},
    clock::Moment,
    http::{error::ServiceError, request::decoded_segment, response::Answer, xml},
    state::{
        directory::Queue,
        message::{Naming, Sequence, parse_receipt, receipt_text},
        queue::Delivered,
    },
};

const WEEK_SECONDS: u64 = 7 * 24 * 60 * 60;
const DEFAULT_VISIBILITY_SECONDS: u64 = 30;
const MOST_RECEIVED: u64 = 32;
/// Largest text of a message, in UTF-8 bytes: 64 KiB.
const MOST_TEXT_BYTES: usize = 64 * 1024;

pub(super) fn put(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let text = text(&call.target.request.body)?.ok_or_else(ServiceError::invalid_xml)?;
    let hidden = call
        .target
        .number("visibilitytimeout", 0, WEEK_SECONDS)?
        .unwrap_or(0);
    let expires = expiry(call, hidden)?;
    let visible = call.now.plus_seconds(hidden);
    let put = with_queue(call, name, |queue| {
        let store = &*call.directory.store;
        let put = queue.messages.put(store, text, call.now, visible, expires);
        Ok((put?, queue.messages.naming()))
    });
    let ((sequence, lease), naming) = put?;
    let mut body = String::with_capacity(512);
    body.push_str(xml::DECLARATION);
    body.push_str("<QueueMessagesList><QueueMessage>");
    identity(&mut body, naming, sequence, lease.inserted, lease.expires);
    xml::element(
        &mut body,
        "PopReceipt",
        &receipt_text(sequence, lease.receipt),
    );
    xml::element(&mut body, "TimeNextVisible", &lease.visible.http_date());
    body.push_str("</QueueMessage></QueueMessagesList>");
    Ok(Answer::new(StatusCode::CREATED).body("application/xml", body))
}

/// The expiration time of a message: after seven days, or as `messagettl` says, where -1 means never.
fn expiry(call: &Call<'_>, hidden: u64) -> Result<Moment, ServiceError> {
    const NAME: &str = "messagettl";
    let Some(text) = call.target.parameter(NAME) else {
        return Ok(call.now.plus_seconds(WEEK_SECONDS));
    };
    if text == "-1" {
        return Ok(Moment::NEVER);
    }
    let Ok(seconds @ 1..) = text.parse() else {
        let reason = "Value must be greater than or equal to 1, or -1 to indicate an infinite TTL.";
        return Err(ServiceError::invalid_parameter(NAME, text, reason));
    };
    if hidden >= seconds {
        let reason = "messagettl must be greater than visibilitytimeout.";
        let hidden = hidden.to_string();
        return Err(ServiceError::invalid_parameter(
            "visibilitytimeout",
            &hidden,
            reason,
        ));
    }
    Ok(call.now.plus_seconds(seconds))
}

/// The text in a body; `None` for an empty body.
fn text(body: &[u8]) -> Result<Option<Box<str>>, ServiceError> {
    if body.is_empty() {
        return Ok(None);
    }
    let mut root = xml::parse(body)?;
    if root.name != "QueueMessage" {
        return Err(ServiceError::invalid_xml());
    }
    let found = root
        .children
        .iter_mut()
        .find(|child| child.name == "MessageText");
    let Some(found) = found.filter(|found| found.children.is_empty()) else {
        return Err(ServiceError::invalid_xml());
    };
    if found.text.len() > MOST_TEXT_BYTES {
        let most = MOST_TEXT_BYTES.to_string();
        return Err(ServiceError::request_body_too_large().with("MaxLimit", most));
    }
    // Such a text could be put but never returned.
    if !xml::is_representable(&found.text) {
        return Err(ServiceError::invalid_xml());
    }
    Ok(Some(std::mem::take(&mut found.text).into_boxed_str()))
}

pub(super) fn receive(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let hidden = call.target.number("visibilitytimeout", 1, WEEK_SECONDS)?;
    let until = call
        .now
        .plus_seconds(hidden.unwrap_or(DEFAULT_VISIBILITY_SECONDS));
    let most = most(call)?;
    let (messages, naming) = with_queue(call, name, |queue| {
        let store = &*call.directory.store;
        let received = queue.messages.receive(store, most, call.now, until);
        Ok((received?, queue.messages.naming()))
    })?;
    Ok(list(&messages, naming, true))
}

pub(super) fn peek(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let most = most(call)?;
    let (messages, naming) = with_queue(call, name, |queue| {
        let peeked = queue.messages.peek(&*call.directory.store, most, call.now);
        Ok((peeked?, queue.messages.naming()))
    })?;
    Ok(list(&messages, naming, false))
}

fn most(call: &Call<'_>) -> Result<usize, ServiceError> {
    let most = call
        .target
        .number("numofmessages", 1, MOST_RECEIVED)?
        .unwrap_or(1);
    Ok(usize::try_from(most).unwrap_or(1))
}

pub(super) fn update(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    const TIMEOUT: &str = "visibilitytimeout";
    let hidden = call.target.number(TIMEOUT, 0, WEEK_SECONDS)?;
    let hidden = hidden.ok_or_else(|| ServiceError::missing_parameter(TIMEOUT))?;
    let (id, receipt) = named(call)?;
    let text = text(&call.target.request.body)?;
    let visible = call.now.plus_seconds(hidden);
    let (sequence, lease) = with_queue(call, name, |queue| {
        let sequence = sequence(queue, &id)?;
        let receipt = matching(sequence, receipt);
        let store = &*call.directory.store;
        let lease = queue
            .messages
            .update(store, sequence, receipt, text, call.now, visible);
        Ok((sequence, lease?))
    })?;
    Ok(Answer::new(StatusCode::NO_CONTENT)
        .header("x-ms-popreceipt", &receipt_text(sequence, lease.receipt))
        .header("x-ms-time-next-visible", &lease.visible.http_date()))
}

pub(super) fn delete(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let (id, receipt) = named(call)?;
    with_queue(call, name, |queue| {
        let sequence = sequence(queue, &id)?;
        let receipt = matching(sequence, receipt);
        let store = &*call.directory.store;
        Ok(queue.messages.delete(store, sequence, receipt, call.now)?)
    })?;
    Ok(Answer::new(StatusCode::NO_CONTENT))
}

pub(super) fn clear(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let directory = call.directory;
    let successor = directory.next_container();
    let removed = with_queue(call, name, |queue| {
        Ok(queue.clear(&*directory.store, successor, call.now)?)
    })?;
    drop_later(removed);
    Ok(Answer::new(StatusCode::NO_CONTENT))
}

fn with_queue<T>(
    call: &Call<'_>,
    name: &str,
    action: impl FnOnce(&mut Queue) -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    let done = call.directory.with_queue(name, action);
    done.map_err(ServiceError::of_queue)?
}

/// The message id in the address, and the pop receipt's numbers.
fn named(call: &Call<'_>) -> Result<(String, (Sequence, u64)), ServiceError> {
    const RECEIPT: &str = "popreceipt";
    let id = call.target.segments.get(2).copied().unwrap_or_default();
    let id = decoded_segment(id)?.into_owned();
    let receipt = call.target.parameter(RECEIPT);
    let receipt = receipt.ok_or_else(|| ServiceError::missing_parameter(RECEIPT))?;
    // A pop receipt that the client did not escape has lost its plus signs.
    let parsed = parse_receipt(&receipt.replace(' ', "+"));
    let parsed = parsed.ok_or_else(|| {
        ServiceError::invalid_parameter(RECEIPT, receipt, "Invalid pop receipt format")
    })?;
    Ok((id, parsed))
}

fn sequence(queue: &Queue, id: &str) -> Result<Sequence, ServiceError> {
    let sequence = queue.messages.naming().sequence(id);
    sequence.ok_or_else(ServiceError::message_not_found)
}

/// The receipt's number, if it belongs to this message.
fn matching(sequence: Sequence, receipt: (Sequence, u64)) -> Option<u64> {
    let (of, number) = receipt;
    (of == sequence).then_some(number)
}

/// The list of messages; a peeked one has neither pop receipt nor next visible time.
fn list(messages: &[Delivered], naming: Naming, received: bool) -> Answer {
    let texts: usize = messages
        .iter()
        .map(|message| message.text.len() + 512)
        .sum();
    let mut body = String::with_capacity(128 + texts);
    body.push_str(xml::DECLARATION);
    body.push_str("<QueueMessagesList>");
    for message in messages {
        body.push_str("<QueueMessage>");
        let lease = &message.lease;
        identity(
            &mut body,
            naming,
            message.sequence,
            lease.inserted,
            lease.expires,
        );
        if received {
            let receipt = receipt_text(message.sequence, lease.receipt);
            xml::element(&mut body, "PopReceipt", &receipt);
            xml::element(&mut body, "TimeNextVisible", &lease.visible.http_date());
        }
        xml::element(&mut body, "DequeueCount", &lease.deliveries.to_string());
        xml::element(&mut body, "MessageText", &message.text);
        body.push_str("</QueueMessage>");
    }
    body.push_str("</QueueMessagesList>");
    Answer::new(StatusCode::OK)
        .body("application/xml", body)
        .header("cache-control", "no-cache")
}

fn identity(
    body: &mut String,
    naming: Naming,
    sequence: Sequence,
    inserted: Moment,
    expires: Moment,
) {
    xml::element(body, "MessageId", &naming.id(sequence).to_string());
    xml::element(body, "InsertionTime", &inserted.http_date());
    xml::element(body, "ExpirationTime", &expires.http_date());
}
