//! The value of one property.

use super::number::{Float, Integer};
use crate::{
    edm::{EdmType, decode_binary},
    markers,
};
use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error, Unexpected, VariantAccess, Visitor,
        value::{BorrowedStrDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use std::fmt;

pub(super) struct PropertySeed<S> {
    pub(super) seed: S,
    pub(super) edm: Option<EdmType>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for PropertySeed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(PropertyDeserializer {
            inner,
            edm: self.edm,
        })
    }
}

pub(super) struct PropertyDeserializer<D> {
    inner: D,
    /// The annotated type, if the service sent one.
    edm: Option<EdmType>,
}

impl<D> PropertyDeserializer<D> {
    pub(super) fn plain(inner: D) -> Self {
        Self { inner, edm: None }
    }
}

macro_rules! numbers {
    ($($method:ident => $wrap:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.deserialize_any($wrap(visitor))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for PropertyDeserializer<D> {
    type Error = D::Error;

    /// For maps and flattened fields, which expect no particular type: the annotation decides.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        match self.edm {
            Some(EdmType::Int64) => self.inner.deserialize_any(Integer(visitor)),
            Some(EdmType::Double) => self.inner.deserialize_any(Float(visitor)),
            _ => self.inner.deserialize_any(visitor),
        }
    }

    numbers! {
        deserialize_i8 => Integer;
        deserialize_i16 => Integer;
        deserialize_i32 => Integer;
        deserialize_i64 => Integer;
        deserialize_i128 => Integer;
        deserialize_u8 => Integer;
        deserialize_u16 => Integer;
        deserialize_u32 => Integer;
        deserialize_u64 => Integer;
        deserialize_u128 => Integer;
        deserialize_f32 => Float;
        deserialize_f64 => Float;
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_str(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_string(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_str(Bytes(visitor))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_str(Bytes(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_option(Optional {
            visitor,
            edm: self.edm,
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        match self.edm {
            Some(edm) if name == markers::VALUE => visitor.visit_enum(Typed {
                edm,
                inner: self.inner,
            }),
            // Strings have no annotation, and the type of a value without one is clear.
            None if name == markers::VALUE => visitor.visit_newtype_struct(self.inner),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_identifier(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_ignored_any(visitor)
    }

    forward_to_deserialize_any! {
        bool char unit unit_struct seq tuple tuple_struct map struct
    }
}

/// A property that may be null or absent.
struct Optional<V> {
    visitor: V,
    edm: Option<EdmType>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Optional<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    // Text that was read ahead (a timestamp) does not come as serde_json's option.
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<V::Value, E> {
        self.visit_some(BorrowedStrDeserializer::new(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        self.visit_some(StrDeserializer::new(text))
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(PropertyDeserializer {
            inner,
            edm: self.edm,
        })
    }
}

/// Bytes of an `Edm.Binary`, for a type that asks serde for bytes.
struct Bytes<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Bytes<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        self.0.visit_byte_buf(decode_binary(text)?)
    }
}

/// A value with its annotated type, as [`Value`](crate::Value) reads it.
struct Typed<D> {
    edm: EdmType,
    inner: D,
}

impl<'de, D: Deserializer<'de>> EnumAccess<'de> for Typed<D> {
    type Error = D::Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), D::Error> {
        let name = StrDeserializer::new(self.edm.name());
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de, D: Deserializer<'de>> VariantAccess<'de> for Typed<D> {
    type Error = D::Error;

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, D::Error> {
        seed.deserialize(PropertyDeserializer::plain(self.inner))
    }

    fn unit_variant(self) -> Result<(), D::Error> {
        Err(D::Error::invalid_type(
            Unexpected::NewtypeVariant,
            &"a unit variant",
        ))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, D::Error> {
        Err(D::Error::invalid_type(Unexpected::NewtypeVariant, &visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        Err(D::Error::invalid_type(Unexpected::NewtypeVariant, &visitor))
    }
}
