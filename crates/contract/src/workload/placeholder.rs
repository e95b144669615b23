//! Placeholders: their names and formats.

use std::fmt;

/// The value for which a placeholder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// The id of the run.
    Run,
    /// The message's id, `<run>-<seq>`.
    Id,
    /// The message's number in its run, from 1.
    Seq,
    /// A UUID made from run and number.
    Uuid,
    /// `seq / 32 % 16`, in two digits.
    Bucket,
    /// The payload; from 2 on, additional payloads of the same message.
    Payload(u8),
    /// The SHA-256 of the payload, in hexadecimal.
    Digest,
    /// The intended send time of the message.
    Intended,
    /// When the send began.
    Sent,
    /// When the worker received it.
    Received,
    /// When the work was done.
    Done,
    /// The number of the message's delivery, from 1.
    Attempt,
    /// The worker's name.
    Worker,
    /// The worker's node.
    Node,
    /// The original body of the message.
    Body,
    /// The reason why it was given up.
    Reason,
    /// The reason in words.
    Detail,
    /// The message id in the queue.
    MessageId,
    /// When it was given up.
    At,
    /// The number of this part of the body, from 1.
    Part,
    /// The number of parts of the body.
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
    /// A shared access signature for both services.
    Sas,
    /// A connection string with endpoints and SAS.
    ConnectionString,
    /// The emulator's account key, which is public.
    AccountKey,
    /// How to sign in: `sas` or `auto`.
    Credential,
    /// How long a lease lasts.
    Lease,
    /// How many messages a worker works on at once.
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
    /// The address of the readiness probe.
    Listen,
    /// The address of Scheduled Events.
    Events,
    /// The log level or filter.
    Log,
}

/// Every name except those of payloads, as written in templates.
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

/// Most payloads in one message.
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
    /// Whether it identifies a message of the run.
    pub const fn identifies(self) -> bool {
        matches!(self, Self::Id | Self::Seq | Self::Uuid | Self::Payload(_))
    }

    /// Whether it is a function of run, seed and number, so that a judge knows the right value.
    pub const fn is_known(self) -> bool {
        self.identifies() || matches!(self, Self::Run | Self::Bucket | Self::Digest)
    }

    /// Whether messages contain it, or can.
    pub const fn is_of_messages(self) -> bool {
        self.is_known() || matches!(self, Self::Intended | Self::Sent)
    }

    /// Whether only the worker knows it: a claim of a row about its delivery.
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

    /// Whether it is a duration.
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

/// The format of a placeholder's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// As text: a time as `2026-11-23 13:14:15.123456`, a duration as `8s`.
    #[default]
    Plain,
    /// As a JSON string, in quotes: for JSON within a text.
    Json,
    /// Percent-encoded: for texts of the form `a=1&b=2`.
    Url,
    /// With `&amp;` for `&` and the like: for XML.
    Xml,
    /// In Base64.
    Base64,
    /// A number with at least this many digits, with leading zeros.
    Digits(u8),
    /// As a JSON number, if it is the whole value.
    Number,
    /// A time as `2026-11-23T13:14:15.123456Z`.
    Rfc3339,
    /// A time as milliseconds since 1970; a JSON number if it is the whole value.
    UnixMs,
    /// A time as seconds since 1970; a JSON number if it is the whole value.
    UnixS,
    /// A duration in seconds, without a unit.
    Seconds,
    /// A duration in milliseconds, without a unit.
    Millis,
    /// A duration as `00:00:08`.
    Clock,
    /// An id, a UUID or a digest in upper case.
    Upper,
    /// A UUID without hyphens, the format `N` of .NET.
    Bare,
    /// A UUID without hyphens, in upper case.
    BareUpper,
}

/// Every format except those of digits, as written in templates.
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
    /// Whether a time in this format keeps its microseconds.
    pub const fn is_exact(self) -> bool {
        !matches!(self, Self::UnixMs | Self::UnixS)
    }

    /// Whether the whole value becomes a JSON number.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::UnixMs | Self::UnixS)
    }

    /// Whether the format changes case or hyphens of a value.
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

/// A placeholder: its name and format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Placeholder {
    /// The value for which it stands.
    pub name: Name,
    /// Its format.
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
