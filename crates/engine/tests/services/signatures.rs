//! Tests of service SAS with stored access policies, and of requests with more than one signature. Most are from the public
//! test suites of Azurite.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use engine::Service;
use hmac::{Hmac, Mac as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

use crate::played::{Played, request};

const VERSION: &str = "2020-10-02";
const ENTITY: &str = r#"{"PartitionKey":"p","RowKey":"r"}"#;
const JSON: (&str, &str) = ("accept", "application/json");

fn sign(text: &str) -> String {
    let key = STANDARD.decode(engine::KEY).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    utf8_percent_encode(&signature, NON_ALPHANUMERIC).to_string()
}

/// A SAS of the table with the policy `some`, and with the table's name in `tn` or only in the address.
fn with_policy(name: &str) -> String {
    let to_sign = format!(
        "\n\n\n/table/{}/table\nsome\n\nhttps,http\n{VERSION}\n\n\n\n",
        engine::ACCOUNT
    );
    format!(
        "sv={VERSION}&si=some&spr=https%2Chttp{name}&sig={}",
        sign(&to_sign)
    )
}

fn policy(letters: &str) -> String {
    format!(
        "<SignedIdentifiers><SignedIdentifier><Id>some</Id><AccessPolicy><Start>2026-11-28</Start><Expiry>2026-11-30</Expiry><Permission>{letters}</Permission></AccessPolicy></SignedIdentifier></SignedIdentifiers>"
    )
}

fn insert(played: &Played, sas: &str) -> (u16, String) {
    let target = format!("/{}/table?{sas}", engine::ACCOUNT);
    let seen = played.ask(Service::Table, &request("POST", &target, &[JSON], ENTITY));
    (seen.status, seen.code)
}

#[test]
fn a_signature_with_a_policy_may_do_what_the_policy_says_now() {
    for name in ["&tn=table", ""] {
        let played = Played::with_table();
        let set = |letters: &str| {
            let date = ("x-ms-date", "Sat, 28 Nov 2026 18:03:44 GMT");
            let target = format!("/{}/table?comp=acl", engine::ACCOUNT);
            let to_sign = format!("{}\n/{}{}", date.1, engine::ACCOUNT, target);
            let signature = percent_encoding::percent_decode_str(&sign(&to_sign))
                .decode_utf8()
                .unwrap()
                .into_owned();
            let key = format!("SharedKeyLite {}:{signature}", engine::ACCOUNT);
            let headers = [date, ("authorization", key.as_str())];
            let seen = played.ask(
                Service::Table,
                &request("PUT", &target, &headers, &policy(letters)),
            );
            assert_eq!(seen.status, 204, "{}", seen.body);
        };
        set("raud");
        assert_eq!(insert(&played, &with_policy(name)).0, 201, "{name}");
        set("r");
        let refused = (403, "AuthorizationPermissionMismatch".to_owned());
        assert_eq!(insert(&played, &with_policy(name)), refused, "{name}");
    }
}

#[test]
fn a_signature_for_another_table_is_refused() {
    let played = Played::with_table();
    let made = played.table("POST", "/Tables", &[], r#"{"TableName":"other"}"#);
    assert_eq!(made.status, 201);
    for name in ["&tn=table", ""] {
        let target = format!("/{}/other?{}", engine::ACCOUNT, with_policy(name));
        let seen = played.ask(Service::Table, &request("POST", &target, &[JSON], ENTITY));
        assert_eq!(
            (seen.status, seen.code.as_str()),
            (403, "AuthenticationFailed"),
            "{name}"
        );
    }
}

#[test]
fn a_signature_that_is_given_twice_is_refused() {
    let played = Played::with_table();
    let sas = played.services.sas();
    assert_eq!(insert(&played, &sas).0, 201);
    let refused = (403, "AuthenticationFailed".to_owned());
    assert_eq!(insert(&played, &format!("{sas}&sig=other")), refused);
}

#[test]
fn a_request_with_a_header_and_a_signature_is_let_in_by_either() {
    let played = Played::with_queue();
    let wrong = [
        ("authorization", "SharedKey devstoreaccount1:AAAA"),
        ("x-ms-date", "Sat, 28 Nov 2026 18:03:44 GMT"),
    ];
    assert_eq!(
        played
            .queue("GET", "/queue?comp=metadata", &wrong, "")
            .status,
        200
    );
    let target = format!(
        "/{}/queue?comp=metadata&{}",
        engine::ACCOUNT,
        played.services.sas().replace("sig=", "sig=AAAA")
    );
    let seen = played.ask(Service::Queue, &request("GET", &target, &wrong, ""));
    assert_eq!(seen.status, 403);
}

#[test]
fn why_a_table_refuses_a_signature_is_in_its_document() {
    let played = Played::with_table();
    let target = format!("/{}/table?{}", engine::ACCOUNT, "sv=1&sig=AAAA&ss=t");
    let seen = played.ask(Service::Table, &request("GET", &target, &[JSON], ""));
    let document: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
    let detail = &document["odata.error"]["AuthenticationErrorDetail"];
    assert_eq!(detail, "sv is not a valid version: 1");
}

#[test]
fn an_account_that_is_not_there_is_told_in_xml() {
    let played = Played::new();
    let seen = played.ask(
        Service::Table,
        &request("GET", "/other/Tables", &[JSON], ""),
    );
    assert_eq!(seen.elements("Code"), ["ResourceNotFound"]);
}
