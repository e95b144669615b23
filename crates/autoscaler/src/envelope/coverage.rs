//! The times at which each replica count is possible.
//!
//! Memory and time depend on the number of changes, not on the length of the recording: a day without a change costs as much as
//! a minute without one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Band, CELL};

/// From the first cell to the last, both included.
type Span = (u64, u64);

/// The possible times of every count, in cells.
#[derive(Debug, Default)]
pub(super) struct Coverage(BTreeMap<u32, Spans>);

impl Coverage {
    /// Adds the time from `from` until `until`, rounded to whole cells, for the count `replicas`.
    pub(super) fn add(&mut self, replicas: u32, from: Duration, until: Duration) {
        self.0
            .entry(replicas)
            .or_default()
            .add((cell(from), cell(until)));
    }

    /// The lowest and the highest possible count over time, up to the horizon.
    pub(super) fn bands(self, horizon: Duration) -> Vec<Band> {
        let last = cell(horizon);
        let mut counts: Vec<(u32, Vec<Span>)> = Vec::new();
        for (replicas, spans) in self.0 {
            counts.push((replicas, spans.merged()));
        }
        let ends = |span: &Span| [span.0, span.1 + 1];
        let mut changes: Vec<u64> = counts
            .iter()
            .flat_map(|(_, spans)| spans.iter().flat_map(ends))
            .filter(|at| *at <= last)
            .collect();
        changes.sort_unstable();
        changes.dedup();
        let mut bands: Vec<Band> = Vec::new();
        let next = changes.iter().skip(1).copied().chain([last + 1]);
        for (from, until) in changes.iter().copied().zip(next) {
            let mut possible = counts.iter().filter(|(_, spans)| holds(spans, from));
            let Some(low) = possible.next().map(|it| it.0) else {
                continue;
            };
            let high = possible.next_back().map_or(low, |it| it.0);
            let (from, until) = (time(from), time(until).min(horizon));
            match bands.last_mut() {
                Some(last) if (last.low, last.high) == (low, high) => last.until = until,
                _ => bands.push(Band {
                    from,
                    until,
                    low,
                    high,
                }),
            }
        }
        bands
    }
}

/// The spans of one count, merged whenever their number has doubled.
#[derive(Debug, Default)]
struct Spans {
    spans: Vec<Span>,
    merged: usize,
}

impl Spans {
    fn add(&mut self, span: Span) {
        self.spans.push(span);
        if self.spans.len() > 2 * self.merged + 64 {
            self.merge();
        }
    }

    fn merge(&mut self) {
        self.spans.sort_unstable();
        self.spans.dedup_by(|next, last| {
            let touches = next.0 <= last.1 + 1;
            if touches {
                last.1 = last.1.max(next.1);
            }
            touches
        });
        self.merged = self.spans.len();
    }

    fn merged(mut self) -> Vec<Span> {
        self.merge();
        self.spans
    }
}

/// Whether one of the spans, which are sorted and disjoint, contains this cell.
fn holds(spans: &[Span], at: u64) -> bool {
    let after = spans.partition_point(|span| span.0 <= at);
    after.checked_sub(1).is_some_and(|n| at <= spans[n].1)
}

/// The cell of a time.
fn cell(at: Duration) -> u64 {
    u64::try_from(at.as_nanos() / CELL.as_nanos()).unwrap_or(u64::MAX)
}

/// Cells per second.
const PER_SECOND: u64 = 4;

/// The begin of a cell.
fn time(cell: u64) -> Duration {
    let nanos = u64::from(CELL.subsec_nanos());
    let seconds = cell / PER_SECOND;
    Duration::new(seconds, 0) + Duration::from_nanos(cell % PER_SECOND * nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_touch_are_one() {
        let mut spans = Spans::default();
        for span in [(5, 6), (1, 2), (3, 3), (9, 12), (10, 10)] {
            spans.add(span);
        }
        let merged = spans.merged();
        assert_eq!(merged, [(1, 3), (5, 6), (9, 12)]);
        let inside = |at| holds(&merged, at);
        assert_eq!(
            [0, 3, 4, 6, 8, 12, 13].map(inside),
            [false, true, false, true, false, true, false]
        );
    }
}
