//! JSON documents one after the other in a file, each over several lines, as `jq .` prints them and as exports that are appended to one file are.

use serde::de::IgnoredAny;
use serde_json::{Deserializer, Error, Value};

use crate::init::kind::trouble;

/// A document, and where it was found.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) place: String,
    pub(super) value: Value,
    pub(super) text: &'a str,
}

/// What is no JSON: where, and what is wrong there.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) place: String,
    pub(super) words: String,
}

/// The objects and lists in `text`, where they are not one to a line; `None` where the lines are to be read.
pub(super) fn documents(text: &str) -> Result<Option<Vec<Document<'_>>>, Wrong> {
    let mut stream = Deserializer::from_str(text).into_iter::<Value>();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(read) = stream.next() {
        let to = stream.byte_offset();
        match read {
            Ok(value) if value.is_object() || value.is_array() => {
                let written = text[from..to].trim();
                let place = place(text, from, written);
                found.push(Document {
                    place,
                    value,
                    text: written,
                });
            }
            Err(error) if is_spread(text) => return Err(wrong(text, from, &error)),
            _ => return Ok(None),
        }
        from = to;
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok((found.len() != lines.count()).then_some(found))
}

/// Where `written` is, which is the first in `text` after `from` bytes.
fn place(text: &str, from: usize, written: &str) -> String {
    let rest = &text[from..];
    let begin = from + (rest.len() - rest.trim_start().len());
    let line = text[..begin].matches('\n').count() + 1;
    let what = match written.chars().next() {
        _ if !written.contains('\n') => return format!("line {line}"),
        Some('[') => "list",
        _ => "object",
    };
    format!("the {what} that begins on line {line}")
}

/// Whether a document that does not end on its line is the first in `text`, and no other line is a whole one.
fn is_spread(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let parse = |line: &str| serde_json::from_str::<IgnoredAny>(line);
    let is_open =
        first.trim_start().starts_with(['{', '[']) && parse(first).is_err_and(|it| it.is_eof());
    let mut others = lines.peekable();
    let is_begin = matches!(first.trim(), "{" | "[");
    let is_only = others.peek().is_none();
    let is_whole = |line: &str| line.starts_with('{') && parse(line).is_ok();
    is_open && !is_only && (is_begin || !others.any(is_whole))
}

fn wrong(text: &str, from: usize, error: &Error) -> Wrong {
    let (line, words) = (error.line(), trouble(error, text));
    let rest = text[from..].trim();
    if error.is_eof() {
        let place = place(text, from, rest);
        return Wrong { place, words };
    }
    let place = format!("line {line}");
    if from > 0 && rest.starts_with(',') {
        let words = "a comma stands between two objects; leave the commas away, or make a list of all with [ and ]";
        let words = words.to_owned();
        return Wrong { place, words };
    }
    Wrong { place, words }
}
