//! One property: its annotation, name and value.

use super::{EntityError, PARTITION_KEY, ROW_KEY, Writer, write_json};
use crate::edm::EdmType;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::ser::{Impossible, Serialize, Serializer};

/// Suffix of an annotation's name.
const ODATA_TYPE: &str = "@odata.type";

pub(super) struct PropertySerializer<'w, 'a, 'n> {
    writer: &'w mut Writer<'a>,
    name: &'n str,
    /// Set inside one of this crate's newtypes: the type for which its text stands.
    edm: Option<EdmType>,
}

impl<'w, 'a, 'n> PropertySerializer<'w, 'a, 'n> {
    pub(super) fn new(writer: &'w mut Writer<'a>, name: &'n str) -> Self {
        Self {
            writer,
            name,
            edm: None,
        }
    }

    fn plain<T: Serialize + ?Sized>(
        self,
        value: &T,
        kind: &'static str,
    ) -> Result<(), EntityError> {
        self.refuse_key(kind)?;
        self.writer.name(self.name, "");
        write_json(self.writer.json, value);
        Ok(())
    }

    /// The annotation names the type, and the value follows as JSON.
    fn annotated<T: Serialize + ?Sized>(
        self,
        edm: EdmType,
        value: &T,
        kind: &'static str,
    ) -> Result<(), EntityError> {
        self.refuse_key(kind)?;
        self.writer.name(self.name, ODATA_TYPE);
        write_json(self.writer.json, edm.name());
        self.writer.name(self.name, "");
        write_json(self.writer.json, value);
        Ok(())
    }

    /// `Edm.Int64` is sent as text, because many readers treat JSON numbers as doubles.
    fn int64(self, value: i64) -> Result<(), EntityError> {
        self.refuse_key("an integer")?;
        self.writer.name(self.name, ODATA_TYPE);
        write_json(self.writer.json, EdmType::Int64.name());
        self.writer.name(self.name, "");
        self.writer.json.push(b'"');
        write_json(self.writer.json, &value);
        self.writer.json.push(b'"');
        Ok(())
    }

    fn is_key(&self) -> bool {
        self.name == PARTITION_KEY || self.name == ROW_KEY
    }

    fn refuse_key(&self, found: &'static str) -> Result<(), EntityError> {
        if self.is_key() {
            return Err(EntityError::KeyNotAString {
                key: self.name.to_owned(),
                found,
            });
        }
        Ok(())
    }

    fn unsupported<T>(self, found: &'static str) -> Result<T, EntityError> {
        self.refuse_key(found)?;
        Err(EntityError::UnsupportedType {
            property: self.name.to_owned(),
            found,
        })
    }
}

impl Serializer for PropertySerializer<'_, '_, '_> {
    type Ok = ();
    type Error = EntityError;
    type SerializeSeq = Impossible<(), EntityError>;
    type SerializeTuple = Impossible<(), EntityError>;
    type SerializeTupleStruct = Impossible<(), EntityError>;
    type SerializeTupleVariant = Impossible<(), EntityError>;
    type SerializeMap = Impossible<(), EntityError>;
    type SerializeStruct = Impossible<(), EntityError>;
    type SerializeStructVariant = Impossible<(), EntityError>;

    fn serialize_bool(self, value: bool) -> Result<(), EntityError> {
        self.plain(&value, "a boolean")
    }

    fn serialize_i8(self, value: i8) -> Result<(), EntityError> {
        self.plain(&value, "an integer")
    }

    fn serialize_i16(self, value: i16) -> Result<(), EntityError> {
        self.plain(&value, "an integer")
    }

    fn serialize_i32(self, value: i32) -> Result<(), EntityError> {
        self.plain(&value, "an integer")
    }

    fn serialize_i64(self, value: i64) -> Result<(), EntityError> {
        self.int64(value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), EntityError> {
        self.plain(&value, "an integer")
    }

    fn serialize_u16(self, value: u16) -> Result<(), EntityError> {
        self.plain(&value, "an integer")
    }

    /// Not every `u32` fits `Edm.Int32`, and a property's type must not depend on its value.
    fn serialize_u32(self, value: u32) -> Result<(), EntityError> {
        self.int64(i64::from(value))
    }

    fn serialize_u64(self, value: u64) -> Result<(), EntityError> {
        match i64::try_from(value) {
            Ok(value) => self.int64(value),
            Err(_) => Err(EntityError::IntegerTooLarge {
                property: self.name.to_owned(),
                value,
            }),
        }
    }

    fn serialize_f32(self, value: f32) -> Result<(), EntityError> {
        self.serialize_f64(f64::from(value))
    }

    /// Always annotated: a service that reads `1.0` as an integer would store an `Edm.Int32`.
    fn serialize_f64(self, value: f64) -> Result<(), EntityError> {
        let text = if value.is_finite() {
            return self.annotated(EdmType::Double, &value, "a number");
        } else if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        self.annotated(EdmType::Double, text, "a number")
    }

    fn serialize_char(self, value: char) -> Result<(), EntityError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), EntityError> {
        match (self.edm, self.name) {
            (Some(edm), _) => self.annotated(edm, value, "not a plain string"),
            (None, PARTITION_KEY) => self.writer.key(PARTITION_KEY, value),
            (None, ROW_KEY) => self.writer.key(ROW_KEY, value),
            (None, _) => self.plain(value, "a string"),
        }
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), EntityError> {
        self.annotated(EdmType::Binary, &STANDARD.encode(value), "bytes")
    }

    /// Tables have no null: an absent value is an absent property.
    fn serialize_none(self) -> Result<(), EntityError> {
        self.refuse_key("absent")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EntityError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), EntityError> {
        self.refuse_key("absent")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EntityError> {
        self.unsupported("a unit struct")
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), EntityError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EntityError> {
        self.edm = EdmType::parse(name).or(self.edm);
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), EntityError> {
        self.unsupported("an enum variant with content")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, EntityError> {
        self.unsupported("a list (for bytes use tables::Binary)")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, EntityError> {
        self.unsupported("a tuple or array (for bytes use tables::Binary)")
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, EntityError> {
        self.unsupported("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, EntityError> {
        self.unsupported("an enum variant with content")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, EntityError> {
        self.unsupported("a map")
    }

    fn serialize_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStruct, EntityError> {
        self.unsupported("a struct")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, EntityError> {
        self.unsupported("an enum variant with content")
    }
}

mod name;
pub(super) use name::NameSerializer;
