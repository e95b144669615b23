//! The message body: JSON with the sample's fields and those of this project.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Digest, MessageId, PoisonReason, Stamp};

/// Largest queue message, in bytes (Azure Queue Storage: 64 KiB).
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Largest payload, in UTF-16 code units: a string property of a table entity has at most 64 KiB of UTF-16 (Table service data
/// model), so a message can fit into the queue but not into a row.
pub const MAX_DATA_UTF16: usize = 32 * 1024;

/// One message: the sample's `msg` and `srcStamp`, and the fields that make loss, duplication and corruption detectable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The payload.
    pub msg: String,
    /// The **intended** send time of the open-loop schedule. Latency counts from it, so a stalled generator or queue shows up
    /// as latency instead of disappearing (coordinated omission).
    pub src_stamp: Stamp,
    /// The message's id.
    pub id: MessageId,
    /// When the send actually began.
    pub sent_stamp: Stamp,
    /// The digest of `msg`.
    pub digest: Digest,
}

/// Reason why a body is not a message of the contract. Redelivery cannot mend any of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The body is not JSON.
    #[error("body is not JSON: {0}")]
    NotJson(String),
    /// The body is JSON, but not an object, or has a repeated field.
    #[error("body is not a message object: {0}")]
    NotAMessage(String),
    /// A field is missing.
    #[error("field `{0}` is missing")]
    MissingField(&'static str),
    /// A field cannot be read.
    #[error("field `{field}` is malformed: {detail}")]
    BadField {
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The payload fits into the queue, but not into a table column.
    #[error("payload has {utf16} UTF-16 units; a table column holds {MAX_DATA_UTF16}")]
    Oversized {
        /// Its size, in UTF-16 code units.
        utf16: usize,
    },
    /// The digest of the payload is not the producer's.
    #[error("payload digest is {actual}, the message says {declared}")]
    DigestMismatch {
        /// The digest in the message.
        declared: Digest,
        /// The payload's digest.
        actual: Digest,
    },
}

impl MessageError {
    /// The reason for the poison queue.
    pub const fn reason(&self) -> PoisonReason {
        match self {
            Self::NotJson(_) => PoisonReason::NotJson,
            Self::NotAMessage(_) | Self::BadField { .. } => PoisonReason::BadField,
            Self::MissingField(_) => PoisonReason::MissingField,
            Self::Oversized { .. } => PoisonReason::Oversized,
            Self::DigestMismatch { .. } => PoisonReason::DigestMismatch,
        }
    }
}

/// The body as received: every field is optional, so that a missing one can be named; unknown fields are ignored, so that
/// producers may add fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow)]
    msg: Option<Cow<'a, str>>,
    #[serde(borrow)]
    src_stamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sent_stamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    digest: Option<Cow<'a, str>>,
}

impl Message {
    /// Makes a message with the digest of its payload.
    pub fn new(id: MessageId, msg: String, src_stamp: Stamp, sent_stamp: Stamp) -> Self {
        let digest = Digest::of(&msg);
        Self {
            msg,
            src_stamp,
            id,
            sent_stamp,
            digest,
        }
    }

    /// The body for the queue.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("text fields must serialise")
    }

    /// Parses a body and checks everything that storage does not: fields, sizes, digest.
    pub fn decode(body: &str) -> Result<Self, MessageError> {
        // A list would be accepted as the fields in their order.
        if !is_object(body) {
            return Err(unreadable::reason(body));
        }
        let wire: Wire = serde_json::from_str(body).map_err(|_| unreadable::reason(body))?;
        let msg = wire
            .msg
            .ok_or(MessageError::MissingField("msg"))?
            .into_owned();
        let message = Self {
            src_stamp: field("srcStamp", wire.src_stamp)?,
            id: field("id", wire.id)?,
            sent_stamp: field("sentStamp", wire.sent_stamp)?,
            digest: field("digest", wire.digest)?,
            msg,
        };
        message.check()
    }

    fn check(self) -> Result<Self, MessageError> {
        // A UTF-8 text has at least as many bytes as UTF-16 units: count the units only if they may be too many.
        if self.msg.len() > MAX_DATA_UTF16 {
            let utf16 = self.msg.encode_utf16().count();
            if utf16 > MAX_DATA_UTF16 {
                return Err(MessageError::Oversized { utf16 });
            }
        }
        let actual = Digest::of(&self.msg);
        if actual != self.digest {
            return Err(MessageError::DigestMismatch {
                declared: self.digest,
                actual,
            });
        }
        Ok(self)
    }
}

fn field<T>(name: &'static str, text: Option<Cow<'_, str>>) -> Result<T, MessageError>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    text.ok_or(MessageError::MissingField(name))?
        .parse()
        .map_err(|error: T::Err| MessageError::BadField {
            field: name,
            detail: error.to_string(),
        })
}

/// Whether `body` begins like a JSON object (RFC 8259, section 2).
fn is_object(body: &str) -> bool {
    body.trim_start_matches([' ', '\t', '\n', '\r'])
        .starts_with('{')
}

/// The `id` field of a body, even if the rest of the body is wrong.
pub fn id_of_body(body: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Id<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
    }
    is_object(body).then_some(())?;
    Some(serde_json::from_str::<Id>(body).ok()?.id)
}

mod unreadable;

#[cfg(test)]
mod tests;
