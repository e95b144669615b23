//! Serialises any struct or map as the JSON of an entity, in one pass and without an intermediate value.
//!
//! Properties whose type JSON cannot express get a `Prop@odata.type` annotation. The positions of the keys in the text are
//! recorded, so that they can be checked and put into URLs without reading the entity again.

mod error;
mod property;
#[cfg(test)]
mod tests;

pub use error::EntityError;

use crate::keys;
use property::PropertySerializer;
use serde::ser::{Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};
use std::{borrow::Cow, ops::Range};

pub(crate) const PARTITION_KEY: &str = "PartitionKey";
pub(crate) const ROW_KEY: &str = "RowKey";
pub(crate) const TIMESTAMP: &str = "Timestamp";

/// Room for the JSON of a usual entity, so that most are written without growing the buffer.
pub(crate) const USUAL_SIZE_BYTES: usize = 512;

/// The positions of an entity's keys in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    partition: Range<usize>,
    row: Range<usize>,
}

impl Keys {
    pub(crate) fn partition<'a>(&self, json: &'a [u8]) -> Cow<'a, str> {
        unescape(&json[self.partition.clone()])
    }

    pub(crate) fn row<'a>(&self, json: &'a [u8]) -> Cow<'a, str> {
        unescape(&json[self.row.clone()])
    }
}

/// Removes JSON's escapes from a valid key. Keys contain neither backslashes nor control characters, so only a quote is
/// escaped.
fn unescape(text: &[u8]) -> Cow<'_, str> {
    let text = std::str::from_utf8(text).expect("encoded JSON must be UTF-8");
    if text.contains('\\') {
        Cow::Owned(text.replace("\\\"", "\""))
    } else {
        Cow::Borrowed(text)
    }
}

/// Appends `entity` to `json`. On an error `json` may have grown by a part of it.
pub(crate) fn encode<T: Serialize + ?Sized>(
    entity: &T,
    json: &mut Vec<u8>,
) -> Result<Keys, EntityError> {
    let mut writer = Writer {
        json,
        empty: true,
        partition: None,
        row: None,
    };
    entity.serialize(EntitySerializer(&mut writer))?;
    Ok(Keys {
        partition: writer
            .partition
            .ok_or(EntityError::MissingKey(PARTITION_KEY))?,
        row: writer.row.ok_or(EntityError::MissingKey(ROW_KEY))?,
    })
}

/// The object being written.
struct Writer<'a> {
    json: &'a mut Vec<u8>,
    empty: bool,
    partition: Option<Range<usize>>,
    row: Option<Range<usize>>,
}

impl Writer<'_> {
    fn open(&mut self) {
        self.json.push(b'{');
    }

    fn close(&mut self) {
        self.json.push(b'}');
    }

    /// Writes one property. `Timestamp` is left out, because the service sets it; so an entity that was read can be written
    /// back.
    fn property<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), EntityError> {
        if name == TIMESTAMP {
            return Ok(());
        }
        keys::validate_name(name)?;
        value.serialize(PropertySerializer::new(self, name))
    }

    /// Writes `,"name"suffix:`, with the comma only if it is needed.
    fn name(&mut self, name: &str, suffix: &str) {
        if !self.empty {
            self.json.push(b',');
        }
        self.empty = false;
        write_json(self.json, name);
        if !suffix.is_empty() {
            self.json.pop();
            self.json.extend_from_slice(suffix.as_bytes());
            self.json.push(b'"');
        }
        self.json.push(b':');
    }

    /// Writes the value of a key, after checking it by the service's rules.
    fn key(&mut self, name: &'static str, value: &str) -> Result<(), EntityError> {
        keys::validate(name, value)?;
        self.name(name, "");
        let start = self.json.len() + 1;
        write_json(self.json, value);
        let place = Some(start..self.json.len() - 1);
        let slot = if name == PARTITION_KEY {
            &mut self.partition
        } else {
            &mut self.row
        };
        *slot = place;
        Ok(())
    }
}

/// Appends a scalar as JSON.
fn write_json<T: Serialize + ?Sized>(json: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(json, value).expect("a scalar must serialise into memory");
}

/// The entity itself: a struct or a map.
struct EntitySerializer<'w, 'a>(&'w mut Writer<'a>);

impl<'w, 'a> EntitySerializer<'w, 'a> {
    fn object(self) -> Object<'w, 'a> {
        self.0.open();
        Object {
            writer: self.0,
            name: String::new(),
        }
    }
}

fn not_an_object<T>(found: &'static str) -> Result<T, EntityError> {
    Err(EntityError::NotAnObject { found })
}

macro_rules! refuse {
    ($($method:ident($($type:ty),*) = $found:literal;)*) => {
        $(fn $method(self $(, _: $type)*) -> Result<(), EntityError> {
            not_an_object($found)
        })*
    };
}

impl<'w, 'a> Serializer for EntitySerializer<'w, 'a> {
    type Ok = ();
    type Error = EntityError;
    type SerializeSeq = Impossible<(), EntityError>;
    type SerializeTuple = Impossible<(), EntityError>;
    type SerializeTupleStruct = Impossible<(), EntityError>;
    type SerializeTupleVariant = Impossible<(), EntityError>;
    type SerializeMap = Object<'w, 'a>;
    type SerializeStruct = Object<'w, 'a>;
    type SerializeStructVariant = Impossible<(), EntityError>;

    refuse! {
        serialize_bool(bool) = "a boolean";
        serialize_i8(i8) = "an integer";
        serialize_i16(i16) = "an integer";
        serialize_i32(i32) = "an integer";
        serialize_i64(i64) = "an integer";
        serialize_u8(u8) = "an integer";
        serialize_u16(u16) = "an integer";
        serialize_u32(u32) = "an integer";
        serialize_u64(u64) = "an integer";
        serialize_f32(f32) = "a number";
        serialize_f64(f64) = "a number";
        serialize_char(char) = "a character";
        serialize_str(&str) = "a string";
        serialize_bytes(&[u8]) = "bytes";
        serialize_none() = "nothing";
        serialize_unit() = "nothing";
        serialize_unit_struct(&'static str) = "a unit struct";
        serialize_unit_variant(&'static str, u32, &'static str) = "an enum variant";
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EntityError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), EntityError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), EntityError> {
        not_an_object("an enum variant")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, EntityError> {
        not_an_object("a list")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, EntityError> {
        not_an_object("a tuple")
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, EntityError> {
        not_an_object("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, EntityError> {
        not_an_object("an enum variant")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object<'w, 'a>, EntityError> {
        Ok(self.object())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object<'w, 'a>, EntityError> {
        Ok(self.object())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, EntityError> {
        not_an_object("an enum variant")
    }
}

/// The properties of the entity.
struct Object<'w, 'a> {
    writer: &'w mut Writer<'a>,
    /// A map's key that waits for its value.
    name: String,
}

impl SerializeStruct for Object<'_, '_> {
    type Ok = ();
    type Error = EntityError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EntityError> {
        self.writer.property(name, value)
    }

    fn end(self) -> Result<(), EntityError> {
        self.writer.close();
        Ok(())
    }
}

impl SerializeMap for Object<'_, '_> {
    type Ok = ();
    type Error = EntityError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EntityError> {
        self.name = key.serialize(property::NameSerializer)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EntityError> {
        self.writer.property(&self.name, value)
    }

    fn end(self) -> Result<(), EntityError> {
        self.writer.close();
        Ok(())
    }
}
