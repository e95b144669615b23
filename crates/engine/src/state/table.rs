//! The entities of one table, ordered by their keys: point reads, ranges, and single or transactional writes.

use std::{collections::BTreeMap, ops::Bound};

use super::{
    entity::{Entity, Key},
    ranges::Range,
    store::{Change, ContainerId, Store},
    write::{Action, WriteError},
};
use crate::clock::Moment;

/// Most entities that one query reads before it answers with its results and a continuation token. The service does so after
/// five seconds, or at the end of a partition; clients must follow continuation tokens in any case.
const LOOKED_AT_ONCE: usize = 50_000;

/// Approximate size of the entities in one answer, in bytes: the service's limit for an answer is 4 MiB.
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Entities {
    container: ContainerId,
    all: BTreeMap<Key, Entity>,
    /// The latest timestamp that was assigned.
    latest: Moment,
}

/// A part of a query's result, and the key where the rest begins.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) found: Vec<(Key, Entity)>,
    pub(crate) next: Option<Key>,
}

/// The index of a failed write, and the reason.
#[derive(Debug)]
pub(crate) struct FailedWrite {
    pub(crate) index: usize,
    pub(crate) error: WriteError,
}

impl Entities {
    pub(crate) fn new(container: ContainerId) -> Self {
        Self {
            container,
            all: BTreeMap::new(),
            latest: Moment::from_ticks(0),
        }
    }

    /// Restores the entities of a store.
    pub(crate) fn restore(&mut self, entities: impl IntoIterator<Item = (Key, Entity)>) {
        for (key, entity) in entities {
            self.latest = self.latest.max(entity.timestamp);
            self.all.insert(key, entity);
        }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Entity> {
        self.all.get(key)
    }

    /// Entities within `ranges`, from `from` on, that `wanted` accepts; at most `most`. Reads nothing outside of the ranges.
    pub(crate) fn query(
        &self,
        ranges: &[Range],
        from: Option<&Key>,
        most: usize,
        wanted: impl Fn(&Key, &Entity) -> bool,
    ) -> Page {
        let (mut found, mut looked_at, mut bytes) = (Vec::new(), 0, 0);
        for range in ranges {
            let Some(bounds) = bounds(range, from) else {
                continue;
            };
            for (key, entity) in self.all.range(bounds) {
                // When the page is full, only another match shows that there is more.
                let full = found.len() == most || bytes > BYTES_AT_ONCE;
                let matches = wanted(key, entity);
                if looked_at == LOOKED_AT_ONCE || (full && matches) {
                    let next = Some(key.clone());
                    return Page { found, next };
                }
                looked_at += 1;
                if matches {
                    bytes += super::entity::size(key, &entity.properties);
                    found.push((key.clone(), entity.clone()));
                }
            }
        }
        Page { found, next: None }
    }

    /// The results of all writes, without storing them. Each key may occur once; the caller has checked this.
    pub(crate) fn plan(
        &self,
        now: Moment,
        writes: Vec<(Key, Action)>,
    ) -> Result<Vec<(Key, Option<Entity>)>, FailedWrite> {
        let mut latest = self.latest;
        let planned = writes
            .into_iter()
            .enumerate()
            .map(|(index, (key, action))| {
                // Two writes within a tick must have different versions.
                latest = now.max(Moment::from_ticks(latest.ticks() + 1));
                match action.apply(&key, self.all.get(&key), latest) {
                    Ok(entity) => Ok((key, entity)),
                    Err(error) => Err(FailedWrite { index, error }),
                }
            });
        planned.collect()
    }

    /// Stores all of the writes or none, as for [`Entities::plan`].
    pub(crate) fn write(
        &mut self,
        store: &dyn Store,
        now: Moment,
        writes: Vec<(Key, Action)>,
    ) -> Result<Vec<Option<Entity>>, FailedWrite> {
        let after = self.plan(now, writes)?;
        let changes: Vec<Change<'_>> = after
            .iter()
            .map(|(key, entity)| match entity {
                Some(entity) => Change::Entity(self.container, key, entity),
                None => Change::RemoveEntity(self.container, key),
            })
            .collect();
        let written = store.write(&changes).map_err(WriteError::from);
        written.map_err(|error| FailedWrite { index: 0, error })?;
        let mut result = Vec::with_capacity(after.len());
        for (key, entity) in after {
            match &entity {
                Some(entity) => {
                    self.latest = self.latest.max(entity.timestamp);
                    self.all.insert(key, entity.clone());
                }
                None => {
                    self.all.remove(&key);
                }
            }
            result.push(entity);
        }
        Ok(result)
    }
}

/// The part of `range` from `from` on; `None` if it is empty.
fn bounds(range: &Range, from: Option<&Key>) -> Option<(Bound<Key>, Bound<Key>)> {
    let start = match from {
        Some(from) if *from > range.start => from,
        _ => &range.start,
    };
    let end = match &range.end {
        Some(end) if end <= start => return None,
        Some(end) => Bound::Excluded(end.clone()),
        None => Bound::Unbounded,
    };
    Some((Bound::Included(start.clone()), end))
}

#[cfg(test)]
mod tests;
