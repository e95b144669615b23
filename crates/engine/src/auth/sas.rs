//! The common part of both kinds of shared access signature: times, protocol, IP address, permissions.
//!
//! Sources: "Create an account SAS" and "Create a service SAS", Azure Storage REST reference.

use std::net::IpAddr;

use super::{Authenticator, ResourceType};
use crate::{
    clock::Moment,
    http::{error::ServiceError, request::Target},
    state::edm::DateTime,
};

/// The letters of a signature, and its scope.
#[derive(Debug, Clone)]
pub(crate) struct Permissions {
    letters: String,
    pub(super) resources: Vec<ResourceType>,
}

impl Permissions {
    pub(super) fn new(letters: &str, resources: Vec<ResourceType>) -> Self {
        Self {
            letters: letters.to_owned(),
            resources,
        }
    }

    pub(super) fn has(&self, letter: char) -> bool {
        self.letters.contains(letter)
    }

    /// Checks that any of `letters` is granted.
    pub(super) fn check(&self, letters: &str) -> Result<(), ServiceError> {
        if letters.chars().any(|letter| self.has(letter)) {
            Ok(())
        } else {
            Err(ServiceError::permission_mismatch())
        }
    }
}

/// The value of a parameter, or an empty text.
pub(super) fn value<'a>(target: &'a Target<'_>, name: &str) -> &'a str {
    target.parameter(name).unwrap_or_default()
}

/// Checks the times of a signature, in the formats that "Specify the signature validity interval" lists.
pub(super) fn check_times(now: Moment, start: &str, expiry: &str) -> Result<(), ServiceError> {
    let now = DateTime::from(now);
    let time = |name: &str, text: &str| {
        DateTime::parse(text).ok_or_else(|| {
            ServiceError::authentication_detail(format!("{name} is not a valid time: {text}"))
        })
    };
    if !start.is_empty() && time("st", start)? > now {
        let detail = format!(
            "Signature not valid in the specified time frame: Start [{start}] - Expiry [{expiry}] - Current [{}]",
            now.text()
        );
        return Err(ServiceError::authentication_detail(detail));
    }
    if time("se", expiry)? <= now {
        let detail = format!(
            "Signature not valid in the specified time frame: Start [{start}] - Expiry [{expiry}] - Current [{}]",
            now.text()
        );
        return Err(ServiceError::authentication_detail(detail));
    }
    Ok(())
}

/// Checks protocol and address of a signature.
pub(super) fn check_way(target: &Target<'_>) -> Result<(), ServiceError> {
    match value(target, "spr") {
        "" | "https,http" | "http,https" => {}
        "https" if target.request.secure => {}
        "https" => return Err(ServiceError::protocol_mismatch()),
        other => {
            let detail = format!("spr is not a valid protocol: {other}");
            return Err(ServiceError::authentication_detail(detail));
        }
    }
    let addresses = value(target, "sip");
    match target.request.peer {
        Some(peer) if !addresses.is_empty() && !contains(addresses, peer) => {
            Err(ServiceError::source_ip_mismatch())
        }
        _ => Ok(()),
    }
}

/// Whether an address is the one of `sip`, or in its range `first-last`.
fn contains(range: &str, peer: IpAddr) -> bool {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    match (
        first.trim().parse::<IpAddr>(),
        last.trim().parse::<IpAddr>(),
    ) {
        (Ok(first), Ok(last)) => (first..=last).contains(&peer),
        _ => false,
    }
}

/// Checks a signature; the error of a wrong one has the string that was signed.
pub(super) fn check_signature(
    authenticator: &Authenticator<'_>,
    target: &Target<'_>,
    to_sign: &str,
) -> Result<(), ServiceError> {
    if authenticator
        .account
        .verifies(to_sign, value(target, "sig"))
    {
        return Ok(());
    }
    let shown = to_sign.replace('\n', "\\n");
    Err(ServiceError::authentication_detail(format!(
        "Signature did not match. String to sign used was {shown}"
    )))
}

/// Checks that the version of a signature is a date; versions then compare like their texts.
pub(super) fn version<'a>(target: &'a Target<'_>) -> Result<&'a str, ServiceError> {
    let version = value(target, "sv");
    if crate::http::version::is_version(version) {
        Ok(version)
    } else {
        Err(ServiceError::authentication_detail(format!(
            "sv is not a valid version: {version}"
        )))
    }
}
