//! Tests of error bodies and headers of the service, of Azurite and of gateways in between.

use super::*;
use azure_core::http::{StatusCode, headers::Headers};

fn error(status: StatusCode, header: Option<&'static str>, body: &'static str) -> Error {
    let mut headers = Headers::new();
    if let Some(code) = header {
        headers.insert(ERROR_CODE, code);
    }
    check(RawResponse::from_bytes(status, headers, body)).unwrap_err()
}

#[test]
fn an_odata_body_gives_code_and_message() {
    let body = r#"{"odata.error":{"code":"EntityAlreadyExists","message":{"lang":"en-US",
        "value":"The specified entity already exists.\nRequestId:1\nTime:2"}}}"#;
    let error = error(StatusCode::Conflict, None, body);
    assert_eq!(ErrorCode::of(&error), Some(ErrorCode::EntityAlreadyExists));
    assert_eq!(error.http_status(), Some(StatusCode::Conflict));
    assert_eq!(
        error.to_string(),
        "409 EntityAlreadyExists: The specified entity already exists."
    );
}

#[test]
fn the_header_counts_and_stands_alone_where_there_is_no_body() {
    let bare = error(StatusCode::ServiceUnavailable, Some("ServerBusy"), "");
    assert_eq!(ErrorCode::of(&bare), Some(ErrorCode::ServerBusy));
    assert_eq!(bare.to_string(), "503 ServerBusy");
    let both = error(
        StatusCode::NotFound,
        Some("TableNotFound"),
        r#"{"odata.error":{"code":"X"}}"#,
    );
    assert_eq!(ErrorCode::of(&both), Some(ErrorCode::TableNotFound));
}

#[test]
fn xml_bodies_are_read() {
    let table = r#"<?xml version="1.0" encoding="utf-8"?><m:error xmlns:m="u"><m:code>AuthenticationFailed</m:code>
        <m:message xml:lang="en-US">Server failed to authenticate.</m:message></m:error>"#;
    let common = "<Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate.</Message></Error>";
    for body in [table, common] {
        let error = error(StatusCode::Forbidden, None, body);
        assert_eq!(ErrorCode::of(&error), Some(ErrorCode::AuthenticationFailed));
        assert_eq!(
            error.to_string(),
            "403 AuthenticationFailed: Server failed to authenticate."
        );
    }
}

#[test]
fn an_answer_of_something_else_has_a_status_and_no_code() {
    for body in [
        "",
        "upstream unavailable",
        "<html><body>bad gateway</body></html>",
        "<code",
        "{\"odata.error\":5}",
        "<code/>",
    ] {
        let error = error(StatusCode::BadGateway, None, body);
        assert_eq!(ErrorCode::of(&error), None, "{body}");
        assert_eq!(error.to_string(), "502", "{body}");
    }
    let plain = error(
        StatusCode::BadRequest,
        None,
        r#"{"error":{"code":"","message":"no"}}"#,
    );
    assert_eq!(
        (ErrorCode::of(&plain), plain.to_string().as_str()),
        (None, "400 no")
    );
}

#[test]
fn a_success_passes() {
    let response = RawResponse::from_bytes(StatusCode::NoContent, Headers::new(), "");
    assert!(check(response).is_ok());
}

#[test]
fn codes_survive_the_way_through_text() {
    for text in [
        "ServerBusy",
        "AuthorizationSourceIPMismatch",
        "SomethingNew",
    ] {
        assert_eq!(ErrorCode::from(text).to_string(), text);
    }
    assert_eq!(
        ErrorCode::from("SomethingNew"),
        ErrorCode::Other("SomethingNew".to_owned())
    );
    assert_eq!("InvalidInput".parse(), Ok(ErrorCode::InvalidInput));
}

#[test]
fn only_codes_that_pass_by_themselves_are_transient() {
    for code in [
        ErrorCode::ServerBusy,
        ErrorCode::OperationTimedOut,
        ErrorCode::InternalError,
    ] {
        assert!(code.is_transient(), "{code}");
    }
    for code in [
        ErrorCode::EntityAlreadyExists,
        ErrorCode::AuthenticationFailed,
        ErrorCode::Other("X".to_owned()),
    ] {
        assert!(!code.is_transient(), "{code}");
    }
}

#[test]
fn errors_of_the_transport_have_no_code() {
    assert_eq!(ErrorCode::of(&Error::from(ErrorKind::Connection)), None);
}
