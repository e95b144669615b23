//! Describes why a body is not a message, for people who read the poison queue. Not used for good messages.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::{Message, MessageError, is_object};

/// The fields of a message.
const FIELDS: [&str; 5] = ["msg", "srcStamp", "id", "sentStamp", "digest"];

/// The reason why `body`, which could not be parsed, is not a message.
pub(super) fn reason(body: &str) -> MessageError {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(body) {
        return MessageError::NotJson(not_json(body, &error));
    }
    if !is_object(body) {
        return MessageError::NotAMessage(not_an_object(body));
    }
    let Ok(object) = serde_json::from_str::<Map<String, Value>>(body) else {
        return MessageError::NotAMessage("it cannot be read".to_owned());
    };
    let wrong = FIELDS
        .into_iter()
        .find_map(|field| match object.get(field)? {
            Value::Null | Value::String(_) => None,
            found => Some((field, kind(found))),
        });
    match wrong {
        Some((field, found)) => MessageError::BadField {
            field,
            detail: format!("it is {found}, not a text"),
        },
        // A map keeps the last of two equal keys.
        None => MessageError::NotAMessage("it has a field twice".to_owned()),
    }
}

fn not_json(body: &str, error: &serde_json::Error) -> String {
    if body.trim().is_empty() {
        return "it is empty".to_owned();
    }
    if let Some(rest) = body.strip_prefix('\u{feff}') {
        return if Message::decode(rest).is_ok() {
            "it begins with a byte order mark (U+FEFF), after which it is a good message".to_owned()
        } else {
            "it begins with a byte order mark (U+FEFF)".to_owned()
        };
    }
    in_base64(body).map_or_else(|| error.to_string(), str::to_owned)
}

fn not_an_object(body: &str) -> String {
    match serde_json::from_str::<Value>(body) {
        Ok(Value::String(text)) => match in_base64(&text) {
            Some(base64) => format!("{base64}, in quotes"),
            None if is_object(&text) => {
                "it is a text that holds an object: JSON was encoded twice".to_owned()
            }
            None => "it is a text".to_owned(),
        },
        Ok(value) => format!("it is {}", kind(&value)),
        Err(_) => "it is none".to_owned(),
    }
}

/// The content of `body`, if it is Base64 of a message or at least of JSON. Many senders encode: the older SDKs of Azure
/// Storage did, and Azure Functions still does ("Azure Queue storage output bindings", `messageEncoding`).
fn in_base64(body: &str) -> Option<&'static str> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    // In Python 3, `str(base64.b64encode(...))` gives a text that begins with b and contains quotes.
    let body = body.trim_ascii();
    let inner = body
        .strip_prefix("b'")
        .and_then(|rest| rest.strip_suffix('\''));
    let body = inner.unwrap_or(body);
    let decode = |alphabet| GeneralPurpose::new(alphabet, config).decode(body).ok();
    let bytes = decode(&STANDARD).or_else(|| decode(&URL_SAFE))?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if Message::decode(text).is_ok() {
        Some("it is base64 of a good message; switch the encoding of the sender off")
    } else if is_object(text) && serde_json::from_str::<IgnoredAny>(text).is_ok() {
        Some("it is base64 of JSON; switch the encoding of the sender off")
    } else {
        None
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
