//! Signing in failed: why, in Microsoft Entra's own code, and the command that mends it.

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

/// The code of an error that no authority has given: it could not be reached, or gave no answer that can be read.
pub(super) const AUTHORITY_UNAVAILABLE: &str = "AuthorityUnavailable";

/// The same where signing in is refused without a code of Entra's.
const CREDENTIAL_UNAVAILABLE: &str = "CredentialUnavailable";

/// Codes that say that Entra itself is in trouble ("Microsoft Entra authentication and authorization error codes"): another
/// try may succeed.
const TRANSIENT: [&str; 3] = ["90025", "90033", "90055"];

/// No token could be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub struct SignInError {
    /// [`ErrorKind::Denied`] where the authority refuses, [`ErrorKind::Unreachable`] where it gave no answer.
    pub(super) kind: ErrorKind,
    /// `AADSTS700213`, or a name of ours where there is no code of Entra's.
    pub(super) code: String,
    /// What to do about it.
    pub(super) advice: Option<String>,
    text: String,
}

impl SignInError {
    /// Reads `error` of a credential; `asked` is what it had asked for.
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

    /// The authority did not answer within `limit`.
    pub(super) fn late(limit: Duration) -> Self {
        Self {
            kind: ErrorKind::Unreachable,
            code: AUTHORITY_UNAVAILABLE.to_owned(),
            advice: None,
            text: format!("the authority gave no answer within {limit:?}"),
        }
    }
}

/// Whether the authority refused or was not there, and its code.
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
                // Several codes are joined by commas; the first is the reason.
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
            // An answer that is no document of Entra's comes from something on the way.
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
