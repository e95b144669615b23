//! Numbers in the form of command line values.

/// Parses digits with an optional point; no sign, no exponent, no `inf`.
pub fn parse(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain.then(|| text.parse().ok()).flatten()
}

/// Parses a fraction.
pub fn parse_fraction(text: &str) -> Result<f64, String> {
    let fraction = parse(text).filter(|fraction| *fraction <= 1.0);
    fraction.ok_or_else(|| "expected a fraction from 0 to 1, such as 0.1".to_owned())
}

/// Parses a seed. clap passes values that begin with a hyphen, so that `-1` is refused here, with an explanation.
pub fn parse_seed(text: &str) -> Result<u64, String> {
    let seed = text
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok());
    seed.flatten()
        .ok_or_else(|| format!("expected a whole number from 0 to {}", u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_and_a_point_are_a_number() {
        assert_eq!(parse("200"), Some(200.0));
        assert_eq!(parse("0.5"), Some(0.5));
        for text in ["", ".", "1.2.3", "-1", "+1", "1e3", "inf", "NaN", " 1"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_seed_is_a_whole_number_without_a_sign() {
        assert_eq!(parse_seed("0"), Ok(0));
        assert_eq!(parse_seed("18446744073709551615"), Ok(u64::MAX));
        for text in ["-1", "+1", "", "1.5", "18446744073709551616", "--out"] {
            let error = parse_seed(text).unwrap_err();
            assert!(
                error.contains("from 0 to 18446744073709551615"),
                "{text:?}: {error}"
            );
        }
    }

    #[test]
    fn a_fraction_is_from_0_to_1() {
        for (text, fraction) in [("0", 0.0), ("0.25", 0.25), ("1", 1.0)] {
            assert_eq!(parse_fraction(text), Ok(fraction));
        }
        for text in ["1.01", "-0.1", "10 %", "NaN"] {
            let error = parse_fraction(text).unwrap_err();
            assert!(error.contains("from 0 to 1"), "{text:?}: {error}");
        }
    }
}
