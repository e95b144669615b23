//! Durations in the form of command line values: `250us`, `500ms`, `1.5s`, `5m`, `1h`.
//!
//! A number without a unit is an error, because 50 ms and 50 s would look alike.

use std::time::Duration;

use crate::letters::and_misleading;
use crate::number;

/// Longest accepted duration: a year. A longer one is a typing error.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Longest visibility of a message (Azure Queue Storage: 7 days).
const MAX_VISIBILITY: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Error of a text that is not the required duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseDurationError {
    /// The text is not a duration.
    #[error(
        "duration {0:?} is not a number with its unit (us, ms, s, m or h), such as 250ms or 60s, up to a year{hint}",
        hint = and_misleading(.0)
    )]
    Malformed(String),
    /// The duration is zero where it must not be.
    #[error("duration {0:?} is zero; it must be longer")]
    Zero(String),
    /// The duration is not a valid visibility timeout.
    #[error("{0:?} is not whole seconds, from 1s to 168h: the queue takes no others")]
    Visibility(String),
}

/// Parses a duration, including zero.
pub fn parse(text: &str) -> Result<Duration, ParseDurationError> {
    let read = || {
        let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
        let seconds = match unit {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        let duration = Duration::try_from_secs_f64(number::parse(number)? * seconds).ok()?;
        // Rounded to a microsecond, the precision of `text`: a tenth of a microsecond becomes 0.
        let micros = (duration + Duration::from_nanos(500)).as_micros();
        let duration = Duration::from_micros(u64::try_from(micros).ok()?);
        (duration <= LONGEST).then_some(duration)
    };
    read().ok_or_else(|| ParseDurationError::Malformed(text.to_owned()))
}

/// Parses a duration above zero.
pub fn parse_positive(text: &str) -> Result<Duration, ParseDurationError> {
    match parse(text)? {
        Duration::ZERO => Err(ParseDurationError::Zero(text.to_owned())),
        duration => Ok(duration),
    }
}

/// Parses a visibility timeout: whole seconds, 1 s to 7 days (Azure Queue Storage, Get Messages).
pub fn parse_visibility(text: &str) -> Result<Duration, ParseDurationError> {
    let duration = parse(text)?;
    let whole = duration.subsec_nanos() == 0 && duration.as_secs() >= 1;
    (whole && duration <= MAX_VISIBILITY)
        .then_some(duration)
        .ok_or_else(|| ParseDurationError::Visibility(text.to_owned()))
}

/// Formats a duration so that [`parse`] returns it again, to the microsecond.
pub fn text(duration: Duration) -> String {
    let micros = duration.as_micros();
    if micros.is_multiple_of(1_000_000) {
        format!("{}s", micros / 1_000_000)
    } else if micros.is_multiple_of(1_000) {
        format!("{}ms", micros / 1_000)
    } else {
        format!("{micros}us")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_understood_and_written_back() {
        for (given, micros) in [
            ("250us", 250),
            ("50ms", 50_000),
            ("1.5s", 1_500_000),
            ("2m", 120_000_000),
            ("1h", 3_600_000_000),
            ("0s", 0),
            ("0.5us", 1),
            ("1.0000001s", 1_000_000),
            ("31622399999999us", 31_622_399_999_999),
        ] {
            let duration = parse(given).unwrap();
            assert_eq!(duration, Duration::from_micros(micros), "{given}");
            assert_eq!(parse(&text(duration)), Ok(duration));
        }
    }

    #[test]
    fn texts_without_number_or_unit_are_refused_with_an_example() {
        for given in [
            "", "5", "s", "5 s", "-5s", "5d", "1.2.3s", "1e4s", "infs", ".s", "99999h",
        ] {
            let error = parse(given).unwrap_err().to_string();
            assert!(error.contains("250ms"), "{given:?}: {error}");
        }
        for given in ["0s", "0.4us", "0.0000001s"] {
            let zero = parse_positive(given).unwrap_err();
            assert_eq!(zero, ParseDurationError::Zero(given.to_owned()));
        }
    }

    /// Word processors write a no-break space before a unit, and dashes and signs of their own.
    #[test]
    fn a_character_that_is_not_what_it_looks_like_is_named() {
        for (given, told) in [
            ("5\u{a0}s", "in it is U+00A0 (no-break space)"),
            ("5\u{202f}s", "in it is U+202F (narrow no-break space)"),
            ("\u{2212}5s", "U+2212, a minus sign"),
            ("1\u{2013}5s", "U+2013, an en dash"),
            ("\u{201c}5s\u{201d}", "U+201C, a curly quote"),
            ("250\u{b5}s", "U+00B5, a micro sign, and not 'u'; write 'u'"),
            ("5\u{455}", "U+0455, a letter of Cyrillic"),
        ] {
            let error = parse(given).unwrap_err().to_string();
            assert!(error.contains(told), "{given:?}: {error}");
        }
        let plain = parse("5").unwrap_err().to_string();
        assert!(plain.ends_with("up to a year"), "{plain}");
    }

    #[test]
    fn a_visibility_is_whole_seconds_within_what_the_queue_takes() {
        assert_eq!(parse_visibility("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(parse_visibility("168h"), Ok(MAX_VISIBILITY));
        for given in ["0s", "500ms", "1.5s", "169h"] {
            assert!(parse_visibility(given).is_err(), "{given:?}");
        }
    }
}
