//! Tests of the signature with a real Azurite, and of the escapes.

use time::macros::datetime;

use super::*;
use crate::Azurite;

fn sas(version: &str) -> String {
    AccountSas {
        version,
        key: KEY,
        expiry: datetime!(2030-01-02 03:04:05 UTC),
    }
    .query()
}

#[test]
fn the_signature_is_escaped_and_the_rest_is_readable() {
    let sas = sas("2021-12-02");
    assert!(sas.starts_with(
        "sv=2021-12-02&ss=bqt&srt=sco&sp=rwdlacup&se=2030-01-02T03%3A04%3A05Z&spr=https%2Chttp&sig="
    ));
    let signature = sas.rsplit("sig=").next().unwrap();
    assert!(!signature.contains(['+', '/', '=']), "{signature}");
}

/// The status of listing queues, and of listing tables, with this SAS.
async fn answers(azurite: &Azurite, sas: &str) -> (u16, u16) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let accept = "application/json;odata=nometadata";
    let queues = client.get(format!("{}?comp=list&{sas}", azurite.queue_url()));
    let tables = client.get(format!("{}/Tables?{sas}", azurite.table_url()));
    let queues = queues.send().await.unwrap().status().as_u16();
    let tables = tables
        .header("accept", accept)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16();
    (queues, tables)
}

#[tokio::test]
async fn azurite_accepts_all_versions_and_refuses_another_key_and_a_past_expiry() {
    let azurite = Azurite::start().await.unwrap();
    let later = OffsetDateTime::now_utc() + LIFETIME;
    for version in ["2019-12-12", "2020-10-02", "2020-12-06", VERSION] {
        let sas = AccountSas {
            version,
            key: KEY,
            expiry: later,
        }
        .query();
        assert_eq!(answers(&azurite, &sas).await, (200, 200), "{version}");
    }
    let forged = AccountSas {
        version: VERSION,
        key: "b3RoZXI=",
        expiry: later,
    }
    .query();
    assert_eq!(answers(&azurite, &forged).await, (403, 403));
    let expired = AccountSas {
        version: VERSION,
        key: KEY,
        expiry: later - LIFETIME * 2,
    }
    .query();
    assert_eq!(answers(&azurite, &expired).await, (403, 403));
}

#[test]
fn versions_before_and_after_the_encryption_scope_line_sign_differently() {
    let signature = |version| sas(version).rsplit("sig=").next().unwrap().to_owned();
    assert_ne!(signature("2020-10-02"), signature("2020-12-06"));
}
