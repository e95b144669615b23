//! Ranges of keys: the part of a table that a filter can match.
//!
//! A filter becomes boxes, each an interval of partition keys and one of row keys. A box with a single partition is a range of
//! keys; any other box is all rows of its partitions. The filter itself tests the remaining conditions.

use std::cmp::Ordering;

use super::entity::Key;

/// Most boxes of a filter; with more, the whole table is scanned.
const MOST_BOXES: usize = 256;

/// All keys from `start` on and before `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: Key,
    pub(crate) end: Option<Key>,
}

impl Range {
    pub(crate) fn all() -> Self {
        Self {
            start: Key::new("", ""),
            end: None,
        }
    }
}

/// All texts from `start` on and before `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Interval {
    start: String,
    end: Option<String>,
}

/// The first text after `text`.
fn after(text: &str) -> String {
    format!("{text}\0")
}

impl Interval {
    fn all() -> Self {
        Self {
            start: String::new(),
            end: None,
        }
    }

    fn and(&self, other: &Self) -> Option<Self> {
        let end = match (&self.end, &other.end) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.as_ref().or(b.as_ref()),
        };
        let both = Self {
            start: self.start.clone().max(other.start.clone()),
            end: end.cloned(),
        };
        let empty = both.end.as_ref().is_some_and(|end| *end <= both.start);
        (!empty).then_some(both)
    }

    /// The one text in the interval, if it has only one.
    fn single(&self) -> Option<&str> {
        let end = self.end.as_deref()?;
        (end == after(&self.start)).then_some(&*self.start)
    }
}

/// The texts that have this relation to `text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Equal,
    Before,
    NotAfter,
    After,
    NotBefore,
}

impl Side {
    fn of(self, text: &str) -> Interval {
        let interval = |start: String, end: Option<String>| Interval { start, end };
        match self {
            Self::Equal => interval(text.to_owned(), Some(after(text))),
            Self::Before => interval(String::new(), Some(text.to_owned())),
            Self::NotAfter => interval(String::new(), Some(after(text))),
            Self::After => interval(after(text), None),
            Self::NotBefore => interval(text.to_owned(), None),
        }
    }
}

#[derive(Debug, Clone)]
struct KeyBox {
    partitions: Interval,
    rows: Interval,
}

/// A set of keys that includes all keys that a filter matches.
#[derive(Debug, Clone)]
pub(crate) struct KeySet(Vec<KeyBox>);

impl KeySet {
    pub(crate) fn all() -> Self {
        Self(vec![KeyBox {
            partitions: Interval::all(),
            rows: Interval::all(),
        }])
    }

    pub(crate) fn partitions(side: Side, text: &str) -> Self {
        Self::of(side.of(text), Interval::all())
    }

    pub(crate) fn rows(side: Side, text: &str) -> Self {
        Self::of(Interval::all(), side.of(text))
    }

    fn of(partitions: Interval, rows: Interval) -> Self {
        let empty = |interval: &Interval| interval.end.as_deref() == Some("");
        if empty(&partitions) || empty(&rows) {
            return Self(vec![]);
        }
        Self(vec![KeyBox { partitions, rows }])
    }

    pub(crate) fn and(self, other: &Self) -> Self {
        if self.0.len() * other.0.len() > MOST_BOXES {
            return self;
        }
        let mut both = Vec::new();
        for a in &self.0 {
            for b in &other.0 {
                let partitions = a.partitions.and(&b.partitions);
                let rows = a.rows.and(&b.rows);
                if let (Some(partitions), Some(rows)) = (partitions, rows) {
                    both.push(KeyBox { partitions, rows });
                }
            }
        }
        Self(both)
    }

    pub(crate) fn or(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        if self.0.len() > MOST_BOXES {
            return Self::all();
        }
        self
    }

    /// The set as sorted ranges without overlaps.
    pub(crate) fn ranges(self) -> Vec<Range> {
        let mut ranges: Vec<Range> = self.0.into_iter().map(KeyBox::range).collect();
        ranges.sort_by(|a, b| a.start.cmp(&b.start));
        let mut merged: Vec<Range> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if last.end.as_ref().is_none_or(|end| *end >= range.start) => {
                    if compare_ends(range.end.as_ref(), last.end.as_ref()) == Ordering::Greater {
                        last.end = range.end;
                    }
                }
                _ => merged.push(range),
            }
        }
        merged
    }
}

/// Compares two ends, of which `None` is the last.
fn compare_ends(a: Option<&Key>, b: Option<&Key>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.cmp(b),
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
    }
}

impl KeyBox {
    fn range(self) -> Range {
        if let Some(partition) = self.partitions.single() {
            let end = match self.rows.end {
                Some(row) => Key::new(partition, row),
                None => Key::new(after(partition), ""),
            };
            return Range {
                start: Key::new(partition, self.rows.start),
                end: Some(end),
            };
        }
        Range {
            start: Key::new(self.partitions.start, ""),
            end: self.partitions.end.map(|end| Key::new(end, "")),
        }
    }
}
