//! The samples of one hop: a histogram, and counts of the samples that do not fit it.

use contract::histogram::{self, HistogramError};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::latency::Percentile;

/// The longest latency in the histogram: one day, in microseconds. Longer ones are counted as this long.
pub const HIGHEST_MICROS: u64 = 24 * 60 * 60 * 1_000_000;

/// Three significant digits: an error of at most 0.1 %, in about 220 KiB over the whole range.
const DIGITS: u8 = 3;

/// Latencies of one hop, in microseconds.
///
/// No sample is dropped. Negative samples, which disagreeing clocks produce, are counted separately and rank below all others;
/// samples longer than a day are counted in the histogram's last bucket; rows without a stamp are counted too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Encoded", into = "Encoded")]
pub struct Samples {
    histogram: Histogram<u64>,
    negative: u64,
    most_negative: i64,
    above: u64,
    missing: u64,
}

/// Reason why samples cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SamplesError {
    /// The text is not a histogram.
    #[error(transparent)]
    Format(#[from] HistogramError),
    /// The histogram has another range or precision.
    #[error("histogram values do not fit 0 us to 1 day")]
    Range,
    /// More samples than can be counted.
    #[error("samples are more than 2^64")]
    Count,
}

impl Default for Samples {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, HIGHEST_MICROS, DIGITS);
        Self {
            histogram: histogram.expect("constant bounds must be valid"),
            negative: 0,
            most_negative: 0,
            above: 0,
            missing: 0,
        }
    }
}

impl Samples {
    /// Adds one sample.
    pub fn record(&mut self, micros: i64) {
        if let Ok(micros) = u64::try_from(micros) {
            self.above += u64::from(micros > HIGHEST_MICROS);
            self.histogram.saturating_record(micros);
        } else {
            self.negative += 1;
            self.most_negative = self.most_negative.min(micros);
        }
    }

    /// Counts a row without the stamp for a sample.
    pub fn record_missing(&mut self) {
        self.missing += 1;
    }

    /// Adds a histogram of microseconds from elsewhere.
    pub fn add(&mut self, other: &Histogram<u64>) -> Result<(), SamplesError> {
        self.above += other.count_between(HIGHEST_MICROS + 1, u64::MAX);
        for step in other.iter_recorded() {
            let micros = step.value_iterated_to();
            self.histogram
                .saturating_record_n(micros, step.count_since_last_iteration());
        }
        Ok(())
    }

    /// These samples without the `slowest`, so many of them. Negative ones stay.
    #[must_use]
    pub fn without_slowest(&self, slowest: u64) -> Self {
        let mut left = self.histogram.len().saturating_sub(slowest);
        let mut rest = Self {
            negative: self.negative,
            most_negative: self.most_negative,
            above: self.above.saturating_sub(slowest),
            missing: self.missing,
            ..Self::default()
        };
        for step in self.histogram.iter_recorded() {
            let taken = step.count_since_last_iteration().min(left);
            if taken == 0 {
                break;
            }
            let micros = step.value_iterated_to();
            rest.histogram.saturating_record_n(micros, taken);
            left -= taken;
        }
        rest
    }

    /// The number of samples, including negative ones.
    pub fn count(&self) -> u64 {
        self.negative + self.histogram.len()
    }

    /// The number of negative samples.
    pub const fn negative(&self) -> u64 {
        self.negative
    }

    /// The most negative sample, in microseconds; 0 if none is negative. The clocks behind the stamps disagree by at least this
    /// much.
    pub const fn most_negative(&self) -> i64 {
        self.most_negative
    }

    /// The number of samples longer than a day.
    pub const fn above(&self) -> u64 {
        self.above
    }

    /// The number of rows without a stamp.
    pub const fn missing(&self) -> u64 {
        self.missing
    }

    /// The largest sample in microseconds, to three digits; `None` without samples.
    pub fn max(&self) -> Option<i64> {
        self.at_rank(self.count())
    }

    /// The sample at the percentile's rank, in microseconds, to three digits; `None` without samples.
    pub fn at(&self, percentile: Percentile) -> Option<i64> {
        self.at_rank(percentile.rank(self.count()))
    }

    /// The sample of rank `rank` in ascending order, from 1. Any negative sample is reported as the most negative one.
    pub fn at_rank(&self, rank: u64) -> Option<i64> {
        self.at_ranks([rank]).pop().flatten()
    }

    /// The samples of `ranks`, which must be ascending, in one pass over the histogram.
    pub fn at_ranks(&self, ranks: impl IntoIterator<Item = u64>) -> Vec<Option<i64>> {
        let mut steps = self.histogram.iter_recorded();
        let (mut seen, mut micros) = (self.negative, None);
        let sample = |rank| {
            if rank == 0 || rank > self.count() {
                return None;
            }
            if rank <= self.negative {
                return Some(self.most_negative);
            }
            while seen < rank {
                let step = steps.next()?;
                seen += step.count_since_last_iteration();
                let highest = self.histogram.highest_equivalent(step.value_iterated_to());
                micros = i64::try_from(highest).ok();
            }
            micros
        };
        ranks.into_iter().map(sample).collect()
    }

    /// The non-negative samples.
    pub const fn histogram(&self) -> &Histogram<u64> {
        &self.histogram
    }
}

/// The serialised form: the histogram in the V2 format of `HdrHistogram`, compressed, in Base64.
#[derive(Serialize, Deserialize)]
struct Encoded {
    histogram: String,
    negative: u64,
    most_negative_us: i64,
    above_range: u64,
    missing: u64,
}

impl From<Samples> for Encoded {
    fn from(samples: Samples) -> Self {
        Self {
            histogram: histogram::encode(&samples.histogram),
            negative: samples.negative,
            most_negative_us: samples.most_negative,
            above_range: samples.above,
            missing: samples.missing,
        }
    }
}

impl TryFrom<Encoded> for Samples {
    type Error = SamplesError;

    fn try_from(encoded: Encoded) -> Result<Self, SamplesError> {
        let histogram = histogram::decode(&encoded.histogram)?;
        if histogram.sigfig() != DIGITS || histogram.high() != HIGHEST_MICROS {
            return Err(SamplesError::Range);
        }
        if encoded.negative.checked_add(histogram.len()).is_none() {
            return Err(SamplesError::Count);
        }
        Ok(Self {
            histogram,
            negative: encoded.negative,
            most_negative: encoded.most_negative_us,
            above: encoded.above_range,
            missing: encoded.missing,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(micros: impl IntoIterator<Item = i64>) -> Samples {
        let mut samples = Samples::default();
        micros.into_iter().for_each(|each| samples.record(each));
        samples
    }

    #[test]
    fn ranks_are_exact_to_three_digits() {
        let samples = samples((1..=10_000).rev());
        assert_eq!(samples.at(Percentile::P50), Some(5_003));
        assert_eq!(samples.at_rank(1), Some(1));
        assert_eq!((samples.at_rank(0), samples.at_rank(10_001)), (None, None));
        assert!((9_900..9_910).contains(&samples.at(Percentile::P99).unwrap()));
    }

    #[test]
    fn many_ranks_at_once_are_the_ranks_one_by_one() {
        let samples = samples([-4, -2, 1, 5, 5, 9, 7_000]);
        let ranks = 0..=8;
        let one_by_one: Vec<_> = ranks.clone().map(|rank| samples.at_rank(rank)).collect();
        assert_eq!(samples.at_ranks(ranks), one_by_one);
        assert_eq!(one_by_one[3..7], [Some(1), Some(5), Some(5), Some(9)]);
    }

    #[test]
    fn negative_samples_are_counted_and_rank_lowest() {
        let samples = samples([-7, 5, -300, 9]);
        assert_eq!((samples.count(), samples.negative()), (4, 2));
        assert_eq!(samples.most_negative(), -300);
        assert_eq!(samples.at(Percentile::P50), Some(-300));
        assert_eq!(samples.max(), Some(9));
    }

    #[test]
    fn samples_beyond_a_day_are_counted_and_not_dropped() {
        let day = i64::try_from(HIGHEST_MICROS).unwrap();
        let samples = samples([1, day, day + 1, i64::MAX]);
        assert_eq!((samples.count(), samples.above()), (4, 2));
        assert!(samples.max().unwrap() >= day);
    }

    #[test]
    fn the_slowest_samples_can_be_left_out() {
        let all = samples([-3, 1, 5, 5, 9]);
        assert_eq!(all.without_slowest(0), all);
        assert_eq!(all.without_slowest(2), samples([-3, 1, 5]));
        for many in [4, 7] {
            assert_eq!(all.without_slowest(many), samples([-3]));
        }
    }

    #[test]
    fn samples_survive_being_written() {
        let mut before = samples([-3, 0, 1, 77, 1_234_567]);
        before.record_missing();
        let json = serde_json::to_string(&before).unwrap();
        let after: Samples = serde_json::from_str(&json).unwrap();
        assert_eq!(after, before);
        assert!(serde_json::from_str::<Samples>(&json.replace("HISTF", "XXXXX")).is_err());
        let too_many = json.replace("\"negative\":1", &format!("\"negative\":{}", u64::MAX));
        let error = serde_json::from_str::<Samples>(&too_many).unwrap_err();
        assert!(error.to_string().contains("more than 2^64"), "{error}");
    }

    #[test]
    fn merging_a_histogram_of_another_precision_keeps_every_sample() {
        let mut other = Histogram::<u64>::new(2).unwrap();
        for micros in [3, 500, 500, HIGHEST_MICROS * 3] {
            other.record(micros).unwrap();
        }
        let mut samples = samples([1]);
        samples.add(&other).unwrap();
        assert_eq!((samples.count(), samples.above()), (5, 1));
    }
}
