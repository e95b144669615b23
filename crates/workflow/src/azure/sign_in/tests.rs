use azure_core::http::StatusCode;

use super::*;

/// Wraps an error as the SDK does for errors of a credential.
fn wrapped(inner: azure_core::Error) -> azure_core::Error {
    azure_core::Error::with_error(
        AzureKind::Credential,
        inner,
        "WorkloadIdentityCredential authentication failed.",
    )
}

fn answered(status: StatusCode, code: Option<&str>) -> azure_core::Error {
    let kind = AzureKind::HttpResponse {
        status,
        error_code: code.map(str::to_owned),
        raw_response: None,
    };
    wrapped(azure_core::Error::with_message(kind, "AADSTS: some text"))
}

fn read(error: &azure_core::Error) -> (ErrorKind, String) {
    let error = SignInError::of(error, &Asked::default());
    (error.kind, error.code)
}

#[test]
fn a_refusal_keeps_the_code_of_the_authority() {
    let refused = answered(StatusCode::Unauthorized, Some("700213"));
    assert_eq!(
        read(&refused),
        (ErrorKind::Denied, "AADSTS700213".to_owned())
    );
    let joined = answered(StatusCode::BadRequest, Some("700024,50013"));
    assert_eq!(read(&joined).1, "AADSTS700024");
    let none = answered(StatusCode::BadRequest, None);
    assert_eq!(
        read(&none),
        (ErrorKind::Denied, CREDENTIAL_UNAVAILABLE.to_owned())
    );
}

#[test]
fn an_authority_in_trouble_is_waited_for() {
    let unavailable = (ErrorKind::Unreachable, AUTHORITY_UNAVAILABLE.to_owned());
    let kinds = [
        AzureKind::Connection,
        AzureKind::Io,
        AzureKind::DataConversion,
    ];
    for kind in kinds {
        let lost = wrapped(azure_core::Error::with_message(kind, "connection refused"));
        assert_eq!(read(&lost), unavailable);
    }
    for (status, code) in [
        (StatusCode::ServiceUnavailable, None),
        (StatusCode::TooManyRequests, Some("50196")),
        (StatusCode::BadRequest, Some("90033")),
    ] {
        assert_eq!(read(&answered(status, code)), unavailable, "{status}");
    }
}

#[test]
fn a_credential_without_any_cause_is_a_refusal() {
    let error = azure_core::Error::with_message(AzureKind::Credential, "az login needed");
    assert_eq!(
        read(&error),
        (ErrorKind::Denied, CREDENTIAL_UNAVAILABLE.to_owned())
    );
}
