//! Tables as text: RFC 4180, and the CSV of Azure Storage Explorer.

use anyhow::ensure;
use serde_json::{Map, Value};

/// The names of the first key, as the service and JavaScript write it.
pub(super) const KEYS: [&str; 2] = ["PartitionKey", "partitionKey"];

/// The separator of the columns whose names are in `header`.
pub(super) fn separator(header: &str) -> char {
    let mut others = [';', '\t'].into_iter();
    let other = others.find(|it| !header.contains(',') && header.contains(*it));
    other.unwrap_or(',')
}

/// The rows of a table with a header, as Azure Storage Explorer exports it.
pub(super) fn rows(text: &str, separator: char) -> anyhow::Result<Vec<Map<String, Value>>> {
    let mut records = records(text, separator).into_iter();
    let header = records.next().unwrap_or_default();
    ensure!(
        header.iter().any(|name| KEYS.contains(&name.as_str())),
        "no column of the header is called PartitionKey: {:?}; separate the columns by commas, as Azure Storage Explorer does, or print rows \
         with az storage entity query -o json, or with ConvertTo-Json in PowerShell",
        header.join(&separator.to_string())
    );
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
pub(super) fn records(text: &str, separator: char) -> Vec<Vec<String>> {
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
