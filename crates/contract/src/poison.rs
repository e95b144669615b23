//! Messages of the poison queue: the original body, and the reason.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::{MAX_MESSAGE_BYTES, Stamp};

/// The poison queue of queue `q` is `q` with this suffix (the convention of Azure Functions).
pub const POISON_SUFFIX: &str = "-poison";

/// Reason why a message was given up.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum PoisonReason {
    /// The body is not JSON.
    NotJson,
    /// A field of the contract is unreadable.
    MissingField,
    /// A field of the contract cannot be read.
    BadField,
    /// The payload fits into no table column.
    Oversized,
    /// The digest of the payload is not the producer's.
    DigestMismatch,
    /// The message was delivered more often than `max-attempts` and never finished.
    TooManyAttempts,
    /// Its row exists with another digest. The row stays unchanged; the poison queue keeps the message until a person decides.
    Conflict,
}

impl PoisonReason {
    /// Every reason; also the label values of the consumer's metric.
    pub const ALL: [Self; 7] = [
        Self::NotJson,
        Self::MissingField,
        Self::BadField,
        Self::Oversized,
        Self::DigestMismatch,
        Self::TooManyAttempts,
        Self::Conflict,
    ];

    /// The reason's serialised name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for PoisonReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Error of a text that is not a reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no poison reason, such as not-json or too-many-attempts")]
pub struct ParseReasonError(String);

impl FromStr for PoisonReason {
    type Err = ParseReasonError;

    fn from_str(text: &str) -> Result<Self, ParseReasonError> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or_else(|| ParseReasonError(text.to_owned()))
    }
}

/// One message of the poison queue, as JSON.
///
/// The original body is kept completely. If it does not fit into one queue message with its envelope, it is split into `parts`
/// envelopes with the same `messageId`; their bodies, joined in order of `part`, are the original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoisonEnvelope {
    /// The reason.
    pub reason: PoisonReason,
    /// The error in words.
    pub detail: String,
    /// The message id of the original message in the queue.
    pub message_id: String,
    /// How often it had been delivered.
    pub attempt: u32,
    /// The consumer that gave it up.
    pub consumer: String,
    /// The time at which it was given up.
    pub poisoned_stamp: Stamp,
    /// The number of this part, from 1.
    pub part: u32,
    /// The number of envelopes with parts of the body.
    pub parts: u32,
    /// The original body, or this part of it.
    pub body: String,
}

/// Bytes reserved for an envelope without body and detail, escaped, with a margin.
const ENVELOPE_BYTES: usize = 2 * 1024;

/// Longest detail and name that are kept, in characters: error texts quote the input, which is in the body anyway, and the
/// beginning of a longer name is enough.
const MAX_KEPT: usize = 500;

impl PoisonEnvelope {
    /// The queue messages for the envelope, in order: one, or more if the body is too large. Sets `part` and `parts`.
    pub fn encode(mut self) -> Vec<String> {
        for text in [&mut self.detail, &mut self.consumer] {
            if let Some((cut, _)) = text.char_indices().nth(MAX_KEPT) {
                text.truncate(cut);
            }
        }
        // The service's id is a GUID: even with an id so long that nothing else fits, the body is split into characters.
        let texts = [&self.detail, &self.consumer, &self.message_id];
        let taken = texts.map(|text| escaped_text(text)).iter().sum();
        let room = (MAX_MESSAGE_BYTES - ENVELOPE_BYTES).saturating_sub(taken);
        let bodies = split(&self.body, room);
        self.parts = u32::try_from(bodies.len()).expect("a queue message must have few parts");
        bodies
            .into_iter()
            .zip(1..)
            .map(|(body, part)| {
                let envelope = Self {
                    part,
                    body: body.to_owned(),
                    ..self.clone()
                };
                serde_json::to_string(&envelope).expect("text fields must serialise")
            })
            .collect()
    }
}

fn split(body: &str, room: usize) -> Vec<&str> {
    let (mut parts, mut from, mut used) = (Vec::new(), 0, 0);
    for (at, c) in body.char_indices() {
        let bytes = escaped(c);
        if used + bytes > room && from < at {
            parts.push(&body[from..at]);
            (from, used) = (at, 0);
        }
        used += bytes;
    }
    parts.push(&body[from..]);
    parts
}

/// Largest number of bytes of a character, escaped in a JSON string and then in XML, as messages are sent.
fn escaped(c: char) -> usize {
    match c {
        '"' => "\\&quot;".len(),
        '\\' => 2,
        '&' | '\'' => "&apos;".len(),
        '<' | '>' => "&lt;".len(),
        c if c < ' ' => "\\u0000".len(),
        c => c.len_utf8(),
    }
}

fn escaped_text(text: &str) -> usize {
    text.chars().map(escaped).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(body: &str) -> PoisonEnvelope {
        PoisonEnvelope {
            reason: PoisonReason::NotJson,
            detail: "expected value at line 1 column 1".into(),
            message_id: "5d0c2f0e".into(),
            attempt: 1,
            consumer: "consumer-1".into(),
            poisoned_stamp: Stamp::default(),
            part: 0,
            parts: 0,
            body: body.into(),
        }
    }

    fn decoded(bodies: &[String]) -> Vec<PoisonEnvelope> {
        bodies
            .iter()
            .map(|body| serde_json::from_str(body).unwrap())
            .collect()
    }

    #[test]
    fn a_small_body_travels_in_one_envelope_with_its_reason() {
        let parts = decoded(&envelope("not json").encode());
        assert_eq!(parts.len(), 1);
        assert_eq!(
            (parts[0].part, parts[0].parts, parts[0].body.as_str()),
            (1, 1, "not json")
        );
        assert_eq!(parts[0].reason, PoisonReason::NotJson);
    }

    #[test]
    fn the_largest_bodies_are_kept_whole_in_parts_that_fit_the_queue() {
        for body in [
            "x".repeat(MAX_MESSAGE_BYTES),
            "\"".repeat(MAX_MESSAGE_BYTES),
            "ä€😀".repeat(7_000),
        ] {
            let encoded = envelope(&body).encode();
            assert!(
                encoded
                    .iter()
                    .all(|text| escaped_xml(text) <= MAX_MESSAGE_BYTES)
            );
            let parts = decoded(&encoded);
            assert!(
                parts
                    .iter()
                    .all(|part| part.parts as usize == encoded.len())
            );
            assert_eq!(
                parts
                    .iter()
                    .map(|part| part.body.as_str())
                    .collect::<String>(),
                body
            );
        }
    }

    #[test]
    fn an_envelope_fits_whatever_its_consumer_is_called() {
        let body = "x".repeat(MAX_MESSAGE_BYTES);
        let named = PoisonEnvelope {
            consumer: "\"".repeat(MAX_MESSAGE_BYTES),
            message_id: "<".repeat(1_000),
            ..envelope(&body)
        };
        let encoded = named.encode();
        assert!(
            encoded
                .iter()
                .all(|text| escaped_xml(text) <= MAX_MESSAGE_BYTES)
        );
        let parts = decoded(&encoded);
        assert!(parts[0].consumer.starts_with('"'));
        let joined: String = parts.into_iter().map(|part| part.body).collect();
        assert_eq!(joined, body);
    }

    /// Escapes like an XML writer, independently of [`escaped`].
    fn escaped_xml(text: &str) -> usize {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&apos;")
            .len()
    }

    #[test]
    fn reasons_serialise_as_their_names() {
        for reason in PoisonReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
    }
}
