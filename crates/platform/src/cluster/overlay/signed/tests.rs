use std::path::Path;
use std::time::Duration;

use azurite::ACCOUNT;
use manifest::{Document, Manifests, check};
use workflow::contract::RunId;

use super::*;
use crate::cluster::images::Images;
use crate::workers::{CONSUMERS, ConsumerOptions};

fn overlay(name: &str) -> Overlay {
    let overlays = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/overlays");
    Overlay::read(&overlays.join(name)).unwrap()
}

fn issuer() -> Issuer {
    let signer = authority::Signer::new("of-the-cluster").unwrap();
    Issuer {
        issuer: "https://issuer.example/".to_owned(),
        keys: serde_json::to_value(signer.published()).unwrap(),
    }
}

fn signed_in_to(overlay: &Overlay, set_up: &SetUp) -> Adapted {
    let run: RunId = "r1".parse().unwrap();
    let adapted = overlay.adapted("edw-r1", &run, &Images::default());
    let mut adapted = adapted.unwrap();
    let own = overlay.namespace();
    adapted.sign_in(set_up, &issuer(), own).unwrap();
    adapted.wire(7).unwrap();
    adapted
}

fn signed_in(set_up: &SetUp) -> Adapted {
    signed_in_to(&overlay("local"), set_up)
}

fn consumer(adapted: &Adapted) -> Value {
    let options = ConsumerOptions::default();
    let grace = Duration::from_secs(30);
    let workers = adapted.workers((CONSUMERS, 0), 1, &options, grace);
    let [_, deployment] = workers.unwrap();
    deployment["spec"]["template"]["spec"].clone()
}

/// The value of a variable in the first container of `pod`.
fn told<'a>(pod: &'a Value, name: &str) -> &'a str {
    let variables = pod["containers"][0]["env"].as_array().unwrap();
    let mut named = variables.iter().filter(|it| it["name"] == name);
    let found = named.next().unwrap_or_else(|| panic!("{name} is missing"));
    assert_eq!(named.next(), None, "{name} is there twice");
    found["value"].as_str().unwrap()
}

fn settings(adapted: &Adapted) -> Settings {
    let objects = adapted.authority_objects().unwrap();
    let text = objects[0]["stringData"]["settings.json"].as_str().unwrap();
    serde_json::from_str(text).unwrap()
}

/// As azure-workload-identity's webhook injects it (`pkg/webhook/webhook.go`).
#[test]
fn pods_have_the_token_that_their_kubelet_projects_and_nothing_that_opens_storage_otherwise() {
    let adapted = signed_in(&SetUp::default());
    let job = adapted.producers(&[], 1).unwrap().remove(0);
    for pod in [consumer(&adapted), job["spec"]["template"]["spec"].clone()] {
        let volumes = pod["volumes"].as_array().unwrap();
        let token = volumes
            .iter()
            .find(|it| it["name"] == "azure-identity-token");
        let expected = json!({"serviceAccountToken": {
            "audience": "api://AzureADTokenExchange",
            "expirationSeconds": 3600,
            "path": "azure-identity-token",
        }});
        assert_eq!(token.unwrap()["projected"]["sources"], json!([expected]));
        let file = "/var/run/secrets/azure/tokens/azure-identity-token";
        assert_eq!(told(&pod, "AZURE_FEDERATED_TOKEN_FILE"), file);
        assert_eq!(told(&pod, "AZURE_AUTHORITY_HOST"), "https://edw-authority/");
        assert_eq!(told(&pod, "EDW_CREDENTIAL"), "auto");
        assert_eq!(told(&pod, "AZURE_STORAGE_SAS_TOKEN"), "");
        assert_eq!(told(&pod, "SSL_CERT_DIR"), "/etc/edw-wire");
        let queue = told(&pod, "AZURE_QUEUE_ENDPOINT");
        assert!(queue.starts_with("https://edw-wire:10001/"), "{queue}");
        assert_eq!(pod["serviceAccountName"], "aqs-app-service-account");
    }
}

#[test]
fn storage_takes_tokens_over_https_and_its_secret_comes_first() {
    let adapted = signed_in(&SetUp::default());
    let mut surroundings = adapted.surroundings();
    let secret = surroundings.next().unwrap();
    assert_eq!(
        (&secret["kind"], &secret["metadata"]["name"]),
        (&json!("Secret"), &json!("edw-storage"))
    );
    let azurite = surroundings.find(|it| it["kind"] == "Deployment").unwrap();
    let container = &containers(azurite)[0];
    let arguments = container["args"].as_array().unwrap();
    let (_, last) = arguments.split_at(arguments.len() - 6);
    let expected = json!([
        "--cert",
        "/etc/edw-storage/tls.crt",
        "--key",
        "/etc/edw-storage/tls.key",
        "--oauth",
        "basic"
    ]);
    assert_eq!(json!(last), expected);
    // Its queue is made by the harness.
    assert_eq!(container.get("lifecycle"), None);
    let reached = adapted.reached("AZURE_TABLE_ENDPOINT").unwrap();
    assert_eq!(reached.url, format!("https://azurite:10002/{ACCOUNT}"));
    assert_eq!(reached.service.unwrap().port, 10002);
    assert_eq!(adapted.roots().unwrap().len(), 1);
    // The wire trusts storage by the same root.
    let wire = adapted.wire_objects().unwrap();
    let wire = wire.iter().find(|it| it["kind"] == "Deployment").unwrap();
    assert_eq!(
        told(&wire["spec"]["template"]["spec"], "SSL_CERT_DIR"),
        "/etc/edw-wire"
    );
    assert_eq!(
        containers(wire)[0]["args"][0],
        format!("--queue=https://azurite:10001/{ACCOUNT}")
    );
}

#[test]
fn the_engine_takes_tokens_too() {
    let engine = overlay("local-engine");
    assert!(engine.can_sign_in());
    let adapted = signed_in_to(&engine, &SetUp::default());
    let engine = adapted.surroundings().find(|it| it["kind"] == "Deployment");
    let expected = json!([
        "--certificate=/etc/edw-storage/tls.crt",
        "--certificate-key=/etc/edw-storage/tls.key"
    ]);
    assert_eq!(containers(engine.unwrap())[0]["args"], expected);
}

#[test]
fn storage_that_is_azures_or_unknown_takes_no_token_of_ours() {
    assert!(overlay("local").can_sign_in());
    assert!(!overlay("aks").can_sign_in());
    let mut other = overlay("local");
    for object in &mut other.objects {
        if object["metadata"]["name"] == "azurite" && object["kind"] == "Deployment" {
            object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("minio:1");
        }
    }
    assert!(!other.can_sign_in());
}

#[test]
fn the_authority_trusts_the_runs_service_account_and_needs_no_right_in_the_cluster() {
    let adapted = signed_in(&SetUp::default());
    let settings = settings(&adapted);
    let federated = &settings.directory.federated;
    assert_eq!(federated.issuer, "https://issuer.example/");
    assert_eq!(
        federated.subject,
        "system:serviceaccount:edw-r1:aqs-app-service-account"
    );
    assert_eq!(federated.audience, "api://AzureADTokenExchange");
    assert!(settings.keys.find("of-the-cluster").is_some());
    assert_eq!(settings.host, "https://edw-authority");
    let objects = adapted.authority_objects().unwrap();
    let pod = &objects[1]["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["containers"][0]["image"], "edw/wire:0.1.0");
    assert_eq!(pod["containers"][0]["args"][0], "authority");
    // Only consumers and producer may be among those that it does not answer while it is away.
    assert_eq!(pod["containers"][0].get("readinessProbe"), None);
    assert_eq!(
        objects[2]["spec"]["ports"],
        json!([{"port": 443, "targetPort": 8443}])
    );
    // The policy of the overlay lets a consumer go nowhere else.
    let wire = adapted.wire_objects().unwrap();
    let policy = wire
        .iter()
        .find(|it| it["metadata"]["name"] == "edw-wire-workers");
    let to = json!([{"podSelector": {"matchLabels": {"app": "edw-authority"}}}]);
    assert_eq!(policy.unwrap()["spec"]["egress"][1]["to"], to);
    let all = wire.iter().chain(&objects).chain(adapted.surroundings());
    let documents: Vec<Document> = all
        .map(|value| Document {
            file: "run".to_owned(),
            value: value.clone(),
        })
        .collect();
    let problems = check(&Manifests::from_documents(&documents).unwrap());
    let ours = problems
        .iter()
        .filter(|it| format!("{it:?}").contains("edw-authority"));
    assert_eq!(ours.count(), 0, "{problems:?}");
}

#[test]
fn each_mistake_is_made_where_a_user_would_make_it() {
    let of = |mistake| {
        signed_in(&SetUp {
            mistake: Some(mistake),
            ..SetUp::default()
        })
    };
    // The credential names the namespace of the overlay, and the pods run in that of the run.
    let federated = settings(&of(Mistake::Namespace)).directory.federated;
    assert_eq!(
        federated.subject,
        "system:serviceaccount:aqs-demo:aqs-app-service-account"
    );
    let federated = settings(&of(Mistake::Issuer)).directory.federated;
    assert_eq!(federated.issuer, "https://issuer.example");
    let pod = consumer(&of(Mistake::Audience));
    let volumes = pod["volumes"].as_array().unwrap();
    let token = volumes.iter().find(|it| it["name"] == TOKEN).unwrap();
    let token = &token["projected"]["sources"][0]["serviceAccountToken"];
    assert_eq!(
        token["audience"],
        "https://kubernetes.default.svc.cluster.local"
    );
    let right = consumer(&signed_in(&SetUp::default()));
    for (mistake, variable) in [
        (Mistake::Tenant, "AZURE_TENANT_ID"),
        (Mistake::Client, "AZURE_CLIENT_ID"),
    ] {
        assert_ne!(
            told(&consumer(&of(mistake)), variable),
            told(&right, variable)
        );
    }
    assert!(settings(&of(Mistake::Away)).is_away);
}

/// `ServiceAccountTokenProjection` in Kubernetes' API: "must be at least 10 minutes".
#[test]
fn a_token_of_less_than_ten_minutes_is_refused_before_the_api_server_does() {
    let run: RunId = "r1".parse().unwrap();
    let adapted = overlay("local").adapted("edw-r1", &run, &Images::default());
    let set_up = SetUp {
        assertion_life: Duration::from_secs(6),
        ..SetUp::default()
    };
    let refused = adapted.unwrap().sign_in(&set_up, &issuer(), None);
    let told = refused.unwrap_err().to_string();
    assert!(told.contains("no less than 600 s"), "{told}");
}
