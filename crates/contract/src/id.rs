//! Ids: runs, sequence numbers, messages; and the table keys derived from them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Number of table partitions of one run.
///
/// One partition takes 2,000 entities/s and one queue 2,000 messages/s (Azure Storage scalability targets), so a
/// handful would do; 16 leaves room for several queues into one table up to the account's 20,000 transactions/s.
pub const BUCKETS: u64 = 16;

/// Number of consecutive messages that share a bucket.
///
/// Get Messages returns at most 32 messages, roughly in order: with blocks of 32, one receive lands in one or two
/// partitions, so its rows fit one or two entity group transactions (which cannot cross partitions).
pub const BUCKET_BLOCK: u64 = 32;

/// Longest run id, in characters.
const MAX_RUN_ID: usize = 40;

/// Error of a text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// The text is not a run id.
    #[error(
        "run id {0:?} is not 1 to 40 of a-z, 0-9 and '-', with a letter or digit first and last"
    )]
    Run(String),
    /// The text is not a sequence number.
    #[error("sequence number {0:?} is not a decimal from 1, without leading zeros")]
    Seq(String),
    /// The text is not a message id.
    #[error("message id {0:?} is not '<run>-<seq>'")]
    Message(String),
}

/// The id of one run: 1 to 40 of `a-z`, `0-9` and `-`, starting and ending with a letter or digit.
///
/// Queue names, table keys, file names and Kubernetes labels all accept these characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let bytes = text.as_bytes();
        let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let ends_plain = bytes.first().is_some_and(plain) && bytes.last().is_some_and(plain);
        if ends_plain && bytes.len() <= MAX_RUN_ID && bytes.iter().all(|b| plain(b) || *b == b'-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseIdError::Run(text.to_owned()))
        }
    }
}

impl TryFrom<String> for RunId {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, ParseIdError> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Position of a message in its run, from 1 (the sample counts from 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(u64);

impl Seq {
    /// The first message of a run.
    pub const FIRST: Self = Self(1);

    /// Sequence number `n`; `None` for 0.
    pub const fn new(n: u64) -> Option<Self> {
        if n == 0 { None } else { Some(Self(n)) }
    }

    /// The number, from 1.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The table bucket of this message within its run, `0..BUCKETS`.
    pub const fn bucket(self) -> u64 {
        (self.0 / BUCKET_BLOCK) % BUCKETS
    }
}

impl FromStr for Seq {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        canonical
            .then(|| text.parse().ok().and_then(Self::new))
            .flatten()
            .ok_or_else(|| ParseIdError::Seq(text.to_owned()))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of one message of one run, `<run>-<seq>`; also the `RowKey` of its row, so that a second delivery cannot make a
/// second row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId {
    /// The run.
    pub run: RunId,
    /// The message's position in it.
    pub seq: Seq,
}

impl MessageId {
    /// Message `seq` of `run`.
    pub const fn new(run: RunId, seq: Seq) -> Self {
        Self { run, seq }
    }

    /// The `PartitionKey` of this message's row: `<run>.<bucket>`, two digits.
    pub fn partition_key(&self) -> String {
        format!("{}.{:02}", self.run, self.seq.bucket())
    }

    /// The `RowKey` of this message's row: the id.
    pub fn row_key(&self) -> String {
        self.to_string()
    }
}

impl FromStr for MessageId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let (run, seq) = text
            .rsplit_once('-')
            .ok_or_else(|| ParseIdError::Message(text.to_owned()))?;
        Ok(Self {
            run: run.parse()?,
            seq: seq.parse()?,
        })
    }
}

impl TryFrom<String> for MessageId {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, ParseIdError> {
        text.parse()
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.run, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_id_round_trips_even_when_the_run_id_holds_hyphens() {
        let id: MessageId = "20261123-1314-k3f9-42".parse().unwrap();
        assert_eq!((id.run.as_str(), id.seq.get()), ("20261123-1314-k3f9", 42));
        assert_eq!(id.to_string(), "20261123-1314-k3f9-42");
        assert_eq!(id.partition_key(), "20261123-1314-k3f9.01");
    }

    #[test]
    fn malformed_ids_are_refused() {
        for text in [
            "", "r", "r-", "r-0", "r-01", "r--1x", "-1", "R-1", "r_1-1", "r-+1", "r-１",
        ] {
            assert!(
                text.parse::<MessageId>().is_err(),
                "{text:?} must be refused"
            );
        }
        assert!("a".repeat(41).parse::<RunId>().is_err());
    }

    #[test]
    fn a_receive_of_consecutive_messages_lands_in_at_most_two_partitions() {
        for start in 1..2_000_u64 {
            let buckets: std::collections::BTreeSet<_> =
                (start..start + 32).map(|n| Seq(n).bucket()).collect();
            assert!(buckets.len() <= 2);
        }
    }
}
