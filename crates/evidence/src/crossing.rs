//! One request and its answer, as recorded in the history.

use contract::{Digest, Stamp, StoredRow};
use serde::{Deserialize, Serialize};

use crate::{Keys, Operation};

/// The name of the client that sends the load. All others are workers.
pub const PRODUCER: &str = "producer";

/// One request and its answer; crossings are in the order of the answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    /// The client: a consumer's name, or [`PRODUCER`].
    pub client: String,
    /// The operation.
    pub operation: Operation,
    /// The queue or table.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// When the proxy had the whole request.
    pub began: Stamp,
    /// When storage had answered, or the request to storage had failed.
    pub ended: Stamp,
    /// Storage's answer.
    pub answer: Answer,
    /// For a failed transaction: the index of the operation that storage blames, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_part: Option<usize>,
    /// The fault that the proxy injected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Whether the client had closed the connection before there was an answer, for example after its timeout.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unheard: bool,
    /// The messages that the request concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Handled>,
    /// The rows that the request concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<RowChange>,
    /// The part of the request or its answer that is in no reference of the service, in words: its effect is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strange: Option<String>,
    /// How far the wall clock was ahead of the history's own clock, which is never set, when this was recorded, in
    /// microseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clock_us: i64,
    /// Pauses of the harness since the crossing before.
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

/// A time in which the harness was stopped or got no CPU time: it forwarded and recorded nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The last beat of its heartbeat before the pause.
    pub from: Stamp,
    /// The first beat after the pause.
    pub to: Stamp,
}

/// Storage's answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Storage did not get the request: a fault prevented it, or no connection was possible.
    NotAsked,
    /// The HTTP status, and the service's error code if there was one.
    Status(u16, Option<String>),
    /// No readable answer.
    None(String),
}

/// Whether a requested operation has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// The operation has happened.
    Yes,
    /// The operation has not happened.
    No,
    /// Storage's answer does not tell.
    Unknown,
}

/// A queue message in a request or answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Handled {
    /// Its message id in the queue.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub queue_id: String,
    /// Its id in the contract, if its body was seen and has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How often it has been delivered, including this delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The pop receipt: the request's if it has one, otherwise the answer's. Percent-encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// The requested visibility timeout, in seconds; 0 hands the message back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_s: Option<u32>,
    /// The time to live that a put requests, in seconds; `None`: storage's default of seven days, or unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lives_s: Option<u64>,
    /// Fingerprint of the body that was handed over, that an update sets, or that was put into the poison queue unchanged.
    /// Equal for equal bodies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub print: Option<u64>,
    /// For a message in the poison queue: the message id in the queue of the message that it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poisons: Option<String>,
    /// As `poisons`, for a part of a poison message that is not its last part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poisons_in_part: Option<String>,
    /// For a message in the poison queue: its claims about the delivery after which the message was given up; `date` is when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claimed>,
    /// The intended send time, if the body has it and the row does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intended: Option<Stamp>,
    /// The start of the send, if the body has it and the row does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Stamp>,
}

/// A row in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowChange {
    /// The entity operation.
    pub operation: Operation,
    /// Its keys.
    #[serde(flatten)]
    pub keys: Keys,
    /// Its index among the operations of a transaction, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<usize>,
    /// Its `digest` column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The row's claims about its delivery; absent if it has no columns for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Claimed>,
    /// The [`fingerprint`] of all of its columns; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub print: Option<u64>,
    /// The id of its message in its columns, if its keys do not tell it, or tell another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The id of the message whose payload it holds, if that is not its own message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<String>,
    /// For rows that are written in several steps: the columns of a finished row that this request lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<String>,
}

/// The claims of a row, or of a message in the poison queue, about its delivery. What is missing or unreadable is `None`.
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

/// A fingerprint of all columns of a row, except the service's own `Timestamp`. Equal for equal rows.
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
        unread: _,
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
    /// Whether the requested operation has happened.
    ///
    /// A 5xx says nothing: 500 `OperationTimedOut` is documented as "the operation may have succeeded".
    pub const fn happened(&self) -> Happened {
        match &self.answer {
            Answer::None(_) | Answer::Status(500.., _) => Happened::Unknown,
            Answer::Status(200..300, _) => Happened::Yes,
            Answer::NotAsked | Answer::Status(..) => Happened::No,
        }
    }

    /// Whether the client got storage's answer: it did not go away, and no fault changed the answer.
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

    /// Whether storage refused to insert a row because there is one with its keys.
    pub fn found_a_row(&self) -> bool {
        self.status() == Some(409) && self.code() == Some("EntityAlreadyExists")
    }

    /// The service's error code.
    pub fn code(&self) -> Option<&str> {
        match &self.answer {
            Answer::Status(_, code) => code.as_deref(),
            _ => None,
        }
    }
}
