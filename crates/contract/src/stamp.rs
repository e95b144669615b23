//! Time stamps: UTC, microseconds, in the sample's text format.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{Date, Month, OffsetDateTime, Time};

/// A point in time, in microseconds since the Unix epoch.
///
/// As text `2026-11-23 13:14:15.678901`, UTC without a zone: the format of the sample's Python (`%Y-%m-%d %H:%M:%S.%f`), so
/// that the sample's workers can read this project's messages and the other way round. Azure's own message times have a
/// resolution of 1 s, too low for latencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp(i64);

/// Error of a text that is not a stamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("time stamp {0:?} is not UTC 'YYYY-MM-DD HH:MM:SS.ffffff'")]
pub struct ParseStampError(String);

impl Stamp {
    /// The present time of the wall clock, or of a simulation's clock on a thread where it was replaced ([`crate::clock`]).
    pub fn now() -> Self {
        crate::clock::now().into()
    }

    /// A stamp from microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Microseconds from `earlier` to `self`; negative if the clocks disagree. Not clamped: a negative latency is evidence, and
    /// a caller that drops it must report that.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// The stamp that is `later` after this one.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(later.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}

impl From<SystemTime> for Stamp {
    fn from(time: SystemTime) -> Self {
        let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Self(micros(after)),
            Err(before) => Self(-micros(before.duration())),
        }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.0) * 1_000;
        let t = OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|_| fmt::Error)?;
        let (date, time) = (t.date(), t.time());
        write!(
            f,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}",
            date.year(),
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second(),
            time.microsecond()
        )
    }
}

/// The fixed layout; parsed by position, because an audit reads four stamps of each of a million rows.
const LAYOUT: &[u8] = b"0000-00-00 00:00:00.000000";

impl FromStr for Stamp {
    type Err = ParseStampError;

    fn from_str(text: &str) -> Result<Self, ParseStampError> {
        parse(text.as_bytes()).ok_or_else(|| ParseStampError(text.to_owned()))
    }
}

fn parse(text: &[u8]) -> Option<Stamp> {
    let fits = text.len() == LAYOUT.len()
        && text.iter().zip(LAYOUT).all(|(t, l)| {
            if *l == b'0' {
                t.is_ascii_digit()
            } else {
                t == l
            }
        });
    if !fits {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to]
            .iter()
            .fold(0_u32, |n, digit| n * 10 + u32::from(digit - b'0'))
    };
    let small = |from: usize, to: usize| u8::try_from(number(from, to)).ok();
    let year = i32::try_from(number(0, 4)).ok()?;
    let month = Month::try_from(small(5, 7)?).ok()?;
    let date = Date::from_calendar_date(year, month, small(8, 10)?).ok()?;
    let time = Time::from_hms_micro(
        small(11, 13)?,
        small(14, 16)?,
        small(17, 19)?,
        number(20, 26),
    )
    .ok()?;
    let nanos = OffsetDateTime::new_utc(date, time).unix_timestamp_nanos();
    Some(Stamp(i64::try_from(nanos / 1_000).ok()?))
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_samples_and_round_trips() {
        let stamp = Stamp::from_micros(1_795_439_655_678_901);
        assert_eq!(stamp.to_string(), "2026-11-23 13:14:15.678901");
        assert_eq!(stamp.to_string().parse(), Ok(stamp));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "2026-11-23T13:14:15.678901Z",
            "2026-11-23 13:14:15",
            "2026-13-23 13:14:15.678901",
            "2026-02-30 13:14:15.678901",
            "2026-11-23 24:00:00.000000",
            "２026-11-23 13:14:15.6789",
        ] {
            assert!(text.parse::<Stamp>().is_err(), "{text:?} must be refused");
        }
    }

    #[test]
    fn a_later_stamp_minus_an_earlier_one_can_be_negative() {
        let (a, b) = (Stamp::from_micros(5), Stamp::from_micros(7));
        assert_eq!((b.micros_since(a), a.micros_since(b)), (2, -2));
    }

    proptest::proptest! {
        #[test]
        fn every_stamp_of_the_next_centuries_round_trips(micros in 0_i64..7_258_118_400_000_000) {
            let stamp = Stamp::from_micros(micros);
            proptest::prop_assert_eq!(stamp.to_string().parse(), Ok(stamp));
        }
    }
}
