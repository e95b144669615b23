//! Conversion of the SDK's errors to the ports' error.

use azure_core::error::ErrorKind as AzureKind;

use super::redact;
use super::sign_in::{AUTHORITY_UNAVAILABLE, SignInError, Target, access_mistake};
use crate::ports::{ErrorKind, StorageError};
use crate::unanswered::plainly;

/// The meaning of a 404: for a lease, the message is gone; otherwise the queue or table does not exist.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Resource,
    Lease,
}

/// Classifies an SDK error of `operation` on `target`.
pub(super) fn storage_error(
    operation: &'static str,
    target: &Target,
    on: On,
    error: &azure_core::Error,
) -> StorageError {
    let resource = target.to_string();
    if let Some(refused) = signed_in(error) {
        return StorageError::new(refused.kind, operation, resource)
            .with_answer(None, Some(refused.code.clone()))
            .with_advice(refused.advice.clone())
            .with_source(refused.to_string());
    }
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
        // There was no token, and the SDK has dropped the reason: nothing was sent.
        AzureKind::Credential => (ErrorKind::Unreachable, None, Some(AUTHORITY_UNAVAILABLE)),
        // The request was sent, but the answer was cut off, reset, late or garbled.
        AzureKind::Io | AzureKind::DataConversion => (ErrorKind::Interrupted, None, None),
        AzureKind::Other => (ErrorKind::Rejected, None, None),
    };
    let mistake = access_mistake(status.unwrap_or_default(), code.unwrap_or_default(), target);
    StorageError::new(kind, operation, resource)
        .with_answer(status, code.map(str::to_owned))
        .with_advice(mistake.map(|mistake| mistake.to_string()))
        .with_source(redact(&in_one_line(&chain(error))))
}

fn answered(status: u16, code: &str, on: On) -> ErrorKind {
    match (status, code) {
        (_, "PopReceiptMismatch" | "MessageNotFound") => ErrorKind::LeaseLost,
        // Some answers to HEAD and DELETE have no error code, so only the status counts.
        (404, code) if on == On::Lease && code != "QueueNotFound" => ErrorKind::LeaseLost,
        (404, _) => ErrorKind::NoSuchResource,
        (401 | 403, _) => ErrorKind::Denied,
        (413, _)
        | (
            400,
            "PropertyValueTooLarge" | "EntityTooLarge" | "MessageTooLarge" | "RequestBodyTooLarge",
        ) => ErrorKind::TooLarge,
        // A queue or table that is being deleted can be created again later.
        (409, "QueueBeingDeleted" | "TableBeingDeleted") | (408 | 429 | 500..=599, _) => {
            ErrorKind::Busy
        }
        _ => ErrorKind::Rejected,
    }
}

/// The sign-in error that caused `error`, if there is one.
fn signed_in(error: &azure_core::Error) -> Option<&SignInError> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        let own = cause.downcast_ref::<azure_core::Error>();
        // The SDK's error keeps its cause apart from its `source`.
        let found = own.and_then(|own| own.get_ref()?.downcast_ref());
        if let Some(found) = found.or_else(|| cause.downcast_ref()) {
            return Some(found);
        }
        source = cause.source();
    }
    None
}

/// The error and its causes in one line, without repetitions: the SDK's errors often repeat their source. Errors of its HTTP
/// client about a request without an answer are reworded in plain language.
pub(super) fn chain(error: &azure_core::Error) -> String {
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
    plainly(&text)
}

/// The service's error body in one line: only its message (from XML, or from JSON of tables), since the code is printed before
/// it; then the request id, which Azure's support needs.
fn in_one_line(text: &str) -> String {
    let between = |open: &str, close: &str| {
        let rest = &text[text.find(open)? + open.len()..];
        Some(&rest[..rest.find(close)?])
    };
    let message = between("<Message>", "</Message>").or_else(|| between("\"value\":\"", "\""));
    // JSON escapes newlines, and quotes within the text.
    let message = message.unwrap_or(text).replace("\\n", "\n");
    let (mut said, mut request) = (Vec::new(), None);
    for line in message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        match line.strip_prefix("RequestId:") {
            Some(id) => request = Some(id.trim()),
            // Log lines have their own time.
            None if line.starts_with("Time:") => {}
            None => said.push(line),
        }
    }
    let said = said.join(" ");
    match request {
        Some(id) => format!("{said} (RequestId {id})"),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_said_is_one_line_with_the_request_at_its_end() {
        let xml = "HttpResponse(403, AuthorizationFailure): <?xml version=\"1.0\"?>\n<Error>\n  <Code>AuthorizationFailure</Code>\n  \
                   <Message>Server failed to authenticate the request.\nRequestId:1a-2b\nTime:2026-11-25T03:00:00Z</Message>\n</Error>";
        let json = r#"{"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"It does not exist.\nRequestId:1a-2b\nTime:2026"}}}"#;
        for (text, line) in [
            (
                xml,
                "Server failed to authenticate the request. (RequestId 1a-2b)",
            ),
            (json, "It does not exist. (RequestId 1a-2b)"),
            (
                "error sending request:\n  connection refused",
                "error sending request: connection refused",
            ),
            ("<Message>", "<Message>"),
            ("", ""),
        ] {
            assert_eq!(in_one_line(text), line);
        }
    }

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
