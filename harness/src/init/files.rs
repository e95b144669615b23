//! Messages and rows in files: a line for each, or as the tools that people export them with write them.
//!
//! Of messages: `az storage message peek -o json` (an array with `content`), and an array of texts. Of rows: `az storage entity query
//! -o json` (`items`), an answer of the service (`value`), an array, and the CSV of Azure Storage Explorer, in which a column `x@type`
//! says what `x` is.

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value};
use workflow::contract::text::separator_told;

/// The messages in `text`, as their queue holds them.
pub(super) fn messages(text: &str) -> Vec<String> {
    if let Ok(Value::Array(all)) = serde_json::from_str(text)
        && let Some(messages) = all.iter().map(exported).collect::<Option<Vec<_>>>()
        && !messages.is_empty()
    {
        return messages;
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(str::to_owned).collect()
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
    let told = lines.next().and_then(separator_told);
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
        row.with_context(|| {
            format!("line {number} is no object of JSON, and the file no export of rows")
        })
    });
    parsed.collect()
}

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
mod tests {
    use serde_json::json;

    use super::*;

    fn row(id: &str) -> Value {
        json!({"PartitionKey": "p", "RowKey": id, "total": 5})
    }

    #[test]
    fn rows_are_read_as_tools_export_them() {
        let all = vec![row("a-1"), row("a-2")];
        let lines = format!("{}\n\n{}\n", all[0], all[1]);
        let csv = "PartitionKey,RowKey,Timestamp,total,total@type,note\r\np,a-1,,5,Int32,\r\np,a-2,,5,,\r\n";
        for text in [
            lines,
            json!(all).to_string(),
            serde_json::to_string_pretty(&all).unwrap(),
            json!({"items": all, "nextMarker": {}}).to_string(),
            json!({"odata.metadata": "https://a/$metadata#work", "value": all}).to_string(),
            csv.to_owned(),
        ] {
            let read: Vec<Value> = rows(&text)
                .unwrap()
                .into_iter()
                .map(Value::Object)
                .collect();
            assert_eq!(read, all, "{text}");
        }
        let semicolons = csv.replace(',', ";");
        for table in [
            format!("sep=,\r\n{csv}"),
            format!("sep=;\r\n{semicolons}"),
            semicolons,
            csv.replace(',', "\t"),
        ] {
            let read: Vec<Value> = rows(&table)
                .unwrap()
                .into_iter()
                .map(Value::Object)
                .collect();
            assert_eq!(read, all, "{table}");
        }
        let quoted = "PartitionKey,RowKey,data\np,a-1,\"one, \"\"two\"\"\nthree\"\n";
        assert_eq!(rows(quoted).unwrap()[0]["data"], "one, \"two\"\nthree");
        assert_eq!(rows(&row("a-1").to_string()).unwrap().len(), 1);
        for (text, said) in [
            ("[1]", "entry 1 of the array"),
            ("{}\nx\n", "line 2 is no object of JSON"),
            (
                "PartitionKey,RowKey\np\n",
                "row 2 has 1 cells, and the header 2",
            ),
        ] {
            let error = rows(text).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn messages_are_read_as_tools_export_them() {
        let all = ["{\"id\": 1}", "eyJpZCI6MX0="];
        let peeked: Vec<Value> = all
            .iter()
            .map(|text| json!({"content": text, "dequeueCount": 0, "id": "0e32", "insertionTime": "2026-11-29T10:00:00+00:00"}))
            .collect();
        for text in [
            all.join("\n\n"),
            json!(all).to_string(),
            serde_json::to_string_pretty(&peeked).unwrap(),
        ] {
            assert_eq!(messages(&text), all, "{text}");
        }
        // A message that is an array itself.
        let own = "[{\"content\": \"x\"}]";
        assert_eq!(messages(own), [own]);
        assert_eq!(messages("[]"), ["[]"]);
    }
}
