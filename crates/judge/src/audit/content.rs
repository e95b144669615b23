//! Checks the content of a row.

use std::fmt;

use contract::workload::{Described, Format, Lens, Name};
use contract::{Digest, Payloads, Seq, Stamp, StoredRow};
use evidence::quoted;

/// An error in the content of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// The payload column does not hold the payload that was sent.
    WrongData {
        /// The column's name.
        column: String,
        /// Index of the first different byte, from 0.
        at: usize,
        /// Stored length, in bytes.
        stored: usize,
        /// Sent length, in bytes.
        sent: usize,
    },
    /// The digest column does not hold the digest of the payload that was sent.
    WrongDigest(String),
    /// A column does not hold the value that follows from the message.
    Wrong {
        /// The column's name.
        column: String,
        /// The stored value.
        stored: String,
        /// The expected value.
        expected: String,
    },
    /// The column is absent.
    Missing(String),
    /// The column is there, with this value, which is of another type or cannot be read.
    Unread(String, String),
    /// The first stamp is later than the second, although one process wrote both.
    Reversed(String, String),
    /// The attempt column is 0, although deliveries count from 1.
    AttemptZero(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongData {
                column,
                at,
                stored,
                sent,
            } => write!(
                f,
                "`{column}` is not what was sent: differs from byte {at} on, {stored} bytes stored, {sent} sent"
            ),
            Self::WrongDigest(column) => write!(f, "`{column}` is not that of what was sent"),
            Self::Wrong {
                column,
                stored,
                expected,
            } => write!(f, "`{column}` is {stored:?}, and must be {expected:?}"),
            Self::Missing(column) => write!(f, "`{column}` is missing"),
            Self::Unread(column, value) => write!(
                f,
                "`{column}` is {value}, which cannot be read as what the description says of it"
            ),
            Self::Reversed(first, second) => {
                write!(
                    f,
                    "`{first}` is later than `{second}`, and one clock gave both"
                )
            }
            Self::AttemptZero(column) => {
                write!(f, "`{column}` is 0, deliveries count from 1")
            }
        }
    }
}

/// Computes the expected content of rows, in one buffer for all rows.
#[derive(Debug)]
pub(super) struct Content {
    payloads: Payloads,
    lens: Lens,
    data: Option<Described>,
    digest: Option<Described>,
    /// Columns that are only checked for presence.
    present: Vec<(Described, Name)>,
    /// Pairs of stamp columns of which the first is never later than the second.
    ordered: Vec<(Name, Name)>,
    expected: String,
    /// The message whose payload the buffer holds.
    expected_of: Option<Seq>,
}

/// Values that a row must hold, but that can be checked only against the worker or the sums of stamps.
const PRESENT: [Name; 7] = [
    Name::Intended,
    Name::Sent,
    Name::Received,
    Name::Done,
    Name::Attempt,
    Name::Worker,
    Name::Node,
];

impl Content {
    pub(super) fn of(payloads: Payloads, lens: &Lens) -> Self {
        let described = |name| lens.described(name).cloned();
        let format = |name| lens.described(name).map(|it| it.format);
        let pairs = [(Name::Intended, Name::Sent), (Name::Received, Name::Done)];
        // A stamp cut to seconds would be earlier than a full stamp of the same moment, so both must have the same format.
        let alike = |(first, second): &(Name, Name)| match (format(*first), format(*second)) {
            (Some(first), Some(second)) => first == second || first.is_exact() && second.is_exact(),
            _ => false,
        };
        let present = PRESENT.into_iter();
        Self {
            data: described(Name::Payload(1)),
            digest: described(Name::Digest),
            present: present
                .filter_map(|name| Some((described(name)?, name)))
                .collect(),
            ordered: pairs.into_iter().filter(alike).collect(),
            payloads,
            lens: lens.clone(),
            expected: String::new(),
            expected_of: None,
        }
    }

    fn expect(&mut self, seq: Seq) {
        if self.expected_of != Some(seq) {
            self.payloads.write_payload(seq, &mut self.expected);
            self.expected_of = Some(seq);
        }
    }

    fn column(&self, name: Name) -> String {
        self.lens
            .described(name)
            .map_or_else(String::new, |it| it.column.clone())
    }

    /// All errors in the content of `row`, as the row of message `seq`. Allocates only if there are errors.
    pub(super) fn flaws(&mut self, seq: Seq, row: &StoredRow) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let missing = |flaws: &mut Vec<Flaw>, described: &Described| {
            flaws.extend(without(row, &described.column, described.is_optional));
        };
        if self.data.is_some() || self.digest.is_some() {
            self.expect(seq);
        }
        if let Some(described) = &self.data {
            match &row.data {
                None => missing(&mut flaws, described),
                Some(data) if *data != self.expected => {
                    flaws.push(difference(&described.column, data, &self.expected));
                }
                Some(_) => {}
            }
        }
        if let Some(described) = &self.digest {
            match row.digest {
                None => missing(&mut flaws, described),
                Some(digest) if digest != Digest::of(&self.expected) => {
                    flaws.push(Flaw::WrongDigest(described.column.clone()));
                }
                Some(_) => {}
            }
        }
        for (described, name) in &self.present {
            if !row.has(*name) {
                missing(&mut flaws, described);
            }
        }
        for (first, second) in &self.ordered {
            // A missing stamp is reported separately.
            let stamps = stamp(row, *first).zip(stamp(row, *second));
            if stamps.is_some_and(|(first, second)| first > second) {
                flaws.push(Flaw::Reversed(self.column(*first), self.column(*second)));
            }
        }
        if row.attempt == Some(0) {
            flaws.push(Flaw::AttemptZero(self.column(Name::Attempt)));
        }
        self.check_further(seq, row, &mut flaws);
        flaws
    }

    /// By how much the stamps of `row` that are furthest in the wrong order are so, in microseconds; 0 or less if none are.
    pub(super) fn reversed_us(&self, row: &StoredRow) -> i64 {
        let pairs = self.ordered.iter();
        let both = pairs.filter_map(|(first, second)| stamp(row, *first).zip(stamp(row, *second)));
        let by = both.map(|(first, second)| first.micros_since(second));
        by.max().unwrap_or(0)
    }

    fn check_further(&self, seq: Seq, row: &StoredRow, flaws: &mut Vec<Flaw>) {
        let further = self.lens.further().iter().zip(&row.further);
        for (at, (column, stored)) in further.enumerate() {
            let holds = |text: &String| self.lens.column_holds(at, text, seq, self.payloads);
            match stored {
                None => flaws.extend(without(row, &column.name, column.is_optional)),
                Some(text) if holds(text) => {}
                Some(text) => {
                    let fill = |hole| self.lens.known(hole, self.payloads, seq);
                    let expected = column.template.fill(fill).unwrap_or_default();
                    flaws.push(Flaw::Wrong {
                        column: column.name.clone(),
                        stored: quoted(text),
                        expected: quoted(&expected),
                    });
                }
            }
        }
    }

    /// The message whose payload `row` holds, whatever its keys are. `whole`: the payload must match completely; otherwise the
    /// sequence number in it is enough. `None` for a row with the payloads of several messages.
    pub(super) fn seq_of(&mut self, row: &StoredRow, whole: bool) -> Option<Seq> {
        let seq = self.lens.count_in(row)?;
        if self.has_payload_of(seq, row) {
            return Some(seq);
        }
        (!whole && payloads_in(row) <= 1).then_some(seq)
    }

    fn has_payload_of(&mut self, seq: Seq, row: &StoredRow) -> bool {
        if self.data.is_some() {
            self.expect(seq);
            return row.data.as_ref() == Some(&self.expected);
        }
        let mut further = row.further.iter().enumerate();
        further.all(|(at, text)| {
            let text = text.as_deref();
            text.is_some_and(|text| self.lens.column_holds(at, text, seq, self.payloads))
        })
    }
}

/// How many messages a row that belongs to no single message names, in the column or key that names the most.
pub(super) fn messages_in(lens: &Lens, row: &StoredRow) -> usize {
    let texts = row.further.iter().flatten().chain(&row.data);
    let texts = texts.chain([&row.partition_key, &row.row_key]);
    let named = texts.map(|text| lens.ids_in(text)).max();
    payloads_in(row).max(named.unwrap_or(0))
}

/// The largest number of payloads in one column of a row.
pub(super) fn payloads_in(row: &StoredRow) -> usize {
    let texts = row.further.iter().flatten().chain(&row.data);
    texts
        .map(|text| Payloads::counts_in(text))
        .max()
        .unwrap_or(0)
}

/// The error of a row without a readable value in `column`; `None` if the column may be absent, and is.
fn without(row: &StoredRow, column: &str, is_optional: bool) -> Option<Flaw> {
    let unread = row.unread.iter().find(|(name, _)| name == column);
    match unread {
        Some((_, value)) => Some(Flaw::Unread(column.to_owned(), quoted(value))),
        None => (!is_optional).then(|| Flaw::Missing(column.to_owned())),
    }
}

const fn stamp(row: &StoredRow, name: Name) -> Option<Stamp> {
    match name {
        Name::Intended => row.src_stamp,
        Name::Sent => row.sent_stamp,
        Name::Received => row.dequeued_stamp,
        Name::Done => row.date_stamp,
        _ => None,
    }
}

fn difference(column: &str, stored: &str, sent: &str) -> Flaw {
    let pairs = stored.bytes().zip(sent.bytes());
    Flaw::WrongData {
        column: column.to_owned(),
        at: pairs.take_while(|(a, b)| a == b).count(),
        stored: stored.len(),
        sent: sent.len(),
    }
}

/// How much a stamp in this format may be earlier than the moment it stands for, in microseconds.
pub(super) const fn cut_us(format: Format) -> i64 {
    match format {
        Format::UnixMs => 1_000,
        Format::UnixS => 1_000_000,
        _ => 0,
    }
}
