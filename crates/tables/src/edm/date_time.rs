//! `Edm.DateTime`.

use super::EdmType;
use azure_core::time::{OffsetDateTime, parse_rfc3339};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::{fmt, io::Write as _};
use time::UtcOffset;

/// The resolution of the service, in nanoseconds.
const TICK_NS: u32 = 100;

/// An instant, stored as `Edm.DateTime`: UTC, in steps of 100 ns, from the year 1601.
///
/// The conversion from an [`OffsetDateTime`] cuts digits as the service would, so a value that is read back equals the written
/// one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DateTime(OffsetDateTime);

/// Room for `1601-01-01T00:00:00.0000000Z`.
const TEXT_LENGTH: usize = 28;

impl DateTime {
    /// The current time of this machine.
    pub fn now() -> Self {
        Self::from(OffsetDateTime::now_utc())
    }

    /// The instant, in UTC.
    pub fn get(self) -> OffsetDateTime {
        self.0
    }

    /// The text; `None` for a year outside of the service's range, 1601 to 9999.
    fn text(self, buffer: &mut [u8; TEXT_LENGTH]) -> Option<&str> {
        let (date, time) = (self.0.date(), self.0.time());
        let year = date.year();
        if !(1601..=9999).contains(&year) {
            return None;
        }
        write!(
            &mut buffer[..],
            "{year:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:07}Z",
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second(),
            time.nanosecond() / TICK_NS,
        )
        .expect("a date of a four-digit year must fit its buffer");
        Some(std::str::from_utf8(buffer).expect("a formatted date must be ASCII"))
    }
}

impl From<OffsetDateTime> for DateTime {
    fn from(time: OffsetDateTime) -> Self {
        let utc = time.to_offset(UtcOffset::UTC);
        let whole_ticks = utc.nanosecond() / TICK_NS * TICK_NS;
        Self(
            utc.replace_nanosecond(whole_ticks)
                .expect("fewer nanoseconds of a second must be valid"),
        )
    }
}

impl From<DateTime> for OffsetDateTime {
    fn from(time: DateTime) -> Self {
        time.0
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text(&mut [0; TEXT_LENGTH]) {
            Some(text) => f.write_str(text),
            None => self.0.fmt(f),
        }
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DateTime({self})")
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut buffer = [0; TEXT_LENGTH];
        let text = self
            .text(&mut buffer)
            .ok_or_else(|| ser::Error::custom("an Edm.DateTime lies in the years 1601 to 9999"))?;
        serializer.serialize_newtype_struct(EdmType::DateTime.name(), text)
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = DateTime;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time (Edm.DateTime)")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<DateTime, E> {
                // An offset can move a time out of the valid years, where a conversion panics.
                let in_utc = |time: OffsetDateTime| time.checked_to_offset(UtcOffset::UTC);
                let time = parse_rfc3339(text).ok().and_then(in_utc);
                time.map(DateTime::from)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn text_is_utc_with_seven_decimals() {
        let time = DateTime::from(datetime!(2026-11-23 01:02:03.123456789 +02:00));
        assert_eq!(time.to_string(), "2026-11-22T23:02:03.1234567Z");
        assert_eq!(time.get(), datetime!(2026-11-22 23:02:03.1234567 UTC));
    }

    #[test]
    fn a_time_that_its_offset_carries_out_of_all_years_is_refused() {
        let read = |text: &str| serde_json::from_str::<DateTime>(&format!("{text:?}"));
        assert!(read("9999-12-31T23:59:59+01:00").is_ok());
        let error = read("9999-12-31T23:59:59-01:00").unwrap_err().to_string();
        assert!(error.contains("an RFC 3339 time"), "{error}");
    }

    #[test]
    fn years_the_service_does_not_store_are_refused() {
        let early = DateTime::from(datetime!(1600-12-31 23:59:59 UTC));
        let error = serde_json::to_string(&early).unwrap_err().to_string();
        assert!(error.contains("1601"), "{error}");
        let first = DateTime::from(datetime!(1601-01-01 0:00 UTC));
        assert_eq!(
            serde_json::to_string(&first).unwrap(),
            "\"1601-01-01T00:00:00.0000000Z\""
        );
    }
}
