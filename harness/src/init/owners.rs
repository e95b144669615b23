//! Of which message each row is: by the place and the column that agree for most messages, the keys first.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::columns::is_of_the_service;
use super::embed::{replaced, stands_in};
use super::guid;
use super::place::{Place, text};

pub(super) const KEYS: [&str; 2] = ["RowKey", "PartitionKey"];

/// Rows, and which message each is of, from 0.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    pub(super) all: &'a [Map<String, Value>],
    pub(super) owners: Vec<Option<usize>>,
}

/// A value of a column in a row of which the message is known.
#[derive(Debug, Clone)]
pub(super) struct Owned {
    /// The row, from 1.
    pub(super) row: usize,
    /// The message, from 0.
    pub(super) message: usize,
    pub(super) text: String,
}

impl<'a> Rows<'a> {
    pub(super) fn of(places: &[Place], all: &'a [Map<String, Value>]) -> Self {
        let columns: BTreeSet<&String> = all.iter().flat_map(Map::keys).collect();
        let is_own = |name: &&String| !is_of_the_service(name);
        let columns: Vec<&String> = columns.into_iter().filter(is_own).collect();
        let (mut best, mut owners) = ((0, 0, 0, 0), vec![None; all.len()]);
        let single = |value: &Value| value.is_string() || value.is_i64() || value.is_u64();
        let distinct = places
            .iter()
            .filter(|it| it.values.iter().all(single) && it.is_distinct());
        for place in distinct {
            let texts = place.texts();
            for column in &columns {
                let key = KEYS.iter().rev().position(|key| key == column);
                let key = key.map_or(0, |at| at + 1);
                let mut found = vec![(1, equal(&texts, column, all))];
                if key > 0 {
                    found.push((0, within(&texts, column, all)));
                    found.push((0, part_of(&texts, column, all)));
                }
                for (is_equal, found) in found {
                    let count = found.iter().flatten().collect::<BTreeSet<_>>().len();
                    let score = (count, key, is_equal, usize::from(place.is_text()));
                    if score > best && count > 0 {
                        (best, owners) = (score, found);
                    }
                }
            }
        }
        Self { all, owners }
    }

    /// What rows hold in `column` of which the message is known.
    pub(super) fn owned(&self, column: &str) -> Vec<Owned> {
        let rows = (1..).zip(self.all).zip(&self.owners);
        let owned = rows.filter_map(|((row, columns), owner)| {
            let value = columns.get(column).filter(|value| !value.is_null())?;
            Some(Owned {
                row,
                message: (*owner)?,
                text: text(value),
            })
        });
        owned.collect()
    }

    /// The rows of messages that are known, or all where none is.
    pub(super) fn known(&self) -> Vec<&Map<String, Value>> {
        let owned = self
            .all
            .iter()
            .zip(&self.owners)
            .filter(|it| it.1.is_some());
        let owned: Vec<_> = owned.map(|it| it.0).collect();
        if owned.is_empty() {
            self.all.iter().collect()
        } else {
            owned
        }
    }

    /// What is said of rows that are not one for each message.
    pub(super) fn untold(&self) -> Vec<String> {
        self.several().into_iter().chain(self.strange()).collect()
    }

    fn strange(&self) -> Option<String> {
        let mut strange = (1..)
            .zip(&self.owners)
            .filter(|it: &(usize, _)| it.1.is_none());
        let (first, _) = strange.next()?;
        let count = 1 + strange.count();
        (count < self.all.len()).then(|| {
            format!(
                "{count} of {} rows are of no message here, row {first} first, and are not looked at. If they are of other messages, that is well; \
                 if they are of another kind, or further rows of the same messages, have the worker write them to another table for the test \
                 (docs/DESCRIPTION.md).",
                self.all.len()
            )
        })
    }

    fn several(&self) -> Option<String> {
        let mut first: BTreeMap<usize, usize> = BTreeMap::new();
        let (one, two) = (1..).zip(&self.owners).find_map(|(row, owner)| {
            let before = first.insert((*owner)?, row)?;
            Some((before, row))
        })?;
        let keys = |row: usize| KEYS.map(|key| self.all[row - 1].get(key).cloned());
        let is_one = keys(one) == keys(two) && keys(one).iter().all(Option::is_some);
        Some(if is_one {
            format!(
                "Rows {one} and {two} have the same keys, so they are one row at two times: leave the earlier one out. If the worker makes its \
                 row in steps, write under row: written: updated"
            )
        } else {
            format!(
                "Rows {one} and {two} are both of one message: several rows for one message are out of scope, each further one counts as surplus; \
                 leave the worker's other rows to another table for the test (docs/DESCRIPTION.md)."
            )
        })
    }
}

/// A text whose letters may be large or small, and which may be a GUID in any form or have zeros before it.
pub(super) fn folded(text: &str) -> String {
    if let Some(digits) = guid::digits(text) {
        return digits;
    }
    let is_number = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    match text.trim_start_matches('0') {
        "" if is_number => "0".to_owned(),
        bare if is_number => bare.to_owned(),
        _ => text.to_lowercase(),
    }
}

fn equal(texts: &[String], column: &str, rows: &[Map<String, Value>]) -> Vec<Option<usize>> {
    let known: BTreeMap<String, usize> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| (folded(text), at))
        .collect();
    let owner = |row: &Map<String, Value>| known.get(&folded(&text(row.get(column)?))).copied();
    rows.iter().map(owner).collect()
}

/// The rows in whose column the text of exactly one message stands.
fn within(texts: &[String], column: &str, rows: &[Map<String, Value>]) -> Vec<Option<usize>> {
    let owner = |row: &Map<String, Value>| match held(texts, &text(row.get(column)?))[..] {
        [one] => Some(one),
        _ => None,
    };
    rows.iter().map(owner).collect()
}

/// The rows whose column is a part of the text of exactly one message; a part that all rows have tells nothing.
fn part_of(texts: &[String], column: &str, rows: &[Map<String, Value>]) -> Vec<Option<usize>> {
    let parts: Vec<Option<String>> = rows
        .iter()
        .map(|row| Some(text(row.get(column)?)))
        .collect();
    let is_same = parts.len() > 1 && parts.iter().all(|it| *it == parts[0]);
    let owner = |part: &Option<String>| {
        let part = part.as_ref().filter(|_| !is_same)?;
        let mut outer = texts
            .iter()
            .enumerate()
            .filter(|(_, text)| stands_in(text, part));
        let (at, _) = outer.next()?;
        outer.next().is_none().then_some(at)
    };
    parts.iter().map(owner).collect()
}

/// Which of `texts` stand in `outer`. A longer one may begin with a shorter one, as 1-10 does with 1-1: what is left counts.
pub(super) fn held(texts: &[String], outer: &str) -> Vec<usize> {
    const TAKEN: char = '\0';
    let mut held: Vec<usize> = (0..texts.len())
        .filter(|at| stands_in(outer, &texts[*at]))
        .collect();
    held.sort_by_key(|at| std::cmp::Reverse(texts[*at].len()));
    let mut rest = outer.to_owned();
    held.retain(|at| {
        let left = replaced(&rest, &texts[*at], TAKEN);
        let is_held = left != rest;
        rest = left;
        is_held
    });
    held
}
