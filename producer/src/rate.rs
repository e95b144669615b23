//! Rates as people write them on a command line.

use std::fmt;
use std::str::FromStr;

use workflow::contract::letters::and_misleading;
use workflow::number;

/// Highest rate of a schedule, per second: 50 times what an account can take (20,000 messages/s), and with still a microsecond
/// between messages, the resolution of a stamp.
pub const MAX_RATE_PER_S: f64 = 1_000_000.0;

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

/// Why a text is not a rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "rate {0:?} is not '<number>/s', '/m' or '/h', from 0 to {MAX_RATE_PER_S} messages a second{hint}",
    hint = and_misleading(.0)
)]
pub struct ParseRateError(String);

impl Rate {
    /// `count` messages a second; `None` if `count` is negative, not a number or above [`MAX_RATE_PER_S`].
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
    type Err = ParseRateError;

    fn from_str(text: &str) -> Result<Self, ParseRateError> {
        let parse = || {
            let (count, per) = text.split_once('/')?;
            let per = match per {
                "s" => Per::Second,
                "m" => Per::Minute,
                "h" => Per::Hour,
                _ => return None,
            };
            let count = number::parse(count)?;
            let rate = Self { count, per };
            (rate.hz() <= MAX_RATE_PER_S).then_some(rate)
        };
        parse().ok_or_else(|| ParseRateError(text.to_owned()))
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
        let error = "200\u{2215}s".parse::<Rate>().unwrap_err().to_string();
        assert!(
            error.contains("U+2215, a division slash, and not '/'"),
            "{error}"
        );
    }
}
