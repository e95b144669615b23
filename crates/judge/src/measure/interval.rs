//! Confidence intervals for a percentile, from order statistics: without an assumption about the latency's distribution.

use super::{Percentile, Samples};

/// Probability that the true percentile is outside the interval, on both sides together: 95 % confidence.
const OUTSIDE: f64 = 0.05;

/// Interval that contains the true percentile with 95 % confidence, in microseconds, both ends included. `None` at an end means
/// that the samples do not bound it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The lower end.
    pub low: Option<i64>,
    /// The upper end.
    pub high: Option<i64>,
}

impl Interval {
    /// The interval of `percentile`, from the histogram.
    pub fn of(samples: &Samples, percentile: Percentile) -> Self {
        let (low, high) = confidence_ranks(samples.count(), percentile);
        Self {
            low: low.and_then(|rank| samples.at_rank(rank)),
            high: high.and_then(|rank| samples.at_rank(rank)),
        }
    }
}

/// The ranks (from 1) of the order statistics that enclose `percentile` of `samples` independent samples with at least
/// 95 % confidence.
///
/// The number of samples below the true percentile is binomial, `Bin(samples, p)`; so the interval from rank `l` to
/// rank `u` holds the percentile with probability `P(l <= B < u)`. `l` is the largest rank with `P(B < l) <= 2.5 %`
/// and `u` the smallest with `P(B >= u) <= 2.5 %` (David and Nagaraja, Order Statistics, 7.1).
pub fn confidence_ranks(samples: u64, percentile: Percentile) -> (Option<u64>, Option<u64>) {
    if samples == 0 {
        return (None, None);
    }
    let (from, weights) = binomial(samples, percentile.share());
    let total: f64 = weights.iter().sum();
    let tail = OUTSIDE / 2.0 * total;
    // Below `from` the mass is negligible, so the cumulative sum starts there.
    let mut below = 0.0;
    let (mut low, mut high) = (None, None);
    for (count, weight) in (from..).zip(&weights) {
        // Here `below` is the mass of B < count.
        if below <= tail && count >= 1 {
            low = Some(count);
        }
        if high.is_none() && total - below <= tail {
            high = Some(count);
        }
        below += weight;
    }
    (low, high)
}

/// Unnormalised weights of `Bin(n, p)` around its mode, as far as they matter, from the count returned first.
///
/// By the ratio of neighbours, `w(k+1) / w(k) = (n - k) / (k + 1) * p / (1 - p)`, from 1 at the mode: no factorials, and
/// about 20 standard deviations of steps, which for ten million samples is some ten thousand.
fn binomial(n: u64, p: f64) -> (u64, Vec<f64>) {
    /// Where a weight no longer changes a sum of doubles.
    const NEGLIGIBLE: f64 = 1e-18;
    let odds = p / (1.0 - p);
    let mode = most_likely(n, p);
    let mut left = Vec::new();
    let (mut k, mut weight) = (mode, 1.0);
    while k > 0 {
        weight *= k as f64 / ((n - k + 1) as f64 * odds);
        k -= 1;
        if weight < NEGLIGIBLE {
            break;
        }
        left.push(weight);
    }
    let from = mode - left.len() as u64;
    let mut weights: Vec<f64> = left.into_iter().rev().collect();
    weights.push(1.0);
    let (mut k, mut weight) = (mode, 1.0);
    while k < n {
        weight *= (n - k) as f64 / (k + 1) as f64 * odds;
        k += 1;
        if weight < NEGLIGIBLE {
            break;
        }
        weights.push(weight);
    }
    (from, weights)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a non-negative count of at most n, rounded down"
)]
fn most_likely(n: u64, p: f64) -> u64 {
    (((n + 1) as f64 * p) as u64).min(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_published_tables() {
        // Nonparametric 95 % intervals of the median (Conover, Practical Nonparametric Statistics): n = 10: 2 and 9,
        // n = 20: 6 and 15, n = 100: 40 and 61.
        for (n, ranks) in [(10, (2, 9)), (20, (6, 15)), (100, (40, 61))] {
            let (low, high) = confidence_ranks(n, Percentile::P50);
            assert_eq!((low.unwrap(), high.unwrap()), ranks, "n = {n}");
        }
    }

    #[test]
    fn few_samples_bound_a_high_percentile_on_one_side_only() {
        assert_eq!(confidence_ranks(0, Percentile::P99), (None, None));
        let (low, high) = confidence_ranks(100, Percentile::P99);
        assert!(low.is_some());
        assert_eq!(high, None);
        // 0.99^n <= 2.5 % from n = 368 on.
        assert_eq!(confidence_ranks(367, Percentile::P99).1, None);
        assert_eq!(confidence_ranks(368, Percentile::P99).1, Some(368));
    }

    #[test]
    fn every_percentile_with_enough_samples_is_bounded_on_both_sides() {
        for text in ["p1", "p50", "p90", "p99", "p99.9", "p99.99"] {
            let percentile: Percentile = text.parse().unwrap();
            let n = percentile.samples_needed();
            let (low, high) = confidence_ranks(n, percentile);
            let rank = percentile.rank(n);
            assert!(low.unwrap() <= rank && rank <= high.unwrap(), "{text}");
        }
    }

    #[test]
    fn the_interval_holds_the_true_percentile_about_19_times_in_20() {
        use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
        let mut random = StdRng::seed_from_u64(20_261_123);
        // Small values, which the histogram holds exactly: 1 % of 0..2,000 is above 1,979.
        let (runs, n) = (400, 1_000);
        let held = (0..runs)
            .filter(|_| {
                let mut samples = Samples::default();
                (0..n).for_each(|_| samples.record(random.random_range(0..2_000)));
                let interval = Interval::of(&samples, Percentile::P99);
                interval.low.unwrap() <= 1_979 && 1_979 <= interval.high.unwrap()
            })
            .count();
        assert!((366..=396).contains(&held), "held {held} of {runs}");
    }

    #[test]
    fn ten_million_samples_are_judged_from_the_same_formula() {
        let (low, high) = confidence_ranks(10_000_000, Percentile::P50);
        // Normal approximation: 5,000,000 plus or minus 1.96 * sqrt(n/4) = 3,099.
        assert!(low.unwrap().abs_diff(4_996_901) <= 3 && high.unwrap().abs_diff(5_003_100) <= 3);
    }
}
