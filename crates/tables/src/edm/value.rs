//! A property value whose type is only known at run time.

use super::{Binary, DateTime, EdmType, Guid};
use crate::markers;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, VariantAccess as _},
};
use std::fmt;

/// The value of a property, with its type.
///
/// Used in [`Entity`](crate::Entity) and in [`Filter`](crate::Filter). Reading it needs the service's type annotations,
/// so [`Metadata::Minimal`](crate::models::Metadata::Minimal), the default; without them an `Int64`, a `DateTime`, a
/// `Guid` and a `Binary` arrive as [`Value::String`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `Edm.Binary`.
    Binary(Binary),
    /// `Edm.Boolean`.
    Boolean(bool),
    /// `Edm.DateTime`.
    DateTime(DateTime),
    /// `Edm.Double`.
    Double(f64),
    /// `Edm.Guid`.
    Guid(Guid),
    /// `Edm.Int32`.
    Int32(i32),
    /// `Edm.Int64`.
    Int64(i64),
    /// `Edm.String`.
    String(String),
}

macro_rules! from {
    ($($from:ty => $variant:ident),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

from! {
    Binary => Binary,
    bool => Boolean,
    DateTime => DateTime,
    azure_core::time::OffsetDateTime => DateTime,
    f32 => Double,
    f64 => Double,
    Guid => Guid,
    azure_core::Uuid => Guid,
    i8 => Int32,
    i16 => Int32,
    i32 => Int32,
    u8 => Int32,
    u16 => Int32,
    u32 => Int64,
    i64 => Int64,
    &str => String,
    String => String,
    &String => String,
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Binary(value) => value.serialize(serializer),
            Self::Boolean(value) => value.serialize(serializer),
            Self::DateTime(value) => value.serialize(serializer),
            Self::Double(value) => value.serialize(serializer),
            Self::Guid(value) => value.serialize(serializer),
            Self::Int32(value) => value.serialize(serializer),
            Self::Int64(value) => value.serialize(serializer),
            Self::String(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(markers::VALUE, ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> de::Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property value: a string, number or boolean")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, plain: D) -> Result<Value, D::Error> {
        plain.deserialize_any(self)
    }

    /// This crate's decoder passes a value with its annotated type in this form.
    fn visit_enum<A: de::EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let (edm, content) = data.variant::<EdmType>()?;
        Ok(match edm {
            EdmType::Binary => Value::Binary(content.newtype_variant()?),
            EdmType::Boolean => Value::Boolean(content.newtype_variant()?),
            EdmType::DateTime => Value::DateTime(content.newtype_variant()?),
            EdmType::Double => Value::Double(content.newtype_variant()?),
            EdmType::Guid => Value::Guid(content.newtype_variant()?),
            EdmType::Int32 => Value::Int32(content.newtype_variant()?),
            EdmType::Int64 => Value::Int64(content.newtype_variant()?),
            EdmType::String => Value::String(content.newtype_variant()?),
        })
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(i32::try_from(value).map_or(Value::Int64(value), Value::Int32))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
            .and_then(|value| self.visit_i64(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Double(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
}
