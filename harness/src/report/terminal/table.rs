//! The latency table, as wide as the terminal allows.

use std::fmt::Write as _;

use crate::measure::Percentile;
use crate::report::latency::HopLine;

/// The lines of the table, the header first. Percentiles are left out until no line is wider than `columns`.
pub(super) fn latency(lines: &[HopLine], columns: usize) -> Vec<String> {
    let mut rows = vec![header()];
    rows.extend(lines.iter().map(hop_row));
    fit(&mut rows, columns);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..rows[0].len())
        .map(|at| width(at).unwrap_or_default())
        .collect();
    let told = |row: &Vec<String>| {
        let mut told = format!("{:<first$}", row[0], first = widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            write!(told, "{GAP}{cell:>width$}").expect("writing to a string must succeed");
        }
        told
    };
    rows.iter().map(told).collect()
}

/// The gap between two columns of the table.
const GAP: &str = "  ";

fn header() -> Vec<String> {
    let mut cells = vec!["LATENCY".to_owned()];
    // A figure has room for a mark after it.
    cells.extend(Percentile::REPORTED.map(|percentile| format!("{percentile} ")));
    cells.extend(["max".to_owned(), "samples".to_owned()]);
    cells
}

fn hop_row(hop: &HopLine) -> Vec<String> {
    let mut cells = vec![format!("  {}", hop.hop)];
    for cell in &hop.percentiles {
        let mark = if cell.is_sound { ' ' } else { '?' };
        cells.push(format!("{}{mark}", cell.text));
    }
    cells.extend([hop.max.clone(), hop.count.clone()]);
    cells
}

/// Leaves columns out until a row fits, beginning with the percentiles between the median and the highest: median, highest
/// percentile and largest sample say most. The other reports have all columns.
fn fit(rows: &mut [Vec<String>], columns: usize) {
    let between = 2..=Percentile::REPORTED.len() - 1;
    for _ in between {
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let all = rows[0].len();
        let cells: usize = (0..all).filter_map(width).sum();
        if cells + GAP.len() * (all - 1) <= columns {
            return;
        }
        // The following columns move up: the next one to leave out is at the same index.
        for row in rows.iter_mut() {
            row.remove(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_table_leaves_out_what_does_not_fit_from_the_middle() {
        let row = |cells: &[&str]| {
            cells
                .iter()
                .map(|cell| (*cell).to_owned())
                .collect::<Vec<_>>()
        };
        let cells = [
            "LATENCY", "p50 ", "p90 ", "p99 ", "p99.9 ", "max", "samples",
        ];
        let (all, wide) = (row(&cells), ["123456789.1 ms?"; 7]);
        let mut rows = vec![all.clone(), row(&["x"; 7])];
        fit(&mut rows, 79);
        assert_eq!(rows[0], all);
        let mut rows = vec![all, row(&wide)];
        fit(&mut rows, 79);
        assert_eq!(
            rows[0],
            row(&["LATENCY", "p50 ", "p99.9 ", "max", "samples"])
        );
    }
}
