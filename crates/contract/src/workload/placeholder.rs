//! Placeholders: what they stand for, and how they are written.

use std::fmt;

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
pub(super) const NAMES: [(&str, Name); 41] = [
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

/// Most payloads of one message.
pub(super) const PAYLOADS: u8 = 9;

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
    /// With `%` before what may not stand in a URL: for texts of the form `a=1&b=2`.
    Url,
    /// With `&amp;` for `&` and the like: for XML.
    Xml,
    /// In base64.
    Base64,
    /// A count in so many digits at least, with zeros before it.
    Digits(u8),
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
    /// An id, a UUID or a digest in large letters.
    Upper,
    /// A UUID without dashes: what .NET calls the format `N`.
    Bare,
    /// The same in large letters.
    BareUpper,
}

/// Every format but those of digits, as a template has it.
const FORMATS: [(&str, Format); 14] = [
    ("json", Format::Json),
    ("url", Format::Url),
    ("xml", Format::Xml),
    ("base64", Format::Base64),
    ("number", Format::Number),
    ("rfc3339", Format::Rfc3339),
    ("unix-ms", Format::UnixMs),
    ("unix-s", Format::UnixS),
    ("s", Format::Seconds),
    ("ms", Format::Millis),
    ("hms", Format::Clock),
    ("upper", Format::Upper),
    ("n", Format::Bare),
    ("n-upper", Format::BareUpper),
];

impl Format {
    /// Whether a time that is written so is still known to the microsecond.
    pub const fn is_exact(self) -> bool {
        !matches!(self, Self::UnixMs | Self::UnixS)
    }

    /// Whether the whole value becomes a number of JSON.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::UnixMs | Self::UnixS)
    }

    /// Whether the letters or the dashes of a value are others than those of the value itself.
    pub(super) const fn reshapes(self) -> bool {
        matches!(self, Self::Upper | Self::Bare | Self::BareUpper)
    }

    const fn fits(self, name: Name) -> bool {
        match self {
            Self::Plain | Self::Json | Self::Url | Self::Xml | Self::Base64 => true,
            Self::Digits(_) | Self::Number => name.is_count(),
            Self::Rfc3339 | Self::UnixMs | Self::UnixS => name.is_time(),
            Self::Seconds | Self::Millis | Self::Clock => name.is_span(),
            Self::Upper => matches!(name, Name::Id | Name::Run | Name::Uuid | Name::Digest),
            Self::Bare | Self::BareUpper => matches!(name, Name::Uuid),
        }
    }

    pub(super) fn of(text: &str, name: Name) -> Option<Self> {
        let format = if text.starts_with('0') {
            let digits = text.parse().ok().filter(|digits| (1..=20).contains(digits));
            Self::Digits(digits?)
        } else {
            FORMATS.iter().find(|(known, _)| *known == text)?.1
        };
        format.fits(name).then_some(format)
    }

    pub(super) fn all_for(name: Name) -> String {
        let digits = name.is_count().then_some("010");
        let fitting = FORMATS.iter().filter(|(_, format)| format.fits(name));
        let fitting = fitting.map(|(text, _)| *text).chain(digits);
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

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, format } = self;
        if let Format::Digits(digits) = format {
            return write!(f, "{{{name}:0{digits}}}");
        }
        match FORMATS.iter().find(|(_, known)| known == format) {
            Some((text, _)) => write!(f, "{{{name}:{text}}}"),
            None => write!(f, "{{{name}}}"),
        }
    }
}
