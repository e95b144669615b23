//! Charts of a value over time, made of block characters.

use views::clock;

/// Lines in a chart.
const HEIGHT: u32 = 6;
/// Columns for the values at its left.
const LABEL: usize = 8;
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The time range of charts, and their columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chart {
    seconds: f64,
    columns: usize,
}

impl Chart {
    pub(super) fn new(seconds: f64, width: usize) -> Self {
        Self {
            seconds,
            columns: width.saturating_sub(LABEL).max(1),
        }
    }

    /// The chart of a value that is constant between steps: the highest value in each column. `band`: lowest and highest value
    /// in equally long parts of the time, drawn where the value is not.
    pub(super) fn steps(
        &self,
        points: impl Iterator<Item = (f64, f64)>,
        band: Option<&[(f64, f64)]>,
    ) -> Vec<String> {
        let values = self.highest(points);
        let band = band.map(|band| self.resampled(band));
        let tops = band.iter().flatten().map(|range| range.1);
        let top = values.iter().copied().chain(tops).fold(1.0, f64::max);
        let mut lines: Vec<_> = (0..HEIGHT)
            .rev()
            .map(|row| {
                let label = match row {
                    0 => "0".to_owned(),
                    row if row == HEIGHT - 1 => format!("{top:.0}"),
                    _ => String::new(),
                };
                let cells = (0..self.columns).map(|column| {
                    let band = band.as_ref().map(|band| band[column]);
                    cell(row, top, values[column], band)
                });
                let cells: String = cells.collect();
                format!("{label:>6} │{cells}").trim_end().to_owned()
            })
            .collect();
        lines.push(self.axis());
        lines
    }

    fn column(&self, at: f64) -> usize {
        whole(at / self.seconds * self.columns as f64).min(self.columns - 1)
    }

    fn highest(&self, points: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
        let mut highest = vec![0.0_f64; self.columns];
        let (mut from, mut held) = (0, 0.0);
        for (at, value) in points {
            let column = self.column(at);
            for cell in &mut highest[from..=column] {
                *cell = cell.max(held);
            }
            // A value that ended when the column began is not in it.
            if column > from && self.begins(column) >= at {
                highest[column] = 0.0;
            }
            highest[column] = highest[column].max(value);
            (from, held) = (column, value);
        }
        for cell in &mut highest[from..] {
            *cell = cell.max(held);
        }
        highest
    }

    /// The time at which a column begins.
    fn begins(&self, column: usize) -> f64 {
        self.seconds * column as f64 / self.columns as f64
    }

    fn resampled(&self, band: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let part = |column: usize| {
            whole(column as f64 / self.columns as f64 * band.len() as f64).min(band.len() - 1)
        };
        let range = |column: usize| {
            let parts = &band[part(column)..=part(column + 1).max(part(column))];
            let low = parts
                .iter()
                .map(|range| range.0)
                .fold(f64::INFINITY, f64::min);
            (low, parts.iter().map(|range| range.1).fold(0.0, f64::max))
        };
        (0..self.columns).map(range).collect()
    }

    /// Times below the chart, as far as there is room between them.
    fn axis(&self) -> String {
        let mut axis = " ".repeat(LABEL);
        for (at, label) in clock::ticks(self.seconds, 6) {
            let place = LABEL + self.column(at);
            let length = axis.chars().count();
            let is_last = at >= self.seconds;
            let place = if is_last {
                (LABEL + self.columns).saturating_sub(label.chars().count())
            } else {
                place
            };
            let gap = place.checked_sub(length);
            if let Some(gap) = gap.filter(|gap| *gap > 0 || length == LABEL) {
                axis += &" ".repeat(gap);
                axis += &label;
            }
        }
        axis.trim_end().to_owned()
    }
}

fn cell(row: u32, top: f64, value: f64, band: Option<(f64, f64)>) -> char {
    let row = f64::from(row);
    let rows = f64::from(HEIGHT);
    // Every value above 0 is visible.
    let filled = (value / top * rows).max(if value > 0.0 { 0.125 } else { 0.0 });
    let eighths = whole(((filled - row).clamp(0.0, 1.0) * 8.0).round());
    let block = BLOCKS[eighths.min(8)];
    let (low, high) = match band {
        Some((low, high)) if high > low => (low / top * rows, high / top * rows),
        _ => return block,
    };
    if eighths == 0 && row + 0.5 <= high && row + 1.0 > low {
        '░'
    } else {
        block
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a small number; `as` saturates"
)]
fn whole(value: f64) -> usize {
    value as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_has_the_highest_value_of_its_time() {
        let chart = Chart {
            seconds: 10.0,
            columns: 10,
        };
        let points = [(0.0, 1.0), (2.5, 4.0), (2.75, 2.0), (5.0, 0.0)];
        let values = chart.highest(points.into_iter());
        assert_eq!(values, [1.0, 1.0, 4.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_chart_has_its_values_left_and_its_times_below() {
        let chart = Chart::new(600.0, 28);
        let lines = chart.steps([(0.0, 0.0), (300.0, 12.0)].into_iter(), None);
        assert_eq!(lines[0], format!("    12 │          {}", "█".repeat(10)));
        assert_eq!(lines[5], format!("     0 │          {}", "█".repeat(10)));
        assert_eq!(lines[6], "        0 s 2 min   6 min");
    }

    #[test]
    fn a_band_shows_around_the_value_and_never_over_it() {
        let chart = Chart::new(60.0, LABEL + 4);
        let band = [(0.0, 6.0), (3.0, 6.0), (3.0, 3.0), (0.0, 0.0)];
        let lines = chart.steps([(0.0, 3.0)].into_iter(), Some(&band));
        let column = |n: usize| -> String {
            let of = |line: &String| line.chars().nth(LABEL + n).unwrap_or(' ');
            lines[..6].iter().map(of).collect()
        };
        assert_eq!(column(0), "░░░███");
        assert_eq!(column(3), "   ███");
    }
}
