//! From the SDK's errors to the ports' error.

use azure_core::error::ErrorKind as AzureKind;

use super::redact;
use crate::ports::{ErrorKind, StorageError};

/// What a 404 means: to a lease that the message is gone, to anything else that the queue or table is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Resource,
    Lease,
}

/// Classifies an SDK error of `operation` on `resource`.
pub(super) fn storage_error(
    operation: &'static str,
    resource: &str,
    on: On,
    error: &azure_core::Error,
) -> StorageError {
    let (kind, status, code) = match error.kind() {
        AzureKind::HttpResponse {
            status, error_code, ..
        } => {
            let status = u16::from(*status);
            let code = error_code.as_deref().filter(|code| !code.is_empty());
            (
                answered(status, code.unwrap_or_default(), on),
                Some(status),
                code,
            )
        }
        AzureKind::Connection => (ErrorKind::Unreachable, None, None),
        // A token could not be had: nothing was sent. The authority may be down (its error says so) or refuse us.
        AzureKind::Credential => (credential(error), None, Some("CredentialUnavailable")),
        // Sent, but the answer was cut off, reset, late or garbled.
        AzureKind::Io | AzureKind::DataConversion => (ErrorKind::Interrupted, None, None),
        AzureKind::Other => (ErrorKind::Rejected, None, None),
    };
    StorageError::new(kind, operation, resource)
        .with_answer(status, code.map(str::to_owned))
        .with_source(redact(&chain(error)))
}

fn answered(status: u16, code: &str, on: On) -> ErrorKind {
    match (status, code) {
        (_, "PopReceiptMismatch" | "MessageNotFound") => ErrorKind::LeaseLost,
        // Some answers to HEAD and DELETE have no code: the status must do.
        (404, code) if on == On::Lease && code != "QueueNotFound" => ErrorKind::LeaseLost,
        (404, _) => ErrorKind::NoSuchResource,
        (401 | 403, _) => ErrorKind::Denied,
        (413, _)
        | (
            400,
            "PropertyValueTooLarge" | "EntityTooLarge" | "MessageTooLarge" | "RequestBodyTooLarge",
        ) => ErrorKind::TooLarge,
        // A queue or table that is being deleted can be created again after a while.
        (409, "QueueBeingDeleted" | "TableBeingDeleted") | (408 | 429 | 500..=599, _) => {
            ErrorKind::Busy
        }
        _ => ErrorKind::Rejected,
    }
}

fn credential(error: &azure_core::Error) -> ErrorKind {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<azure_core::Error>()
            && matches!(cause.kind(), AzureKind::Connection | AzureKind::Io)
        {
            return ErrorKind::Unreachable;
        }
        source = cause.source();
    }
    ErrorKind::Denied
}

/// The error and its causes in one line, each said once: the SDK's errors often repeat their source.
fn chain(error: &azure_core::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_classified_as_documented() {
        let on_lease = |status, code| answered(status, code, On::Lease);
        let on_queue = |status, code| answered(status, code, On::Resource);
        assert_eq!(on_lease(404, "MessageNotFound"), ErrorKind::LeaseLost);
        assert_eq!(on_lease(400, "PopReceiptMismatch"), ErrorKind::LeaseLost);
        assert_eq!(on_lease(404, "QueueNotFound"), ErrorKind::NoSuchResource);
        assert_eq!(on_queue(404, "TableNotFound"), ErrorKind::NoSuchResource);
        assert_eq!(on_queue(403, "AuthenticationFailed"), ErrorKind::Denied);
        assert_eq!(on_queue(413, "RequestBodyTooLarge"), ErrorKind::TooLarge);
        assert_eq!(on_queue(503, "ServerBusy"), ErrorKind::Busy);
        assert_eq!(on_queue(500, "OperationTimedOut"), ErrorKind::Busy);
        assert_eq!(on_queue(429, ""), ErrorKind::Busy);
        assert_eq!(on_queue(409, "QueueAlreadyExists"), ErrorKind::Rejected);
        assert_eq!(on_queue(400, "InvalidInput"), ErrorKind::Rejected);
    }
}
