//! Errors of signing in: the reason, with Microsoft Entra's own code, and the command that mends it.

mod access;
mod assertion;
mod mend;
mod shell;

use std::time::Duration;

use azure_core::error::ErrorKind as AzureKind;

use super::redact;
use crate::ports::ErrorKind;

pub(super) use access::account_sas;
pub use access::{Signer, Target, access_mistake};
pub(super) use assertion::Assertion;
pub use mend::{Asked, Mistake, Step, mistake};

/// The code if the authority was unreachable, or gave no readable answer.
pub(super) const AUTHORITY_UNAVAILABLE: &str = "AuthorityUnavailable";

/// The code if the sign-in was refused without an Entra code.
const CREDENTIAL_UNAVAILABLE: &str = "CredentialUnavailable";

/// The code if storage refused a token that ended before it got there.
const TOKEN_ENDED: &str = "TokenEnded";

/// Codes for problems of Entra itself ("Microsoft Entra authentication and authorization error codes"): another try may
/// succeed.
const TRANSIENT: [&str; 3] = ["90025", "90033", "90055"];

/// Error of a token request.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub struct SignInError {
    /// [`ErrorKind::Denied`] if the authority refused, [`ErrorKind::Unreachable`] if it gave no answer or its token was over.
    pub(super) kind: ErrorKind,
    /// Entra's code, such as `AADSTS700213`, or one of the names above.
    pub(super) code: String,
    /// What to do about it.
    pub(super) advice: Option<String>,
    text: String,
}

impl SignInError {
    /// Converts `error` of a credential; `asked` is the request.
    pub(super) fn of(error: &azure_core::Error, asked: &Asked) -> Self {
        let text = redact(&super::error::chain(error));
        let (kind, code) = classified(error);
        let advice = match kind {
            ErrorKind::Unreachable => Some(
                "check that the name of the authority resolves and that egress to it (login.microsoftonline.com, port 443) \
                 is allowed"
                    .to_owned(),
            ),
            _ => mistake(&code, asked).map(|mistake| mistake.to_string()),
        };
        Self {
            kind,
            code,
            advice,
            text,
        }
    }

    /// The error of an authority without an answer within `limit`.
    pub(super) fn late(limit: Duration) -> Self {
        Self {
            kind: ErrorKind::Unreachable,
            code: AUTHORITY_UNAVAILABLE.to_owned(),
            advice: None,
            text: format!("the authority gave no answer within {limit:?}"),
        }
    }

    /// The error of a request whose token ended while it was on its way to storage.
    pub(super) fn ended_on_its_way() -> Self {
        Self {
            kind: ErrorKind::Unreachable,
            code: TOKEN_ENDED.to_owned(),
            advice: None,
            text: "the token ended while the request was on its way to storage; the next try asks for another"
                .to_owned(),
        }
    }
}

/// Whether the authority refused or was unreachable, and its code.
fn classified(error: &azure_core::Error) -> (ErrorKind, String) {
    let unavailable = (ErrorKind::Unreachable, AUTHORITY_UNAVAILABLE.to_owned());
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        match cause
            .downcast_ref::<azure_core::Error>()
            .map(azure_core::Error::kind)
        {
            Some(AzureKind::HttpResponse {
                status, error_code, ..
            }) => {
                let status = u16::from(*status);
                // Several codes are separated by commas; the first is the reason.
                let code = error_code.as_deref().unwrap_or_default();
                let code = code.split(',').next().unwrap_or_default();
                return if matches!(status, 408 | 429 | 500..) || TRANSIENT.contains(&code) {
                    unavailable
                } else if code.is_empty() {
                    (ErrorKind::Denied, CREDENTIAL_UNAVAILABLE.to_owned())
                } else {
                    (ErrorKind::Denied, format!("AADSTS{code}"))
                };
            }
            // An answer that is not Entra's JSON comes from a proxy in between.
            Some(AzureKind::Connection | AzureKind::Io | AzureKind::DataConversion) => {
                return unavailable;
            }
            _ => source = cause.source(),
        }
    }
    (ErrorKind::Denied, CREDENTIAL_UNAVAILABLE.to_owned())
}

#[cfg(test)]
mod printed;
#[cfg(test)]
mod tests;
