//! One request and its answer, as the history keeps them.

use contract::{Digest, Stamp, StoredRow};
use serde::{Deserialize, Serialize};

use crate::{Keys, Operation};

/// One request and its answer, in the order in which answers came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    /// Who asked: a consumer's name, or `producer`.
    pub client: String,
    /// What for.
    pub operation: Operation,
    /// The queue or table.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// When the request was whole at the proxy.
    pub began: Stamp,
    /// When storage had answered, or the try to ask it had failed.
    pub ended: Stamp,
    /// What storage answered.
    pub answer: Answer,
    /// Of a transaction that failed: which of its operations storage blames, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_part: Option<usize>,
    /// What the proxy did to it on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Whether the client had gone away before there was an answer, as one does that waits no longer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unheard: bool,
    /// The messages that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Handled>,
    /// The rows that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<RowChange>,
    /// What of the request, or of its answer, is in no reference of the service, in words: nobody can tell what it has done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strange: Option<String>,
    /// How far the wall clock was ahead of the history's own, which is never set, when this was written down, in microseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clock_us: i64,
    /// When the harness itself had stood still, since the crossing before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
const fn is_zero(micros: &i64) -> bool {
    *micros == 0
}

/// A time in which the harness was stopped, or had no processor: it passed nothing on, and saw nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Its last sign of life before.
    pub from: Stamp,
    /// Its first after.
    pub to: Stamp,
}

/// What storage answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It was not asked: a fault kept the request from it, or it could not be connected to.
    NotAsked,
    /// This HTTP status, and the service's error code where it gave one.
    Status(u16, Option<String>),
    /// Nothing that could be read.
    None(String),
}

/// Whether what was asked for has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It has.
    Yes,
    /// It has not.
    No,
    /// Storage did not say.
    Unknown,
}

/// A queue message in a request or answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Handled {
    /// The queue's own id of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub queue_id: String,
    /// Its id in the contract, where its body was seen and has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How often it has been delivered, this time included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The pop receipt: of the request where it carries one, else of the answer. Percent-encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// For how many seconds the request asks it to be hidden; 0 hands it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_s: Option<u32>,
    /// For how many seconds a put asks storage to keep it; `None`: for seven days, which is what storage does where nothing is said, or for
    /// ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lives_s: Option<u64>,
    /// A number that two bodies share only where they are alike: of the body that was handed over, that an update asks for, or that
    /// was put into the poison queue as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub print: Option<u64>,
    /// Of a message put into the poison queue: the queue's id of the message that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poisons: Option<String>,
    /// Of a part of a message put into the poison queue that is not its last: the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poisons_in_part: Option<String>,
    /// When it was to be sent, where its body says so and its row does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intended: Option<Stamp>,
    /// When its send began, where its body says so and its row does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Stamp>,
}

/// A row in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowChange {
    /// How: one of the entity operations.
    pub operation: Operation,
    /// Its keys.
    #[serde(flatten)]
    pub keys: Keys,
    /// Its place among the operations of a transaction, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<usize>,
    /// Its `digest` column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// What it says of the delivery that it is the result of; absent where it has no columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Claimed>,
    /// The [`fingerprint`] of all of its columns; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub print: Option<u64>,
    /// The id of the message that its columns say it is of, where its keys do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Of rows that come about in steps: the columns that every row has once it is done, and that this request does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<String>,
}

/// What a row says of its delivery. A column that is absent, or cannot be read, is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Claimed {
    /// Its `dequeuedStamp` column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dequeued: Option<Stamp>,
    /// Its `dateStamp` column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Stamp>,
    /// Its `attempt` column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Its `consumer` column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// Its `node` column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

/// A number that two rows share only where all of their columns are alike, the service's own `Timestamp` left out.
pub fn fingerprint(row: &StoredRow) -> u64 {
    let StoredRow {
        partition_key,
        row_key,
        data,
        src_stamp,
        sent_stamp,
        dequeued_stamp,
        date_stamp,
        timestamp: _,
        attempt,
        consumer,
        node,
        digest,
        further,
    } = row;
    let keys = (partition_key, row_key, data, digest);
    let stamps = (src_stamp, sent_stamp, dequeued_stamp, date_stamp);
    let text = format!(
        "{keys:?}{stamps:?}{:?}{further:?}",
        (attempt, consumer, node)
    );
    let digest = Digest::of(&text).to_string();
    u64::from_str_radix(&digest[..16], 16).expect("a digest must be hexadecimal")
}

impl Crossing {
    /// Whether what was asked for has happened.
    ///
    /// A 5xx says nothing: 500 `OperationTimedOut` is documented as "the operation may have succeeded".
    pub const fn happened(&self) -> Happened {
        match &self.answer {
            Answer::None(_) | Answer::Status(500.., _) => Happened::Unknown,
            Answer::Status(200..300, _) => Happened::Yes,
            Answer::NotAsked | Answer::Status(..) => Happened::No,
        }
    }

    /// Whether the client has heard what storage answered: neither did it go away, nor was anything done to the answer.
    pub const fn was_heard(&self) -> bool {
        !self.unheard && self.fault.is_none()
    }

    /// The HTTP status of storage's answer.
    pub const fn status(&self) -> Option<u16> {
        match &self.answer {
            Answer::Status(status, _) => Some(*status),
            _ => None,
        }
    }

    /// The service's error code.
    pub fn code(&self) -> Option<&str> {
        match &self.answer {
            Answer::Status(_, code) => code.as_deref(),
            _ => None,
        }
    }
}
