//! Tests of the cluster's issuer of tokens.

use cluster::{Issuer, issuer};
use serde_json::json;

use crate::server::{Answer, played};

/// The documents of a real API server of Kubernetes 1.36, the key shortened. The address of the keys is one for pods.
#[tokio::test]
async fn the_issuer_is_read_from_the_api_server_itself() {
    let keys = json!({"keys": [{"use": "sig", "kty": "RSA", "kid": "rPU2", "alg": "RS256", "n": "2nW_", "e": "AQAB"}]});
    let published = keys.clone();
    let (client, log) = played(move |asked| match asked.path.as_str() {
        "/.well-known/openid-configuration" => Answer::ok(&json!({
            "issuer": "https://kubernetes.default.svc",
            "jwks_uri": "https://10.244.0.1:6443/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        })),
        "/openid/v1/jwks" => Answer::ok(&published),
        other => panic!("{other} was asked for"),
    });
    let issuer_of_cluster = Issuer {
        issuer: "https://kubernetes.default.svc".to_owned(),
        keys,
    };
    assert_eq!(issuer(&client).await.unwrap(), issuer_of_cluster);
    assert_eq!(log.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn an_issuer_that_may_not_be_read_is_told_with_its_path() {
    let forbidden = "User \"u\" cannot get path \"/.well-known/openid-configuration\"";
    let (client, _) = played(move |_| Answer::refused(403, "Forbidden", forbidden));
    let told = issuer(&client).await.unwrap_err().to_string();
    assert!(
        told.starts_with("read /.well-known/openid-configuration"),
        "{told}"
    );
    assert!(told.contains("cannot get path"), "{told}");
}
