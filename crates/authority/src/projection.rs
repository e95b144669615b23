//! Service account tokens, as the API server issues them for a kubelet that projects them into a pod.

use std::time::Duration;

use serde_json::json;
use time::OffsetDateTime;

use super::Signer;

/// Settings of a projected token volume, and the service account of its pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    /// The cluster's issuer.
    pub issuer: String,
    /// The service account's namespace.
    pub namespace: String,
    /// The service account's name.
    pub service_account: String,
    /// The audience of the token.
    pub audience: String,
    /// Lifetime of each token. Kubernetes gives none less than 10 minutes.
    pub life: Duration,
    /// Age of the first token when it is projected.
    pub age: Duration,
    /// Whether the token is replaced at 80 % of its lifetime (kubelet, `token_manager.go`, `requiresRefresh`).
    pub is_renewed: bool,
}

impl Projection {
    /// A token for `pod`, issued `age` ago and signed by `signer`.
    pub fn token(&self, signer: &Signer, pod: &str, age: Duration) -> anyhow::Result<String> {
        let issued = OffsetDateTime::now_utc() - age;
        let ends = issued + self.life;
        let Self {
            issuer,
            namespace,
            service_account,
            audience,
            ..
        } = self;
        signer.sign(&json!({
            "iss": issuer,
            "sub": format!("system:serviceaccount:{namespace}:{service_account}"),
            "aud": [audience],
            "iat": issued.unix_timestamp(),
            "nbf": issued.unix_timestamp(),
            "exp": ends.unix_timestamp(),
            "kubernetes.io": {
                "namespace": namespace,
                "pod": {"name": pod},
                "serviceaccount": {"name": service_account},
            },
        }))
    }
}
