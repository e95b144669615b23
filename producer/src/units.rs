//! Rates and durations as people write them on a command line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Highest rate that a schedule takes, per second: 50 times what an account takes (20,000 messages/s), and still a
/// microsecond apart, the resolution of a stamp.
pub const MAX_RATE_PER_S: f64 = 1_000_000.0;

/// Longest duration that is taken: a year. Longer ones are typing errors.
const MAX_DURATION: Duration = Duration::from_secs(366 * 86_400);

/// A rate of messages, such as `200/s`, `30/m` or `0.5/h`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    count: f64,
    per: Per,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Per {
    Second,
    Minute,
    Hour,
}

/// Why a text is not a rate or a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseUnitError {
    /// Not a rate.
    #[error(
        "rate {0:?} is not '<number>/s', '/m' or '/h', from 0 to {MAX_RATE_PER_S} messages a second"
    )]
    Rate(String),
    /// Not a duration.
    #[error("duration {0:?} is not '<number>' and one of us, ms, s, m, h, up to a year")]
    Duration(String),
}

impl Rate {
    /// `count` messages a second; `None` when that is negative, not a number or above [`MAX_RATE_PER_S`].
    pub fn per_second(count: f64) -> Option<Self> {
        let rate = Self {
            count,
            per: Per::Second,
        };
        (0.0..=MAX_RATE_PER_S).contains(&count).then_some(rate)
    }

    /// Messages per second.
    pub fn hz(self) -> f64 {
        match self.per {
            Per::Second => self.count,
            Per::Minute => self.count / 60.0,
            Per::Hour => self.count / 3_600.0,
        }
    }
}

impl FromStr for Rate {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        let parse = || {
            let (count, per) = text.split_once('/')?;
            let per = match per {
                "s" => Per::Second,
                "m" => Per::Minute,
                "h" => Per::Hour,
                _ => return None,
            };
            let count = number(count)?;
            let rate = Self { count, per };
            (rate.hz() <= MAX_RATE_PER_S).then_some(rate)
        };
        parse().ok_or_else(|| ParseUnitError::Rate(text.to_owned()))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per {
            Per::Second => 's',
            Per::Minute => 'm',
            Per::Hour => 'h',
        };
        write!(f, "{}/{per}", self.count)
    }
}

/// A number as people write it: digits and a point; no sign, no exponent, no `inf`.
fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain.then(|| text.parse().ok()).flatten()
}

/// Reads a duration: `250us`, `500ms`, `1.5s`, `5m`, `2h`.
pub fn parse_duration(text: &str) -> Result<Duration, ParseUnitError> {
    let parse = || {
        let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
        let (count, unit) = text.split_at(unit_at);
        let seconds = match unit {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        let duration = Duration::try_from_secs_f64(number(count)? * seconds).ok()?;
        (duration <= MAX_DURATION).then_some(duration)
    };
    parse().ok_or_else(|| ParseUnitError::Duration(text.to_owned()))
}

/// A duration that must not be zero.
pub fn parse_period(text: &str) -> Result<Duration, ParseUnitError> {
    parse_duration(text).and_then(|duration| {
        if duration.is_zero() {
            Err(ParseUnitError::Duration(text.to_owned()))
        } else {
            Ok(duration)
        }
    })
}

/// Writes a duration so that [`parse_duration`] reads it back, to the microsecond.
pub fn duration_text(duration: Duration) -> String {
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
    fn rates_parse_and_print_and_nonsense_is_refused() {
        for (text, hz) in [
            ("200/s", 200.0),
            ("30/m", 0.5),
            ("0.5/s", 0.5),
            ("0/s", 0.0),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!((rate.to_string().as_str(), rate.hz()), (text, hz));
        }
        for text in [
            "",
            "200",
            "/s",
            "-1/s",
            "1e3/s",
            "inf/s",
            "NaN/s",
            "1/d",
            "1000001/s",
            "1/s/s",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text:?} must be refused");
        }
    }

    #[test]
    fn durations_parse_and_print_and_nonsense_is_refused() {
        for (text, millis) in [
            ("30s", 30_000),
            ("1.5s", 1_500),
            ("500ms", 500),
            ("2m", 120_000),
            ("1h", 3_600_000),
        ] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(duration, Duration::from_millis(millis));
            assert_eq!(parse_duration(&duration_text(duration)), Ok(duration));
        }
        for text in [
            "", "30", "s", "-1s", "1d", "1 s", "1e9s", "99999h", "infs", "1.2.3s",
        ] {
            assert!(parse_duration(text).is_err(), "{text:?} must be refused");
        }
        assert!(parse_period("0s").is_err());
    }
}
