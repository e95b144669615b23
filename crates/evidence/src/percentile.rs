//! Percentiles, and the number of samples that each needs before it may be judged.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Expected number of samples beyond a percentile, on its thinner side, before it is judged.
///
/// With 10 expected samples beyond it, their number has a standard deviation of about 3, so the percentile is known within a
/// few neighbouring samples. With one or two, a single outlier decides. So p50 needs 20 samples, p90 100, p99 1,000, p99.9
/// 10,000.
pub const SAMPLES_BEYOND: u64 = 10;

/// Units of a percentile: thousandths of a percent, so that 99.999 is exact and `1 - p` loses no precision.
const UNITS: u32 = 100_000;

/// A percentile above 0 and below 100, with up to three decimals; written `p99.9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Percentile(u32);

/// Error of a text that is not a percentile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "percentile {0:?} is not 'p' and a number above 0 and below 100 with at most three decimals, such as p99.9"
)]
pub struct ParsePercentileError(String);

impl Percentile {
    /// The median.
    pub const P50: Self = Self(50_000);
    /// p90.
    pub const P90: Self = Self(90_000);
    /// p99.
    pub const P99: Self = Self(99_000);
    /// p99.9.
    pub const P99_9: Self = Self(99_900);
    /// The percentiles of a report's table.
    pub const REPORTED: [Self; 4] = [Self::P50, Self::P90, Self::P99, Self::P99_9];

    /// As a share, 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / f64::from(UNITS)
    }

    /// The rank of this percentile among `samples` sorted samples, from 1: the smallest rank with at least this share of
    /// samples at or below it (nearest rank). 0 without samples.
    pub fn rank(self, samples: u64) -> u64 {
        let scaled = u128::from(samples) * u128::from(self.0);
        u64::try_from(scaled.div_ceil(u128::from(UNITS))).expect("a rank is at most the count")
    }

    /// The number of samples that this percentile needs before it may be judged: [`SAMPLES_BEYOND`] divided by the share of its
    /// thinner side, rounded up.
    pub fn samples_needed(self) -> u64 {
        let thinner = u64::from(self.0.min(UNITS - self.0));
        (SAMPLES_BEYOND * u64::from(UNITS)).div_ceil(thinner)
    }
}

impl FromStr for Percentile {
    type Err = ParsePercentileError;

    fn from_str(text: &str) -> Result<Self, ParsePercentileError> {
        let refused = || ParsePercentileError(text.to_owned());
        let number = text.strip_prefix('p').unwrap_or(text);
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str, most| {
            (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        if !digits(whole, 2) || !digits(decimals, 3) {
            return Err(refused());
        }
        let units = format!("{whole}{decimals:0<3}");
        match units.parse() {
            Ok(units) if units > 0 => Ok(Self(units)),
            _ => Err(refused()),
        }
    }
}

impl TryFrom<String> for Percentile {
    type Error = ParsePercentileError;

    fn try_from(text: String) -> Result<Self, ParsePercentileError> {
        text.parse()
    }
}

impl From<Percentile> for String {
    fn from(percentile: Percentile) -> Self {
        percentile.to_string()
    }
}

impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.0 / 1_000, self.0 % 1_000);
        let text = format!("p{whole}.{decimals:03}");
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_parse_and_print() {
        for (text, printed) in [
            ("p50", "p50"),
            ("99", "p99"),
            ("p99.9", "p99.9"),
            ("p99.90", "p99.9"),
            ("p99.999", "p99.999"),
            ("p0.001", "p0.001"),
            ("p10", "p10"),
        ] {
            assert_eq!(text.parse::<Percentile>().unwrap().to_string(), printed);
        }
        for text in [
            "", "p", "p0", "p100", "p99.9999", "p-1", "p1e1", "p.5", "pp5", "p50.",
        ] {
            assert!(
                text.parse::<Percentile>().is_err(),
                "{text:?} must be refused"
            );
        }
    }

    #[test]
    fn the_sample_size_rule_is_ten_beyond_the_percentile() {
        let needed = |text: &str| text.parse::<Percentile>().unwrap().samples_needed();
        assert_eq!(
            ["p50", "p90", "p99", "p99.9", "p99.99", "p1", "p95"].map(needed),
            [20, 100, 1_000, 10_000, 100_000, 1_000, 200]
        );
    }

    #[test]
    fn ranks_are_nearest_ranks() {
        assert_eq!(Percentile::P50.rank(1), 1);
        assert_eq!(Percentile::P50.rank(10), 5);
        assert_eq!(Percentile::P90.rank(10), 9);
        assert_eq!(Percentile::P99.rank(1_000), 990);
        assert_eq!(Percentile::P99.rank(1_001), 991);
        assert_eq!(Percentile::P99.rank(0), 0);
    }
}
