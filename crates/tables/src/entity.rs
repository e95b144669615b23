//! Entities: of a type of the user's ([`Stored`] adds the service's properties), or of any shape ([`Entity`]).

use crate::{
    Value,
    de::{EntityDeserializer, SystemProperties},
    edm::DateTime,
    keys::push_percent_encoded,
    markers,
    ser::{PARTITION_KEY, ROW_KEY, TIMESTAMP},
};
use azure_core::http::Etag;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IgnoredAny, MapAccess, Visitor, value::StrDeserializer},
    ser::SerializeMap,
};
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// An entity as the service keeps it: the user's value, its `ETag` and the time of its last change.
///
/// The answer of `get_entity`. A query returns it if asked to: `query_entities::<Stored<Row>>`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stored<T> {
    /// The entity.
    pub entity: T,
    /// Its version, for `If-Match`. Absent if the query's `select` left it out (see
    /// [`TableClientQueryEntitiesOptions`](crate::models::TableClientQueryEntitiesOptions)).
    pub etag: Option<Etag>,
    /// When the service last changed it. Absent if a `select` leaves `Timestamp` out.
    pub timestamp: Option<DateTime>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Stored<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(markers::STORED, StoredVisitor(PhantomData))
    }
}

struct StoredVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for StoredVisitor<T> {
    type Value = Stored<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entity")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, raw: D) -> Result<Stored<T>, D::Error> {
        let mut system = SystemProperties::default();
        let entity = T::deserialize(EntityDeserializer::noting(raw, &mut system))?;
        let timestamp = system.timestamp.as_deref().map(|text| {
            let text: StrDeserializer<'_, D::Error> = StrDeserializer::new(text);
            DateTime::deserialize(text)
        });
        Ok(Stored {
            entity,
            etag: etag(&system),
            timestamp: timestamp.transpose()?,
        })
    }
}

/// The service derives the `ETag` of an entity from its `Timestamp`, and sends none when metadata is off. The
/// Azure SDKs for other languages complete it in the same way.
fn etag(system: &SystemProperties<'_>) -> Option<Etag> {
    if let Some(etag) = &system.etag {
        return Some(Etag::from(etag.as_ref()));
    }
    let timestamp = system.timestamp.as_deref()?;
    let mut text = String::from("W/\"datetime'");
    push_percent_encoded(&mut text, timestamp);
    text.push_str("'\"");
    Some(Etag::from(text))
}

/// An entity of any shape: its keys, and properties whose types are known at run time.
///
/// For entities of a known shape a struct with serde's derives is simpler and faster.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entity {
    /// `PartitionKey`.
    pub partition_key: String,
    /// `RowKey`.
    pub row_key: String,
    /// Every other property but `Timestamp`, which [`Stored`] has.
    pub properties: BTreeMap<String, Value>,
}

impl Entity {
    /// An entity without properties.
    pub fn new(partition_key: impl Into<String>, row_key: impl Into<String>) -> Self {
        Self {
            partition_key: partition_key.into(),
            row_key: row_key.into(),
            properties: BTreeMap::new(),
        }
    }

    /// Adds or replaces a property.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// The value of a property.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.properties.get(name)
    }
}

impl Serialize for Entity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.properties.len() + 2))?;
        map.serialize_entry(PARTITION_KEY, &self.partition_key)?;
        map.serialize_entry(ROW_KEY, &self.row_key)?;
        for (name, value) in &self.properties {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Entity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Properties;
        impl<'de> Visitor<'de> for Properties {
            type Value = Entity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an entity")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entity, A::Error> {
                let mut entity = Entity::default();
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        PARTITION_KEY => entity.partition_key = map.next_value()?,
                        ROW_KEY => entity.row_key = map.next_value()?,
                        TIMESTAMP => drop(map.next_value::<IgnoredAny>()?),
                        _ => {
                            // A selected property that the entity lacks comes as null.
                            if let Some(value) = map.next_value::<Option<Value>>()? {
                                entity.properties.insert(name, value);
                            }
                        }
                    }
                }
                Ok(entity)
            }
        }
        deserializer.deserialize_map(Properties)
    }
}
