//! An entity: its keys, its properties, its version.

use super::edm::{DateTime, Value, utf16_bytes};
use crate::clock::Moment;

/// The keys of an entity, ordered as in a table: by partition, then by row.
///
/// The service orders by UTF-16 code units, this type by characters: they differ only beyond U+FFFF.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) partition: Box<str>,
    pub(crate) row: Box<str>,
}

impl Key {
    pub(crate) fn new(partition: impl Into<Box<str>>, row: impl Into<Box<str>>) -> Self {
        Self {
            partition: partition.into(),
            row: row.into(),
        }
    }
}

/// Names and values, in their original order.
pub(crate) type Properties = Vec<(Box<str>, Value)>;

/// What a table keeps under a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entity {
    /// The time of the last write; different for each write to a table, so it is the entity's version.
    pub(crate) timestamp: Moment,
    pub(crate) properties: Properties,
}

impl Entity {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let found = self.properties.iter().find(|(other, _)| **other == *name);
        found.map(|(_, value)| value)
    }

    pub(crate) fn etag(&self) -> String {
        let text = DateTime::from(self.timestamp).text().replace(':', "%3A");
        format!("W/\"datetime'{text}'\"")
    }
}

/// The size of an entity in bytes, by the formula in "How to calculate the size of an entity" of the service's documentation.
pub(crate) fn size(key: &Key, properties: &Properties) -> usize {
    let keys = 4 + utf16_bytes(&key.partition) + utf16_bytes(&key.row);
    let of_property = |(name, value): &(Box<str>, Value)| 8 + utf16_bytes(name) + value.size();
    keys + properties.iter().map(of_property).sum::<usize>()
}

/// The version in an `If-Match` header, if it is well formed, with or without percent escapes.
pub(crate) fn parse_etag(etag: &str) -> Option<DateTime> {
    let inner = etag.strip_prefix("W/\"datetime'")?.strip_suffix("'\"")?;
    let inner = percent_encoding::percent_decode_str(inner)
        .decode_utf8()
        .ok()?;
    DateTime::parse(&inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_names_its_version_with_escapes_and_without() {
        let entity = Entity {
            timestamp: Moment::from_ticks(17_958_890_241_234_567),
            properties: vec![],
        };
        let etag = entity.etag();
        assert_eq!(etag, "W/\"datetime'2026-11-28T18%3A03%3A44.1234567Z'\"");
        let version = Some(DateTime::from(entity.timestamp));
        assert_eq!(parse_etag(&etag), version);
        assert_eq!(parse_etag(&etag.replace("%3A", ":")), version);
        assert_eq!(parse_etag("W/\"datetime'never'\""), None);
    }
}
