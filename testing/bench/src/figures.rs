//! The measured figures, as a table for a terminal and as Markdown for BENCHMARKS.md.

use std::fmt::Write as _;

/// One measured figure.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// The figure with its unit.
    pub(crate) value: String,
    /// The target, and whether it is met; `None` if there is no target.
    pub(crate) target: Option<Target>,
    /// The value of each round, or other details that a reader needs to judge the figure.
    pub(crate) detail: String,
}

/// The target of a figure.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) text: &'static str,
    pub(crate) met: bool,
}

impl Figure {
    /// A figure without a target.
    pub(crate) fn new(what: impl Into<String>, value: String, detail: String) -> Self {
        Self {
            what: what.into(),
            value,
            target: None,
            detail,
        }
    }

    /// Adds a target to the figure.
    pub(crate) fn held_to(mut self, text: &'static str, met: bool) -> Self {
        self.target = Some(Target { text, met });
        self
    }

    fn verdict(&self) -> (&'static str, &'static str) {
        match &self.target {
            None => ("", ""),
            Some(Target { text, met: true }) => (text, "met"),
            Some(Target { text, met: false }) => (text, "MISSED"),
        }
    }
}

/// Whether every target is met.
pub(crate) fn all_met(figures: &[Figure]) -> bool {
    figures
        .iter()
        .all(|figure| figure.target.as_ref().is_none_or(|target| target.met))
}

/// For a terminal.
pub(crate) fn table(figures: &[Figure]) -> String {
    let width = |of: fn(&Figure) -> usize| figures.iter().map(of).max().unwrap_or_default();
    let (what, value) = (width(|f| f.what.len()), width(|f| f.value.len()));
    let mut text = String::new();
    for figure in figures {
        let (target, verdict) = figure.verdict();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<what$}  {:>value$}  {target:<10}  {verdict:<6}  {}",
            figure.what, figure.value, figure.detail
        );
    }
    text
}

/// For BENCHMARKS.md.
pub(crate) fn markdown(figures: &[Figure]) -> String {
    let mut text = "| what | figure | target | | detail |\n|---|---:|---|---|---|\n".to_owned();
    for figure in figures {
        let (target, verdict) = figure.verdict();
        let _ = writeln!(
            text,
            "| {} | {} | {target} | {verdict} | {} |",
            figure.what, figure.value, figure.detail
        );
    }
    text
}

/// The middle value; of an even number of values, the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

/// The rounds, in the order in which they were measured.
pub(crate) fn rounds(values: &[f64]) -> String {
    let values: Vec<_> = values.iter().map(|value| format!("{value:.0}")).collect();
    format!("rounds: {}", values.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }

    #[test]
    fn a_missed_target_is_said_and_counts() {
        let met = Figure::new("a", "1".into(), String::new()).held_to("< 2", true);
        let missed = Figure::new("b", "3".into(), String::new()).held_to("< 2", false);
        let none = Figure::new("c", "3".into(), String::new());
        assert!(all_met(&[met.clone(), none]));
        assert!(!all_met(&[met, missed.clone()]));
        assert!(table(std::slice::from_ref(&missed)).contains("MISSED"));
        assert!(markdown(&[missed]).contains("| b | 3 | < 2 | MISSED |"));
    }
}
