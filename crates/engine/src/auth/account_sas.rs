//! Account SAS: "Create an account SAS", Azure Storage REST reference.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Account, Authenticator, Grant, ResourceType,
    sas::{Permissions, check_signature, check_times, check_way, value, version},
};
use crate::{
    clock::Moment,
    http::{error::ServiceError, request::Target},
    state::edm::DateTime,
};

/// The version from which the string to sign has a line for the encryption scope.
const WITH_SCOPE: &str = "2020-12-06";

pub(super) fn verify(
    authenticator: &Authenticator<'_>,
    target: &Target<'_>,
) -> Result<Grant, ServiceError> {
    let version = version(target)?;
    let get = |name| value(target, name);
    let mut to_sign = [
        authenticator.account.name.as_str(),
        get("sp"),
        get("ss"),
        get("srt"),
        get("st"),
        get("se"),
        get("sip"),
        get("spr"),
        version,
    ]
    .join("\n");
    to_sign.push('\n');
    if version >= WITH_SCOPE {
        to_sign.push_str(get("ses"));
        to_sign.push('\n');
    }
    check_signature(authenticator, target, &to_sign)?;
    check_times(authenticator.now, get("st"), get("se"))?;
    check_way(target)?;
    if !get("ss").contains(authenticator.service.letter()) {
        return Err(ServiceError::service_mismatch());
    }
    let resources = [
        ('s', ResourceType::Service),
        ('c', ResourceType::Container),
        ('o', ResourceType::Object),
    ];
    let named = resources
        .into_iter()
        .filter(|(letter, _)| get("srt").contains(*letter));
    let resources = named.map(|(_, resource)| resource).collect();
    Ok(Grant::AccountSas(Permissions::new(get("sp"), resources)))
}

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A SAS with every permission on both services until `expiry`, as a query without `?`.
pub(crate) fn sign(account: &Account, expiry: Moment) -> String {
    const VERSION: &str = "2021-12-02";
    const PERMISSIONS: &str = "rwdlacup";
    let expiry = DateTime::from(Moment::from_ticks(expiry.seconds() * 10_000_000)).text();
    let name = &account.name;
    let to_sign =
        format!("{name}\n{PERMISSIONS}\nqt\nsco\n\n{expiry}\n\nhttps,http\n{VERSION}\n\n");
    let escape = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    format!(
        "sv={VERSION}&ss=qt&srt=sco&sp={PERMISSIONS}&se={}&spr=https%2Chttp&sig={}",
        escape(&expiry),
        escape(&account.sign(&to_sign)),
    )
}
