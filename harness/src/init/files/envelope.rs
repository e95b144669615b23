//! Messages within what tools and clients of the queue service tell of them: the text, and next to it the bookkeeping of the service.

use std::collections::BTreeSet;

use anyhow::{bail, ensure};
use serde_json::{Map, Value};

use super::csv::{records, separator};
use super::foreign;
use crate::init::kind::Placed;

/// Fields with the text, the best first, as [`plain`] writes names: of the REST API, JavaScript, .NET, Java and Go; of Python and the Azure CLI;
/// of old clients of .NET; of the metadata of a trigger of Azure Functions; and of .NET and Java.
const TEXTS: [&str; 5] = ["messagetext", "content", "asstring", "queuetrigger", "body"];

/// How often a message was delivered: every client tells this of a message that it has received or peeked.
const COUNT: &str = "dequeuecount";

/// What else clients tell.
const OTHERS: [&str; 11] = [
    "id",
    "messageid",
    "insertedon",
    "insertiontime",
    "expireson",
    "expirationtime",
    "nextvisibleon",
    "nextvisibletime",
    "timenextvisible",
    "popreceipt",
    "asbytes",
];

/// A field's name without its style: `inserted_on`, `InsertedOn` and `Inserted On (UTC)` are one.
pub(super) fn plain(name: &str) -> String {
    let name = name.split_once('(').map_or(name, |(name, _)| name);
    let letters = name.chars().filter(|it| !matches!(it, '_' | ' ' | '-'));
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether `fields` are what a client tells of a message: the count of deliveries, and either nothing that no client tells, or two more that
/// clients do. A message of a worker may have a `content` or a `body` itself.
fn are_told<'a>(fields: impl Iterator<Item = &'a String>) -> bool {
    let names: BTreeSet<String> = fields.map(|name| plain(name)).collect();
    let others = names.iter().filter(|name| OTHERS.contains(&name.as_str()));
    let texts = names.iter().filter(|name| TEXTS.contains(&name.as_str()));
    let others = others.count();
    names.contains(COUNT) && (others + texts.count() + 1 == names.len() || others > 1)
}

pub(super) fn is_envelope(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|message| are_told(message.keys()) || foreign::service(message).is_some())
}

/// The envelopes of `value`, if it is a list of these, or an answer of a client that has one.
pub(super) fn envelopes(value: &Value) -> Option<&Vec<Value>> {
    let are_envelopes = |all: &Vec<Value>| !all.is_empty() && all.iter().all(is_envelope);
    match value {
        Value::Array(all) => Some(all).filter(|all| are_envelopes(all)),
        Value::Object(whole) => whole
            .values()
            .filter_map(Value::as_array)
            .find(|all| are_envelopes(all)),
        _ => None,
    }
}

/// The text of a message as a tool or a client tells it; `None` where `message` is a message itself.
pub(super) fn content(message: &Map<String, Value>, place: &str) -> anyhow::Result<Option<String>> {
    if let Some(service) = foreign::service(message) {
        bail!(
            "{place} is what {service} tells of a message, and the harness tests workers of queues of Azure Storage; if the worker gets the same \
             texts from one, write these, each on a line"
        );
    }
    if !are_told(message.keys()) {
        return Ok(None);
    }
    let of_name = |name: &&str| {
        let mut fields = message.iter();
        fields.find(|(own, _)| plain(own) == **name)
    };
    let found: Vec<(&String, &Value)> = TEXTS.iter().filter_map(of_name).collect();
    if let Some(text) = found.iter().find_map(|(_, value)| text(value)) {
        return Ok(Some(text));
    }
    let Some((name, value)) = found.first() else {
        bail!(
            "the content of {place} is missing, and nothing else tells which message it is; leave it out"
        );
    };
    ensure!(
        !is_binary_data(value),
        "the {name} of {place} is an object of BinaryData, which was printed without what is in it; print {name}.ToString()"
    );
    let wrong = match value {
        Value::String(_) => "is empty",
        Value::Null => "is null",
        _ => "is no text",
    };
    bail!("the {name} of {place} {wrong}, and nothing else tells which message it is; leave it out")
}

/// What a field with the text holds.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        // As `JSON.stringify` writes a Buffer.
        Value::Object(fields) if fields.get("type").is_some_and(|it| it == "Buffer") => {
            let bytes = fields.get("data")?.as_array()?.iter();
            let bytes: Option<Vec<u8>> = bytes.map(|it| u8::try_from(it.as_u64()?).ok()).collect();
            String::from_utf8(bytes?).ok()
        }
        Value::Object(_) if is_binary_data(value) => None,
        // Its text was JSON, and the program that exported it has parsed it.
        Value::Object(_) | Value::Array(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Whether it is what printers of .NET and Java write for `BinaryData`: its properties, without its bytes.
fn is_binary_data(value: &Value) -> bool {
    const OWN: [&str; 5] = [
        "length",
        "isempty",
        "mediatype",
        "replayable",
        "isreplayable",
    ];
    let own = |name: &String| OWN.contains(&plain(name).as_str());
    value
        .as_object()
        .is_some_and(|fields| fields.keys().all(own))
}

/// The messages of an answer of the REST API (`Get Messages`, `Peek Messages`), which is XML; `None` where `text` is none.
pub(super) fn of_xml(text: &str) -> Option<Vec<Placed>> {
    let (_, list) = text.split_once("<QueueMessagesList")?;
    if !text.trim_start().starts_with('<') {
        return None;
    }
    let messages = (1..).zip(list.split("<QueueMessage>").skip(1));
    let placed = messages.map(|(number, message): (usize, _)| {
        let text = message.split_once("<MessageText>");
        let text = text.and_then(|(_, rest)| Some(rest.split_once("</MessageText>")?.0));
        Placed {
            place: format!("message {number} of the list"),
            text: unescaped(text.unwrap_or_default()),
        }
    });
    Some(placed.collect())
}

/// The text that `text` is in XML (XML 1.0, 4.1 and 4.6).
fn unescaped(text: &str) -> String {
    let mut parts = text.split('&');
    let mut found = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';').unwrap_or((part, ""));
        let letter = match name {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => name.strip_prefix('#').and_then(|number| {
                let hex = number.strip_prefix('x');
                let code = hex.map_or_else(|| number.parse(), |hex| u32::from_str_radix(hex, 16));
                char::from_u32(code.ok()?)
            }),
        };
        if let Some(letter) = letter {
            found.push(letter);
            found.push_str(rest);
        } else {
            found.push('&');
            found.push_str(part);
        }
    }
    found
}

/// The messages of a table with a header, if this has the fields of an envelope.
pub(super) fn of_csv(text: &str) -> anyhow::Result<Option<Vec<Placed>>> {
    let header = text.lines().next().unwrap_or_default();
    if !header
        .split(['(', ')'])
        .any(|part| plain(part).contains(COUNT))
        || header.trim_start().starts_with(['{', '[', '<'])
    {
        return Ok(None);
    }
    let mut records = records(text, separator(header)).into_iter();
    let names = records.next().unwrap_or_default();
    let has_text = names
        .iter()
        .any(|name| TEXTS.contains(&plain(name).as_str()));
    if !has_text || !are_told(names.iter()) {
        return Ok(None);
    }
    let placed = (2..).zip(records).map(|(number, cells)| {
        let place = format!("row {number}");
        ensure!(
            cells.len() == names.len(),
            "{place} has {} cells, and the header {}",
            cells.len(),
            names.len()
        );
        let cells = cells.into_iter().map(Value::from);
        let message: Map<String, Value> = names.iter().cloned().zip(cells).collect();
        let text = content(&message, &place)?.unwrap_or_default();
        Ok(Placed { place, text })
    });
    placed.collect::<anyhow::Result<_>>().map(Some)
}
