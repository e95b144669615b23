//! Tests of a table's entities.

use std::cell::Cell;

use super::*;
use crate::state::{
    edm::Value,
    ranges::{KeySet, Side},
    store::NoStore,
    write::Match,
};

const NOW: Moment = Moment::from_ticks(17_958_890_240_000_000);

fn table(keys: &[(&str, &str)]) -> Entities {
    let mut table = Entities::new(1);
    for (partition, row) in keys {
        let insert = vec![(Key::new(*partition, *row), Action::Insert(vec![]))];
        table.write(&NoStore, NOW, insert).unwrap();
    }
    table
}

/// The result of a query, and how many entities it read.
fn find(table: &Entities, keys: KeySet) -> (Vec<String>, usize) {
    let looked_at = Cell::new(0);
    let page = table.query(&keys.ranges(), None, 1000, |_, _| {
        looked_at.set(looked_at.get() + 1);
        true
    });
    let found = page.found.iter();
    let found = found.map(|(key, _)| format!("{}/{}", key.partition, key.row));
    (found.collect(), looked_at.get())
}

#[test]
fn a_query_looks_only_at_the_rows_of_its_keys() {
    let table = table(&[("a", "1"), ("b", "1"), ("b", "2"), ("b", "3"), ("c", "1")]);
    let partition = KeySet::partitions(Side::Equal, "b");
    let point = partition.clone().and(&KeySet::rows(Side::Equal, "2"));
    assert_eq!(find(&table, point.clone()), (vec!["b/2".to_owned()], 1));
    let rows = KeySet::rows(Side::NotBefore, "2").and(&KeySet::rows(Side::Before, "3"));
    assert_eq!(
        find(&table, partition.clone().and(&rows)),
        (vec!["b/2".to_owned()], 1)
    );
    let two = point.or(KeySet::partitions(Side::After, "b"));
    assert_eq!(
        find(&table, two),
        (vec!["b/2".to_owned(), "c/1".to_owned()], 2)
    );
    let none = partition.and(&KeySet::partitions(Side::Equal, "c"));
    assert_eq!(find(&table, none), (vec![], 0));
    assert_eq!(find(&table, KeySet::all()).1, 5);
}

#[test]
fn overlapping_ranges_find_each_row_once() {
    let table = table(&[("a", "1"), ("b", "1"), ("c", "1")]);
    let keys = KeySet::partitions(Side::NotAfter, "b").or(KeySet::partitions(Side::NotBefore, "b"));
    let keys = keys.or(KeySet::partitions(Side::Equal, "b"));
    assert_eq!(find(&table, keys).0, ["a/1", "b/1", "c/1"]);
}

#[test]
fn a_full_page_says_where_the_next_begins() {
    let table = table(&[("a", "1"), ("a", "2"), ("b", "1")]);
    let ranges = KeySet::all().ranges();
    let page = table.query(&ranges, None, 2, |_, _| true);
    assert_eq!(page.found.len(), 2);
    let next = page.next.unwrap();
    assert_eq!(next, Key::new("b", "1"));
    let page = table.query(&ranges, Some(&next), 2, |_, _| true);
    assert_eq!((page.found.len(), page.next), (1, None));
}

#[test]
fn a_full_page_after_which_nothing_matches_is_the_last() {
    let table = table(&[("a", "1"), ("a", "2"), ("b", "1")]);
    let page = table.query(&KeySet::all().ranges(), None, 1, |key, _| &*key.row == "2");
    assert_eq!((page.found.len(), page.next), (1, None));
}

#[test]
fn two_writes_within_a_tick_have_different_versions() {
    let mut table = table(&[("a", "1")]);
    let first = table.get(&Key::new("a", "1")).unwrap().etag();
    let replace = |matched| vec![(Key::new("a", "1"), Action::Replace(vec![], matched))];
    table.write(&NoStore, NOW, replace(None)).unwrap();
    assert_ne!(table.get(&Key::new("a", "1")).unwrap().etag(), first);
    let old = Some(Match::Version(NOW.into()));
    let failed = table.write(&NoStore, NOW, replace(old)).unwrap_err();
    assert!(matches!(failed.error, WriteError::ConditionNotSatisfied));
}

#[test]
fn several_writes_happen_all_or_not_at_all() {
    let mut table = table(&[("a", "2")]);
    let insert = |row: &str| (Key::new("a", row), Action::Insert(vec![]));
    let failed = table.write(&NoStore, NOW, vec![insert("1"), insert("2"), insert("3")]);
    let failed = failed.unwrap_err();
    assert_eq!(failed.index, 1);
    assert!(matches!(failed.error, WriteError::AlreadyExists));
    assert_eq!(find(&table, KeySet::all()).0, ["a/2"]);
}

#[test]
fn a_merge_keeps_what_it_does_not_name() {
    let mut table = table(&[]);
    let property = |name: &str, n| (name.into(), Value::Int32(n));
    for properties in [
        vec![property("A", 1), property("B", 1)],
        vec![property("B", 2)],
    ] {
        let merge = Action::Merge(properties, None);
        let write = vec![(Key::new("p", "r"), merge)];
        table.write(&NoStore, NOW, write).unwrap();
    }
    let stored = table.get(&Key::new("p", "r")).unwrap();
    assert_eq!(stored.properties, vec![property("A", 1), property("B", 2)]);
}
