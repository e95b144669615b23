use azurite::CertificateAuthority;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::{AUDIENCE, FederatedCredential, Projection};

pub(crate) struct Rig {
    authority: Authority,
    signer: Signer,
    client: reqwest::Client,
}

/// An acceptor with a certificate for this machine, and the root that verifies it.
pub(crate) fn certified() -> (TlsAcceptor, [reqwest::Certificate; 1]) {
    let authority = CertificateAuthority::new();
    let own = authority.certify();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap(),
        );
    let root = reqwest::Certificate::from_pem(authority.certificate().as_bytes());
    (Arc::new(server.unwrap()).into(), [root.unwrap()])
}

pub(crate) fn directory(issuer: String) -> Directory {
    Directory {
        tenant: "tenant-1".to_owned(),
        client: "client-1".to_owned(),
        federated: FederatedCredential {
            issuer,
            subject: "system:serviceaccount:ns:sa".to_owned(),
            audience: AUDIENCE.to_owned(),
        },
        token_life_s: 3600,
        tolerance_s: crate::TOLERANCE_S,
    }
}

pub(crate) fn projection(issuer: String) -> Projection {
    Projection {
        issuer,
        namespace: "ns".to_owned(),
        service_account: "sa".to_owned(),
        audience: AUDIENCE.to_owned(),
        life: Duration::from_secs(3600),
        age: Duration::ZERO,
        is_renewed: false,
    }
}

impl Rig {
    async fn new() -> Self {
        let (acceptor, roots) = certified();
        let signer = Signer::new("cluster-1").unwrap();
        let authority = Authority::start(acceptor, &roots, signer.published(), directory).await;
        let client = reqwest::Client::builder().tls_certs_only(roots);
        Self {
            authority: authority.unwrap(),
            signer,
            client: client.no_proxy().build().unwrap(),
        }
    }

    fn projection(&self) -> Projection {
        projection(self.authority.directory().federated.issuer.clone())
    }

    fn assertion(&self, pod: &str, projection: &Projection) -> String {
        projection.token(&self.signer, pod, projection.age).unwrap()
    }

    async fn ask(&self, tenant: &str, client: &str, assertion: &str) -> (u16, Value) {
        let form = reqwest::Url::parse_with_params(
            "https://x/",
            [
                ("client_id", client),
                ("client_assertion", assertion),
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
                ("grant_type", "client_credentials"),
                ("scope", "https://storage.azure.com/.default"),
            ],
        );
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.authority.host());
        let body = form.unwrap().query().unwrap().to_owned();
        let answer = self.client.post(url).body(body).send().await.unwrap();
        (
            answer.status().as_u16(),
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap(),
        )
    }

    /// The code of the refusal; 0 if a token is given.
    async fn code(&self, projection: Projection) -> u64 {
        let pod = format!("pod-{}", self.authority.seen().exchanges.len());
        let assertion = self.assertion(&pod, &projection);
        let (status, document) = self.ask("tenant-1", "client-1", &assertion).await;
        let code = document["error_codes"][0].as_u64().unwrap_or_default();
        assert_eq!(status == 200, code == 0, "{document}");
        if code != 0 {
            let text = document["error_description"].as_str().unwrap();
            assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
        }
        code
    }
}

#[tokio::test]
async fn a_federated_identity_gets_a_token_for_storage() {
    let rig = Rig::new().await;
    let assertion = rig.assertion("pod-1", &rig.projection());
    let (status, document) = rig.ask("tenant-1", "client-1", &assertion).await;
    assert_eq!((status, &document["expires_in"]), (200, &json!(3599)));
    let token = document["access_token"].as_str().unwrap();
    assert_eq!(rig.authority.secrets(), [assertion, token.to_owned()]);
    let given = Exchange {
        pod: "pod-1".to_owned(),
        refused: None,
        is_replaced: false,
    };
    assert_eq!(rig.authority.seen().exchanges, [given]);
    // A client that reads the discovery document can verify the token.
    let host = rig.authority.host();
    let url = format!("{host}/tenant-1/v2.0/.well-known/openid-configuration");
    let get = async |url: &str| {
        rig.client
            .get(url)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap()
    };
    let found: Value = serde_json::from_slice(&get(&url).await).unwrap();
    let keys = get(found["jwks_uri"].as_str().unwrap()).await;
    let keys: JwkSet = serde_json::from_slice(&keys).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find("entra").unwrap()).unwrap();
    let mut strict = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    strict.set_audience(&["https://storage.azure.com"]);
    let claims = jsonwebtoken::decode::<Value>(token, &key, &strict)
        .unwrap()
        .claims;
    assert_eq!(claims["iss"], "https://sts.windows.net/tenant-1/");
}

#[tokio::test]
async fn each_mistake_gets_the_code_that_entra_has_for_it() {
    let rig = Rig::new().await;
    let good = rig.projection();
    assert_eq!(rig.code(good.clone()).await, 0);
    let other = || "other".to_owned();
    for (projection, code) in [
        (
            Projection {
                issuer: good.issuer.trim_end_matches('/').to_owned(),
                ..good.clone()
            },
            700_211,
        ),
        (
            Projection {
                namespace: other(),
                ..good.clone()
            },
            700_213,
        ),
        (
            Projection {
                audience: other(),
                ..good.clone()
            },
            700_212,
        ),
        (
            Projection {
                age: Duration::from_secs(2 * 3600),
                ..good.clone()
            },
            700_024,
        ),
    ] {
        assert_eq!(rig.code(projection).await, code);
    }
    let assertion = rig.assertion("pod-x", &good);
    let code = async |tenant, client, assertion: &str| {
        let (_, document) = rig.ask(tenant, client, assertion).await;
        document["error_codes"][0].as_u64().unwrap()
    };
    assert_eq!(code("tenant-2", "client-1", &assertion).await, 90002);
    assert_eq!(code("tenant-1", "client-2", &assertion).await, 700_016);
    assert_eq!(code("tenant-1", "client-1", "a.b.c").await, 50027);
}

#[tokio::test]
async fn a_forged_signature_is_told_whoever_signed() {
    let rig = Rig::new().await;
    let good = rig.assertion("pod-1", &rig.projection());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let mut altered: Vec<char> = signature.chars().collect();
    altered[10] = if altered[10] == 'A' { 'B' } else { 'A' };
    let altered: String = altered.into_iter().collect();
    // Another key with the same key id, and a key that the issuer does not publish.
    let mut forged = vec![(50013, format!("{signed}.{altered}"))];
    for (id, code) in [("cluster-1", 50013), ("cluster-2", 7_000_272)] {
        let other = Signer::new(id).unwrap();
        let of_other = rig.projection().token(&other, "pod-1", Duration::ZERO);
        forged.push((code, of_other.unwrap()));
    }
    for (code, forged) in forged {
        let (status, document) = rig.ask("tenant-1", "client-1", &forged).await;
        assert_eq!((status, &document["error_codes"][0]), (401, &json!(code)));
    }
}

#[tokio::test]
async fn clocks_may_differ_by_five_minutes_and_no_more() {
    let rig = Rig::new().await;
    for (skew, code) in [
        (-240, 0),
        (-360, 700_024),
        (3600 + 240, 0),
        (3600 + 360, 700_024),
    ] {
        rig.authority.set_skew(skew);
        assert_eq!(rig.code(rig.projection()).await, code, "{skew} s");
    }
}

#[tokio::test]
async fn one_that_is_away_gives_no_answer_and_comes_back() {
    let rig = Rig::new().await;
    assert_eq!(rig.code(rig.projection()).await, 0);
    rig.authority.set_away(true);
    let url = format!("{}/cluster/openid/v1/jwks", rig.authority.host());
    assert!(rig.client.get(&url).send().await.is_err());
    assert!(rig.authority.seen().unreached > 0);
    rig.authority.check().unwrap();
    rig.authority.set_away(false);
    assert_eq!(rig.client.get(&url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_token_that_the_kubelet_has_replaced_is_told_of_its_pod() {
    let rig = Rig::new().await;
    let old = |pod| {
        let projection = rig.projection();
        projection
            .token(&rig.signer, pod, Duration::from_secs(9))
            .unwrap()
    };
    let new = |pod| rig.assertion(pod, &rig.projection());
    // Each is made once: two of different seconds are different tokens.
    let ([old_a, old_b], [new_a, new_b]) = (["a", "b"].map(old), ["a", "b"].map(new));
    for assertion in [&old_a, &old_a, &old_b, &new_a, &new_b, &new_b] {
        rig.ask("tenant-1", "client-1", assertion).await;
    }
    let seen = rig.authority.seen().exchanges.into_iter();
    let replaced = seen.filter(|it| it.is_replaced).map(|it| it.pod);
    assert_eq!(replaced.collect::<Vec<_>>(), ["a", "b"]);
}
