//! Comparison of two groups of runs, figure by figure: worse, better, alike, or not to be told.
//!
//! # The method
//!
//! One run gives one value of a figure, such as its p99 end to end. The messages of a run share its queue, its machine and its
//! time, so they are not independent samples; runs are. So the values of the runs are compared:
//!
//! - **Several runs on a side**: Student's interval for the difference of the two means of the values' logarithms, with the
//!   pooled variance of both sides (Box, Hunter and Hunter, Statistics for Experimenters, 2nd edition, chapter 3; for a single
//!   new run it is the prediction interval of Hahn and Meeker, Statistical Intervals, section 4.7). Converted back from
//!   logarithms, it is an interval for the factor between the two sides. It assumes that the values of equal runs are
//!   log-normally distributed, with the same variance on both sides.
//! - **One run on each side**: the ends of the two intervals from order statistics ([`Interval`](crate::measure::Interval)).
//!   They do not include the variation from run to run, so only a much larger difference counts: [`Rule::pair_tolerance`].
//! - **A figure that is found in steps**, such as the highest rate that keeps the limits: each true value is between the one that
//!   was found and the next step, and the interval is as much wider. One run with one other is alike only within
//!   [`Rule::tolerance`], since nothing else limits how far the true values are apart.
//!
//! A difference counts only if the whole interval is beyond the tolerance. With many figures, one of them would seem to differ
//! by chance; so the probability of an error is divided by their number (Bonferroni): of all comparisons of equal runs, at most
//! [`Rule::error`] call any figure worse or better.

mod student;

use evidence::outcome::Outcome;
use serde::Serialize;

use student::quantile;

/// Resolution of figures, as a share: they come from histograms with three significant digits, so equal values may differ by
/// this much.
const RESOLUTION: f64 = 0.001;

/// Whether a smaller or a larger value is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A smaller value is better, such as a latency.
    Less,
    /// A larger value is better, such as a throughput.
    More,
}

/// Limits beyond which a change counts as a difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// A change by no more than this share does not count, if one side has several runs.
    pub tolerance: f64,
    /// The same limit if each side has one run.
    pub pair_tolerance: f64,
    /// Of all comparisons of equal runs, at most this share may call any figure worse or better.
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

/// The values of a figure on one side.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    /// One value per run, none of them negative.
    pub of_runs: Vec<f64>,
    /// If the side has a single run: the interval from its own samples, if there is one.
    pub within: Option<(f64, f64)>,
    /// For a figure that is found in steps: up to which value each run's true one may be, `None` if that is not known. The values
    /// of the runs are then the lower ends.
    pub steps: Option<Vec<Option<f64>>>,
}

impl Values {
    /// How far above the mean of the runs' logarithms the true one may be, because values are found in steps; `None` if that is not
    /// known.
    fn unresolved(&self) -> Option<f64> {
        let Some(steps) = &self.steps else {
            return Some(0.0);
        };
        let highest: Option<Vec<f64>> = steps.iter().copied().collect();
        Some(mean(&logs(&highest?)) - mean(&logs(&self.of_runs)))
    }
}

/// The result for one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The figure is worse by more than the tolerance.
    Worse,
    /// The figure is better by more than the tolerance.
    Better,
    /// The figure changed by no more than the tolerance.
    Alike,
    /// The interval crosses a limit of the tolerance, or there is none.
    CannotTell,
}

/// The comparison of one figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The geometric mean of the old runs.
    pub base: f64,
    /// The geometric mean of the new runs.
    pub new: f64,
    /// The new mean divided by the old one.
    pub factor: f64,
    /// The lower end of the factor's interval.
    pub low: Option<f64>,
    /// The upper end of the factor's interval.
    pub high: Option<f64>,
    /// The tolerance that was applied.
    pub tolerance: f64,
    /// The result.
    pub change: Change,
}

/// The change between the outcomes of the old and the new runs. A promise that is broken now and was kept before is worse,
/// whatever the number of runs: a broken promise is not a matter of chance.
pub fn change_of_outcomes(base: &[Outcome], new: &[Outcome]) -> Change {
    let failed = |side: &[Outcome]| side.contains(&Outcome::Fail);
    let all_passed = |side: &[Outcome]| side.iter().all(|it| *it == Outcome::Pass);
    match (failed(base), failed(new)) {
        (false, true) if base.contains(&Outcome::Pass) => Change::Worse,
        (true, false) if all_passed(new) => Change::Better,
        (false, false) if all_passed(base) && all_passed(new) => Change::Alike,
        (true, true) => Change::Alike,
        _ => Change::CannotTell,
    }
}

/// The outcome of a whole comparison: fail if something is worse; inconclusive if nothing could be told.
pub fn outcome_of(changes: impl IntoIterator<Item = Change>) -> Outcome {
    let mut outcome = Outcome::Inconclusive;
    for change in changes {
        match change {
            Change::Worse => return Outcome::Fail,
            Change::Better | Change::Alike => outcome = Outcome::Pass,
            Change::CannotTell => {}
        }
    }
    outcome
}

/// Whether a run with this outcome says anything about the speed of its workload. One that was cut off, or inconclusive, does
/// not.
pub const fn is_comparable(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Pass | Outcome::Fail)
}

/// Compares a figure of the `new` runs with that of the `base`, as one of `figures` comparisons. `None` if a side has no value.
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
        let unresolved = base.unresolved().zip(new.unresolved());
        let interval = unresolved.map(|(old, new)| (middle - half - old, middle + half + new));
        (interval, rule.tolerance)
    };
    let interval = interval.map(|(low, high)| (low.exp(), high.exp()));
    Some(Difference {
        base: old_mean.exp(),
        new: new_mean.exp(),
        factor: (new_mean - old_mean).exp(),
        low: interval.map(|(low, _)| low),
        high: interval.map(|(_, high)| high),
        tolerance,
        change: interval.map_or(Change::CannotTell, |it| {
            let is_in_steps = base.steps.is_some() && new.steps.is_some();
            let alike = if is_in_steps {
                rule.tolerance
            } else {
                tolerance
            };
            change(it, better, tolerance, alike)
        }),
    })
}

/// The change of a figure whose factor is in this interval: worse or better beyond `tolerance`, alike within the tolerance `alike`.
fn change((low, high): (f64, f64), better: Better, tolerance: f64, alike: f64) -> Change {
    let (most, near) = (1.0 + tolerance, 1.0 + alike);
    let (more, less) = (low > most, high < 1.0 / most);
    match better {
        _ if low >= 1.0 / near && high <= near => Change::Alike,
        Better::Less if more => Change::Worse,
        Better::Less if less => Change::Better,
        Better::More if less => Change::Worse,
        Better::More if more => Change::Better,
        _ => Change::CannotTell,
    }
}

/// The interval of the factor for one run on each side, in logarithms: from the new lower end over the base's upper end to the
/// new upper end over the base's lower end.
fn of_pair(base: &Values, new: &Values) -> Option<(f64, f64)> {
    let ((old_low, old_high), (new_low, new_high)) = (base.within?, new.within?);
    Some((log(new_low) - log(old_high), log(new_high) - log(old_low)))
}

/// Half the width of Student's interval for the difference of two means.
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

/// The logarithm of a value that may be zero: values below a millionth of the unit count as that much.
fn log(value: f64) -> f64 {
    value.max(1e-6).ln()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests;
