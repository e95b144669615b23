use std::time::Duration;

use super::*;
use crate::server::tests::{certified, directory, projection};
use crate::{Exchange, Remote, Settings, Signer};

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
const PATIENCE: Duration = Duration::from_secs(20);

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// An authority for the cluster of `signer`, and the root that verifies its certificate.
fn authority(
    signer: &Signer,
    listener: TcpListener,
    host: String,
) -> (Program, [reqwest::Certificate; 1]) {
    let (acceptor, roots) = certified();
    let settings = Settings {
        host,
        directory: directory(ISSUER.to_owned()),
        keys: signer.published(),
        skew_s: 0,
        is_away: true,
    };
    // As a Secret holds them.
    let settings = serde_json::to_string(&settings).unwrap();
    let settings = serde_json::from_str(&settings).unwrap();
    let authority = Authority::of_cluster(listener, acceptor, settings).unwrap();
    (Program::new(authority), roots)
}

#[tokio::test]
async fn the_harness_controls_it_and_hears_what_it_has_seen() {
    let signer = Signer::new("of-the-cluster").unwrap();
    let (pods, address) = listener().await;
    let host = format!("https://{address}");
    let (program, roots) = authority(&signer, pods, host.clone());
    let (control, way) = listener().await;
    let mut serving = JoinSet::new();
    serving.spawn(Arc::new(program).serve(control));
    let base = format!("http://{way}");
    let remote = Remote::connect(&base, PATIENCE).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only(roots);
    let client = client.build().unwrap();
    let assertion = projection(ISSUER.to_owned()).token(&signer, "pod-1", Duration::ZERO);
    let assertion = assertion.unwrap();
    let body = format!(
        "client_id=client-1&client_assertion={assertion}&grant_type=client_credentials\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
         &scope=https%3A%2F%2Fstorage.azure.com%2F.default"
    );
    let ask = || {
        let url = format!("{host}/tenant-1/oauth2/v2.0/token");
        client.post(url).body(body.clone()).send()
    };
    // As its settings say, it is away at first.
    assert!(ask().await.is_err());
    assert!(remote.seen().await.unwrap().unreached > 0);
    remote.set_away(false).await.unwrap();
    assert_eq!(ask().await.unwrap().status(), 200);
    let given = Exchange {
        pod: "pod-1".to_owned(),
        refused: None,
        is_replaced: false,
    };
    assert_eq!(remote.seen().await.unwrap().exchanges, [given]);
    let secrets = remote.secrets().await.unwrap();
    assert_eq!((secrets.len(), &secrets[0]), (2, &assertion));
    // It is no issuer: the cluster is.
    let keys = client.get(format!("{host}/cluster/openid/v1/jwks")).send();
    assert_eq!(keys.await.unwrap().status(), 404);
}

#[tokio::test]
async fn one_that_was_restarted_has_forgotten_and_is_refused() {
    let signer = Signer::new("of-the-cluster").unwrap();
    let (control, way) = listener().await;
    let mut lives = JoinSet::new();
    let program = |life: &str| {
        let signer = signer.published();
        let life = life.to_owned();
        async move {
            let (pods, address) = listener().await;
            let (acceptor, _) = certified();
            let settings = Settings {
                host: format!("https://{address}"),
                directory: directory(ISSUER.to_owned()),
                keys: signer,
                skew_s: 0,
                is_away: false,
            };
            let authority = Authority::of_cluster(pods, acceptor, settings).unwrap();
            Arc::new(Program { authority, life })
        }
    };
    lives.spawn(program("1").await.serve(control));
    let base = format!("http://{way}");
    let remote = Remote::connect(&base, PATIENCE).await.unwrap();
    remote.seen().await.unwrap();
    lives.shutdown().await;
    let control = TcpListener::bind(&way).await.unwrap();
    lives.spawn(program("2").await.serve(control));
    let told = remote.seen().await.unwrap_err().to_string();
    assert!(told.contains("restarted"), "{told}");
}
