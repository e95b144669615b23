//! Tells what kind of text each message is, so that errors about mixed kinds, or about kinds that no description supports, name the
//! place of the message.

mod fields;

use std::fmt;

use anyhow::{bail, ensure};
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use workflow::contract::json;
use workflow::contract::text::{decode, is_utf16};

pub(super) use self::fields::{counted, named, several};

/// The first bytes of gzip data (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A message, and where it was found.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    /// For example `line 3` or `entry 3 of the list`.
    pub(super) place: String,
    pub(super) text: String,
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A JSON object.
    Object,
    /// A JSON list.
    List,
    /// A JSON text, in quotes.
    Quoted,
    /// A JSON number.
    Number,
    /// A text in Base64.
    Base64,
    /// Any other text.
    Text,
}

impl Kind {
    fn of(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(Value::Object(_)) => Self::Object,
            Ok(Value::Array(_)) => Self::List,
            Ok(Value::String(_)) => Self::Quoted,
            Ok(Value::Number(_)) => Self::Number,
            _ if decoded(text).is_some() => Self::Base64,
            _ => Self::Text,
        }
    }

    const fn is_json(self) -> bool {
        matches!(
            self,
            Self::Object | Self::List | Self::Quoted | Self::Number
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object of JSON",
            Self::List => "a list of JSON",
            Self::Quoted => "a text of JSON in quotes",
            Self::Number => "a number",
            Self::Base64 => "base64",
            Self::Text => "another text",
        })
    }
}

/// The text that `text` encodes in Base64, read as a worker reads it.
pub(super) fn decoded(text: &str) -> Option<String> {
    let bytes = BASE64_STANDARD.decode(text.trim()).ok()?;
    String::from_utf8(bytes).ok()
}

const FIX: &str = "mend it, or leave it out";

/// What is wrong in `text`, which is no JSON, and what to do.
pub(super) fn trouble(error: &serde_json::Error, text: &str) -> String {
    let (_, mut words) = json::trouble(error, text);
    let is_printed = [
        "a field's name must",
        "a text stands in single",
        "this is a value of another",
    ];
    if is_printed.iter().any(|it| words.starts_with(it)) {
        words.push_str("; Python writes JSON with json.dumps(..., default=str), and JavaScript with JSON.stringify(...)");
    }
    words
}

/// Refuses kinds of text that no description supports, and messages of several kinds, which need one description each.
pub(super) fn one_kind(messages: &[Placed]) -> anyhow::Result<()> {
    for Placed { place, text } in messages {
        let is_null = text.trim() == "null";
        ensure!(
            !is_null && !text.trim().is_empty(),
            "{place} is {}, and nothing tells which message it is; leave it out",
            if is_null { "null" } else { "empty" }
        );
        readable(place, text)?;
    }
    let kinds = kinds(messages);
    let count = |of: &dyn Fn(Kind) -> bool| kinds.iter().filter(|kind| of(**kind)).count();
    let json = count(&Kind::is_json);
    let texts = messages.iter().zip(&kinds);
    for (Placed { place, text }, _) in texts.filter(|(_, kind)| **kind == Kind::Text) {
        let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) else {
            continue;
        };
        let wrong = trouble(&error, text);
        ensure!(!begins_json(text), "{place} is no JSON: {wrong}; {FIX}");
        ensure!(
            json == 0,
            "{place} is no JSON as {json} others are: {wrong}; {FIX}"
        );
    }
    // Any word of four letters may be valid Base64.
    let base64 = count(&|kind| kind == Kind::Base64);
    if json == 0 && base64 * 2 <= kinds.len() {
        return Ok(());
    }
    let most = kinds
        .iter()
        .copied()
        .max_by_key(|kind| count(&|it| it == *kind));
    let other = messages
        .iter()
        .zip(&kinds)
        .find(|(_, kind)| Some(**kind) != most);
    let (Some(most), Some((Placed { place, .. }, kind))) = (most, other) else {
        return if most == Some(Kind::Base64) {
            inside(messages)
        } else {
            Ok(())
        };
    };
    let others = count(&|it| it == most);
    ensure!(
        *kind != Kind::Text,
        "{place} is no base64 as {others} others are; {FIX}"
    );
    bail!(
        "{place} is {kind}, but {others} others are each {most}; a description is of messages of one kind, so leave the others out"
    )
}

/// The same check for the texts that `messages` encode in Base64.
fn inside(messages: &[Placed]) -> anyhow::Result<()> {
    let decoded = messages.iter().filter_map(|Placed { place, text }| {
        let place = format!("what {place} holds in base64");
        Some(Placed {
            place,
            text: decoded(text)?,
        })
    });
    let decoded: Vec<Placed> = decoded.collect();
    let twice = decoded
        .iter()
        .find(|it| self::decoded(&it.text).is_some_and(|text| begins_json(&text)));
    if let Some(Placed { place, .. }) = twice {
        bail!("{place} is base64 again; a description has it once, so have the sender encode once");
    }
    one_kind(&decoded)
}

/// The kind of each message. A number counts as a text if other messages are texts.
fn kinds(messages: &[Placed]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = messages.iter().map(|it| Kind::of(&it.text)).collect();
    let is_json = |kind: &Kind| kind.is_json() && *kind != Kind::Number;
    if kinds.contains(&Kind::Text) && !kinds.iter().any(is_json) {
        for kind in kinds.iter_mut().filter(|kind| **kind == Kind::Number) {
            *kind = Kind::Text;
        }
    }
    kinds
}

/// Whether `text` begins like JSON with several fields or entries.
fn begins_json(text: &str) -> bool {
    let rest = text.trim_start().strip_prefix(['{', '[']);
    rest.is_some_and(|rest| rest.trim_start().starts_with(['"', '{', '\'']))
}

/// Refuses Base64 that does not encode UTF-8 text, or that is not written as queue clients write it.
fn readable(place: &str, text: &str) -> anyhow::Result<()> {
    let is_object = |text: &str| serde_json::from_str::<Value>(text).is_ok_and(|it| it.is_object());
    let Ok(bytes) = BASE64_STANDARD.decode(text.trim()) else {
        let loose =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let others =
            [STANDARD, URL_SAFE].map(|it| GeneralPurpose::new(&it, loose).decode(text.trim()));
        let mut texts = others
            .into_iter()
            .filter_map(|bytes| String::from_utf8(bytes.ok()?).ok());
        ensure!(
            !texts.any(|it| is_object(&it)),
            "{place} is base64 without the '=' at its end, or with '-' and '_' in it; a description knows the base64 that queue clients \
             write (RFC 4648, section 4), so have the sender write this one"
        );
        return Ok(());
    };
    ensure!(
        !bytes.starts_with(&GZIP),
        "{place} is base64 of what gzip has packed; a description is of texts, so have the sender leave out the packing for the test"
    );
    // Short words may be valid Base64 by chance.
    ensure!(
        !is_utf16(&bytes) || !decode(&bytes).is_some_and(|it| is_object(&it)),
        "{place} is base64 of UTF-16, as Encoding.Unicode of .NET is; a description is of UTF-8, so have the sender use Encoding.UTF8"
    );
    Ok(())
}

#[cfg(test)]
mod tests;
