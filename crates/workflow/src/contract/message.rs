//! The message body: JSON with the sample's fields and ours.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Digest, MessageId, PoisonReason, Stamp};

/// Largest queue message, in bytes (Azure Queue Storage: 64 KiB).
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Largest payload, in UTF-16 code units: a string property of a table entity holds 64 KiB of UTF-16 (Table service data
/// model), so a message can fit the queue and still not fit a row.
pub const MAX_DATA_UTF16: usize = 32 * 1024;

/// One message: the sample's `msg` and `srcStamp`, and what makes loss, duplication and corruption detectable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The payload.
    pub msg: String,
    /// The **intended** send time of the open-loop schedule. Latency counts from here, so a stalled generator or queue
    /// shows up as latency instead of disappearing (coordinated omission).
    pub src_stamp: Stamp,
    /// The message's id.
    pub id: MessageId,
    /// When the send in fact began.
    pub sent_stamp: Stamp,
    /// The digest of `msg`.
    pub digest: Digest,
}

/// Why a body is not a message of the contract. Redelivery cannot cure any of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The body is not JSON.
    #[error("body is not JSON: {0}")]
    NotJson(String),
    /// The body is JSON, but not an object with text fields.
    #[error("body is not a message object: {0}")]
    NotAMessage(String),
    /// A field is absent.
    #[error("field `{0}` is missing")]
    MissingField(&'static str),
    /// A field is present and cannot be read.
    #[error("field `{field}` is malformed: {detail}")]
    BadField {
        /// Its name.
        field: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The payload fits the queue but no table column.
    #[error("payload has {utf16} UTF-16 units; a table column holds {MAX_DATA_UTF16}")]
    Oversized {
        /// Its size.
        utf16: usize,
    },
    /// The payload is not what the producer digested.
    #[error("payload digest is {actual}, the message says {declared}")]
    DigestMismatch {
        /// What the message says.
        declared: Digest,
        /// What the payload has.
        actual: Digest,
    },
}

impl MessageError {
    /// The reason that goes with the message to the poison queue.
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

/// The body as it comes: every field optional, so that each absence can be named; unknown fields are ignored, so that
/// producers may add some.
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
    /// A message whose digest is that of its payload.
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

    /// The body to put into the queue.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("text fields must serialise")
    }

    /// Reads a body and checks everything that storage cannot: fields, sizes, digest.
    pub fn decode(body: &str) -> Result<Self, MessageError> {
        let wire: Wire = serde_json::from_str(body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => MessageError::NotAMessage(error.to_string()),
            _ => MessageError::NotJson(error.to_string()),
        })?;
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
        // A UTF-8 text has at least as many bytes as UTF-16 units: count only where it can matter.
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

/// The `id` field of a body, whatever else may be wrong with it.
pub fn id_of_body(body: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Id<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
    }
    Some(serde_json::from_str::<Id>(body).ok()?.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let at = Stamp::from_micros(1_795_439_655_678_901);
        Message::new(
            "r1-1".parse().unwrap(),
            "Scale Test Message : COUNT 1".into(),
            at,
            at,
        )
    }

    fn with(field: &str, value: serde_json::Value) -> String {
        let mut json: serde_json::Value = serde_json::from_str(&message().encode()).unwrap();
        match value {
            serde_json::Value::Null => drop(json.as_object_mut().unwrap().remove(field)),
            value => json[field] = value,
        }
        json.to_string()
    }

    #[test]
    fn a_message_round_trips_and_carries_the_samples_fields() {
        let body = message().encode();
        assert_eq!(Message::decode(&body), Ok(message()));
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(json["msg"], "Scale Test Message : COUNT 1");
        assert_eq!(json["srcStamp"], "2026-11-23 13:14:15.678901");
    }

    #[test]
    fn each_missing_field_is_named() {
        for field in ["msg", "srcStamp", "id", "sentStamp", "digest"] {
            let error = Message::decode(&with(field, serde_json::Value::Null)).unwrap_err();
            assert_eq!(error, MessageError::MissingField(field));
        }
    }

    #[test]
    fn each_malformed_field_is_named() {
        for field in ["srcStamp", "id", "sentStamp", "digest"] {
            let error = Message::decode(&with(field, "nonsense".into())).unwrap_err();
            assert!(
                matches!(error, MessageError::BadField { field: named, .. } if named == field),
                "{error}"
            );
        }
    }

    #[test]
    fn bodies_that_are_no_messages_are_told_apart() {
        let reason = |body: &str| Message::decode(body).unwrap_err().reason();
        assert_eq!(reason("not json"), PoisonReason::NotJson);
        assert_eq!(reason(""), PoisonReason::NotJson);
        assert_eq!(reason("{\"msg\": \"cut o"), PoisonReason::NotJson);
        assert_eq!(reason("42"), PoisonReason::BadField);
        assert_eq!(reason(&with("msg", 7.into())), PoisonReason::BadField);
        assert_eq!(reason("{}"), PoisonReason::MissingField);
        assert_eq!(
            reason(&with("msg", "tampered".into())),
            PoisonReason::DigestMismatch
        );
    }

    #[test]
    fn a_payload_that_fits_no_column_is_oversized_and_the_largest_that_fits_is_not() {
        let sized = |units: usize| {
            let at = Stamp::default();
            Message::new("r1-1".parse().unwrap(), "ä".repeat(units), at, at).encode()
        };
        assert!(Message::decode(&sized(MAX_DATA_UTF16)).is_ok());
        assert_eq!(
            Message::decode(&sized(MAX_DATA_UTF16 + 1)),
            Err(MessageError::Oversized {
                utf16: MAX_DATA_UTF16 + 1
            })
        );
    }

    proptest::proptest! {
        #[test]
        fn decoding_any_text_never_panics(body in ".*") {
            let _ = Message::decode(&body);
        }
    }
}
