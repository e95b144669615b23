use std::time::Duration;

use cluster::pods::GROUP;
use manifest::{Manifests, check};

use super::endpoints::Service;
use super::*;
use crate::workers::{CONSUMERS, ConsumerOptions};

fn local() -> Overlay {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/overlays/local");
    Overlay::read(&directory).unwrap()
}

fn adapted() -> Adapted {
    let run: RunId = "r1".parse().unwrap();
    local().adapted("edw-r1", &run, &Images::default()).unwrap()
}

/// The one Job that sends.
fn the_job(adapted: &Adapted, arguments: &[String], generators: u32) -> Value {
    let mut jobs = adapted.producers(arguments, generators).unwrap();
    assert_eq!(jobs.len(), 1);
    jobs.remove(0)
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
    let [settings, deployment] = adapted.workers((CONSUMERS, 0), 3, &slow, grace).unwrap();
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
    let [fast, other] = adapted.workers(("fast", 0), 1, &plain(), grace).unwrap();
    assert_eq!(other["metadata"]["name"], "aqs-app-fast");
    assert_eq!(fast["data"].get("EDW_WORK"), None);
}

#[test]
fn what_is_applied_breaks_none_of_the_relations_that_an_overlay_must_keep() {
    let adapted = adapted();
    let mut workers = adapted
        .workers((CONSUMERS, 0), 0, &plain(), Duration::from_secs(35))
        .unwrap();
    // KEDA sets the replicas; but a Deployment that is created without a number has one pod, and a scenario starts with none.
    workers[1]["spec"]
        .as_object_mut()
        .unwrap()
        .remove("replicas");
    let scaled = adapted.scaled((CONSUMERS, 0), |_| Ok(())).unwrap();
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
    let job = the_job(&adapted(), &["--messages=5".to_owned()], 1);
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
fn several_generators_are_pods_of_one_indexed_job() {
    let job = the_job(&adapted(), &["--messages=5".to_owned()], 4);
    let spec = &job["spec"];
    assert_eq!(spec["completionMode"], "Indexed");
    assert_eq!(
        (&spec["completions"], &spec["parallelism"]),
        (&4.into(), &4.into())
    );
    // A lost pod leaves the others alone, and is not started again.
    assert_eq!(spec["backoffLimitPerIndex"], 0);
    assert_eq!(spec["maxFailedIndexes"], 4);
    assert_eq!(spec.get("backoffLimit"), None);
    let arguments = &spec["template"]["spec"]["containers"][0]["args"];
    assert_eq!(arguments[1], "--slice=$(JOB_COMPLETION_INDEX)/4");
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
    adapted.wire(7).unwrap();
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
    let [_, deployment] = adapted.workers((CONSUMERS, 0), 1, &plain(), grace).unwrap();
    let variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    let variables = variables.as_array().unwrap();
    let at = |name: &str| variables.iter().position(|it| it["name"] == name).unwrap();
    let table = &variables[at("AZURE_TABLE_ENDPOINT")]["value"];
    assert_eq!(
        *table,
        "http://edw-wire:10002/$(EDW_WIRE_CLIENT)/devstoreaccount1"
    );
    // A variable can refer only to variables before it.
    assert!(at("EDW_WIRE_CLIENT") < at("AZURE_QUEUE_ENDPOINT"));
    let job = the_job(&adapted, &[], 1);
    let own = &job["spec"]["template"]["spec"]["containers"][0]["env"];
    let queues = own
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["name"] == "AZURE_QUEUE_ENDPOINT");
    let queues: Vec<_> = queues.map(|it| it["value"].as_str().unwrap()).collect();
    assert_eq!(queues, ["http://edw-wire:10001/producer/devstoreaccount1"]);
    // KEDA reads the queue itself, without the wire.
    let connection = adapted.secret("azurite", "connection").unwrap();
    assert!(connection.contains("azurite.edw-r1.svc"), "{connection}");
}

/// The overlay with its storage at these addresses.
fn at(queue: &str, table: &str) -> Overlay {
    let mut overlay = local();
    for object in &mut overlay.objects {
        if object["kind"] == "ConfigMap" && object["data"]["AZURE_QUEUE_ENDPOINT"].is_string() {
            object["data"]["AZURE_QUEUE_ENDPOINT"] = json!(queue);
            object["data"]["AZURE_TABLE_ENDPOINT"] = json!(table);
        }
    }
    overlay
}

#[test]
fn no_wire_is_put_before_storage_outside_that_is_spoken_to_in_the_clear() {
    let outside = ["http://10.0.0.5:10001/a", "http://10.0.0.5:10002/a"];
    assert!(!at(outside[0], outside[1]).can_be_wired());
    let half = ["https://a.queue.core.windows.net", "http://azurite:10002/a"];
    assert!(!at(half[0], half[1]).can_be_wired());
}

#[test]
fn before_azures_storage_the_wire_has_a_certificate_of_the_run_and_pods_trust_that_besides_their_own()
 {
    let spot = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/overlays/aks-spot");
    let overlay = Overlay::read(&spot).unwrap();
    let run: RunId = "r1".parse().unwrap();
    let mut adapted = overlay
        .adapted("aqs-demo", &run, &Images::default())
        .unwrap();
    // Objects from which nodes are made belong to the cluster.
    let kinds = adapted.surroundings().map(|it| it["kind"].clone());
    assert!(!kinds.collect::<Vec<_>>().contains(&json!("NodePool")));
    adapted.wire(7).unwrap();
    let objects = adapted.wire_objects().unwrap();
    let of_kind = |kind: &str| objects.iter().find(|it| it["kind"] == kind).unwrap();
    let pod = &of_kind("Deployment")["spec"]["template"]["spec"];
    let arguments = pod["containers"][0]["args"].as_array().unwrap();
    assert_eq!(
        arguments[0],
        "--queue=https://yourstorageaccount.queue.core.windows.net"
    );
    assert!(arguments.contains(&json!("--certificate=/etc/edw-wire-own/tls.crt")));
    let key = of_kind("Secret")["stringData"]["tls.key"].as_str().unwrap();
    assert!(key.contains("PRIVATE KEY"));
    let grace = Duration::from_secs(35);
    let [_, deployment] = adapted
        .workers((CONSUMERS, 0), 1, &ConsumerOptions::default(), grace)
        .unwrap();
    let job = the_job(&adapted, &[], 1);
    for (workload, client) in [(&deployment, "$(EDW_WIRE_CLIENT)"), (&job, "producer")] {
        let pod = &workload["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        let variables = container["env"].as_array().unwrap();
        let value = |name: &str| {
            let mut found = variables.iter().filter(|it| it["name"] == name);
            found.next().unwrap()["value"].as_str().unwrap().to_owned()
        };
        let table = format!("https://edw-wire:10002/{client}");
        assert_eq!(value("AZURE_TABLE_ENDPOINT"), table);
        assert_eq!(value("SSL_CERT_DIR"), "/etc/edw-wire");
        assert_eq!(value("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt");
        assert_eq!(container["volumeMounts"][0]["mountPath"], "/etc/edw-wire");
        assert_eq!(pod["volumes"][0]["configMap"]["name"], "edw-wire");
        // Only the wire has the key.
        assert!(!workload.to_string().contains("PRIVATE KEY"));
    }
    let root = of_kind("ConfigMap")["data"].as_object().unwrap();
    let (name, text) = root.iter().next().unwrap();
    assert_eq!(name, "e19f041d.0");
    reqwest::Certificate::from_pem(text.as_str().unwrap().as_bytes()).unwrap();
}

#[test]
fn a_run_asks_for_the_cpu_of_all_its_pods() {
    let overlay = local();
    let asks_for = |is_scaled, is_wired, cores: f64| {
        let cpu = overlay.cpu(is_scaled, is_wired);
        assert!((cpu - cores).abs() < 1e-9, "{cpu} instead of {cores}");
    };
    // 15 consumers of 20m, Azurite's 250m, producer and wire.
    asks_for(true, true, 0.75);
    // Four consumers, Azurite and producer; then also a wire and an authority.
    asks_for(false, false, 0.43);
    asks_for(false, true, 0.58);
}

#[test]
fn at_most_so_many_consumers_are_on_a_node_whatever_its_size() {
    let grace = Duration::from_secs(35);
    let [_, mut deployment] = adapted()
        .workers((CONSUMERS, 0), 4, &ConsumerOptions::default(), grace)
        .unwrap();
    at_most_on_a_node(&mut deployment, 2);
    let spec = &deployment["spec"]["template"]["spec"];
    let constraints = spec["topologySpreadConstraints"].as_array().unwrap();
    let keys: Vec<_> = constraints.iter().map(|it| &it["topologyKey"]).collect();
    assert_eq!(
        keys,
        ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    );
    let of_nodes = &constraints[1];
    assert_eq!(of_nodes["maxSkew"], 2);
    assert_eq!(of_nodes["whenUnsatisfiable"], "DoNotSchedule");
    // Since there are never this many nodes, the skew counts from zero.
    assert_eq!(of_nodes["minDomains"], 1000);
    assert_eq!(of_nodes["labelSelector"]["matchLabels"][GROUP], CONSUMERS);
    apart_from_the_rest(&mut deployment);
    let rest = json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["edw-wire", "edw-producer"]}]});
    assert_eq!(
        deployment["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"],
        json!({"requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": rest},
        ]})
    );
}

#[test]
fn an_overlay_whose_account_is_not_filled_in_is_refused() {
    let overlays = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/overlays");
    let read = |name: &str| Overlay::read(&overlays.join(name)).unwrap();
    for name in ["local", "local-engine"] {
        read(name).ensure_filled_in().unwrap();
    }
    for name in ["aks", "aks-spot", "sample"] {
        let error = read(name).ensure_filled_in().unwrap_err();
        let told = format!("{error:#}");
        assert!(told.contains("write your own account"), "{told}");
        assert!(error.downcast_ref::<WrongInput>().is_some());
    }
}
