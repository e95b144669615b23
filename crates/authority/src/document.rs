//! Entra's refusals: the code, the text and the document around them, as clients meet them.
//!
//! Texts are those that Entra gave in reports of the field (Azure/azure-workload-identity, Azure/login); codes are listed in
//! "Microsoft Entra authentication and authorization error codes".

use contract::Stamp;
use serde_json::{Value, json};

/// The page of Microsoft Learn that Entra's refusal names when no federated credential matches.
const HELP: &str = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

/// Reason why the token endpoint gives no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The directory (tenant) does not exist.
    NoTenant(String),
    /// The directory has no identity with this client id.
    NoApplication {
        /// The client id in the request.
        client: String,
        /// The directory in the request.
        tenant: String,
    },
    /// The endpoint does not know this kind of request.
    BadRequest(&'static str),
    /// The assertion is not a JWT.
    Malformed,
    /// No federated credential names this issuer.
    Issuer(String),
    /// No federated credential of this issuer names this audience.
    Audience(String),
    /// No federated credential of this issuer names this subject.
    Subject(String),
    /// The issuer's keys cannot be read.
    NoKeys(String),
    /// The issuer publishes no key with the key id of the assertion.
    UnknownKey {
        /// The key id in the assertion.
        key: String,
        /// The issuer that was asked for its keys.
        issuer: String,
    },
    /// The signature does not verify with the issuer's key. The public reports of this code concern assertions other than those
    /// of a federated credential.
    Signature,
    /// By the authority's clock, the assertion is not valid yet or has expired.
    Times {
        /// The authority's time, in seconds since 1970.
        now: i64,
        /// Start of the assertion's validity, in seconds since 1970.
        from: i64,
        /// End of the assertion's validity, in seconds since 1970.
        to: i64,
    },
}

impl Refusal {
    /// The number of the error code: `700213` for `AADSTS700213`.
    pub const fn code(&self) -> u32 {
        match self {
            Self::NoTenant(_) => 90002,
            Self::NoApplication { .. } => 700_016,
            Self::BadRequest(_) => 900_144,
            Self::Malformed => 50027,
            Self::Issuer(_) => 700_211,
            Self::Audience(_) => 700_212,
            Self::Subject(_) => 700_213,
            Self::NoKeys(_) => 50166,
            Self::UnknownKey { .. } => 7_000_272,
            Self::Signature => 50013,
            Self::Times { .. } => 700_024,
        }
    }

    /// The HTTP status and OAuth's error code (RFC 6749, 5.2).
    const fn kind(&self) -> (u16, &'static str) {
        match self {
            Self::NoTenant(_) | Self::BadRequest(_) | Self::Malformed | Self::NoKeys(_) => {
                (400, "invalid_request")
            }
            Self::NoApplication { .. } => (400, "unauthorized_client"),
            _ => (401, "invalid_client"),
        }
    }

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        self.kind().0
    }

    fn text(&self) -> String {
        let unmatched = |what: &str, value: &str| {
            format!(
                "No matching federated identity record found for presented assertion {what} '{value}'. Check your federated \
                 identity credential Subject, Audience and Issuer against the presented assertion. {HELP}"
            )
        };
        match self {
            Self::NoTenant(tenant) => format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the \
                 correct cloud. Check with your subscription administrator, this may happen if there are no active \
                 subscriptions for the tenant."
            ),
            Self::NoApplication { client, tenant } => format!(
                "Application with identifier '{client}' was not found in the directory '{tenant}'. This can happen if the \
                 application has not been installed by the administrator of the tenant or consented to by any user in the \
                 tenant. You may have sent your authentication request to the wrong tenant."
            ),
            Self::BadRequest(parameter) => {
                format!("The request body must contain the following parameter: '{parameter}'.")
            }
            Self::Malformed => "JWT token is invalid or malformed.".to_owned(),
            Self::Issuer(issuer) => unmatched("issuer", issuer),
            Self::Audience(audience) => unmatched("audience", audience),
            Self::Subject(subject) => unmatched("subject", subject),
            Self::NoKeys(issuer) => {
                format!("Request to External OIDC endpoint failed: '{issuer}'.")
            }
            Self::UnknownKey { key, issuer } => format!(
                "The certificate with identifier {key} used to sign the federated credential could not be found in the \
                 metadata of identity provider {issuer}. Please validate that your Identity Provider's metadata exposes the \
                 key used to sign the incoming token."
            ),
            Self::Signature => "Assertion failed signature validation. [Reason - The provided signature value did not match \
                 the expected signature value.]"
                .to_owned(),
            Self::Times { now, from, to } => {
                let time = |seconds: i64| Stamp::from_micros(seconds.saturating_mul(1_000_000));
                format!(
                    "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry \
                     time of assertion {}. Review the documentation at \
                     https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
                    time(*now),
                    time(*from),
                    time(*to)
                )
            }
        }
    }

    /// The document that the token endpoint answers with.
    pub fn document(&self) -> Value {
        let (code, now) = (self.code(), Stamp::now());
        let (trace, correlation) = (uuid(1), uuid(2));
        json!({
            "error": self.kind().1,
            "error_description": format!(
                "AADSTS{code}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
                self.text()
            ),
            "error_codes": [code],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        })
    }
}

/// A trace or correlation id; clients do not use its value.
fn uuid(last: u8) -> String {
    format!("00000000-0000-0000-0000-0000000000{last:02}")
}
