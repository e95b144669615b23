//! Tests of authentication: no credential, a wrong one, an expired one, and bearer tokens.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use engine::Service;

use crate::played::{Played, request};

const LIST: &str = "/devstoreaccount1?comp=list";

fn refused(played: &Played, target: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let seen = played.ask(Service::Queue, &request("GET", target, headers, ""));
    (seen.status, seen.code)
}

#[test]
fn a_request_without_a_credential_is_told_how_to_bring_one() {
    let played = Played::new();
    let seen = played.ask(Service::Queue, &request("GET", LIST, &[], ""));
    assert_eq!(
        (seen.status, seen.code.as_str()),
        (401, "NoAuthenticationInformation")
    );
    assert!(
        seen.header("www-authenticate")
            .starts_with("Bearer authorization_uri=")
    );
}

#[test]
fn a_signature_is_good_until_its_time_and_for_its_services_alone() {
    let played = Played::new();
    let sas = played.services.sas();
    let target = format!("{LIST}&{sas}");
    assert_eq!(refused(&played, &target, &[]).0, 200);
    let forged = (403, "AuthenticationFailed".to_owned());
    for (from, to) in [("sig=", "sig=AAAA"), ("ss=qt", "ss=q"), ("sp=r", "sp=")] {
        let target = target.replace(from, to);
        assert_eq!(refused(&played, &target, &[]), forged, "{from}");
    }
    played.advance(12 * 60 * 60 - 1);
    assert_eq!(refused(&played, &target, &[]).0, 200);
    played.advance(1);
    assert_eq!(refused(&played, &target, &[]), forged);
}

#[test]
fn a_shared_key_of_another_account_a_wrong_one_and_an_old_one_are_refused() {
    let played = Played::new();
    let date = ("x-ms-date", "Sat, 28 Nov 2026 18:03:44 GMT");
    for (authorization, code) in [
        ("SharedKey other:AAAA", "AuthenticationFailed"),
        ("SharedKey devstoreaccount1:AAAA", "AuthenticationFailed"),
        (
            "SharedKeyLite devstoreaccount1:not base64",
            "AuthenticationFailed",
        ),
        ("SharedKey nonsense", "InvalidAuthenticationInfo"),
        ("Basic abc", "InvalidAuthenticationInfo"),
        ("nonsense", "InvalidAuthenticationInfo"),
    ] {
        let (_, found) = refused(&played, LIST, &[("authorization", authorization), date]);
        assert_eq!(found, code, "{authorization}");
    }
    let old = ("x-ms-date", "Sat, 28 Nov 2026 17:48:00 GMT");
    let key = ("authorization", "SharedKey devstoreaccount1:AAAA");
    let seen = played.ask(Service::Queue, &request("GET", LIST, &[key, old], ""));
    assert!(seen.elements("AuthenticationErrorDetail")[0].contains("too old"));
}

/// A valid token at the system's time.
pub(crate) fn token_now() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    token_at(now, "https://storage.azure.com/", ENTRA, -60, 60)
}

const ENTRA: &str = "https://sts.windows.net/tenant/";

/// A token at the start time of the tests.
fn token(audience: &str, issuer: &str, from: i64, to: i64) -> String {
    token_at(1_795_889_024, audience, issuer, from, to)
}

/// A token whose signature is not checked.
fn token_at(now: i64, audience: &str, issuer: &str, from: i64, to: i64) -> String {
    let claims = format!(
        r#"{{"aud":"{audience}","iss":"{issuer}","nbf":{},"exp":{}}}"#,
        now + from,
        now + to
    );
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!(
        "Bearer {}.{}.c2ln",
        part(r#"{"alg":"none"}"#),
        part(&claims)
    )
}

#[test]
fn a_bearer_token_is_taken_over_tls_alone_and_only_with_its_audience_issuer_and_times() {
    const STORAGE: &str = "https://storage.azure.com/";
    let played = Played::new();
    let ask = |token: &str, secure| {
        let mut request = request("GET", LIST, &[("authorization", token)], "");
        request.secure = secure;
        played.ask(Service::Queue, &request).status
    };
    let good = token(STORAGE, ENTRA, -60, 60);
    assert_eq!(ask(&good, true), 200);
    assert_eq!(ask(&good, false), 403);
    assert_eq!(
        ask(
            &token(
                "https://devstoreaccount1.queue.core.windows.net",
                ENTRA,
                -60,
                60
            ),
            true
        ),
        200
    );
    for wrong in [
        token(
            "https://devstoreaccount1.table.core.windows.net",
            ENTRA,
            -60,
            60,
        ),
        token("https://other.queue.core.windows.net", ENTRA, -60, 60),
        token("https://example.com", ENTRA, -60, 60),
        token(STORAGE, "https://example.com", -60, 60),
        token(STORAGE, ENTRA, 60, 120),
        token(STORAGE, ENTRA, -120, 0),
    ] {
        assert_eq!(ask(&wrong, true), 403, "{wrong}");
    }
    assert_eq!(ask("Bearer nonsense", true), 403);
}

#[test]
fn a_token_reads_and_sets_no_access_policies() {
    let played = Played::with_queue();
    let good = token("https://storage.azure.com", ENTRA, -60, 60);
    let ask = |method: &str, component: &str| {
        let target = format!("/devstoreaccount1/queue?comp={component}");
        let mut request = request(method, &target, &[("authorization", &good)], "");
        request.secure = true;
        let seen = played.ask(Service::Queue, &request);
        (seen.status, seen.code)
    };
    assert_eq!(ask("GET", "metadata").0, 200);
    let refused = (403, "AuthorizationFailure".to_owned());
    assert_eq!(ask("GET", "acl"), refused);
    assert_eq!(ask("PUT", "acl"), refused);
}
