//! Step parameters with units, and their conversion to the pace of a run.

use std::str::FromStr;
use std::time::Duration;

use cucumber::Parameter;
use producer::Shape;

use crate::pace::Pace;

/// A duration as a feature file writes it: `200 ms`, `30 s` or `10 min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "time", regex = r"\d+ (?:ms|s|min)")]
pub(super) struct Time(pub(super) Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is not a time such as '200 ms', '30 s' or '10 min'");
        let (number, unit) = text.trim().split_once(' ').ok_or_else(refused)?;
        let number: u64 = number.parse().map_err(|_| refused())?;
        match unit {
            "ms" => Ok(Self(Duration::from_millis(number))),
            "s" => Ok(Self(Duration::from_secs(number))),
            "min" => Ok(Self(Duration::from_secs(number.saturating_mul(60)))),
            _ => Err(refused()),
        }
    }
}

/// A rate as a feature file writes it: `100 per second` or `30 per minute`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "rate", regex = r"\d+ per (?:second|minute)")]
pub(super) struct Rate {
    number: u64,
    /// `s` or `m`, as the producer writes them.
    unit: char,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is not a rate such as '100 per second'");
        let (number, unit) = text.trim().split_once(" per ").ok_or_else(refused)?;
        let unit = match unit {
            "second" => 's',
            "minute" => 'm',
            _ => return Err(refused()),
        };
        let number = number.parse().map_err(|_| refused())?;
        Ok(Self { number, unit })
    }
}

impl Rate {
    /// The text that the producer reads: `100/s`.
    pub(super) fn text(self) -> String {
        format!("{}/{}", self.number, self.unit)
    }

    /// The number of messages in `time`.
    pub(super) fn in_all(self, time: Duration) -> u64 {
        let unit = if self.unit == 's' { 1_000 } else { 60_000 };
        let all = u128::from(self.number) * time.as_millis() / unit;
        u64::try_from(all).unwrap_or(u64::MAX)
    }

    /// A constant rate of messages.
    pub(super) fn steady(self) -> anyhow::Result<Shape> {
        Ok(format!("constant:{}", self.text()).parse()?)
    }
}

/// Converts `sentence`, which is written in production time, to `pace`: divides each of its times, to the millisecond, and
/// multiplies each of its rates. Every step gets its sentence converted, so that no step can forget it.
pub(super) fn at_pace(sentence: &str, pace: Pace) -> String {
    if pace.is_production() {
        return sentence.to_owned();
    }
    let mut words: Vec<String> = sentence.split(' ').map(str::to_owned).collect();
    for at in 0..words.len() {
        let (head, tail) = words.split_at_mut(at + 1);
        let (number, Some(unit)) = (&mut head[at], tail.first_mut()) else {
            break;
        };
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let word = unit.trim_end_matches(PUNCTUATION);
        if let Ok(Time(time)) = format!("{number} {word}").parse() {
            let millis = (pace.time(time) + Duration::from_micros(500)).as_millis();
            let least = u128::from(!time.is_zero());
            *number = millis.max(least).to_string();
            *unit = unit.replacen(word, "ms", 1);
        } else if let [per, unit, ..] = tail {
            let unit = unit.trim_end_matches(PUNCTUATION);
            if let Ok(rate) = format!("{number} {per} {unit}").parse::<Rate>() {
                *number = pace.rate(rate.number).to_string();
            }
        }
    }
    words.join(" ")
}

/// Characters that may follow a unit.
const PUNCTUATION: [char; 2] = [',', ':'];

/// The times that a sentence states.
pub(super) fn times(sentence: &str) -> impl Iterator<Item = Duration> {
    let words: Vec<&str> = sentence
        .split(|c: char| c.is_whitespace() || PUNCTUATION.contains(&c))
        .collect();
    let times: Vec<Duration> = words
        .windows(2)
        .filter_map(|pair| pair.join(" ").parse::<Time>().ok())
        .map(|time| time.0)
        .collect();
    times.into_iter()
}

/// The sum of these times, such as 34 s for a sentence that says `within 30 s` and `4 s`.
pub(super) fn stated(sentence: &str) -> Duration {
    times(sentence).fold(Duration::ZERO, Duration::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_states_the_sum_of_its_times() {
        for (sentence, seconds) in [
            ("within 30 s every message has exactly one result", 30),
            ("within 3 min there are 15 consumers", 180),
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
    fn times_and_rates_have_units() {
        assert_eq!("200 ms".parse(), Ok(Time(Duration::from_millis(200))));
        assert_eq!("30 s".parse(), Ok(Time(Duration::from_secs(30))));
        assert_eq!("10 min".parse(), Ok(Time(Duration::from_secs(600))));
        for text in ["", "30", "30s", "s 30", "3 h", "3 minutes"] {
            assert!(text.parse::<Time>().is_err(), "{text:?}");
        }
        let rate = |text: &str| text.parse::<Rate>().map(Rate::text);
        assert_eq!(rate("100 per second").unwrap(), "100/s");
        assert_eq!(rate("30 per minute").unwrap(), "30/m");
        for text in ["", "100", "100/s", "100 per hour", "x per second"] {
            assert!(rate(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn at_a_pace_times_are_divided_rates_multiplied_and_all_else_stays() {
        let pace = |sentence| at_pace(sentence, Pace::new(30).unwrap());
        for (production, here) in [
            (
                "within 3 min there are 15 consumers",
                "within 6000 ms there are 15 consumers",
            ),
            (
                "200 messages are sent, 40 at once every 60 s",
                "200 messages are sent, 40 at once every 2000 ms",
            ),
            (
                "80 messages are sent at 2 per second, and one is evicted with 30 s of notice",
                "80 messages are sent at 60 per second, and one is evicted with 1000 ms of notice",
            ),
            (
                "a rate that falls from 120 per minute to 10 per minute in 4 min",
                "a rate that falls from 3600 per minute to 300 per minute in 8000 ms",
            ),
            (
                "that consumer ended by itself within 10 s, with exit code 0",
                "that consumer ended by itself within 333 ms, with exit code 0",
            ),
            ("within 1 ms and 0 s", "within 1 ms and 0 ms"),
            (
                "at least 2 consumers  had 5 messages",
                "at least 2 consumers  had 5 messages",
            ),
            (
                "the first 5 inserts get 503 ServerBusy",
                "the first 5 inserts get 503 ServerBusy",
            ),
        ] {
            assert_eq!(pace(production), here);
            assert_eq!(at_pace(production, Pace::PRODUCTION), production);
        }
    }
}
