//! Reasons why a value is not an entity.

use crate::keys::{KeyError, NameError};
use azure_core::error::ErrorKind;
use serde::ser;
use std::fmt;

/// Error of a value that cannot be written as an entity. Nothing was sent.
///
/// It is the inner error of the [`azure_core::Error`] (of kind `DataConversion`) that client methods return:
/// `error.downcast_ref::<EntityError>()`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntityError {
    /// `PartitionKey` or `RowKey` is not among the properties.
    #[error("the entity has no {0}: give it a string field of that name (serde's `rename` helps)")]
    MissingKey(&'static str),
    /// The `PartitionKey` or `RowKey` is not a string.
    #[error("the {key} of the entity is {found}, it must be a string")]
    KeyNotAString {
        /// `PartitionKey` or `RowKey`.
        key: String,
        /// The type that was found.
        found: &'static str,
    },
    /// A key breaks a rule of the service.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The name of a property breaks a rule of the service.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The value is neither a struct nor a map.
    #[error("an entity is a struct or a map with string keys, not {found}")]
    NotAnObject {
        /// The type that was found.
        found: &'static str,
    },
    /// A property has a type that tables do not store.
    #[error(
        "property {property:?} is {found}: entities are flat, a property is a string, a number, a boolean, \
         or tables::{{Binary, DateTime, Guid}}"
    )]
    UnsupportedType {
        /// The property.
        property: String,
        /// The type that was found.
        found: &'static str,
    },
    /// An integer does not fit `Edm.Int64`.
    #[error("property {property:?} is {value}, more than an Edm.Int64 holds")]
    IntegerTooLarge {
        /// The property.
        property: String,
        /// Its value.
        value: u64,
    },
    /// An error from a `Serialize` implementation.
    #[error("{0}")]
    Custom(String),
}

impl ser::Error for EntityError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}

impl From<EntityError> for azure_core::Error {
    fn from(error: EntityError) -> Self {
        Self::new(ErrorKind::DataConversion, error)
    }
}

impl From<KeyError> for azure_core::Error {
    fn from(error: KeyError) -> Self {
        EntityError::from(error).into()
    }
}
