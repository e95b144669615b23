//! Messages and rows in files: a line for each, or as the tools that people export them with write them.
//!
//! Of messages: `az storage message peek -o json` (an array with `content`), and an array of texts. Of rows: `az storage entity query
//! -o json` (`items`), an answer of the service (`value`), an array, and the CSV of Azure Storage Explorer, in which a column `x@type`
//! says what `x` is.

use anyhow::{anyhow, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};
use workflow::contract::json;
use workflow::contract::text::declared_separator;

/// The messages in `text`, as their queue holds them.
pub(super) fn messages(text: &str) -> anyhow::Result<Vec<String>> {
    let is_one_line = text.trim().lines().count() <= 1;
    match serde_json::from_str(text) {
        Ok(Value::Array(all)) if all.is_empty() => {
            bail!("it is an empty list, and no message is in it; {SOME_MESSAGES}")
        }
        Ok(Value::Array(all)) => {
            if let Some(messages) = all.iter().map(exported).collect::<Option<Vec<_>>>() {
                return Ok(messages);
            }
            ensure!(
                is_one_line,
                "it is one list of {} entries over several lines, which may be as many messages or one; write each message on a line of \
                 its own, which jq -c '.[]' does, or the one message on one line",
                all.len()
            );
        }
        // One message that was written for people to read.
        Ok(Value::Object(_)) => return Ok(vec![text.trim().to_owned()]),
        _ => {}
    }
    let lines: Vec<(usize, &str)> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .collect();
    one_kind(&lines)?;
    Ok(lines.into_iter().map(|(_, line)| line.to_owned()).collect())
}

/// What to do where no message is.
const SOME_MESSAGES: &str = "write a few real ones, each on a line as its queue holds it, or what az storage message peek -o json prints";

/// Whether the lines are messages of one kind: a line of JSON that is none, or one among others of another kind, would make texts of all.
fn one_kind(lines: &[(usize, &str)]) -> anyhow::Result<()> {
    let wrong = |line: &str| {
        let error = serde_json::from_str::<serde::de::IgnoredAny>(line).err()?;
        Some(json::trouble(&error, line).1)
    };
    let is_base64 = |line: &str| BASE64_STANDARD.decode(line.trim()).is_ok();
    let begun = |line: &str| {
        let rest = line.trim_start().strip_prefix(['{', '[']);
        rest.is_some_and(|rest| rest.trim_start().starts_with(['"', '{', '\'']))
    };
    let json = lines
        .iter()
        .filter(|(_, line)| wrong(line).is_none())
        .count();
    let base64 = lines.iter().filter(|(_, line)| is_base64(line)).count();
    let fix = "mend the line, or leave it out; a message is a line of its own";
    for (number, line) in lines {
        if let Some(wrong) = wrong(line).filter(|_| begun(line) || json > 0 && !is_base64(line)) {
            let others = if begun(line) {
                String::new()
            } else {
                format!(" as {json} other lines are")
            };
            bail!("line {number} is no JSON{others}: {wrong}; {fix}");
        }
        ensure!(
            base64 * 2 <= lines.len() || base64 == lines.len() || is_base64(line),
            "line {number} is no base64 as {base64} other lines are; {fix}"
        );
    }
    Ok(())
}

/// The text of a message in an array, where the array is a tool's and not a message itself.
fn exported(message: &Value) -> Option<String> {
    let text = match message {
        Value::String(text) => text,
        Value::Object(message) if message.contains_key("dequeueCount") => {
            message.get("content")?.as_str()?
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// The rows in `text`.
pub(super) fn rows(text: &str) -> anyhow::Result<Vec<Map<String, Value>>> {
    match serde_json::from_str(text) {
        Ok(Value::Array(all)) if all.is_empty() => {
            bail!("it is an empty list, and no row is in it; {SOME_ROWS}")
        }
        Ok(Value::Array(all)) => return objects(all),
        Ok(Value::Object(mut whole)) => {
            for name in ["items", "value"] {
                if let Some(Value::Array(all)) = whole.get_mut(name) {
                    return objects(std::mem::take(all));
                }
            }
            return Ok(vec![whole]);
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
        let row = serde_json::from_str::<Map<String, Value>>(line);
        row.map_err(|error| {
            let (_, wrong) = json::trouble(&error, line);
            anyhow!("line {number} is no row: {wrong}; {SOME_ROWS}")
        })
    });
    parsed.collect()
}

/// What to do where no row is.
const SOME_ROWS: &str = "write a few real ones, each on a line as an object of JSON, or what az storage entity query -o json prints or \
                         Storage Explorer exports";

fn objects(all: Vec<Value>) -> anyhow::Result<Vec<Map<String, Value>>> {
    let objects = (1..).zip(all).map(|(number, row)| match row {
        Value::Object(row) => Ok(row),
        _ => bail!("entry {number} of the array is no object of JSON"),
    });
    objects.collect()
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
    rows.collect()
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
