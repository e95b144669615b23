//! Entities as JSON, in and out: "Inserting and updating entities" and "Payload format for Table service operations", Azure Storage
//! REST reference.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;

use super::{address::check_key, format::Format};
use crate::{
    http::error::ServiceError,
    state::{
        edm::{DateTime, Type, Value, utf16_bytes},
        entity::{Entity, Key, Properties},
    },
};

const TYPE: &str = "@odata.type";
/// Longest name of a property, in UTF-16 bytes.
const MOST_NAME_BYTES: usize = 2 * 255;
/// Largest binary value, in bytes, and largest text, in UTF-16 bytes.
const MOST_VALUE_BYTES: usize = 64 * 1024;

/// An object with its members in order, including repeated names.
#[derive(Debug)]
struct Members(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// The entity in a body. Its keys may be missing if the address has them.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) partition: Option<String>,
    pub(super) row: Option<String>,
    pub(super) properties: Properties,
}

/// Parses the body of a write.
pub(super) fn parse(body: &[u8]) -> Result<Body, ServiceError> {
    let members: Members = serde_json::from_slice(body).map_err(|error| {
        ServiceError::invalid_input(format!("The body is not a valid JSON object: {error}"))
    })?;
    let (mut types, mut values) = (Vec::new(), Vec::new());
    for (name, value) in members.0 {
        if let Some(name) = name.strip_suffix(TYPE) {
            types.push((name.to_owned(), value));
        } else if !name.starts_with("odata.") && !name.contains("@odata.") {
            values.push((name, value));
        }
    }
    let mut seen = std::collections::HashSet::new();
    let mut result = Body {
        partition: None,
        row: None,
        properties: Vec::with_capacity(values.len()),
    };
    for (name, value) in &values {
        if !seen.insert(name.as_str()) {
            return Err(ServiceError::duplicate_properties());
        }
        let of = types.iter().find(|(other, _)| other == name);
        let of = of.map(|(_, of)| edm_type(of)).transpose()?;
        match name.as_str() {
            "PartitionKey" => result.partition = Some(key(name, value)?),
            "RowKey" => result.row = Some(key(name, value)?),
            // Set by the service.
            "Timestamp" => {}
            _ => {
                check_property_name(name)?;
                if let Some(value) = property(name, value, of)? {
                    result.properties.push((name.as_str().into(), value));
                }
            }
        }
    }
    Ok(result)
}

fn edm_type(name: &Json) -> Result<Type, ServiceError> {
    let name = name.as_str().unwrap_or_default();
    Type::parse(name).ok_or_else(|| {
        ServiceError::invalid_input(format!("'{name}' is not a type of a property."))
    })
}

fn key(name: &str, value: &Json) -> Result<String, ServiceError> {
    match value {
        Json::String(text) => {
            check_key(name, text)?;
            Ok(text.clone())
        }
        Json::Null => Err(ServiceError::properties_need_value()),
        _ => Err(ServiceError::invalid_input(format!(
            "{name} must be a string."
        ))),
    }
}

fn check_property_name(name: &str) -> Result<(), ServiceError> {
    if utf16_bytes(name) > MOST_NAME_BYTES {
        return Err(ServiceError::property_name_too_long());
    }
    let identifier = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if identifier {
        Ok(())
    } else {
        Err(ServiceError::property_name_invalid())
    }
}

/// A property's value; `None` for null, which is not stored.
fn property(name: &str, value: &Json, of: Option<Type>) -> Result<Option<Value>, ServiceError> {
    let wrong = || {
        ServiceError::invalid_input(format!(
            "An error occurred while processing this request: the value of '{name}' is not of its type."
        ))
    };
    let value = match (value, of) {
        (Json::Null, _) => return Ok(None),
        (Json::String(text), of) => {
            let value = Value::parse(of.unwrap_or(Type::String), text);
            value.ok_or_else(wrong)?
        }
        (Json::Bool(value), None | Some(Type::Boolean)) => Value::Boolean(*value),
        (Json::Number(number), of) => self::number(number, of).ok_or_else(wrong)?,
        _ => return Err(wrong()),
    };
    let too_large = match &value {
        Value::Binary(bytes) => bytes.len() > MOST_VALUE_BYTES,
        Value::String(text) => utf16_bytes(text) > MOST_VALUE_BYTES,
        _ => false,
    };
    if too_large {
        return Err(ServiceError::property_value_too_large());
    }
    Ok(Some(value))
}

/// A number without a type is an Int32 if it is an integer, otherwise a Double.
fn number(number: &serde_json::Number, of: Option<Type>) -> Option<Value> {
    match of {
        None if number.is_f64() => number.as_f64().map(Value::Double),
        None | Some(Type::Int32) => {
            let number = i32::try_from(number.as_i64()?).ok()?;
            Some(Value::Int32(number))
        }
        Some(Type::Int64) => number.as_i64().map(Value::Int64),
        Some(Type::Double) => number.as_f64().map(Value::Double),
        Some(_) => None,
    }
}

/// The origin of an answer's entities, for full metadata.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) base: &'a str,
    pub(super) account: &'a str,
    pub(super) table: &'a str,
}

/// Appends a text in JSON.
pub(super) fn text(out: &mut String, text: &str) {
    let json = serde_json::to_string(text).expect("a text must have a JSON form");
    out.push_str(&json);
}

/// Writes the members of an object, with commas.
pub(super) struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    pub(super) fn begin(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    pub(super) fn name(&mut self, name: &str) -> &mut String {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        text(self.out, name);
        self.out.push(':');
        self.out
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        text(self.name(name), value);
    }

    pub(super) fn end(self) {
        self.out.push('}');
    }
}

/// The part of an address that names an entity.
pub(super) fn entity_path(table: &str, key: &Key) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    let escape = |text: &str| utf8_percent_encode(&text.replace('\'', "''"), KEPT).to_string();
    let (partition, row) = (escape(&key.partition), escape(&key.row));
    format!("{table}(PartitionKey='{partition}',RowKey='{row}')")
}

/// Appends an entity. `metadata` is set if the entity is the whole document.
pub(super) fn write_entity(
    out: &mut String,
    origin: Origin<'_>,
    format: Format,
    document: bool,
    select: Option<&[&str]>,
    key: &Key,
    entity: &Entity,
) {
    let mut object = Object::begin(out);
    if document && format != Format::None {
        let metadata = format!("{}/$metadata#{}/@Element", origin.base, origin.table);
        object.text("odata.metadata", &metadata);
    }
    if format == Format::Full {
        let path = entity_path(origin.table, key);
        object.text(
            "odata.type",
            &format!("{}.{}", origin.account, origin.table),
        );
        object.text("odata.id", &format!("{}/{path}", origin.base));
        object.text("odata.etag", &entity.etag());
        object.text("odata.editLink", &path);
    } else if format == Format::Minimal {
        object.text("odata.etag", &entity.etag());
    }
    let selected = |name: &str| select.is_none_or(|select| select.contains(&name));
    for (name, value) in [("PartitionKey", &key.partition), ("RowKey", &key.row)] {
        if selected(name) {
            object.text(name, value);
        }
    }
    if selected("Timestamp") {
        if format == Format::Full {
            object.text("Timestamp@odata.type", "Edm.DateTime");
        }
        object.text("Timestamp", &DateTime::from(entity.timestamp).text());
    }
    for (name, value) in &entity.properties {
        if selected(name) {
            write_property(&mut object, format, name, value);
        }
    }
    object.end();
}

fn write_property(object: &mut Object<'_>, format: Format, name: &str, value: &Value) {
    let (of, text) = match value {
        Value::Boolean(value) => {
            object
                .name(name)
                .push_str(if *value { "true" } else { "false" });
            return;
        }
        Value::Int32(value) => {
            object.name(name).push_str(&value.to_string());
            return;
        }
        Value::Double(value) if value.is_finite() => {
            let json = serde_json::to_string(value).expect("a finite number must have a JSON form");
            object.name(name).push_str(&json);
            return;
        }
        Value::String(value) => return object.text(name, value),
        Value::Double(value) => ("Edm.Double", special(*value).to_owned()),
        Value::Int64(value) => ("Edm.Int64", value.to_string()),
        Value::DateTime(value) => ("Edm.DateTime", value.text()),
        Value::Guid(value) => ("Edm.Guid", value.to_string()),
        Value::Binary(value) => {
            use base64::{Engine as _, engine::general_purpose::STANDARD};
            ("Edm.Binary", STANDARD.encode(value))
        }
    };
    if format != Format::None {
        object.text(&format!("{name}{TYPE}"), of);
    }
    object.text(name, &text);
}

const fn special(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}
