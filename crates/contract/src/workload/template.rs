//! Templates: texts with placeholders such as `{id}` or `{lease:ms}`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// What a placeholder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// The id of the run.
    Run,
    /// The message's id, `<run>-<seq>`.
    Id,
    /// The message's number in its run, from 1.
    Seq,
    /// A UUID that is made of run and number.
    Uuid,
    /// `seq / 32 % 16`, in two digits.
    Bucket,
    /// The payload; from 2 on, further payloads of the same message, each of its own.
    Payload(u8),
    /// The SHA-256 of the payload, in hex.
    Digest,
    /// When the message was to be sent.
    Intended,
    /// When its send began.
    Sent,
    /// When the worker received it.
    Received,
    /// When its work was done.
    Done,
    /// Which delivery of the message it was, from 1.
    Attempt,
    /// The worker's name.
    Worker,
    /// The node that the worker is on.
    Node,
    /// The body of the message, as it was.
    Body,
    /// Why it was given up.
    Reason,
    /// The same in words.
    Detail,
    /// The queue's own id of the message.
    MessageId,
    /// When it was given up.
    At,
    /// Which part of the body this is, from 1.
    Part,
    /// In how many parts the body is.
    Parts,
    /// The name of the queue.
    Queue,
    /// The name of the poison queue.
    PoisonQueue,
    /// The name of the table.
    Table,
    /// The name of the storage account.
    Account,
    /// The URL of the queue service, account included.
    QueueEndpoint,
    /// The URL of the table service, account included.
    TableEndpoint,
    /// A shared access signature for both.
    Sas,
    /// A connection string with endpoints and signature.
    ConnectionString,
    /// The key of the emulator's account, which everybody knows.
    AccountKey,
    /// How to sign in: `sas` or `auto`.
    Credential,
    /// How long a lease lasts.
    Lease,
    /// How many messages are worked on at once.
    Concurrency,
    /// Simulated work, such as `fixed:200ms`.
    Work,
    /// Time to drain.
    Grace,
    /// Deliveries before a message is given up.
    Attempts,
    /// Longest pause between two polls of an empty queue.
    IdlePoll,
    /// How long storage may be unreachable at the start.
    StartTimeout,
    /// Where to say whether it is ready.
    Listen,
    /// Where Scheduled Events answer.
    Events,
    /// What to log.
    Log,
}

/// Every name but those of payloads, as a template has it.
const NAMES: [(&str, Name); 41] = [
    ("run", Name::Run),
    ("id", Name::Id),
    ("seq", Name::Seq),
    ("uuid", Name::Uuid),
    ("bucket", Name::Bucket),
    ("digest", Name::Digest),
    ("intended", Name::Intended),
    ("sent", Name::Sent),
    ("received", Name::Received),
    ("done", Name::Done),
    ("attempt", Name::Attempt),
    ("worker", Name::Worker),
    ("node", Name::Node),
    ("body", Name::Body),
    ("reason", Name::Reason),
    ("detail", Name::Detail),
    ("message-id", Name::MessageId),
    ("at", Name::At),
    ("part", Name::Part),
    ("parts", Name::Parts),
    ("queue", Name::Queue),
    ("poison-queue", Name::PoisonQueue),
    ("table", Name::Table),
    ("account", Name::Account),
    ("queue-endpoint", Name::QueueEndpoint),
    ("table-endpoint", Name::TableEndpoint),
    ("sas", Name::Sas),
    ("connection-string", Name::ConnectionString),
    ("account-key", Name::AccountKey),
    ("credential", Name::Credential),
    ("lease", Name::Lease),
    ("concurrency", Name::Concurrency),
    ("work", Name::Work),
    ("grace", Name::Grace),
    ("attempts", Name::Attempts),
    ("idle-poll", Name::IdlePoll),
    ("start-timeout", Name::StartTimeout),
    ("listen", Name::Listen),
    ("events", Name::Events),
    ("log", Name::Log),
    ("payload", Name::Payload(1)),
];

/// From this likeness on, a name may be meant by one that is misspelt.
const LIKE: f64 = 0.8;

/// Most payloads of one message.
const PAYLOADS: u8 = 9;

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Payload(number @ 2..) = self {
            return write!(f, "payload{number}");
        }
        let known = NAMES.iter().find(|(_, name)| name == self);
        f.write_str(known.map_or("payload", |(text, _)| text))
    }
}

impl Name {
    /// Whether it tells which message of the run it is.
    pub const fn identifies(self) -> bool {
        matches!(self, Self::Id | Self::Seq | Self::Uuid | Self::Payload(_))
    }

    /// Whether it is a function of run, seed and number alone, so that a judge can say what it must be.
    pub const fn is_known(self) -> bool {
        self.identifies() || matches!(self, Self::Run | Self::Bucket | Self::Digest)
    }

    /// Whether the producer writes it into messages, or could.
    pub const fn is_of_messages(self) -> bool {
        self.is_known() || matches!(self, Self::Intended | Self::Sent)
    }

    /// Whether only the worker knows it: what a row says of the delivery that it is the result of.
    pub const fn is_claim(self) -> bool {
        matches!(
            self,
            Self::Received | Self::Done | Self::Attempt | Self::Worker | Self::Node
        )
    }

    /// Whether it is a point in time.
    pub const fn is_time(self) -> bool {
        matches!(
            self,
            Self::Intended | Self::Sent | Self::Received | Self::Done | Self::At
        )
    }

    /// Whether it is a span of time.
    const fn is_span(self) -> bool {
        matches!(
            self,
            Self::Lease | Self::Work | Self::Grace | Self::IdlePoll | Self::StartTimeout
        )
    }

    const fn is_count(self) -> bool {
        matches!(
            self,
            Self::Seq
                | Self::Attempt
                | Self::Part
                | Self::Parts
                | Self::Concurrency
                | Self::Attempts
        )
    }
}

/// How a placeholder is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// As text: of times `2026-11-23 13:14:15.123456`, of spans `8s`.
    #[default]
    Plain,
    /// As a string of JSON, in quotes: for JSON within a text.
    Json,
    /// As a number of JSON, where it is the whole value.
    Number,
    /// A time as `2026-11-23T13:14:15.123456Z`.
    Rfc3339,
    /// A time as milliseconds since 1970, a number where it is the whole value.
    UnixMs,
    /// A time as seconds since 1970, a number where it is the whole value.
    UnixS,
    /// A span in seconds, without a unit.
    Seconds,
    /// A span in milliseconds, without a unit.
    Millis,
    /// A span as `00:00:08`.
    Clock,
}

impl Format {
    /// Whether a time that is written so is still known to the microsecond.
    pub const fn is_exact(self) -> bool {
        !matches!(self, Self::UnixMs | Self::UnixS)
    }

    /// Whether the whole value becomes a number of JSON.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::UnixMs | Self::UnixS)
    }

    fn of(text: &str, name: Name) -> Option<Self> {
        let fits = |format, fits: bool| fits.then_some(format);
        match text {
            "json" => Some(Self::Json),
            "number" => fits(Self::Number, name.is_count()),
            "rfc3339" => fits(Self::Rfc3339, name.is_time()),
            "unix-ms" => fits(Self::UnixMs, name.is_time()),
            "unix-s" => fits(Self::UnixS, name.is_time()),
            "s" => fits(Self::Seconds, name.is_span()),
            "ms" => fits(Self::Millis, name.is_span()),
            "hms" => fits(Self::Clock, name.is_span()),
            _ => None,
        }
    }

    fn all_for(name: Name) -> String {
        let all = [
            "json", "number", "rfc3339", "unix-ms", "unix-s", "s", "ms", "hms",
        ];
        let fitting = all
            .into_iter()
            .filter(|text| Self::of(text, name).is_some());
        fitting.collect::<Vec<_>>().join(", ")
    }
}

/// A placeholder: what it stands for, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Placeholder {
    /// What it stands for.
    pub name: Name,
    /// How it is written.
    pub format: Format,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that stays as it is.
    Text(String),
    /// What is filled in.
    Hole(Placeholder),
}

/// A text with placeholders. A brace that no name follows, such as `{"`, is text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template(Vec<Piece>);

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A name that nobody knows.
    #[error("{{{0}}} is no placeholder{1}")]
    Unknown(String, String),
    /// A format that does not fit the name.
    #[error("{{{name}:{format}}} has a format that {{{name}}} cannot have; it can have: {fitting}")]
    Format {
        /// The name.
        name: Name,
        /// The format.
        format: String,
        /// What it could be.
        fitting: String,
    },
}

impl Template {
    /// Its pieces.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Its placeholders.
    pub fn holes(&self) -> impl Iterator<Item = Placeholder> + '_ {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Hole(hole) => Some(*hole),
            Piece::Text(_) => None,
        })
    }

    /// The placeholder that is all of it.
    pub fn whole(&self) -> Option<Placeholder> {
        match self.0[..] {
            [Piece::Hole(hole)] => Some(hole),
            _ => None,
        }
    }

    /// The text with every placeholder filled in; `None` where one has no value.
    pub fn fill<'a>(
        &self,
        mut value: impl FnMut(Placeholder) -> Option<Cow<'a, str>>,
    ) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Hole(hole) => {
                    let value = value(*hole)?;
                    if hole.format == Format::Json {
                        text.push_str(&serde_json::Value::from(value.as_ref()).to_string());
                    } else {
                        text.push_str(&value);
                    }
                }
            }
        }
        Some(text)
    }

    /// What stands in `text` at each placeholder that `wanted` wants, where `text` has the form of the template. A placeholder ends where
    /// the text after it begins for the first time, and the last one where the text ends.
    pub fn read<'a>(
        &self,
        text: &'a str,
        wanted: impl Fn(Name) -> bool,
    ) -> Option<Vec<(Placeholder, Cow<'a, str>)>> {
        let (mut rest, mut found) = (text, Vec::new());
        for (at, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Text(literal) => rest = rest.strip_prefix(literal.as_str())?,
                Piece::Hole(hole) => {
                    let next = self.0.get(at + 1);
                    let (value, after) = take(*hole, rest, next)?;
                    if wanted(hole.name) {
                        found.push((*hole, value));
                    }
                    rest = after;
                }
            }
        }
        rest.is_empty().then_some(found)
    }
}

/// What `hole` holds at the beginning of `text`, and what follows.
fn take<'a>(
    hole: Placeholder,
    text: &'a str,
    next: Option<&Piece>,
) -> Option<(Cow<'a, str>, &'a str)> {
    if hole.format == Format::Json {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Cow<'a, str>>();
        let value = values.next()?.ok()?;
        let after = &text[values.byte_offset()..];
        return Some((value, after));
    }
    let end = match next {
        None => text.len(),
        Some(Piece::Text(literal)) => text.find(literal.as_str())?,
        // Two in a row: the first takes what may be of it.
        Some(Piece::Hole(_)) => text
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .unwrap_or(text.len()),
    };
    Some((Cow::Borrowed(&text[..end]), &text[end..]))
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some(open) = rest.find('{') {
            literal.push_str(&rest[..open]);
            rest = &rest[open..];
            let inner = rest[1..].split_once('}').map(|(inner, _)| inner);
            let is_name = |inner: &&str| {
                inner.starts_with(|c: char| c.is_ascii_lowercase())
                    && inner
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "-_:".contains(c))
            };
            if let Some(inner) = inner.filter(is_name) {
                if !literal.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Hole(hole(inner)?));
                rest = &rest[inner.len() + 2..];
            } else {
                literal.push('{');
                rest = &rest[1..];
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Self(pieces))
    }
}

fn hole(inner: &str) -> Result<Placeholder, TemplateError> {
    let (text, format) = match inner.split_once(':') {
        Some((text, format)) => (text, Some(format)),
        None => (inner, None),
    };
    let further = text.strip_prefix("payload").and_then(|n| n.parse().ok());
    let name = match further {
        Some(number @ 2..=PAYLOADS) => Some(Name::Payload(number)),
        _ => NAMES
            .iter()
            .find(|(known, _)| *known == text)
            .map(|(_, name)| *name),
    };
    let name = name.ok_or_else(|| {
        let likeness = |known: &str| strsim::jaro_winkler(known, text);
        let near = NAMES.iter().map(|(known, _)| *known);
        let near = near.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let near = near.filter(|near| likeness(near) >= LIKE);
        let hint = near.map_or_else(
            || "; docs/WORKLOAD.md lists those there are".to_owned(),
            |near| format!("; do you mean {{{near}}}?"),
        );
        TemplateError::Unknown(text.to_owned(), hint)
    })?;
    let format = match format {
        None => Format::Plain,
        Some(format) => Format::of(format, name).ok_or_else(|| TemplateError::Format {
            name,
            format: format.to_owned(),
            fitting: Format::all_for(name),
        })?,
    };
    Ok(Placeholder { name, format })
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Hole(hole) => write!(f, "{{{}}}", hole.name)?,
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(template: &str, text: &str) -> Option<Vec<String>> {
        let template: Template = template.parse().unwrap();
        let found = template.read(text, |_| true)?;
        Some(
            found
                .into_iter()
                .map(|(_, text)| text.into_owned())
                .collect(),
        )
    }

    #[test]
    fn what_is_filled_in_is_read_back() {
        for (template, filled) in [
            ("{id}", "id"),
            ("order-{seq}/{id}", "order-seq/id"),
            (
                r#"{"id": {id:json}, "n": [{seq}]}"#,
                r#"{"id": "id", "n": [seq]}"#,
            ),
            ("{ not a name }", "{ not a name }"),
        ] {
            let parsed: Template = template.parse().unwrap();
            let text = parsed
                .fill(|hole| Some(hole.name.to_string().into()))
                .unwrap();
            assert_eq!(text, filled);
            let names: Vec<_> = parsed.holes().map(|hole| hole.name.to_string()).collect();
            assert_eq!(read(template, &text), Some(names));
        }
    }

    #[test]
    fn a_text_of_another_form_is_not_read() {
        for (template, text) in [
            ("a{id}b", "a"),
            ("a{id}", "b"),
            ("{id:json}", "id"),
            ("x", "xy"),
        ] {
            assert_eq!(read(template, text), None, "{template} {text}");
        }
    }

    #[test]
    fn a_text_that_was_escaped_for_json_comes_back_whole() {
        let template: Template = "[{payload:json}]".parse().unwrap();
        let text = template.fill(|_| Some("a\"\\\n]".into())).unwrap();
        assert_eq!(text, r#"["a\"\\\n]"]"#);
        assert_eq!(
            read("[{payload:json}]", &text),
            Some(vec!["a\"\\\n]".to_owned()])
        );
    }

    #[test]
    fn what_is_no_placeholder_is_named_with_what_may_be_meant() {
        let error = |text: &str| text.parse::<Template>().unwrap_err().to_string();
        assert_eq!(
            error("{xyz}"),
            "{xyz} is no placeholder; docs/WORKLOAD.md lists those there are"
        );
        assert_eq!(
            error("{payloads}"),
            "{payloads} is no placeholder; do you mean {payload}?"
        );
        assert_eq!(
            error("{id:rfc3339}"),
            "{id:rfc3339} has a format that {id} cannot have; it can have: json"
        );
        assert!(error("{payload77}").contains("{payload77}"));
    }

    #[test]
    fn every_name_is_read_as_it_is_shown() {
        for (text, name) in NAMES {
            assert_eq!(name.to_string(), text);
        }
        let template: Template = "{payload3}".parse().unwrap();
        assert_eq!(
            template.whole().map(|hole| hole.name),
            Some(Name::Payload(3))
        );
        assert_eq!(template.to_string(), "{payload3}");
    }
}
