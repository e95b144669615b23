//! Types of the Table service (OData's Entity Data Model) for which Rust has no serde form.
//!
//! Each serialises as the same text as with `serde_json`, but inside a newtype whose name this crate's encoder recognises. So
//! the types also work with other serde formats, without annotations.

mod binary;
mod date_time;
mod guid;
mod value;

pub use binary::Binary;
pub(crate) use binary::decode as decode_binary;
pub use date_time::DateTime;
pub use guid::Guid;
pub use value::Value;

use serde::de;

/// An OData type name, as in `Prop@odata.type` annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EdmType {
    Binary,
    Boolean,
    DateTime,
    Double,
    Guid,
    Int32,
    Int64,
    String,
}

impl EdmType {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Binary => "Edm.Binary",
            Self::Boolean => "Edm.Boolean",
            Self::DateTime => "Edm.DateTime",
            Self::Double => "Edm.Double",
            Self::Guid => "Edm.Guid",
            Self::Int32 => "Edm.Int32",
            Self::Int64 => "Edm.Int64",
            Self::String => "Edm.String",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "Edm.Binary" => Self::Binary,
            "Edm.Boolean" => Self::Boolean,
            "Edm.DateTime" => Self::DateTime,
            "Edm.Double" => Self::Double,
            "Edm.Guid" => Self::Guid,
            "Edm.Int32" => Self::Int32,
            "Edm.Int64" => Self::Int64,
            "Edm.String" => Self::String,
            _ => return None,
        })
    }
}

impl<'de> de::Deserialize<'de> for EdmType {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl de::Visitor<'_> for Name {
            type Value = EdmType;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the name of an Edm type")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<EdmType, E> {
                EdmType::parse(name)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(name), &self))
            }
        }
        deserializer.deserialize_str(Name)
    }
}
