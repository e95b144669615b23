//! Signs the account SAS with every permission on the queues and tables of the emulator's account.
//!
//! Rule source: "Create an account SAS", Azure Storage REST reference. The key is Microsoft's public key for emulators, valid
//! for nothing else.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use time::{Duration, OffsetDateTime, format_description::FormatItem, macros::format_description};

/// The account of every Azurite without configuration.
pub const ACCOUNT: &str = "devstoreaccount1";

/// The public key of [`ACCOUNT`].
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Service version of the signature. From 2020-12-06 on, the string to sign has a line for the encryption scope.
const VERSION: &str = "2021-12-02";

/// Validity: a working day with one emulator; each call signs a new SAS anyway.
const LIFETIME: Duration = Duration::hours(12);

const TIME: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// The parts of the string to sign, so that tests can sign unusual ones.
#[derive(Debug, Clone)]
struct AccountSas<'a> {
    version: &'a str,
    key: &'a str,
    expiry: OffsetDateTime,
}

/// Query string (without `?`) that is valid from now on for the next hours.
pub fn account_sas() -> String {
    AccountSas {
        version: VERSION,
        key: KEY,
        expiry: OffsetDateTime::now_utc() + LIFETIME,
    }
    .query()
}

impl AccountSas<'_> {
    const PERMISSIONS: &'static str = "rwdlacup"; // read, write, delete, list, add, create, update, process
    const SERVICES: &'static str = "bqt";
    const RESOURCE_TYPES: &'static str = "sco"; // service, container, object
    const PROTOCOL: &'static str = "https,http"; // Azurite speaks plain HTTP unless given a certificate

    fn query(&self) -> String {
        let expiry = self
            .expiry
            .format(TIME)
            .expect("a UTC time must be formattable");
        let encryption_scope = if self.version >= "2020-12-06" {
            "\n"
        } else {
            ""
        };
        let to_sign = format!(
            "{ACCOUNT}\n{}\n{}\n{}\n\n{expiry}\n\n{}\n{}\n{encryption_scope}",
            Self::PERMISSIONS,
            Self::SERVICES,
            Self::RESOURCE_TYPES,
            Self::PROTOCOL,
            self.version,
        );
        let key = BASE64
            .decode(self.key)
            .expect("the account key must be base64");
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&key).expect("HMAC must take a key of any length");
        mac.update(to_sign.as_bytes());
        let signature = BASE64.encode(mac.finalize().into_bytes());
        format!(
            "sv={}&ss={}&srt={}&sp={}&se={}&spr={}&sig={}",
            self.version,
            Self::SERVICES,
            Self::RESOURCE_TYPES,
            Self::PERMISSIONS,
            escape(&expiry),
            escape(Self::PROTOCOL),
            escape(&signature),
        )
    }
}

/// Percent-encodes the reserved characters in Base64, an ISO time and a list.
fn escape(value: &str) -> String {
    value
        .chars()
        .map(|c| match c {
            ':' => "%3A".to_owned(),
            ',' => "%2C".to_owned(),
            '+' => "%2B".to_owned(),
            '/' => "%2F".to_owned(),
            '=' => "%3D".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
