//! `$filter` of the Table service: its whole grammar, the test of an entity, and the range of keys that can match.
//!
//! Source: "Querying tables and entities", Azure Storage REST reference, which takes its grammar from OData 2.0: `and`, `or`,
//! `not`, brackets, and the comparisons `eq`, `ne`, `gt`, `ge`, `lt`, `le` of a property with a constant.

mod lexer;
mod parser;

use std::cmp::Ordering;

pub(crate) use parser::parse;

use crate::state::{
    edm::{DateTime, Value},
    entity::{Entity, Key},
    ranges::{KeySet, Side},
};

/// How a property is compared with a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A filter, parsed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare(String, Comparison, Value),
    /// A property that is true by itself.
    Property(String),
    Constant(bool),
}

/// Error of an invalid filter. The text tells the client why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FilterError(pub(crate) String);

impl Comparison {
    /// The same comparison with its sides exchanged.
    const fn flipped(self) -> Self {
        match self {
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            same => same,
        }
    }

    fn holds(self, ordering: Option<Ordering>) -> bool {
        let Some(ordering) = ordering else {
            // Values of different types have no order; they only differ.
            return self == Self::NotEqual;
        };
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
        }
    }

    const fn side(self) -> Option<Side> {
        Some(match self {
            Self::Equal => Side::Equal,
            Self::NotEqual => return None,
            Self::Greater => Side::After,
            Self::GreaterOrEqual => Side::NotBefore,
            Self::Less => Side::Before,
            Self::LessOrEqual => Side::NotAfter,
        })
    }
}

impl Filter {
    /// Whether the filter accepts the values that `property` returns for each name. A comparison with a missing property is
    /// false.
    pub(crate) fn accepts<'a>(&self, property: &impl Fn(&str) -> Option<Lookup<'a>>) -> bool {
        match self {
            Self::And(a, b) => a.accepts(property) && b.accepts(property),
            Self::Or(a, b) => a.accepts(property) || b.accepts(property),
            Self::Not(inner) => !inner.accepts(property),
            Self::Compare(name, comparison, constant) => match property(name) {
                None => false,
                Some(found) => comparison.holds(found.compare(constant)),
            },
            Self::Property(name) => {
                let found = property(name);
                found.is_some_and(|found| {
                    found.compare(&Value::Boolean(true)) == Some(Ordering::Equal)
                })
            }
            Self::Constant(value) => *value,
        }
    }

    /// Whether an entity matches.
    pub(crate) fn matches(&self, key: &Key, entity: &Entity) -> bool {
        self.accepts(&|name| match name {
            "PartitionKey" => Some(Lookup::Text(&key.partition)),
            "RowKey" => Some(Lookup::Text(&key.row)),
            "Timestamp" => Some(Lookup::Time(entity.timestamp.into())),
            name => entity.get(name).map(Lookup::Value),
        })
    }

    /// Keys that can match: every matching entity has one of them, but not every one of them matches.
    pub(crate) fn keys(&self) -> KeySet {
        match self {
            Self::And(a, b) => a.keys().and(&b.keys()),
            Self::Or(a, b) => a.keys().or(b.keys()),
            Self::Compare(name, comparison, Value::String(text)) => {
                match (name.as_str(), comparison.side()) {
                    ("PartitionKey", Some(side)) => KeySet::partitions(side, text),
                    ("RowKey", Some(side)) => KeySet::rows(side, text),
                    _ => KeySet::all(),
                }
            }
            _ => KeySet::all(),
        }
    }
}

/// A property's value, from either place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lookup<'a> {
    Text(&'a str),
    Time(DateTime),
    Value(&'a Value),
}

impl Lookup<'_> {
    fn compare(self, constant: &Value) -> Option<Ordering> {
        match (self, constant) {
            (Self::Value(value), constant) => value.compare(constant),
            (Self::Text(text), Value::String(constant)) => Some(text.cmp(constant)),
            (Self::Time(time), Value::DateTime(constant)) => Some(time.cmp(constant)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
