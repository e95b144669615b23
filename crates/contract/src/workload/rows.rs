//! Rows through a description: read into the columns that a judge knows, and identified.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::body::column;
use super::description::{Column, RowForm, Written};
use super::json_text::JsonText;
use super::lens::{Lens, PAYLOAD, rank};
use super::placeholder::{Format, Name, Placeholder};
use super::template::{Piece, Template};
use super::values::{Owner, time_of};
use crate::{Payloads, Seq, StoredRow};

/// A column with one of the values that a judge handles separately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its name in the table.
    pub column: String,
    /// Whether the column may be missing.
    pub is_optional: bool,
    /// The format of its value.
    pub format: Format,
}

/// A place in a row that identifies the message.
#[derive(Debug, Clone)]
enum Source {
    Key(Key, Template),
    Further(usize),
    Data,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Partition,
    Row,
}

/// The columns of a description, sorted by how a judge handles them.
#[derive(Debug, Clone)]
pub(super) struct RowLens {
    known: Vec<(Name, Described)>,
    keys: Vec<(Key, Template)>,
    /// All other columns, each compared with the value that follows from run, seed and number.
    further: Vec<Column>,
    /// The forms of those further columns that hold a text of JSON.
    jsons: Vec<Option<JsonText>>,
    sources: Vec<Source>,
}

/// Values with their own field in a [`StoredRow`].
pub(super) const KNOWN: [Name; 9] = [
    Name::Payload(1),
    Name::Intended,
    Name::Sent,
    Name::Received,
    Name::Done,
    Name::Attempt,
    Name::Worker,
    Name::Node,
    Name::Digest,
];

impl RowLens {
    pub(super) fn of(form: &RowForm) -> Self {
        let mut lens = Self {
            known: Vec::new(),
            keys: Vec::new(),
            further: Vec::new(),
            jsons: Vec::new(),
            sources: Vec::new(),
        };
        let mut sources = Vec::new();
        for column in form.columns() {
            let key = match column.name.as_str() {
                "PartitionKey" => Some(Key::Partition),
                "RowKey" => Some(Key::Row),
                _ => None,
            };
            let rank = rank(&column.template);
            if let Some(key) = key {
                sources.push((rank, Source::Key(key, column.template.clone())));
                lens.keys.push((key, column.template));
                continue;
            }
            let whole = column.template.whole();
            let is_known = |hole: &Placeholder| {
                KNOWN.contains(&hole.name) && !lens.known.iter().any(|(name, _)| *name == hole.name)
            };
            if let Some(hole) = whole.filter(is_known) {
                if hole.name == Name::Payload(1) {
                    sources.push((rank, Source::Data));
                }
                let described = Described {
                    column: column.name,
                    is_optional: column.is_optional,
                    format: hole.format,
                };
                lens.known.push((hole.name, described));
            } else {
                sources.push((rank, Source::Further(lens.further.len())));
                lens.jsons.push(JsonText::of(&column.template));
                lens.further.push(column);
            }
        }
        // A place that identifies no message is no source.
        sources.retain(|(rank, _)| *rank < 4);
        sources.sort_by_key(|(rank, source)| (*rank, !matches!(source, Source::Key(..))));
        lens.sources = sources.into_iter().map(|(_, source)| source).collect();
        lens
    }
}

impl Lens {
    /// The column with `name`, if there is one.
    pub fn described(&self, name: Name) -> Option<&Described> {
        let mut known = self.rows.known.iter();
        known.find_map(|(known, described)| (*known == name).then_some(described))
    }

    /// The columns that are compared with the values from run, seed and number, except those that [`Lens::described`] returns.
    pub fn further(&self) -> &[Column] {
        &self.rows.further
    }

    /// Whether the description gives the keys of a row.
    pub fn has_keys(&self) -> bool {
        !self.rows.keys.is_empty()
    }

    /// Reads `entity`: an unreadable value is `None`. The service's own `Timestamp` is always read.
    pub fn row(&self, entity: &Map<String, Value>) -> StoredRow {
        let text = |name: &str| entity.get(name).and_then(Value::as_str).map(str::to_owned);
        let known = |name| Some(&self.described(name)?.column);
        // A value that is not in its column's format stays unchanged, and the comparison reports it.
        let known_text = |name| {
            let described = self.described(name)?;
            let stored = text(&described.column)?;
            let read = described.format.unescaped(&stored).map(Cow::into_owned);
            Some(read.unwrap_or(stored))
        };
        let stamp = |name| {
            let described = self.described(name)?;
            let is_number = described.format.is_number();
            let text = if is_number {
                column(entity, &described.column)
            } else {
                text(&described.column)
            };
            time_of(&text?, described.format)
        };
        let timestamp = text("Timestamp").and_then(|text| time_of(&text, Format::Rfc3339));
        let further = self.rows.further.iter();
        let mut row = StoredRow {
            partition_key: text("PartitionKey").unwrap_or_default(),
            row_key: text("RowKey").unwrap_or_default(),
            data: known_text(Name::Payload(1)),
            src_stamp: stamp(Name::Intended),
            sent_stamp: stamp(Name::Sent),
            dequeued_stamp: stamp(Name::Received),
            date_stamp: stamp(Name::Done),
            timestamp,
            attempt: known(Name::Attempt)
                .and_then(|name| column(entity, name))
                .and_then(|text| text.parse().ok()),
            consumer: known_text(Name::Worker),
            node: known_text(Name::Node),
            digest: known_text(Name::Digest).and_then(|text| text.parse().ok()),
            further: further.map(|each| further_of(entity, each)).collect(),
            unread: Vec::new(),
        };
        row.unread = self.unread(entity, &row);
        row
    }

    /// The columns of a finished row that `entity` lacks, if rows are written in several steps.
    pub fn lacking(&self, entity: &Map<String, Value>) -> Vec<String> {
        if self.description().written() == Written::Inserted {
            return Vec::new();
        }
        let known = self
            .rows
            .known
            .iter()
            .map(|(_, it)| (&it.column, it.is_optional));
        let further = self
            .rows
            .further
            .iter()
            .map(|it| (&it.name, it.is_optional));
        let needed = known.chain(further).filter(|(_, is_optional)| !is_optional);
        let lacking = needed.filter(|(name, _)| !entity.contains_key(*name));
        lacking.map(|(name, _)| name.clone()).collect()
    }

    /// The owner of the row with these keys, if the keys identify it.
    pub fn owner_of_keys(&self, partition: &str, row: &str) -> Owner {
        self.first(|source| match source {
            Source::Key(Key::Partition, template) => self.owner_in(template, partition),
            Source::Key(Key::Row, template) => self.owner_in(template, row),
            Source::Further(_) | Source::Data => Owner::Nobody,
        })
    }

    /// The owner of `row`, by all values other than payloads.
    pub fn owner_of_row(&self, row: &StoredRow) -> Owner {
        self.first(|source| match source {
            Source::Key(Key::Partition, template) => self.owner_in(template, &row.partition_key),
            Source::Key(Key::Row, template) => self.owner_in(template, &row.row_key),
            Source::Further(at) => {
                let template = &self.rows.further[*at].template;
                let is_payload = rank(template) == PAYLOAD;
                let text = row.further.get(*at).and_then(Option::as_deref);
                let text = text.filter(|_| !is_payload);
                text.map_or(Owner::Nobody, |text| self.owner_in_column(*at, text))
            }
            Source::Data => Owner::Nobody,
        })
    }

    /// The message of `row` by the number in its payload; the rest of the payload may be different.
    pub fn count_in(&self, row: &StoredRow) -> Option<Seq> {
        let mut sources = self.rows.sources.iter();
        sources.find_map(|source| match source {
            Source::Data => Payloads::count_in(row.data.as_deref()?),
            Source::Further(at) => {
                let template = &self.rows.further[*at].template;
                let text = row.further.get(*at)?.as_deref()?;
                self.owner_in_column(*at, text)
                    .seq()
                    .filter(|_| rank(template) == PAYLOAD)
            }
            Source::Key(..) => None,
        })
    }

    /// Whether the keys of a row identify its message.
    pub fn has_telling_keys(&self) -> bool {
        self.rows
            .sources
            .iter()
            .any(|source| matches!(source, Source::Key(..)))
    }

    /// Whether an id, a UUID or a number identifies the message of a row, and not its payload alone.
    pub fn has_ids(&self) -> bool {
        self.rows.sources.iter().any(|source| match source {
            Source::Data => false,
            Source::Further(at) => rank(&self.rows.further[*at].template) < PAYLOAD,
            Source::Key(_, template) => rank(template) < PAYLOAD,
        })
    }

    fn first(&self, owner: impl Fn(&Source) -> Owner) -> Owner {
        let owners = self.rows.sources.iter().map(owner);
        let mut known = owners.filter(|owner| *owner != Owner::Nobody);
        known.next().unwrap_or(Owner::Nobody)
    }

    /// The form of the further column number `at`, if it is a text of JSON.
    pub(super) fn json_text(&self, at: usize) -> Option<&JsonText> {
        self.rows.jsons.get(at)?.as_ref()
    }

    pub(super) fn owner_in(&self, template: &Template, text: &str) -> Owner {
        if let Some(hole) = template.whole() {
            let text = hole.format.unescaped(text);
            return text.map_or(Owner::Nobody, |text| self.owner_by(hole.name, &text));
        }
        let found = template.read(text, Name::identifies).unwrap_or_default();
        let first = found.first();
        first.map_or(Owner::Nobody, |(hole, text)| self.owner_by(hole.name, text))
    }

    /// Whether `row` is in a partition that only rows of the run may use.
    pub fn is_in_our_partition(&self, row: &StoredRow) -> bool {
        let mut keys = self
            .rows
            .keys
            .iter()
            .filter(|(key, _)| *key == Key::Partition);
        keys.any(|(_, template)| {
            let found = template.read(&row.partition_key, |name| name == Name::Run);
            found.is_some_and(|found| {
                found
                    .first()
                    .is_some_and(|(_, run)| *run == self.run.as_str())
            })
        })
    }

    /// Whether `row` has the keys of message `seq`, as far as the description gives them.
    pub fn is_at_its_keys(&self, row: &StoredRow, seq: Seq, payloads: Payloads) -> bool {
        self.rows.keys.iter().all(|(key, template)| {
            let text = match key {
                Key::Partition => &row.partition_key,
                Key::Row => &row.row_key,
            };
            self.holds(template, text, seq, payloads)
        })
    }

    /// The keys of message `seq` in words, as far as the description gives them.
    pub fn keys_in_words(&self, seq: Seq, payloads: Payloads) -> String {
        let keys = self.rows.keys.iter().map(|(key, template)| {
            let name = if *key == Key::Partition {
                "PartitionKey"
            } else {
                "RowKey"
            };
            let text = template.fill(|hole| self.known(hole, payloads, seq));
            format!("{name} {}", text.unwrap_or_default())
        });
        keys.collect::<Vec<_>>().join(", ")
    }

    /// Whether `text` is the value of `template` for message `seq`. Does not allocate for ids and numbers.
    pub fn holds(&self, template: &Template, text: &str, seq: Seq, payloads: Payloads) -> bool {
        if let Some(hole) = template.whole().filter(|hole| hole.format.escapes()) {
            // Several texts may have the same meaning.
            let text = hole.format.unescaped(text);
            return text.is_some() && text == self.known(hole, payloads, seq);
        }
        let mut rest = text;
        for piece in template.pieces() {
            let after = match piece {
                Piece::Text(literal) => rest.strip_prefix(literal.as_str()),
                Piece::Hole(hole) if hole.format.escapes() => {
                    let value = self.known(*hole, payloads, seq);
                    let escaped = value.map(|value| hole.format.escaped(value));
                    escaped.and_then(|escaped| rest.strip_prefix(&*escaped))
                }
                Piece::Hole(hole) => self.strip(*hole, rest, seq, payloads),
            };
            let Some(after) = after else { return false };
            rest = after;
        }
        rest.is_empty()
    }

    fn strip<'t>(
        &self,
        hole: Placeholder,
        text: &'t str,
        seq: Seq,
        payloads: Payloads,
    ) -> Option<&'t str> {
        match hole.name {
            // Compared exactly.
            _ if hole.format.reshapes() => text.strip_prefix(&*self.known(hole, payloads, seq)?),
            Name::Run => text.strip_prefix(self.run.as_str()),
            Name::Seq if !matches!(hole.format, Format::Digits(_)) => strip_number(text, seq.get()),
            Name::Bucket => {
                let digits = text.get(..2)?;
                (digits.parse() == Ok(seq.bucket()) && !digits.starts_with('+')).then(|| &text[2..])
            }
            Name::Id => {
                let rest = text.strip_prefix(self.run.as_str())?.strip_prefix('-')?;
                strip_number(rest, seq.get())
            }
            _ => text.strip_prefix(self.known(hole, payloads, seq)?.as_ref()),
        }
    }
}

/// The value of `entity` in the column that `form` describes. YAML also accepts `True` and `TRUE` for `true`; a boolean of the
/// entity is returned in the description's spelling.
fn further_of(entity: &Map<String, Value>, form: &Column) -> Option<String> {
    let read = column(entity, &form.name)?;
    let is_boolean = entity.get(&form.name).is_some_and(Value::is_boolean);
    match form.template.pieces() {
        [Piece::Text(constant)] if is_boolean && constant.eq_ignore_ascii_case(&read) => {
            Some(constant.clone())
        }
        _ => Some(read),
    }
}

/// The rest of `text` after `number`, if its digits end there and have no others before them.
fn strip_number(text: &str, number: u64) -> Option<&str> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(end);
    (!digits.starts_with('0') && digits.parse() == Ok(number)).then_some(rest)
}
