//! The error of both ports, with its classification.

use std::error::Error;
use std::fmt;

use strum::IntoStaticStr;

/// Kinds of errors, by what a caller can do about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ErrorKind {
    /// The lease is no longer valid: the message was delivered again, or is gone (404 `MessageNotFound`, or
    /// `PopReceiptMismatch`). Not a failure of storage, and nothing is lost: another consumer has the message.
    LeaseLost,
    /// The queue or table does not exist.
    NoSuchResource,
    /// Storage does not recognise the identity, or it has no permission (401, 403).
    Denied,
    /// The message or row is larger than storage accepts (413, or 400 `PropertyValueTooLarge` and the like).
    TooLarge,
    /// Storage asks to slow down (429, 503 `ServerBusy`) or could not finish in time (500 `OperationTimedOut`).
    Busy,
    /// No connection was made: refused, unknown host, TLS error. Or, with a code, there was no token to sign in with, or it
    /// ended on its way to storage.
    Unreachable,
    /// The request was sent, and its answer never came completely: cut off, reset, timed out.
    Interrupted,
    /// Any other answer; storage rejected the request, and would reject it again.
    Rejected,
}

impl ErrorKind {
    /// The name of the kind in metrics, summaries and logs, such as `lease_lost`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Whether a failed operation may have had an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// The operation had no effect.
    None,
    /// It may have had its effect: the request was sent, and the answer does not tell.
    Unknown,
}

/// Error of one try of a storage operation.
///
/// Displays as a fragment that completes "failed to ...", with the service's code, without its source.
#[derive(Debug)]
pub struct StorageError {
    kind: ErrorKind,
    operation: &'static str,
    resource: String,
    status: Option<u16>,
    code: Option<String>,
    advice: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StorageError {
    /// Makes an error of `operation` (a verb, such as `receive messages`) on `resource` (such as `queue aws2azmsgs`).
    pub fn new(kind: ErrorKind, operation: &'static str, resource: impl Into<String>) -> Self {
        Self {
            kind,
            operation,
            resource: resource.into(),
            status: None,
            code: None,
            advice: None,
            source: None,
        }
    }

    /// Adds the HTTP status and the service's error code.
    #[must_use]
    pub fn with_answer(mut self, status: Option<u16>, code: Option<String>) -> Self {
        (self.status, self.code) = (status, code);
        self
    }

    /// Adds advice for a person on this error.
    #[must_use]
    pub fn with_advice(mut self, advice: Option<String>) -> Self {
        self.advice = advice;
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind of error.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The HTTP status, when there was an answer.
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// The service's error code, such as `ServerBusy`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Whether another try may succeed later, without a change by a person.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Busy | ErrorKind::Unreachable | ErrorKind::Interrupted
        )
    }

    /// Whether the operation may have happened although it failed.
    ///
    /// `Busy` counts as unknown: 500 `OperationTimedOut` is documented as "the operation may have succeeded".
    pub const fn effect(&self) -> Effect {
        match self.kind {
            ErrorKind::Busy | ErrorKind::Interrupted => Effect::Unknown,
            _ => Effect::None,
        }
    }

    /// Advice for a person, if there is any.
    pub fn advice(&self) -> Option<&str> {
        if self.advice.is_some() {
            return self.advice.as_deref();
        }
        match self.kind {
            ErrorKind::NoSuchResource => {
                Some("create it first, or pass --create if the identity may create it")
            }
            ErrorKind::Denied => Some(
                "check the SAS (permissions, expiry), or that the identity has the roles Storage Queue Data \
                 Contributor and Storage Table Data Contributor on the account",
            ),
            ErrorKind::Unreachable => {
                Some("check the account name or endpoint, and that the network lets you reach it")
            }
            _ => None,
        }
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ErrorKind::LeaseLost => "lease lost",
            ErrorKind::NoSuchResource => "it does not exist",
            ErrorKind::Denied => "access denied",
            ErrorKind::TooLarge => "too large",
            ErrorKind::Busy => "storage is busy",
            ErrorKind::Unreachable if self.code.is_some() => "no token to sign in with",
            ErrorKind::Unreachable => "storage is unreachable",
            ErrorKind::Interrupted => "no complete answer",
            ErrorKind::Rejected => "rejected",
        };
        write!(f, "{} ({}): {what}", self.operation, self.resource)?;
        match (self.status, &self.code) {
            (Some(status), Some(code)) => write!(f, " ({status} {code})"),
            (Some(status), None) => write!(f, " ({status})"),
            (None, Some(code)) => write!(f, " ({code})"),
            (None, None) => Ok(()),
        }
    }
}

impl Error for StorageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
