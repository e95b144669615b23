//! Rows as clients of the table service tell them: with names of their own for the keys, with types, and with what the service adds.

use anyhow::{bail, ensure};
use serde_json::{Map, Value};

use super::SOME_ROWS;
use crate::init::columns::is_of_the_service;

/// The keys as the service writes them, and as JavaScript, Java, and .NET for the web do.
const KEYS: [(&str, &str); 2] = [("PartitionKey", "partitionKey"), ("RowKey", "rowKey")];

/// Types as JavaScript names them (`EdmTypes` of `@azure/data-tables`).
const TYPES: [&str; 8] = [
    "Binary", "Boolean", "DateTime", "Double", "Guid", "Int32", "Int64", "String",
];

/// Whether it has a column that every row of a table has.
pub(super) fn is_row(row: &Map<String, Value>) -> bool {
    let mut names = KEYS.iter().flat_map(|(own, other)| [own, other]);
    names.any(|name| row.contains_key(*name))
}

/// Whether it has both keys, under whichever names.
fn has_keys(row: &Map<String, Value>) -> bool {
    let mut keys = KEYS.iter();
    keys.all(|(own, other)| row.contains_key(*own) || row.contains_key(*other))
}

/// `value` as a row; refused where a table cannot hold one like it.
pub(super) fn row(value: Value, place: &str) -> anyhow::Result<Map<String, Value>> {
    let what = match &value {
        Value::Null => "null",
        Value::Array(_) => "a list",
        Value::String(_) => "a text",
        Value::Bool(_) | Value::Number(_) => "a single value",
        Value::Object(_) => "",
    };
    let Value::Object(row) = value else {
        bail!("{place} is no row: it is {what}, and a row is an object of JSON; {SOME_ROWS}");
    };
    let mut row = as_stored(row);
    for (name, value) in &mut row {
        if let Some(plain) = untyped(value) {
            *value = plain;
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

/// `row` with the names that the service knows, without what only its client has.
pub(super) fn as_stored(mut row: Map<String, Value>) -> Map<String, Value> {
    // Java has the columns in a map of their own, and so had .NET (`DynamicTableEntity`).
    for name in ["properties", "Properties"] {
        let inner = row.get(name).and_then(Value::as_object);
        let Some(inner) = inner
            .filter(|inner| has_keys(inner) || has_keys(&row))
            .cloned()
        else {
            continue;
        };
        row.remove(name);
        if has_keys(&inner) {
            // What is beside it is told twice.
            row.retain(|name, _| {
                !KEYS.iter().any(|(_, other)| other == name) && name != "timestamp"
            });
        }
        row.extend(inner);
    }
    if !has_keys(&row) {
        return row;
    }
    let is_camel = KEYS.iter().all(|(own, _)| !row.contains_key(*own));
    if is_camel {
        for (own, other) in KEYS {
            if let Some(key) = row.remove(other) {
                row.insert(own.to_owned(), key);
            }
        }
    }
    let is_etag = |value: &Value| {
        value.is_object() || value.as_str().is_some_and(|text| text.starts_with("W/"))
    };
    // The module AzTable of PowerShell adds both.
    let is_powershell = row.contains_key("Etag") && row.contains_key("TableTimestamp");
    row.retain(|name, value| match name.as_str() {
        "timestamp" => !is_camel,
        "Timestamp" => !value.is_object() && !value.is_array(),
        "ETag" | "eTag" | "Etag" => !is_etag(value),
        "etag" => !is_camel && !is_etag(value),
        "TableTimestamp" => !is_powershell,
        // `TableEntity` of Python has them outside of its columns.
        "metadata" | "_metadata" => !value.is_object(),
        _ => true,
    });
    row
}

/// The value in one that comes with its type.
fn untyped(value: &Value) -> Option<Value> {
    let is_edm = |kind: &&Value| kind.as_str().is_some_and(|kind| kind.starts_with("Edm."));
    let fields = match value {
        // `EntityProperty` of Python is a tuple, and the Azure CLI prints it so.
        Value::Array(pair) => return pair.get(1).filter(is_edm).and(pair.first()).cloned(),
        Value::Object(fields) => fields,
        _ => return None,
    };
    let has = |names: &[&str]| fields.keys().all(|name| names.contains(&name.as_str()));
    let is_type =
        |kind: &&Value| is_edm(kind) || kind.as_str().is_some_and(|kind| TYPES.contains(&kind));
    if let Some(inner) = fields.get("value") {
        let is_typed = fields.get("edm_type").as_ref().is_some_and(is_edm)
            || (has(&["type", "value"]) && fields.get("type").as_ref().is_some_and(is_type))
            // A time, as Windows PowerShell writes it.
            || (fields.len() > 1 && has(&["value", "DateTime", "DisplayHint"]));
        return is_typed.then(|| inner.clone());
    }
    // `EntityProperty` of old clients of .NET.
    if let Some(inner) = fields.get("PropertyAsObject") {
        return Some(inner.clone());
    }
    // Extended JSON of MongoDB, which tools that copy between databases write.
    let (name, inner) = fields.iter().next().filter(|_| fields.len() == 1)?;
    match name.as_str() {
        "$numberLong" | "$numberInt" | "$numberDouble" | "$numberDecimal" => {
            let number = inner
                .as_str()
                .and_then(|text| serde_json::from_str(text).ok());
            Some(number.unwrap_or_else(|| inner.clone()))
        }
        "$date" | "$oid" | "$uuid" if inner.is_string() => Some(inner.clone()),
        "$date" => untyped(inner),
        _ => None,
    }
}
