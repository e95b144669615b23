//! Deserialises the JSON of an entity into any type, directly from the text.
//!
//! A layer between `serde_json` and the type: it hides `odata.*` properties and `Prop@odata.type` annotations, converts the
//! text of an `Edm.Int64` into an integer and that of a special `Edm.Double` into a float, and records the `ETag` and the
//! `Timestamp` if the caller needs them.

mod key;
mod number;
mod property;
#[cfg(test)]
mod tests;

use crate::{edm::EdmType, markers, ser::TIMESTAMP};
use key::{KeySeed, deserialize_text};
use property::{PropertyDeserializer, PropertySeed};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
    forward_to_deserialize_any,
};
use std::{borrow::Cow, fmt, marker::PhantomData};

/// Properties that the service adds to an entity.
#[derive(Debug, Default)]
pub(crate) struct SystemProperties<'de> {
    pub(crate) etag: Option<Cow<'de, str>>,
    pub(crate) timestamp: Option<Cow<'de, str>>,
}

/// Deserialises an entity from an undecorated deserialiser.
pub(crate) struct EntityDeserializer<'s, 'de, D> {
    inner: D,
    /// Filled on the way, if given.
    system: Option<&'s mut SystemProperties<'de>>,
}

impl<D> EntityDeserializer<'_, '_, D> {
    pub(crate) fn new(inner: D) -> Self {
        Self {
            inner,
            system: None,
        }
    }
}

impl<'s, 'de, D> EntityDeserializer<'s, 'de, D> {
    pub(crate) fn noting(inner: D, system: &'s mut SystemProperties<'de>) -> Self {
        Self {
            inner,
            system: Some(system),
        }
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for EntityDeserializer<'_, 'de, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_map(EntityVisitor {
            visitor,
            system: self.system,
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        if name == markers::STORED {
            visitor.visit_newtype_struct(self.inner)
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    /// The content of an ignored entity needs no decoding.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_ignored_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct enum identifier
    }
}

struct EntityVisitor<'s, 'de, V> {
    visitor: V,
    system: Option<&'s mut SystemProperties<'de>>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for EntityVisitor<'_, 'de, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Properties {
            inner,
            system: self.system,
            annotation: None,
            edm: None,
            at_timestamp: false,
        })
    }
}

/// The properties of an entity without those that OData adds.
struct Properties<'s, 'de, A> {
    inner: A,
    system: Option<&'s mut SystemProperties<'de>>,
    /// The last annotation: its property's name, and the type. It comes right before its property.
    annotation: Option<(Cow<'de, str>, EdmType)>,
    /// The annotated type of the property whose value comes next.
    edm: Option<EdmType>,
    at_timestamp: bool,
}

impl<'de, A: MapAccess<'de>> Properties<'_, 'de, A> {
    /// Handles a property that OData added; returns false if `name` is one of the entity's own.
    fn take_annotation(&mut self, name: &Cow<'de, str>) -> Result<bool, A::Error> {
        if let Some(property) = annotated_property(name) {
            let edm = EdmType::parse(&self.inner.next_value_seed(KeySeed)?);
            self.annotation = edm.map(|edm| (property, edm));
        } else if name == "odata.etag" && self.system.is_some() {
            let etag = self.inner.next_value_seed(KeySeed)?;
            if let Some(system) = &mut self.system {
                system.etag = Some(etag);
            }
        } else if name.starts_with("odata.") || (name.contains('@') && name.contains("@odata.")) {
            self.inner.next_value::<IgnoredAny>()?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Properties<'_, 'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.inner.next_key_seed(KeySeed)? {
            if self.take_annotation(&name)? {
                continue;
            }
            self.edm = self
                .annotation
                .take()
                .filter(|(property, _)| *property == name)
                .map(|(_, edm)| edm);
            self.at_timestamp = self.system.is_some() && name == TIMESTAMP;
            return deserialize_text(seed, name).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        if let (true, Some(system)) = (self.at_timestamp, &mut self.system) {
            let text = self.inner.next_value_seed(KeySeed)?;
            system.timestamp = Some(text.clone());
            return deserialize_text(seed, text);
        }
        self.inner.next_value_seed(PropertySeed {
            seed,
            edm: self.edm.take(),
        })
    }
}

/// The name of the property that `Prop@odata.type` annotates, borrowed if possible.
fn annotated_property<'de>(name: &Cow<'de, str>) -> Option<Cow<'de, str>> {
    const SUFFIX: &str = "@odata.type";
    match name {
        Cow::Borrowed(name) => name.strip_suffix(SUFFIX).map(Cow::Borrowed),
        Cow::Owned(name) => name
            .strip_suffix(SUFFIX)
            .map(|name| Cow::Owned(name.to_owned())),
    }
}

/// Deserialises one entity as a serde seed.
pub(crate) struct EntitySeed<T>(pub(crate) PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for EntitySeed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(EntityDeserializer::new(deserializer))
    }
}
