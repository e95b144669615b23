//! Azurite's development account. Its key is public and valid for nothing else: the only key used for signing here.
//!
//! The SDK has no credential for account keys, and needs none: the key signs a SAS, which the rest of the code uses. Rule
//! source: "Create an account SAS", Azure Storage REST reference.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

const ACCOUNT: &str = "devstoreaccount1";

/// "Use the Azurite emulator": "Well-known storage account and key".
pub(super) const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Validity of the SAS: a working day, and the night after it. The SAS is not renewed, so storage refuses a process that runs
/// longer.
const LIFE: Duration = Duration::hours(24);

/// Whether these are the public account and key.
pub(super) fn is_own(account: Option<&str>, key: &str) -> bool {
    account == Some(ACCOUNT) && key == KEY
}

/// The endpoint at `port` of an Azurite on this machine.
pub(super) fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}/{ACCOUNT}")
}

/// The endpoint at `port` of the Azurite that `proxy` (`DevelopmentStorageProxyUri`) names; only its scheme and host count.
pub(super) fn endpoint_of(proxy: &str, port: u16) -> Option<String> {
    let proxy: reqwest::Url = proxy.parse().ok()?;
    let host = proxy.host_str()?;
    Some(format!("{}://{host}:{port}/{ACCOUNT}", proxy.scheme()))
}

/// A SAS for the queues and tables of the account, without `?`.
pub(super) fn account_sas() -> String {
    let expiry = (OffsetDateTime::now_utc() + LIFE).truncate_to_second();
    let expiry = expiry.format(&Rfc3339);
    signed(&expiry.expect("a UTC time must be formattable"))
}

fn signed(expiry: &str) -> String {
    const VERSION: &str = "2021-12-02";
    const RIGHTS: &str = "rwdlacup";
    const PROTOCOLS: &str = "https,http";
    // Account, rights, services, resource types, start, expiry, addresses, protocols, version, encryption scope.
    let to_sign = format!("{ACCOUNT}\n{RIGHTS}\nqt\nsco\n\n{expiry}\n\n{PROTOCOLS}\n{VERSION}\n\n");
    let key = BASE64_STANDARD
        .decode(KEY)
        .expect("a constant must be base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC must take a key of any length");
    mac.update(to_sign.as_bytes());
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    let escaped = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    format!(
        "sv={VERSION}&ss=qt&srt=sco&sp={RIGHTS}&se={}&spr={}&sig={}",
        escaped(expiry),
        escaped(PROTOCOLS),
        escaped(&signature)
    )
}
