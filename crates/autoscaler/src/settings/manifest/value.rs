//! Parsing of values as the API server does.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

/// Parses a value; the default if it is null.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Parses a map, without the keys whose value is null.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let map: BTreeMap<String, Option<T>> = or_default(deserializer)?;
    let present = map.into_iter();
    Ok(present
        .filter_map(|(key, value)| Some((key, value?)))
        .collect())
}

/// A value of a trigger's metadata: always a string, even if it is a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Quoted;
        impl Visitor<'_> for Quoted {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string: the API server takes metadata of a trigger only in quotes")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
        }
        // With `deserialize_str`, a YAML parser would accept an unquoted number as a string, which no API server does.
        deserializer.deserialize_any(Quoted)
    }
}
