//! Bearer tokens, only over TLS: audience, issuer and times are checked, but neither the signature nor roles.
//!
//! These are the checks of Azurite's `--oauth basic`; there is no authority whose keys could verify a signature. Source:
//! "Authorize with Microsoft Entra ID", Azure Storage REST reference.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{Authenticator, Service};
use crate::http::{error::ServiceError, request::Target};

#[derive(Debug, Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    exp: u64,
    nbf: u64,
}

/// The resource id of Azure Storage, which tokens may name instead of its address.
const RESOURCE_ID: &str = "e406a681-f3d4-42a8-90b6-c2b029497af1";

const ISSUERS: [&str; 6] = [
    "https://sts.windows.net/",
    "https://sts.windows-ppe.net/",
    "https://sts.chinacloudapi.cn/",
    "https://sts.microsoftonline.us/",
    "https://sts.microsoftonline.de/",
    "https://login.microsoftonline.com/",
];

pub(super) fn verify(
    authenticator: &Authenticator<'_>,
    target: &Target<'_>,
    token: &str,
) -> Result<(), ServiceError> {
    if !target.request.secure {
        return Err(ServiceError::authentication_detail(
            "Authentication scheme Bearer is not supported over HTTP.",
        ));
    }
    let claims = claims(token)
        .ok_or_else(|| ServiceError::authentication_detail("The token is not a JSON web token."))?;
    let now = authenticator.now.seconds();
    if claims.nbf > now {
        return Err(ServiceError::authentication_detail(
            "Lifetime validation failed. The token is not valid yet.",
        ));
    }
    if claims.exp <= now {
        return Err(ServiceError::authentication_detail(
            "Lifetime validation failed. The token is expired.",
        ));
    }
    if !ISSUERS.iter().any(|issuer| claims.iss.starts_with(issuer)) {
        return Err(ServiceError::authentication_detail(
            "Issuer validation failed. The token's issuer did not match.",
        ));
    }
    let account = &authenticator.account.name;
    if !is_audience(&claims.aud, authenticator.service, account) {
        return Err(ServiceError::authentication_detail(
            "Audience validation failed. The token's audience did not match.",
        ));
    }
    Ok(())
}

fn claims(token: &str) -> Option<Claims> {
    let payload = token.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// Whether a token's audience is this service: all of Azure Storage, or the address of this account.
fn is_audience(audience: &str, service: Service, account: &str) -> bool {
    let audience = audience.strip_suffix('/').unwrap_or(audience);
    let whole = ["https://storage.azure.com", RESOURCE_ID];
    // A table may be in Cosmos DB, and clients request tokens for that.
    let cosmos = service == Service::Table && audience == "https://cosmos.azure.com";
    if whole.contains(&audience) || cosmos {
        return true;
    }
    let service = service.name();
    let suffixes = [
        "windows.net",
        "chinacloudapi.cn",
        "usgovcloudapi.net",
        "cloudapi.de",
    ];
    suffixes
        .iter()
        .any(|suffix| audience == format!("https://{account}.{service}.core.{suffix}"))
}
