//! The eight types of a property: parsing, formatting, and their size.
//!
//! Sources: "Understanding the Table service data model" and "Payload format for Table service operations", Azure Storage REST
//! reference.

use std::cmp::Ordering;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use time::{
    OffsetDateTime, PrimitiveDateTime, UtcOffset,
    format_description::{BorrowedFormatItem, well_known::Rfc3339},
    macros::format_description,
};

use crate::clock::{Moment, TICKS_PER_SECOND};

const TICKS: i64 = TICKS_PER_SECOND.cast_signed();

/// A date and time of a property, in ticks of 100 ns since 1970; negative before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DateTime(pub(crate) i64);

/// A property's value, with its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Binary(Box<[u8]>),
    Boolean(bool),
    DateTime(DateTime),
    Double(f64),
    Guid(uuid::Uuid),
    Int32(i32),
    Int64(i64),
    String(Box<str>),
}

/// A type, by its name in `@odata.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Binary,
    Boolean,
    DateTime,
    Double,
    Guid,
    Int32,
    Int64,
    String,
}

impl Type {
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

impl Value {
    /// Parses a text as a value of this type; `None` if it is invalid.
    pub(crate) fn parse(of: Type, text: &str) -> Option<Self> {
        Some(match of {
            Type::Binary => Self::Binary(BASE64.decode(text).ok()?.into()),
            Type::Boolean => Self::Boolean(match text {
                "true" | "True" | "1" => true,
                "false" | "False" | "0" => false,
                _ => return None,
            }),
            Type::DateTime => Self::DateTime(DateTime::parse(text)?),
            Type::Double => Self::Double(parse_double(text)?),
            Type::Guid => Self::Guid(uuid::Uuid::try_parse(text).ok()?),
            Type::Int32 => Self::Int32(text.parse().ok()?),
            Type::Int64 => Self::Int64(text.parse().ok()?),
            Type::String => Self::String(text.into()),
        })
    }

    /// The value's size in bytes, as part of an entity's size.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Binary(bytes) => 4 + bytes.len(),
            Self::Boolean(_) => 1,
            Self::DateTime(_) | Self::Double(_) | Self::Int64(_) => 8,
            Self::Guid(_) => 16,
            Self::Int32(_) => 4,
            Self::String(text) => 4 + utf16_bytes(text),
        }
    }

    /// Compares the value with a constant of a filter; `None` if the types are incompatible.
    ///
    /// Numbers compare by value whatever their types, since the service promotes them as WCF Data Services does.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Binary(a), Self::Binary(b)) => a.cmp(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::DateTime(a), Self::DateTime(b)) => a.cmp(b),
            (Self::Guid(a), Self::Guid(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            _ => match (self.integer(), other.integer()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => self.number()?.partial_cmp(&other.number()?)?,
            },
        })
    }

    fn integer(&self) -> Option<i64> {
        match self {
            Self::Int32(n) => Some(i64::from(*n)),
            Self::Int64(n) => Some(*n),
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Double(n) => Some(*n),
            other => other.integer().map(|n| n as f64),
        }
    }
}

/// Twice the UTF-16 length, which is how the service counts texts.
pub(crate) fn utf16_bytes(text: &str) -> usize {
    2 * text.encode_utf16().count()
}

fn parse_double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" | "INF" => Some(f64::INFINITY),
        "-Infinity" | "-INF" => Some(f64::NEG_INFINITY),
        _ => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

/// A text without a time zone is in UTC.
const WITHOUT_ZONE: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day][first [T] [ ]][hour]:[minute][optional [:[second][optional [.[subsecond]]]]]"
);
const DATE_ONLY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

impl DateTime {
    /// Parses an ISO 8601 text, with or without a time zone, to the tick.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok();
        let time = time.or_else(|| {
            let bare = text.strip_suffix('Z').unwrap_or(text);
            let bare = PrimitiveDateTime::parse(bare, WITHOUT_ZONE).ok();
            bare.or_else(|| Some(time::Date::parse(text, DATE_ONLY).ok()?.midnight()))
                .map(PrimitiveDateTime::assume_utc)
        })?;
        let ticks = time.to_offset(UtcOffset::UTC).unix_timestamp_nanos() / 100;
        let time = Self(i64::try_from(ticks).ok()?);
        (1..=9999).contains(&time.offset()?.year()).then_some(time)
    }

    fn offset(self) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 100).ok()
    }

    /// Formats it as the service does: to the tick, without trailing zeros.
    pub(crate) fn text(self) -> String {
        let Some(time) = self.offset() else {
            return String::new();
        };
        let mut text = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            time.year(),
            u8::from(time.month()),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        );
        let ticks = self.0.rem_euclid(TICKS);
        if ticks != 0 {
            let fraction = format!(".{ticks:07}");
            text.push_str(fraction.trim_end_matches('0'));
        }
        text.push('Z');
        text
    }
}

impl From<Moment> for DateTime {
    fn from(moment: Moment) -> Self {
        Self(i64::try_from(moment.ticks()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_keeps_its_ticks_and_loses_its_zeros() {
        for (read, written) in [
            (
                "2026-11-23T01:02:03.4567891Z",
                "2026-11-23T01:02:03.4567891Z",
            ),
            ("2026-11-23T01:02:03.4500000Z", "2026-11-23T01:02:03.45Z"),
            ("2026-11-23T01:02:03", "2026-11-23T01:02:03Z"),
            ("2026-11-23T01:02", "2026-11-23T01:02:00Z"),
            ("2026-11-23", "2026-11-23T00:00:00Z"),
            ("2026-11-23T01:02:03+02:00", "2026-11-22T23:02:03Z"),
            ("1601-01-01T00:00:00Z", "1601-01-01T00:00:00Z"),
            (
                "9999-12-31T23:59:59.9999999Z",
                "9999-12-31T23:59:59.9999999Z",
            ),
        ] {
            assert_eq!(DateTime::parse(read).unwrap().text(), written);
        }
        for malformed in ["", "yesterday", "2026-13-01", "2026-11-23T25:00:00Z"] {
            assert_eq!(DateTime::parse(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn numbers_compare_by_value_and_other_types_only_with_their_own() {
        use Ordering::{Equal, Less};
        let compare = |a: Value, b: Value| a.compare(&b);
        assert_eq!(compare(Value::Int32(3), Value::Int64(3)), Some(Equal));
        assert_eq!(compare(Value::Int64(3), Value::Double(3.5)), Some(Less));
        assert_eq!(
            compare(Value::Int64(i64::MAX - 1), Value::Int64(i64::MAX)),
            Some(Less)
        );
        assert_eq!(compare(Value::Int32(3), Value::String("3".into())), None);
        assert_eq!(
            compare(Value::Double(f64::NAN), Value::Double(f64::NAN)),
            None
        );
    }

    #[test]
    fn doubles_have_the_texts_of_the_service() {
        assert_eq!(parse_double("-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_double("1e309"), None);
        assert_eq!(parse_double("inf"), None);
    }
}
