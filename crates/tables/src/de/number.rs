//! Numbers that the service sends as text: every `Edm.Int64`, and an `Edm.Double` that is not finite.

use serde::de::{Error, Unexpected, Visitor};
use std::fmt;

/// Passes numbers on, and parses text as an integer.
pub(super) struct Integer<V>(pub(super) V);

/// Passes numbers on, and parses text as a float.
pub(super) struct Float<V>(pub(super) V);

macro_rules! pass_on {
    () => {
        type Value = V::Value;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.expecting(f)
        }

        fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
            self.0.visit_bool(value)
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
            self.0.visit_i64(value)
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
            self.0.visit_u64(value)
        }

        fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
            self.0.visit_f64(value)
        }

        fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
            self.0.visit_unit()
        }
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Integer<V> {
    pass_on!();

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        match text.parse() {
            Ok(value) => self.0.visit_i64(value),
            Err(_) => Err(E::invalid_value(
                Unexpected::Str(text),
                &"an integer (Edm.Int64)",
            )),
        }
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Float<V> {
    pass_on!();

    /// `INF` is OData's spelling, `Infinity` the service's.
    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        let value = match text {
            "NaN" => f64::NAN,
            "Infinity" | "INF" => f64::INFINITY,
            "-Infinity" | "-INF" => f64::NEG_INFINITY,
            other => other
                .parse()
                .map_err(|_| E::invalid_value(Unexpected::Str(other), &"a number (Edm.Double)"))?,
        };
        self.0.visit_f64(value)
    }
}
