//! Messages and rows in files: a line for each, or as the tools and clients that people export them with write them.
//!
//! Of messages: an array of objects or texts, JSON documents one after the other (`documents`), and what `az storage message peek -o json`, clients of
//! the service and its REST API tell (`envelope`); `foreign` names what is given by mistake. Of rows: `az storage entity query -o json`
//! (`items`), an answer of the service (`value`), an array, the objects of clients (`entity`), and the CSV of Azure Storage Explorer (`csv`), in
//! which a column `x@type` says what `x` is.

mod csv;
mod documents;
mod entity;
mod envelope;
mod foreign;

use anyhow::{anyhow, bail, ensure};
use serde_json::{Map, Value};
use workflow::contract::text::declared_separator;

use self::documents::{Wrong, documents};
use self::entity::{as_stored, is_row, row};
use self::envelope::{content, envelopes};
use super::kind::{Placed, decoded, one_kind, trouble};

/// The messages in `text`, as their queue holds them.
pub(super) fn messages(text: &str) -> anyhow::Result<Vec<Placed>> {
    let text = &uncoloured(text);
    foreign::refuse(text)?;
    let found = match serde_json::from_str(text) {
        Ok(Value::Array(all)) if all.is_empty() => {
            bail!("it is an empty list, and no message is in it; {SOME_MESSAGES}")
        }
        Ok(Value::Array(all)) => of_list(&all)?,
        // One message that was written for people to read.
        Ok(one @ Value::Object(_)) => of_document(&one, text.trim(), "the message")?,
        _ => of_text(text)?,
    };
    ensure!(
        !found.is_empty(),
        "it is empty, and no message is in it; {SOME_MESSAGES}"
    );
    one_kind(&found)?;
    Ok(found)
}

/// What cannot be told of `messages`, which were read from `text`.
pub(super) fn untold(text: &str, messages: &[Placed]) -> Option<String> {
    let has = |names: [&str; 2]| names.iter().any(|name| text.contains(name));
    let all = |is: &dyn Fn(&str) -> bool| messages.iter().all(|it| is(&it.text));
    // Only what was taken out of an envelope is in base64 in a file that has names of fields.
    let is_body = has(["\"Body\"", "\"body\""]) && !has(["\"MessageText\"", "\"messageText\""]);
    if is_body && all(&|text| decoded(text).is_some()) {
        let told = "Whether the queue holds base64, as is taken here: .NET prints a Body in base64 also where the queue holds the text itself. If it \
                    does: encoding: text.";
        return Some(told.to_owned());
    }
    let is_quoted = |text: &str| {
        let inner = serde_json::from_str::<String>(text);
        inner.is_ok_and(|it| serde_json::from_str::<Map<String, Value>>(&it).is_ok())
    };
    all(&is_quoted).then(|| {
        "Whether the queue holds the quotes around each message and the backslashes in it: where only the export has them, export the texts \
         themselves, as jq -r does, and more is found."
            .to_owned()
    })
}

/// `text` without the colours of a terminal, as `-o jsonc` of the Azure CLI and `jq -C` have them.
fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut found = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (colours, rest) = part.split_once('m').unwrap_or(("", part));
        let is_colour = colours.chars().all(|it| it.is_ascii_digit() || it == ';');
        found.push_str(if is_colour { rest } else { part });
    }
    found
}

/// The entries of a list, each a message.
fn of_list(all: &[Value]) -> anyhow::Result<Vec<Placed>> {
    let placed = |(number, entry): (usize, &Value)| {
        let place = format!("entry {number} of the list");
        let text = match entry {
            Value::String(text) => text.clone(),
            Value::Object(message) => {
                content(message, &place)?.unwrap_or_else(|| entry.to_string())
            }
            Value::Null => {
                bail!("{place} is null, and nothing tells which message it is; leave it out")
            }
            // A list within the list is a message that is a list.
            Value::Array(_) => entry.to_string(),
            Value::Bool(_) | Value::Number(_) => bail!(
                "{place} is {entry}; a message is an object or a text, so write a number as a text in quotes; one message that is a list \
                 is written as a list in a list"
            ),
        };
        Ok(Placed { place, text })
    };
    (1..).zip(all).map(placed).collect()
}

/// The messages in `value`, which is `text` in the file: those that a client tells in it, or itself.
fn of_document(value: &Value, text: &str, place: &str) -> anyhow::Result<Vec<Placed>> {
    if let Some(all) = envelopes(value) {
        return of_list(all);
    }
    let told = value
        .as_object()
        .map_or(Ok(None), |message| content(message, place))?;
    Ok(vec![Placed {
        text: told.unwrap_or_else(|| text.to_owned()),
        place: place.to_owned(),
    }])
}

/// The messages of a text that is not JSON as a whole.
fn of_text(text: &str) -> anyhow::Result<Vec<Placed>> {
    if let Some(answer) = envelope::of_xml(text) {
        return Ok(answer);
    }
    if let Some(table) = envelope::of_csv(text)? {
        return Ok(table);
    }
    let documents = documents(text).map_err(|Wrong { place, words }| {
        anyhow!("{place} is no JSON: {words}; mend it, or leave it out")
    })?;
    if let Some(all) = documents {
        let placed = all
            .iter()
            .map(|it| of_document(&it.value, it.text, &it.place));
        let placed: Vec<Vec<Placed>> = placed.collect::<anyhow::Result<_>>()?;
        return Ok(placed.concat());
    }
    of_lines(text)
}

/// The lines that are not empty, each a message.
fn of_lines(text: &str) -> anyhow::Result<Vec<Placed>> {
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let placed = |(number, line): (usize, &str)| {
        let value = serde_json::from_str(line).unwrap_or_default();
        of_document(&value, line, &format!("line {number}"))
    };
    let placed: Vec<Vec<Placed>> = lines.map(placed).collect::<anyhow::Result<_>>()?;
    Ok(placed.concat())
}

/// What to do where no message is.
const SOME_MESSAGES: &str = "write a few real ones, each on a line as its queue holds it, or what az storage message peek -o json prints";

/// The rows in `text`.
pub(super) fn rows(text: &str) -> anyhow::Result<Vec<Map<String, Value>>> {
    let rows = all_rows(text)?;
    ensure!(!rows.is_empty(), "no row is in it; {SOME_ROWS}");
    Ok(rows)
}

fn all_rows(text: &str) -> anyhow::Result<Vec<Map<String, Value>>> {
    let text = &uncoloured(text);
    match serde_json::from_str(text) {
        Ok(Value::Array(all)) => return objects(all),
        Ok(whole @ Value::Object(_)) => return rows_of(whole, "entry 1 of the list"),
        _ => {}
    }
    // Excel writes and reads a line such as `sep=;` before the header.
    let mut lines = text.split_inclusive('\n');
    let told = lines.next().and_then(declared_separator);
    let table = if told.is_some() {
        lines.collect()
    } else {
        text.clone()
    };
    let header = table.lines().next().unwrap_or_default();
    let has_key = csv::KEYS.iter().any(|key| header.contains(key));
    if has_key && !header.trim_start().starts_with(['{', '[', '<']) {
        let separator = told.unwrap_or_else(|| csv::separator(header));
        let rows = csv::rows(&table, separator)?;
        return Ok(rows.into_iter().map(as_stored).collect());
    }
    let wrong = |Wrong { place, words }| anyhow!("{place} is no row: {words}; {SOME_ROWS}");
    let found = if let Some(all) = documents(text).map_err(wrong)? {
        let found = all.into_iter().map(|it| rows_of(it.value, &it.place));
        found.collect::<anyhow::Result<Vec<_>>>()?
    } else {
        let lines = (1..).zip(text.lines());
        let lines = lines.filter(|(_, line)| !line.trim().is_empty());
        let parsed = lines.map(|(number, line)| {
            let place = format!("line {number}");
            match serde_json::from_str(line) {
                Ok(value) => rows_of(value, &place),
                Err(error) => {
                    let words = trouble(&error, line);
                    Err(wrong(Wrong { place, words }))
                }
            }
        });
        parsed.collect::<anyhow::Result<Vec<_>>>()?
    };
    Ok(found.concat())
}

/// The rows in `value`: a page of them, as the service answers and clients print, or itself.
fn rows_of(mut value: Value, place: &str) -> anyhow::Result<Vec<Map<String, Value>>> {
    match &mut value {
        Value::Array(all) if !all.is_empty() && all.iter().all(Value::is_object) => {
            return objects(std::mem::take(all));
        }
        Value::Object(whole) => {
            let is_row = is_row(whole);
            for name in ["items", "value", "Value"] {
                match whole.get_mut(name) {
                    Some(Value::Array(all)) if !is_row || all.iter().all(Value::is_object) => {
                        return objects(std::mem::take(all));
                    }
                    Some(Value::Null) if !is_row => return objects(Vec::new()),
                    _ => {}
                }
            }
            for name in ["error", "odata.error"] {
                if let Some(error) = whole.get(name).filter(|it| it.is_object()) {
                    bail!(
                        "it is an error of the service in place of rows: {error}; export the rows again"
                    );
                }
            }
        }
        _ => {}
    }
    Ok(vec![row(value, place)?])
}

/// Whether `messages` holds rows, which have keys, and `rows` holds none: the files are swapped.
pub(super) fn are_swapped(messages: &str, rows: &str) -> bool {
    let are_rows = |text: &str| {
        let has_keys = |row: &Map<String, Value>| {
            row.contains_key("PartitionKey") && row.contains_key("RowKey")
        };
        all_rows(text).is_ok_and(|rows| !rows.is_empty() && rows.iter().all(has_keys))
    };
    are_rows(messages) && !are_rows(rows)
}

/// What to do where no row is.
const SOME_ROWS: &str = "write a few real ones, each on a line as an object of JSON, or what az storage entity query -o json prints or \
                         Storage Explorer exports";

fn objects(all: Vec<Value>) -> anyhow::Result<Vec<Map<String, Value>>> {
    ensure!(
        !all.is_empty(),
        "it is an empty list, and no row is in it; {SOME_ROWS}"
    );
    let is_page = |entry: &Value| {
        let page = entry.as_array().filter(|page| !page.is_empty());
        page.is_some_and(|page| page.iter().all(Value::is_object))
    };
    if all.iter().all(is_page) {
        let pages = all.into_iter().map(|page| rows_of(page, "a page"));
        return Ok(pages.collect::<anyhow::Result<Vec<_>>>()?.concat());
    }
    let objects = (1..)
        .zip(all)
        .map(|(number, entry)| row(entry, &format!("entry {number} of the list")));
    objects.collect()
}

#[cfg(test)]
mod tests;
