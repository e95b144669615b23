//! Messages and rows in files: a line for each, or as the tools that people export them with write them.
//!
//! Of messages: `az storage message peek -o json` (an array with `content`), and an array of objects or texts. Of rows: `az storage entity query
//! -o json` (`items`), an answer of the service (`value`), an array, and the CSV of Azure Storage Explorer, in which a column `x@type`
//! says what `x` is.

use anyhow::{bail, ensure};
use serde_json::{Map, Value};
use workflow::contract::json;
use workflow::contract::text::declared_separator;

use super::columns::is_of_the_service;
use super::kind::{Placed, one_kind};

/// The messages in `text`, as their queue holds them.
pub(super) fn messages(text: &str) -> anyhow::Result<Vec<Placed>> {
    let found = match serde_json::from_str(text) {
        Ok(Value::Array(all)) if all.is_empty() => {
            bail!("it is an empty list, and no message is in it; {SOME_MESSAGES}")
        }
        Ok(Value::Array(all)) => of_list(&all)?,
        // One message that was written for people to read.
        Ok(Value::Object(one)) => vec![Placed {
            text: content(&one, "the message")?.unwrap_or_else(|| text.trim().to_owned()),
            place: "the message".to_owned(),
        }],
        _ => of_lines(text)?,
    };
    ensure!(
        !found.is_empty(),
        "it is empty, and no message is in it; {SOME_MESSAGES}"
    );
    one_kind(&found)?;
    Ok(found)
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

/// The lines that are not empty, each a message.
fn of_lines(text: &str) -> anyhow::Result<Vec<Placed>> {
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let placed = |(number, line): (usize, &str)| {
        let place = format!("line {number}");
        let exported = match serde_json::from_str(line) {
            Ok(Value::Object(message)) => content(&message, &place)?,
            _ => None,
        };
        let text = exported.unwrap_or_else(|| line.to_owned());
        Ok(Placed { place, text })
    };
    lines.map(placed).collect()
}

/// What to do where no message is.
const SOME_MESSAGES: &str = "write a few real ones, each on a line as its queue holds it, or what az storage message peek -o json prints";

/// The text of a message as a tool exports it, which says how often it was delivered; `None` where `message` is a message itself.
fn content(message: &Map<String, Value>, place: &str) -> anyhow::Result<Option<String>> {
    if !message.contains_key("dequeueCount") {
        return Ok(None);
    }
    let wrong = match message.get("content") {
        Some(Value::String(text)) if !text.trim().is_empty() => return Ok(Some(text.clone())),
        Some(Value::String(_)) => "is empty",
        Some(Value::Null) => "is null",
        Some(_) => "is no text",
        None => "is missing",
    };
    bail!(
        "the content of {place} {wrong}, and nothing else tells which message it is; leave it out"
    )
}

/// The rows in `text`.
pub(super) fn rows(text: &str) -> anyhow::Result<Vec<Map<String, Value>>> {
    let rows = all_rows(text)?;
    ensure!(!rows.is_empty(), "no row is in it; {SOME_ROWS}");
    Ok(rows)
}

fn all_rows(text: &str) -> anyhow::Result<Vec<Map<String, Value>>> {
    match serde_json::from_str(text) {
        Ok(Value::Array(all)) => return objects(all),
        Ok(Value::Object(mut whole)) => {
            let is_row = is_row(&whole);
            for name in ["items", "value"] {
                match whole.get_mut(name) {
                    Some(Value::Array(all)) => return objects(std::mem::take(all)),
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
            return objects(vec![Value::Object(whole)]);
        }
        _ => {}
    }
    // Excel writes and reads a line such as `sep=;` before the header.
    let mut lines = text.split_inclusive('\n');
    let told = lines.next().and_then(declared_separator);
    let table = if told.is_some() {
        lines.collect()
    } else {
        text.to_owned()
    };
    let header = table.lines().next().unwrap_or_default();
    if header.contains("PartitionKey") && !header.trim_start().starts_with('{') {
        let others = [';', '\t'].into_iter();
        let mut others = others.filter(|it| !header.contains(',') && header.contains(*it));
        let separator = told.or_else(|| others.next()).unwrap_or(',');
        return of_csv(&table, separator);
    }
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let parsed = lines.map(|(number, line)| {
        let place = format!("line {number}");
        match serde_json::from_str(line) {
            Ok(value) => row(value, &place),
            Err(error) => {
                let (_, wrong) = json::trouble(&error, line);
                bail!("{place} is no row: {wrong}; {SOME_ROWS}")
            }
        }
    });
    parsed.collect()
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
    let objects = (1..)
        .zip(all)
        .map(|(number, entry)| row(entry, &format!("entry {number} of the list")));
    objects.collect()
}

/// Whether it has a column that every row of a table has.
fn is_row(row: &Map<String, Value>) -> bool {
    row.contains_key("PartitionKey") || row.contains_key("RowKey")
}

/// `value` as a row; refused where a table cannot hold one like it.
fn row(value: Value, place: &str) -> anyhow::Result<Map<String, Value>> {
    let what = match &value {
        Value::Null => "null",
        Value::Array(_) => "a list",
        Value::String(_) => "a text",
        Value::Bool(_) | Value::Number(_) => "a single value",
        Value::Object(_) => "",
    };
    let Value::Object(mut row) = value else {
        bail!("{place} is no row: it is {what}, and a row is an object of JSON; {SOME_ROWS}");
    };
    for (name, value) in &mut row {
        // The client of Python gives a value with its type where JSON has no type for it (`EntityProperty`), and the Azure CLI prints it so.
        let typed = match value {
            Value::Array(pair) => pair.get(1).filter(|kind| is_type(kind)).and(pair.first()),
            Value::Object(pair) => pair
                .get("edm_type")
                .filter(|kind| is_type(kind))
                .and(pair.get("value")),
            _ => None,
        };
        if let Some(typed) = typed.cloned() {
            *value = typed;
        }
        ensure!(
            !value.is_object() && !value.is_array(),
            "the column {name} of {place} holds {value}, which no column of a table can; write the row as its table holds it"
        );
    }
    let is_own = |(name, value): (&String, &Value)| !is_of_the_service(name) && !value.is_null();
    ensure!(
        row.iter().any(is_own),
        "{place} has no column of a worker; {SOME_ROWS}"
    );
    Ok(row)
}

fn is_type(kind: &Value) -> bool {
    kind.as_str().is_some_and(|kind| kind.starts_with("Edm."))
}

fn of_csv(text: &str, separator: char) -> anyhow::Result<Vec<Map<String, Value>>> {
    let mut records = records(text, separator).into_iter();
    let header = records.next().unwrap_or_default();
    // Some versions write a type into the first row alone (microsoft/AzureStorageExplorer#8772).
    let mut types = vec![String::new(); header.len()];
    let rows = (2..).zip(records).map(|(number, cells)| {
        ensure!(
            cells.len() == header.len(),
            "row {number} has {} cells, and the header {}",
            cells.len(),
            header.len()
        );
        for (known, cell) in types.iter_mut().zip(&cells).filter(|it| !it.1.is_empty()) {
            known.clone_from(cell);
        }
        let at = |name: &str| header.iter().position(|it| it == name);
        let cell = |name: &str| at(name).map(|at| cells[at].as_str());
        let columns = header.iter().filter(|name| !name.ends_with("@type"));
        // An empty cell is a property that the entity does not have.
        let columns =
            columns.filter_map(|name| Some((name, cell(name).filter(|it| !it.is_empty())?)));
        let with_type = |(name, text): (&String, &str)| {
            let told = at(&format!("{name}@type")).map(|at| types[at].as_str());
            let value = match told {
                Some("Int32" | "Double" | "Boolean") => serde_json::from_str(text).ok(),
                _ => None,
            };
            (name.clone(), value.unwrap_or_else(|| text.into()))
        };
        Ok(columns.map(with_type).collect())
    });
    // A line of separators alone, as a spreadsheet writes below its last row.
    let is_some =
        |row: &anyhow::Result<Map<String, Value>>| row.as_ref().map_or(true, |row| !row.is_empty());
    rows.filter(is_some).collect()
}

/// The records of a text of separated values (RFC 4180): quotes keep separators and ends of lines, and are doubled in them.
fn records(text: &str, separator: char) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut is_quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            letter if letter == separator && !is_quoted => record.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted => {}
            '\n' if !is_quoted => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            letter => cell.push(letter),
        }
    }
    if !cell.is_empty() || !record.is_empty() {
        record.push(cell);
        records.push(record);
    }
    records.retain(|record| record.len() > 1 || !record.iter().all(String::is_empty));
    records
}

#[cfg(test)]
mod tests;
