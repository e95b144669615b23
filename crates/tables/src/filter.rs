//! Filters for queries, built so that every value is escaped.

use crate::{Value, ser::PARTITION_KEY, ser::ROW_KEY};
use std::fmt::{self, Write as _};

/// A condition on the entities of a query.
///
/// ```
/// use tables::Filter;
///
/// let filter = Filter::partition("run-7") & Filter::ge("attempt", 2) & !Filter::eq("node", "it's");
/// assert_eq!(
///     filter.to_string(),
///     "((PartitionKey eq 'run-7') and (attempt ge 2)) and (not (node eq 'it''s'))",
/// );
/// ```
///
/// Names of properties are identifiers and stay unchanged; values are escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(String);

macro_rules! comparisons {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        $($(#[doc = $doc])*
        #[must_use]
        pub fn $name(property: &str, value: impl Into<Value>) -> Self {
            Self::compare(property, stringify!($name), &value.into())
        })*
    };
}

impl Filter {
    comparisons! {
        /// `property = value`.
        eq,
        /// `property > value`.
        gt,
        /// `property >= value`.
        ge,
        /// `property < value`.
        lt,
        /// `property <= value`.
        le,
        /// `property != value`.
        ne,
    }

    /// The entities of one partition: the only filter that is fast for tables of any size.
    #[must_use]
    pub fn partition(partition_key: &str) -> Self {
        Self::eq(PARTITION_KEY, partition_key)
    }

    /// The entities whose `PartitionKey` starts with `prefix`.
    #[must_use]
    pub fn partition_prefix(prefix: &str) -> Self {
        Self::prefix(PARTITION_KEY, prefix)
    }

    /// The entities whose `RowKey` starts with `prefix`; fast together with [`Filter::partition`].
    #[must_use]
    pub fn row_prefix(prefix: &str) -> Self {
        Self::prefix(ROW_KEY, prefix)
    }

    /// Strings that start with `prefix`: OData for tables has no function for this, so it becomes a range, as the service
    /// compares strings by their UTF-16 units.
    #[must_use]
    pub fn prefix(property: &str, prefix: &str) -> Self {
        let start = Self::ge(property, prefix);
        match successor(prefix) {
            Some(end) => start & Self::lt(property, end),
            None => start,
        }
    }

    /// A custom expression, which is not changed.
    ///
    /// Syntax: <https://learn.microsoft.com/rest/api/storageservices/querying-tables-and-entities>
    #[must_use]
    pub fn raw(expression: impl Into<String>) -> Self {
        Self(expression.into())
    }

    /// The expression.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn compare(property: &str, operator: &str, value: &Value) -> Self {
        let mut text = format!("{property} {operator} ");
        push_literal(&mut text, value);
        Self(text)
    }
}

impl std::ops::BitAnd for Filter {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(format!("({self}) and ({other})"))
    }
}

impl std::ops::BitOr for Filter {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(format!("({self}) or ({other})"))
    }
}

impl std::ops::Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        Self(format!("not ({self})"))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first string after all that start with `prefix`: its last character raised by one. `None` if there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut head = prefix.to_owned();
    while let Some(last) = head.pop() {
        // U+D800 to U+DFFF are not characters, and the characters above U+FFFF sort among them in UTF-16.
        let next = match last {
            '\u{d7ff}' => Some('\u{10000}'),
            '\u{10ffff}' => Some('\u{e000}'),
            '\u{ffff}' => None,
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            head.push(next);
            return Some(head);
        }
    }
    None
}

/// Appends a literal: `'text'`, `5`, `5L`, `1.5`, `true`, `datetime'..'`, `guid'..'`, `X'..'`.
fn push_literal(out: &mut String, value: &Value) {
    let written = match value {
        Value::Binary(bytes) => {
            out.push_str("X'");
            for byte in bytes.as_ref() {
                write!(out, "{byte:02x}").expect("writing to a String must succeed");
            }
            out.push('\'');
            Ok(())
        }
        Value::Boolean(value) => write!(out, "{value}"),
        Value::DateTime(value) => write!(out, "datetime'{value}'"),
        Value::Double(value) => push_double(out, *value),
        Value::Guid(value) => write!(out, "guid'{value}'"),
        Value::Int32(value) => write!(out, "{value}"),
        Value::Int64(value) => write!(out, "{value}L"),
        Value::String(value) => write!(out, "'{}'", value.replace('\'', "''")),
    };
    written.expect("writing to a String must succeed");
}

/// `{:?}` keeps the point of a whole number and the exponent of a large one.
fn push_double(out: &mut String, value: f64) -> fmt::Result {
    if value.is_nan() {
        out.write_str("NaN")
    } else if value.is_infinite() {
        out.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        write!(out, "{value:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Binary, DateTime, Guid};
    use time::macros::datetime;

    #[test]
    fn literals_carry_their_type() {
        let literal = |value: Value| {
            let mut out = String::new();
            push_literal(&mut out, &value);
            out
        };
        assert_eq!(literal("it's ''".into()), "'it''s '''''");
        assert_eq!(literal(5_i32.into()), "5");
        assert_eq!(literal((-5_i64).into()), "-5L");
        assert_eq!(literal(1.0.into()), "1.0");
        assert_eq!(literal(1e300.into()), "1e300");
        assert_eq!(literal(f64::NEG_INFINITY.into()), "-Infinity");
        assert_eq!(literal(f64::NAN.into()), "NaN");
        assert_eq!(literal(true.into()), "true");
        assert_eq!(
            literal(DateTime::from(datetime!(2026-11-23 0:00 UTC)).into()),
            "datetime'2026-11-23T00:00:00.0000000Z'"
        );
        assert_eq!(
            literal(Guid::default().into()),
            "guid'00000000-0000-0000-0000-000000000000'"
        );
        assert_eq!(literal(Binary(vec![0, 255]).into()), "X'00ff'");
    }

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        let filter = Filter::eq("PartitionKey", "x' or RowKey ne '");
        assert_eq!(filter.as_str(), "PartitionKey eq 'x'' or RowKey ne '''");
    }

    #[test]
    fn combinations_keep_their_grouping() {
        let [a, b, c] = ["a", "b", "c"].map(|name| Filter::eq(name, 1));
        assert_eq!(
            (a | b & !c).as_str(),
            "(a eq 1) or ((b eq 1) and (not (c eq 1)))"
        );
    }

    #[test]
    fn a_prefix_is_a_range_that_ends_before_the_next_string() {
        assert_eq!(
            Filter::row_prefix("run-1").as_str(),
            "(RowKey ge 'run-1') and (RowKey lt 'run-2')"
        );
        assert_eq!(Filter::prefix("A", "").as_str(), "A ge ''");
        assert_eq!(
            Filter::prefix("A", "x\u{ffff}").as_str(),
            "(A ge 'x\u{ffff}') and (A lt 'y')"
        );
        assert_eq!(successor("\u{d7ff}"), Some("\u{10000}".to_owned()));
        assert_eq!(successor("a\u{10ffff}"), Some("a\u{e000}".to_owned()));
    }
}
