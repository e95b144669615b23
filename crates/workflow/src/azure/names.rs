//! Names of queues and tables, checked before anything is sent.

use std::fmt;
use std::str::FromStr;

use crate::contract::letters::and_misleading;

/// Error of an invalid name; it states the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what} name: {rule}{hint}", hint = and_misleading(text))]
pub struct InvalidName {
    text: String,
    what: &'static str,
    rule: &'static str,
}

/// A queue name: 3 to 63 lower-case letters, digits and single hyphens, a letter or digit first and last ("Naming queues
/// and metadata", Azure Storage REST reference).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueName(String);

/// A table name: 3 to 63 letters and digits, a letter first ("Understanding the Table service data model").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName(String);

impl QueueName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of this queue's poison queue.
    pub fn poison(&self) -> Result<Self, InvalidName> {
        format!("{}{}", self.0, crate::contract::POISON_SUFFIX).parse()
    }
}

impl TableName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for QueueName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let valid = (3..=63).contains(&text.len())
            && text.bytes().all(|b| plain(b) || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--");
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName {
                text: text.to_owned(),
                what: "queue",
                rule: "3 to 63 of a-z, 0-9 and single '-', a letter or digit first and last",
            })
        }
    }
}

impl FromStr for TableName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let valid = (3..=63).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric())
            && text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName {
                text: text.to_owned(),
                what: "table",
                rule: "3 to 63 of A-Z, a-z and 0-9, a letter first",
            })
        }
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_names_are_valid() {
        let queue: QueueName = "aws2azmsgs".parse().unwrap();
        assert_eq!(queue.poison().unwrap().as_str(), "aws2azmsgs-poison");
        assert!("aws2azpmts".parse::<TableName>().is_ok());
    }

    #[test]
    fn names_that_azure_refuses_are_refused_here() {
        for text in [
            "",
            "ab",
            "Queue",
            "a--b",
            "-ab",
            "ab-",
            "a_b",
            &"a".repeat(64),
        ] {
            assert!(text.parse::<QueueName>().is_err(), "{text:?}");
        }
        for text in ["", "ab", "1ab", "a-b", "a_b", &"a".repeat(64)] {
            assert!(text.parse::<TableName>().is_err(), "{text:?}");
        }
        assert!(
            "a".repeat(60)
                .parse::<QueueName>()
                .unwrap()
                .poison()
                .is_err()
        );
    }
}
