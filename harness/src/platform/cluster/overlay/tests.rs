use std::time::Duration;

use cluster::pods::GROUP;

use super::endpoints::Service;
use super::*;
use crate::manifest::{Manifests, check};
use crate::platform::workers::{CONSUMERS, ConsumerOptions};

fn local() -> Overlay {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../k8s/overlays/local");
    Overlay::read(&directory).unwrap()
}

fn adapted() -> Adapted {
    let run: RunId = "r1".parse().unwrap();
    local().adapted("edw-r1", &run, &Images::default()).unwrap()
}

fn plain() -> ConsumerOptions {
    ConsumerOptions::default()
}

#[test]
fn everything_of_the_overlay_is_in_the_runs_namespace() {
    let adapted = adapted();
    let surroundings: Vec<_> = adapted.surroundings().collect();
    assert!(
        surroundings
            .iter()
            .all(|it| it["metadata"]["namespace"] == "edw-r1")
    );
    let kinds: Vec<_> = surroundings
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"Service") && !kinds.contains(&"Namespace"),
        "{kinds:?}"
    );
    let connection = adapted.secret("azurite", "connection").unwrap();
    assert!(
        connection.contains("http://azurite.edw-r1.svc.cluster.local:10001/"),
        "{connection}"
    );
}

#[test]
fn storage_is_found_behind_its_service() {
    let reached = adapted().reached("AZURE_TABLE_ENDPOINT").unwrap();
    assert_eq!(reached.url, "http://azurite:10002/devstoreaccount1");
    let service = Service {
        selector: "app=azurite".to_owned(),
        port: 10002,
        path: "/devstoreaccount1".to_owned(),
    };
    assert_eq!(reached.service, Some(service));
    let sas = adapted()
        .secrets()
        .remove("AZURE_STORAGE_SAS_TOKEN")
        .unwrap();
    assert!(sas.starts_with("sv="), "{sas}");
}

#[test]
fn an_address_outside_is_taken_as_it_is() {
    let mut adapted = adapted();
    let url = "https://account.queue.core.windows.net/";
    adapted
        .settings_mut()
        .unwrap()
        .insert("AZURE_QUEUE_ENDPOINT".to_owned(), json!(url));
    let reached = adapted.reached("AZURE_QUEUE_ENDPOINT").unwrap();
    assert_eq!((reached.url.as_str(), reached.service), (url, None));
}

#[test]
fn two_groups_of_workers_share_nothing_but_the_overlay() {
    let adapted = adapted();
    let slow = ConsumerOptions {
        work: Some("fixed:30s".to_owned()),
        ..ConsumerOptions::default()
    };
    let grace = Duration::from_millis(34_500);
    let [settings, deployment] = adapted.workers(CONSUMERS, 3, &slow, grace).unwrap();
    assert_eq!(deployment["metadata"]["name"], "aqs-app");
    assert_eq!(deployment["spec"]["replicas"], 3);
    assert_eq!(
        deployment["spec"]["selector"]["matchLabels"][GROUP],
        CONSUMERS
    );
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["terminationGracePeriodSeconds"], 35);
    let from = &pod["containers"][0]["envFrom"][0]["configMapRef"]["name"];
    assert_eq!(*from, settings["metadata"]["name"]);
    assert_eq!(settings["data"]["EDW_WORK"], "fixed:30s");
    assert_eq!(settings["data"]["AZURE_QUEUE_NAME"], "edw-r1");
    assert_eq!(settings["data"]["EDW_CONCURRENCY"], "5");
    let [fast, other] = adapted.workers("fast", 1, &plain(), grace).unwrap();
    assert_eq!(other["metadata"]["name"], "aqs-app-fast");
    assert_eq!(fast["data"].get("EDW_WORK"), None);
}

#[test]
fn what_is_applied_breaks_none_of_the_relations_that_an_overlay_must_keep() {
    let adapted = adapted();
    let mut workers = adapted
        .workers(CONSUMERS, 0, &plain(), Duration::from_secs(35))
        .unwrap();
    // They are KEDA's; but a Deployment that is made without a number has one pod, where a scenario says none.
    workers[1]["spec"]
        .as_object_mut()
        .unwrap()
        .remove("replicas");
    let scaled = adapted.scaled(CONSUMERS, |_| Ok(())).unwrap();
    let objects = adapted.surroundings().chain(adapted.authentications());
    let objects = objects.chain(&workers).chain([&scaled]);
    let documents: Vec<Document> = objects
        .map(|value| Document {
            file: "run".to_owned(),
            value: value.clone(),
        })
        .collect();
    let manifests = Manifests::from_documents(&documents).unwrap();
    let problems = check(&manifests);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(
        scaled["spec"]["triggers"][0]["metadata"]["queueName"],
        "edw-r1"
    );
}

#[test]
fn the_producer_runs_as_restricted_as_a_consumer_and_finds_the_same_storage() {
    let job = adapted()
        .producer("producer", &["--messages=5".to_owned()])
        .unwrap();
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    let container = &pod["containers"][0];
    assert_eq!(container["image"], "edw/producer:0.1.0");
    assert_eq!(container["args"][0], "--messages=5");
    let variables = container["env"].as_array().unwrap();
    let value = |name: &str| variables.iter().find(|it| it["name"] == name);
    assert_eq!(value("AZURE_QUEUE_NAME").unwrap()["value"], "edw-r1");
    assert!(value("AZURE_STORAGE_SAS_TOKEN").unwrap()["valueFrom"].is_object());
    assert_eq!(
        value("EDW_CONCURRENCY"),
        None,
        "it means another thing to a producer"
    );
}

#[test]
fn an_overlay_that_scales_nothing_is_refused() {
    let mut documents: Vec<Document> = Vec::new();
    for value in local().objects {
        if value["kind"] != "ScaledObject" {
            let file = "x".to_owned();
            documents.push(Document { file, value });
        }
    }
    let refused = Overlay::of(documents).unwrap_err().to_string();
    assert_eq!(
        refused,
        "find what is scaled: there are 0 ScaledObjects, and one is needed"
    );
}

#[test]
fn a_wire_stands_for_storage_and_each_pod_goes_to_it_under_its_own_name() {
    assert!(local().can_be_wired());
    let mut adapted = adapted();
    assert!(adapted.wire_objects().unwrap().is_empty());
    adapted.wire(7);
    let objects = adapted.wire_objects().unwrap();
    let kinds: Vec<_> = objects
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["Deployment", "Service", "NetworkPolicy", "NetworkPolicy"]
    );
    let container = &objects[0]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "edw/wire:0.1.0");
    let arguments = container["args"].as_array().unwrap();
    assert_eq!(
        arguments[0],
        "--queue=http://azurite:10001/devstoreaccount1"
    );
    assert!(arguments.contains(&json!("--seed=7")));
    let grace = Duration::from_secs(35);
    let [_, deployment] = adapted.workers(CONSUMERS, 1, &plain(), grace).unwrap();
    let variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    let variables = variables.as_array().unwrap();
    let at = |name: &str| variables.iter().position(|it| it["name"] == name).unwrap();
    let table = &variables[at("AZURE_TABLE_ENDPOINT")]["value"];
    assert_eq!(
        *table,
        "http://edw-wire:10002/$(EDW_WIRE_CLIENT)/devstoreaccount1"
    );
    // A variable is put into those behind it alone.
    assert!(at("EDW_WIRE_CLIENT") < at("AZURE_QUEUE_ENDPOINT"));
    let job = adapted.producer("producer", &[]).unwrap();
    let own = &job["spec"]["template"]["spec"]["containers"][0]["env"];
    let queues = own
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["name"] == "AZURE_QUEUE_ENDPOINT");
    let queues: Vec<_> = queues.map(|it| it["value"].as_str().unwrap()).collect();
    assert_eq!(queues, ["http://edw-wire:10001/producer/devstoreaccount1"]);
    // KEDA reads the queue itself.
    let connection = adapted.secret("azurite", "connection").unwrap();
    assert!(connection.contains("azurite.edw-r1.svc"), "{connection}");
}

#[test]
fn no_wire_is_put_before_storage_outside() {
    let mut overlay = local();
    for object in &mut overlay.objects {
        if object["kind"] == "ConfigMap" && object["data"]["AZURE_QUEUE_ENDPOINT"].is_string() {
            object["data"]["AZURE_QUEUE_ENDPOINT"] = json!("https://a.queue.core.windows.net");
        }
    }
    assert!(!overlay.can_be_wired());
}

#[test]
fn a_run_asks_for_the_cpu_of_all_its_pods() {
    let overlay = local();
    // 15 consumers of 40m, Azurite's 250m, producer and wire.
    assert!(
        (overlay.cpu(true, true) - 1.05).abs() < 1e-9,
        "{}",
        overlay.cpu(true, true)
    );
    assert!(
        (overlay.cpu(false, false) - 0.51).abs() < 1e-9,
        "{}",
        overlay.cpu(false, false)
    );
}
