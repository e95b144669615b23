//! Formatting of microseconds for people.

use std::fmt;

/// A duration in microseconds that displays in a suitable unit, with three significant digits: `987 µs`, `12.3 ms`, `4.56 s`,
/// `-2.00 ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Micros(pub i64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let text = if micros < 1_000 {
            format!("{sign}{micros} µs")
        } else {
            let millis = micros as f64 / 1e3;
            // Rounding to three digits must not give `1000 ms`.
            let (value, unit) = if millis < 999.5 {
                (millis, "ms")
            } else {
                (millis / 1e3, "s")
            };
            let decimals = match value {
                v if v < 9.995 => 2,
                v if v < 99.95 => 1,
                _ => 0,
            };
            format!("{sign}{value:.decimals$} {unit}")
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_is_shown_in_the_unit_that_suits_it() {
        for (micros, text) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (1_000, "1.00 ms"),
            (12_345, "12.3 ms"),
            (99_960, "100 ms"),
            (999_400, "999 ms"),
            (999_600, "1.00 s"),
            (4_560_000, "4.56 s"),
            (86_400_000_000, "86400 s"),
            (-2_000, "-2.00 ms"),
        ] {
            assert_eq!(Micros(micros).to_string(), text);
        }
    }
}
