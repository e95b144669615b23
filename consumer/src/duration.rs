//! Durations on the command line: `250ms`, `60s`, `5m`, `1h`.

use std::time::Duration;

/// Longest visibility of a message (Azure Queue Storage: 7 days).
const MAX_VISIBILITY: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A number and its unit: `us`, `ms`, `s`, `m` or `h`; decimals are fine (`1.5s`). A bare number has no meaning here: the
/// unit is what tells 50 ms from 50 s.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return Err(refused(text)),
    };
    let number: f64 = number.parse().map_err(|_| refused(text))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| refused(text))
}

fn refused(text: &str) -> String {
    format!("{text:?} is not a number with its unit (us, ms, s, m or h), such as 250ms or 60s")
}

/// A duration above zero.
pub(crate) fn positive(text: &str) -> Result<Duration, String> {
    parse(text).and_then(|duration| {
        if duration.is_zero() {
            Err("must be longer than zero".to_owned())
        } else {
            Ok(duration)
        }
    })
}

/// A visibility timeout: whole seconds, 1 s to 7 days (Azure Queue Storage, Get Messages).
pub(crate) fn visibility(text: &str) -> Result<Duration, String> {
    let duration = parse(text)?;
    let whole = duration.subsec_nanos() == 0 && duration.as_secs() >= 1;
    if whole && duration <= MAX_VISIBILITY {
        Ok(duration)
    } else {
        Err("must be whole seconds, from 1s to 168h: the queue takes no others".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_understood() {
        let micros = |text| parse(text).unwrap().as_micros();
        assert_eq!(micros("250us"), 250);
        assert_eq!(micros("50ms"), 50_000);
        assert_eq!(micros("1.5s"), 1_500_000);
        assert_eq!(micros("2m"), 120_000_000);
        assert_eq!(micros("1h"), 3_600_000_000);
        assert_eq!(micros("0s"), 0);
    }

    #[test]
    fn texts_without_number_or_unit_are_refused_with_an_example() {
        for text in [
            "",
            "5",
            "s",
            "5 s",
            "-5s",
            "5d",
            "1.2.3s",
            "1e400s",
            ".s",
            "99999999999999999999h",
        ] {
            assert!(parse(text).unwrap_err().contains("250ms"), "{text:?}");
        }
    }

    #[test]
    fn a_visibility_is_whole_seconds_within_what_the_queue_takes() {
        assert_eq!(visibility("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(visibility("168h"), Ok(MAX_VISIBILITY));
        for text in ["0s", "500ms", "1.5s", "169h"] {
            assert!(visibility(text).is_err(), "{text:?}");
        }
    }
}
