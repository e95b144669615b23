//! Effects of a write on an entity: insert, update, merge, their upsert forms, and delete.
//!
//! Sources: "Insert Entity", "Update Entity", "Merge Entity", "Insert Or Replace Entity", "Insert Or Merge Entity" and "Delete
//! Entity", Azure Storage REST reference.

use super::{
    edm::DateTime,
    entity::{Entity, Key, Properties, size},
    store::StoreError,
};
use crate::clock::Moment;

/// Most custom properties of an entity: 255 with PartitionKey, RowKey and Timestamp.
pub(crate) const MOST_PROPERTIES: usize = 252;
/// Largest size of an entity, in bytes: 1 MiB.
pub(crate) const MOST_BYTES: usize = 1024 * 1024;

/// The version that a write requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// `If-Match: *`: any version, but the entity must exist.
    Any,
    /// `If-Match` with a version.
    Version(DateTime),
    /// A well-formed `If-Match` that no entity can have.
    Nothing,
}

/// One write. Without a [`Match`], replace and merge insert the entity if it does not exist.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Insert(Properties),
    Replace(Properties, Option<Match>),
    Merge(Properties, Option<Match>),
    Delete(Match),
}

/// Reason why a write was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("the entity exists already")]
    AlreadyExists,
    #[error("no such entity")]
    NotFound,
    #[error("the entity has another version")]
    ConditionNotSatisfied,
    #[error("more than {MOST_PROPERTIES} properties")]
    TooManyProperties,
    #[error("more than {MOST_BYTES} bytes")]
    TooLarge,
    #[error("write to the store")]
    Store(#[from] StoreError),
}

impl Action {
    /// The entity after this write; `None` if it is deleted.
    pub(crate) fn apply(
        self,
        key: &Key,
        before: Option<&Entity>,
        timestamp: Moment,
    ) -> Result<Option<Entity>, WriteError> {
        let properties = match self {
            Self::Insert(properties) => match before {
                Some(_) => return Err(WriteError::AlreadyExists),
                None => properties,
            },
            Self::Replace(properties, matched) => {
                check(matched, before)?;
                properties
            }
            Self::Merge(properties, matched) => {
                check(matched, before)?;
                merged(before, properties)
            }
            Self::Delete(matched) => {
                check(Some(matched), before)?;
                return Ok(None);
            }
        };
        if properties.len() > MOST_PROPERTIES {
            return Err(WriteError::TooManyProperties);
        }
        if size(key, &properties) > MOST_BYTES {
            return Err(WriteError::TooLarge);
        }
        Ok(Some(Entity {
            timestamp,
            properties,
        }))
    }
}

fn check(matched: Option<Match>, before: Option<&Entity>) -> Result<(), WriteError> {
    let Some(matched) = matched else {
        return Ok(());
    };
    let before = before.ok_or(WriteError::NotFound)?;
    let satisfied = match matched {
        Match::Any => true,
        Match::Version(version) => version == before.timestamp.into(),
        Match::Nothing => false,
    };
    if satisfied {
        Ok(())
    } else {
        Err(WriteError::ConditionNotSatisfied)
    }
}

fn merged(before: Option<&Entity>, properties: Properties) -> Properties {
    let mut result = before.map_or_else(Vec::new, |entity| entity.properties.clone());
    for (name, value) in properties {
        match result.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => result.push((name, value)),
        }
    }
    result
}
