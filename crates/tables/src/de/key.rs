//! Text that is borrowed from the input if possible: names of properties, annotations, timestamps.

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, Error, Visitor,
        value::{BorrowedStrDeserializer, StringDeserializer},
    },
};
use std::{borrow::Cow, fmt};

/// Reads a string, borrowing it unless it holds escapes.
pub(super) struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }
}

/// Passes text that was read ahead to its visitor, still borrowed if it was.
pub(super) fn deserialize_text<'de, S: DeserializeSeed<'de>, E: Error>(
    seed: S,
    text: Cow<'de, str>,
) -> Result<S::Value, E> {
    match text {
        Cow::Borrowed(text) => seed.deserialize(super::PropertyDeserializer::plain(
            BorrowedStrDeserializer::new(text),
        )),
        Cow::Owned(text) => seed.deserialize(super::PropertyDeserializer::plain(
            StringDeserializer::new(text),
        )),
    }
}
