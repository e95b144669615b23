//! What is wrong with a row's content.

use std::fmt;

use contract::{Digest, Payloads, Seq, StoredRow};

use super::Layout;

/// One thing wrong with the content of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// `data` is not the payload that was sent.
    WrongData {
        /// The first byte, from 0, in which they differ.
        at: usize,
        /// Bytes stored.
        stored: usize,
        /// Bytes sent.
        sent: usize,
    },
    /// `digest` is not that of the payload that was sent.
    WrongDigest,
    /// The column is absent, of another type, or cannot be read.
    Missing(&'static str),
    /// The first stamp is later than the second, and one process wrote both.
    Reversed(&'static str, &'static str),
    /// `attempt` is 0; deliveries count from 1.
    AttemptZero,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongData { at, stored, sent } => write!(
                f,
                "`data` is not what was sent: differs from byte {at} on, {stored} bytes stored, {sent} sent"
            ),
            Self::WrongDigest => f.write_str("`digest` is not that of what was sent"),
            Self::Missing(column) => write!(f, "`{column}` is missing or malformed"),
            Self::Reversed(first, second) => {
                write!(
                    f,
                    "`{first}` is later than `{second}`, and one clock gave both"
                )
            }
            Self::AttemptZero => f.write_str("`attempt` is 0, deliveries count from 1"),
        }
    }
}

/// Recomputes what should be in a row, in one buffer for all rows.
#[derive(Debug)]
pub(super) struct Content {
    payloads: Payloads,
    layout: Layout,
    expected: String,
}

impl Content {
    pub(super) fn of(payloads: Payloads, layout: Layout) -> Self {
        Self {
            payloads,
            layout,
            expected: String::new(),
        }
    }

    /// Everything wrong with the content of `row` as that of message `seq`. Allocates only when something is.
    pub(super) fn flaws(&mut self, seq: Seq, row: &StoredRow) -> Vec<Flaw> {
        self.payloads.write_payload(seq, &mut self.expected);
        let mut flaws = Vec::new();
        match &row.data {
            None => flaws.push(Flaw::Missing("data")),
            Some(data) if *data != self.expected => flaws.push(difference(data, &self.expected)),
            Some(_) => {}
        }
        match row.digest {
            None if self.layout == Layout::PayloadOnly => {}
            None => flaws.push(Flaw::Missing("digest")),
            Some(digest) if digest != Digest::of(&self.expected) => flaws.push(Flaw::WrongDigest),
            Some(_) => {}
        }
        for (column, present) in [
            ("srcStamp", row.src_stamp.is_some()),
            ("sentStamp", row.sent_stamp.is_some()),
            ("dequeuedStamp", row.dequeued_stamp.is_some()),
            ("dateStamp", row.date_stamp.is_some()),
            ("attempt", row.attempt.is_some()),
            ("consumer", row.consumer.is_some()),
            ("node", row.node.is_some()),
        ] {
            if !present && self.layout == Layout::Contract {
                flaws.push(Flaw::Missing(column));
            }
        }
        for (first, second, columns) in [
            (row.src_stamp, row.sent_stamp, ("srcStamp", "sentStamp")),
            (
                row.dequeued_stamp,
                row.date_stamp,
                ("dequeuedStamp", "dateStamp"),
            ),
        ] {
            // An absent stamp is a flaw of its own.
            if first
                .zip(second)
                .is_some_and(|(first, second)| first > second)
            {
                flaws.push(Flaw::Reversed(columns.0, columns.1));
            }
        }
        if row.attempt == Some(0) {
            flaws.push(Flaw::AttemptZero);
        }
        flaws
    }

    /// The message whose payload `row` holds, whatever its keys are.
    pub(super) fn seq_of(&self, row: &StoredRow) -> Option<Seq> {
        self.payloads.seq_of(row.data.as_deref()?)
    }
}

fn difference(stored: &str, sent: &str) -> Flaw {
    let pairs = stored.bytes().zip(sent.bytes());
    Flaw::WrongData {
        at: pairs.take_while(|(a, b)| a == b).count(),
        stored: stored.len(),
        sent: sent.len(),
    }
}
