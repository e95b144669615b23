//! Effects of a fault on a request.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Service;

/// The effect on a request or on its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// Storage does not get the request; the client gets this error, with the service's own error body.
    Refuse(Refusal),
    /// The request waits for up to this time, and then continues. Several delays add up.
    Delay(Duration),
    /// The connection is reset.
    Reset(Moment),
    /// Storage carries out the request, and the client gets no answer: the connection stays open and silent.
    Withhold,
    /// Storage carries out the request, and half of the answer is sent; then the connection is closed in order.
    Truncate,
    /// Storage carries out the request, and the answer's body is garbled, with its length unchanged.
    Garble,
    /// The client's process gets SIGKILL.
    Kill(Moment),
}

/// A moment in the course of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Moment {
    /// Before storage gets the request: it has no effect.
    Before,
    /// After storage has carried it out, before its answer.
    AfterEffect,
    /// When half of the answer is sent.
    DuringAnswer,
}

/// Errors that the service's reference documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// 503 `ServerBusy`.
    ServerBusy,
    /// 500 `OperationTimedOut`.
    OperationTimedOut,
    /// 500 `InternalError`.
    InternalError,
    /// 403 `AuthorizationFailure`.
    Forbidden,
    /// 403 `AuthorizationPermissionMismatch`: an identity without the role.
    NoRole,
    /// 429 `TooManyRequests`.
    TooManyRequests,
}

impl Refusal {
    /// Status, code and message, from the services' lists of error codes.
    const fn parts(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::ServerBusy => (503, "ServerBusy", "The server is busy."),
            Self::OperationTimedOut => (
                500,
                "OperationTimedOut",
                "Operation could not be completed within the specified time.",
            ),
            Self::InternalError => (
                500,
                "InternalError",
                "Server encountered an internal error. Please try again after some time.",
            ),
            Self::Forbidden => (
                403,
                "AuthorizationFailure",
                "This request is not authorized to perform this operation.",
            ),
            Self::NoRole => (
                403,
                "AuthorizationPermissionMismatch",
                "This request is not authorized to perform this operation using this permission.",
            ),
            Self::TooManyRequests => (429, "TooManyRequests", "Too many requests."),
        }
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        self.parts().0
    }

    /// The error code.
    pub const fn code(self) -> &'static str {
        self.parts().1
    }

    /// The body that `service` sends: XML for queues, JSON for tables.
    pub(crate) fn body(self, service: Service) -> (&'static str, String) {
        let (_, code, message) = self.parts();
        let message = format!(
            "{message}\nRequestId:00000000-0000-0000-0000-000000000000\nTime:2026-01-01T00:00:00.0000000Z"
        );
        match service {
            Service::Queue => (
                "application/xml",
                format!(
                    "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
                ),
            ),
            Service::Table => (
                "application/json;odata=minimalmetadata;streaming=true;charset=utf-8",
                serde_json::json!({"odata.error": {"code": code, "message": {"lang": "en-US", "value": message}}})
                    .to_string(),
            ),
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |moment: Moment| match moment {
            Moment::Before => "before storage has the request",
            Moment::AfterEffect => "after storage has done it, before the answer",
            Moment::DuringAnswer => "in the middle of the answer",
        };
        match *self {
            Self::Refuse(refusal) => write!(f, "{} {}", refusal.status(), refusal.code()),
            Self::Delay(most) => write!(f, "up to {most:?} late"),
            Self::Reset(moment) => write!(f, "connection reset {}", at(moment)),
            Self::Withhold => f.write_str("answer withheld"),
            Self::Truncate => f.write_str("answer truncated"),
            Self::Garble => f.write_str("answer garbled"),
            Self::Kill(moment) => write!(f, "consumer killed {}", at(moment)),
        }
    }
}
