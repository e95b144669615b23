//! Step parameters with units.

use std::str::FromStr;
use std::time::Duration;

use cucumber::Parameter;

/// A duration as a feature file writes it, such as `200 ms` or `30 s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "time", regex = r"\d+ (?:ms|s)")]
pub(super) struct Time(pub(super) Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is not a time such as '200 ms' or '30 s'");
        let (number, unit) = text.trim().split_once(' ').ok_or_else(refused)?;
        let number = number.parse().map_err(|_| refused())?;
        match unit {
            "ms" => Ok(Self(Duration::from_millis(number))),
            "s" => Ok(Self(Duration::from_secs(number))),
            _ => Err(refused()),
        }
    }
}

/// The sum of the times that a sentence states, such as 34 s for one that says `within 30 s` and `4 s`.
pub(super) fn stated(sentence: &str) -> Duration {
    let words: Vec<&str> = sentence
        .split(|c: char| c.is_whitespace() || c == ',')
        .collect();
    words
        .windows(2)
        .filter_map(|pair| pair.join(" ").parse::<Time>().ok())
        .fold(Duration::ZERO, |sum, time| sum.saturating_add(time.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_states_the_sum_of_its_times() {
        for (sentence, seconds) in [
            ("within 30 s every message has exactly one result", 30),
            (
                "100 messages are sent at once, 2 s before the first, 500 ms, 500 ms",
                3,
            ),
            (
                "that consumer ended by itself within 10 s, with exit code 0",
                10,
            ),
            ("200 messages are sent at 100 per second", 0),
            ("within 18446744073709551615 s and 1 s", u64::MAX),
        ] {
            assert_eq!(stated(sentence).as_secs(), seconds, "{sentence}");
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!("200 ms".parse(), Ok(Time(Duration::from_millis(200))));
        assert_eq!("30 s".parse(), Ok(Time(Duration::from_secs(30))));
        for text in ["", "30", "30s", "s 30", "3 h"] {
            assert!(text.parse::<Time>().is_err(), "{text:?}");
        }
    }
}
