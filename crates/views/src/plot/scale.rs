//! Scales: conversion of values to pixels, and their ticks.

use evidence::latency::Micros;

/// A linear scale from `from..to` to pixels.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

impl Scale {
    /// Makes a scale of values `from` to `to`, whose pixels are `start` to `end`.
    pub fn new((from, to): (f64, f64), (start, end): (f64, f64)) -> Self {
        Self {
            from,
            to,
            start,
            end,
        }
    }

    /// The pixel of `value`, clamped to the plot.
    pub fn at(&self, value: f64) -> f64 {
        let share = (value - self.from) / (self.to - self.from);
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }
}

/// Round values from 0 to at least `highest`, in about `count` steps; the last is the scale's end.
pub fn linear_ticks(highest: f64, count: f64) -> Vec<f64> {
    let raw = (highest.max(1e-9)) / count;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= raw * 0.999)
        .unwrap_or(10.0 * power);
    let mut ticks = vec![0.0];
    while ticks.last().is_some_and(|last| *last < highest * 0.999) {
        ticks.push(ticks.len() as f64 * step);
    }
    if ticks.len() == 1 {
        ticks.push(step);
    }
    ticks
}

/// A logarithmic scale of latencies in microseconds.
#[derive(Debug)]
pub struct LatencyScale {
    scale: Scale,
    lowest: f64,
    /// The grid lines, in microseconds, with labels.
    pub ticks: Vec<(f64, String)>,
}

impl LatencyScale {
    /// Makes a scale from the decade below `lowest` to the round value (1, 2 or 5) above `highest`; pixels from `start` (the
    /// lowest) to `end`.
    pub fn new(lowest: f64, highest: f64, pixels: (f64, f64)) -> Self {
        let lowest = 10_f64.powf(lowest.max(1.0).log10().floor());
        let highest = highest.max(lowest * 2.0);
        let mut round = Vec::new();
        let mut decade = lowest;
        while round.last().is_none_or(|last| *last < highest) {
            for factor in [1.0, 2.0, 5.0] {
                if round.last().is_none_or(|last| *last < highest) {
                    round.push(decade * factor);
                }
            }
            decade *= 10.0;
        }
        let top = round.last().copied().unwrap_or(lowest * 10.0);
        // With few decades there is room for 2 and 5.
        let few = top / lowest <= 200.0;
        let is_decade = |value: f64| (value.log10() - value.log10().round()).abs() < 1e-9;
        let ticks = round
            .into_iter()
            .filter(|value| few || is_decade(*value))
            .map(|value| (value, label(value)))
            .collect();
        Self {
            scale: Scale::new((lowest.log10(), top.log10()), pixels),
            lowest,
            ticks,
        }
    }

    /// The pixel of a latency of `micros` microseconds, clamped to the plot.
    pub fn at(&self, micros: f64) -> f64 {
        self.scale.at(micros.max(self.lowest).log10())
    }
}

/// Formats a round latency without decimals: `20 ms`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a round number of microseconds below a day"
)]
fn label(micros: f64) -> String {
    let text = Micros(micros.round() as i64).to_string();
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            let number = number.trim_end_matches('0').trim_end_matches('.');
            format!("{number} {unit}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_are_round_and_cover_the_highest_value() {
        assert_eq!(linear_ticks(16.0, 4.0), [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert_eq!(linear_ticks(1.0, 2.0), [0.0, 0.5, 1.0]);
        for highest in [0.0, 0.3, 3.0, 999.0, 1_000.0, 123_456.0] {
            let ticks = linear_ticks(highest, 4.0);
            assert!(ticks.len() >= 2 && ticks.len() <= 7, "{highest}: {ticks:?}");
            assert!(*ticks.last().unwrap() >= highest * 0.999, "{highest}");
        }
    }

    #[test]
    fn latency_ticks_are_decades_and_with_room_ones_twos_and_fives() {
        let labels = |low, high| -> Vec<String> {
            let scale = LatencyScale::new(low, high, (100.0, 0.0));
            scale.ticks.into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(
            labels(1_200.0, 40_000.0),
            ["1 ms", "2 ms", "5 ms", "10 ms", "20 ms", "50 ms"]
        );
        assert_eq!(
            labels(0.0, 3_000_000.0),
            ["1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s"]
        );
    }

    #[test]
    fn values_outside_are_held_at_the_edge() {
        let scale = Scale::new((0.0, 10.0), (0.0, 100.0));
        for (value, pixel) in [(-5.0, 0.0), (5.0, 50.0), (50.0, 100.0)] {
            assert!((scale.at(value) - pixel).abs() < 1e-9, "{value}");
        }
    }
}
