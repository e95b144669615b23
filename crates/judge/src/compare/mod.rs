//! Two groups of runs held against each other, figure by figure: worse, better, alike, or not to be told.
//!
//! # The method
//!
//! One run gives one value of a figure, such as its p99 end to end. Messages of a run share its queue, its machine and its
//! moment, so thousands of them are not thousands of independent looks; runs are. So the values of the runs are what is compared:
//!
//! - **Several runs on a side**: Student's interval for the difference of two means, of the values' logarithms, with the spread of both
//!   sides pooled (Box, Hunter and Hunter, Statistics for Experimenters, 2nd edition, chapter 3; for a single new run it is the
//!   prediction interval of Hahn and Meeker, Statistical Intervals, section 4.7). Taken back from the logarithms, it is an
//!   interval for the factor between the two sides. It supposes that values of equal runs scatter like a logarithmic normal
//!   distribution, and equally on both sides.
//! - **One run on each side**: the ends of the two intervals from order statistics ([`Interval`](crate::measure::Interval)). They
//!   know nothing of what changes from run to run, so only a much larger difference counts: [`Rule::pair_tolerance`].
//!
//! A difference counts only where the whole interval is beyond the tolerance. With many figures one of them would seem to
//! differ by chance: the chance of an error is divided by their number (Bonferroni), so that of all comparisons of runs that differ
//! in nothing, at most [`Rule::error`] call anything worse or better.

mod student;

use serde::Serialize;

use student::quantile;

/// Figures come from histograms of three digits: values that are equal there may differ by this share.
const RESOLUTION: f64 = 0.001;

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Less is better, such as a latency.
    Less,
    /// More is better, such as a throughput.
    More,
}

/// What is called a difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// A change by no more than this share is none, where runs are compared with several.
    pub tolerance: f64,
    /// The same of one run with one other.
    pub pair_tolerance: f64,
    /// Of all comparisons of runs that differ in nothing, this share at most may call anything worse or better.
    pub error: f64,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            tolerance: 0.1,
            pair_tolerance: 0.5,
            error: 0.05,
        }
    }
}

/// What one side's runs say of a figure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    /// One value a run, none of them negative.
    pub of_runs: Vec<f64>,
    /// The interval of the only run, from its own samples, where there is one.
    pub within: Option<(f64, f64)>,
}

/// What became of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is worse by more than the tolerance.
    Worse,
    /// It is better by more than the tolerance.
    Better,
    /// It changed by no more than the tolerance.
    Alike,
    /// The interval reaches to both sides of the tolerance, or there is none.
    CannotTell,
}

/// A figure on two sides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The geometric mean of the old runs.
    pub base: f64,
    /// The geometric mean of the new runs.
    pub new: f64,
    /// The new over the old.
    pub factor: f64,
    /// The least that the factor may be.
    pub low: Option<f64>,
    /// The most that it may be.
    pub high: Option<f64>,
    /// The tolerance that was applied.
    pub tolerance: f64,
    /// What follows.
    pub change: Change,
}

/// Holds a figure of the `new` runs against that of the `base`, as one of `figures` that are compared. `None` where a side has no value.
pub fn difference(
    base: &Values,
    new: &Values,
    better: Better,
    rule: &Rule,
    figures: usize,
) -> Option<Difference> {
    if base.of_runs.is_empty() || new.of_runs.is_empty() {
        return None;
    }
    let (old_logs, new_logs) = (logs(&base.of_runs), logs(&new.of_runs));
    let (old_mean, new_mean) = (mean(&old_logs), mean(&new_logs));
    let is_pair = old_logs.len() + new_logs.len() == 2;
    let (interval, tolerance) = if is_pair {
        (of_pair(base, new), rule.pair_tolerance)
    } else {
        let error = rule.error / figures.max(1) as f64;
        let half = half_width(&old_logs, &new_logs, 1.0 - error);
        let middle = new_mean - old_mean;
        (Some((middle - half, middle + half)), rule.tolerance)
    };
    let interval = interval.map(|(low, high)| (low.exp(), high.exp()));
    Some(Difference {
        base: old_mean.exp(),
        new: new_mean.exp(),
        factor: (new_mean - old_mean).exp(),
        low: interval.map(|(low, _)| low),
        high: interval.map(|(_, high)| high),
        tolerance,
        change: interval.map_or(Change::CannotTell, |it| change(it, better, tolerance)),
    })
}

fn change((low, high): (f64, f64), better: Better, tolerance: f64) -> Change {
    let most = 1.0 + tolerance;
    let (more, less) = (low > most, high < 1.0 / most);
    match better {
        _ if low >= 1.0 / most && high <= most => Change::Alike,
        Better::Less if more => Change::Worse,
        Better::Less if less => Change::Better,
        Better::More if less => Change::Worse,
        Better::More if more => Change::Better,
        _ => Change::CannotTell,
    }
}

/// The interval of a pair's factor, as logarithms: from the least of the new over the most of the old to the other way round.
fn of_pair(base: &Values, new: &Values) -> Option<(f64, f64)> {
    let ((old_low, old_high), (new_low, new_high)) = (base.within?, new.within?);
    Some((log(new_low) - log(old_high), log(new_high) - log(old_low)))
}

/// Half of Student's interval for the difference of the means of two groups.
fn half_width(old: &[f64], new: &[f64], confidence: f64) -> f64 {
    let squares = |logs: &[f64]| {
        let mean = mean(logs);
        logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>()
    };
    let freedom = old.len() + new.len() - 2;
    let variance = (squares(old) + squares(new)) / freedom as f64;
    let spread = variance.max(RESOLUTION * RESOLUTION);
    let runs = 1.0 / old.len() as f64 + 1.0 / new.len() as f64;
    quantile(confidence, freedom) * (spread * runs).sqrt()
}

fn logs(values: &[f64]) -> Vec<f64> {
    values.iter().copied().map(log).collect()
}

/// Of a value that may be zero: what is below a millionth of its unit counts as that much.
fn log(value: f64) -> f64 {
    value.max(1e-6).ln()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests;
