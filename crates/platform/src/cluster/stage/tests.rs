//! Tests of the workers of a run with several queues, against a fake API server.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]

mod opening;

use std::collections::BTreeMap;
use std::path::Path;

use ::evidence::events::EventLog;
use ::evidence::pace::Pace;
use cluster::Found;
use cluster::watching::Change;
use http_body_util::BodyExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use workflow::contract::RunId;
use workflow::contract::workload::{Description, WorkerForm};
use workflow::memory::MemoryQueue;

use super::super::images::Images;
use super::super::overlay::Overlay;
use super::super::watched::{see_deployments, see_scalers};
use super::*;
use crate::Identity;
use crate::autoscale::Scaling;
use crate::storage::Queue;
use crate::workers::{CONSUMERS, ConsumerOptions};
use crate::{Replicas, StorageLoss, StorageNeed, WorkerSpec};

/// The changes that were requested: method, path and body.
type Changes = Arc<Mutex<Vec<(String, String, Value)>>>;

/// A fake API server that accepts every apply and delete, and records them.
fn server() -> (Client, Changes) {
    let (service, mut handle) = tower_test::mock::pair::<
        hyper::Request<Body>,
        hyper::Response<http_body_util::Full<bytes::Bytes>>,
    >();
    let changes = Changes::default();
    let log = changes.clone();
    tokio::spawn(async move {
        while let Some((request, send)) = handle.next_request().await {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
            let answer = if method == "GET" {
                kinds(&path)
            } else {
                let asked = (method.clone(), path.clone(), body.clone());
                log.lock().unwrap().push(asked);
                match (method.as_str(), path.ends_with("/scale")) {
                    ("DELETE", _) => json!({"kind": "Status", "apiVersion": "v1", "metadata": {}}),
                    (_, true) => {
                        json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {}})
                    }
                    (_, false) => body,
                }
            };
            let answer = bytes::Bytes::from(answer.to_string());
            send.send_response(hyper::Response::new(answer.into()));
        }
    });
    (Client::new(service, "default"), changes)
}

/// The kinds of a group of the API.
fn kinds(path: &str) -> Value {
    let resource = |name: &str, kind: &str| json!({"name": name, "singularName": "", "namespaced": true, "kind": kind, "verbs": ["get", "patch", "delete"]});
    let (version, resources) = match path {
        "/api/v1" => ("v1", vec![resource("configmaps", "ConfigMap")]),
        "/apis/apps/v1" => ("apps/v1", vec![resource("deployments", "Deployment")]),
        _ => (
            "keda.sh/v1alpha1",
            vec![
                resource("scaledobjects", "ScaledObject"),
                resource("triggerauthentications", "TriggerAuthentication"),
            ],
        ),
    };
    json!({"kind": "APIResourceList", "groupVersion": version, "resources": resources})
}

/// A stage with several queues in memory, and the changes that its API server received.
struct Played {
    stage: ClusterStage,
    changes: Changes,
    _dir: TempDir,
}

/// The plan of a run with this many queues, whose directory is `dir`.
fn plan(queues: u32, dir: &Path) -> StagePlan {
    let run: RunId = "r1".parse().unwrap();
    StagePlan {
        identity: Identity { run, seed: 7 },
        directory: dir.to_owned(),
        scratch: dir.to_owned(),
        log: EventLog::open(dir).unwrap(),
        storage: StorageNeed::Shared,
        queues,
        nodes: None,
        loss: StorageLoss::default(),
        stop: CancellationToken::new(),
    }
}

fn site(client: Client) -> Site {
    let overlay = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/overlays/local");
    Site {
        client,
        context: "kind-edw".to_owned(),
        found: Found {
            keda: Some("2.20.2".to_owned()),
            ..Found::default()
        },
        overlay: Overlay::read(&overlay).unwrap(),
        overlay_name: "local".to_owned(),
        images: Images::default(),
        described: None,
        is_wired: false,
        issuer: None,
        life: Duration::from_secs(60),
        keeps: false,
        patience: Duration::from_secs(60),
        azure: None,
        handed: None,
    }
}

/// The watch state for the run of `plan`.
fn seen(client: Client, plan: &StagePlan) -> Seen {
    let (log, directory) = (plan.log.clone(), plan.directory.clone());
    let crew = Crew::new(log.clone(), directory.clone(), WorkerForm::default());
    Seen {
        client,
        namespace: "edw-r1".to_owned(),
        container: "consumer".to_owned(),
        directory,
        log,
        crew: Arc::new(Mutex::new(crew)),
        observers: Arc::default(),
        deployments: Arc::default(),
        trouble: Arc::default(),
    }
}

/// Storage whose addresses do not answer; its queues are in memory.
async fn storage(adapted: &Adapted, lens: Lens) -> Reachable {
    let here = [1, 2].map(|port| Some(format!("http://127.0.0.1:{port}/devstoreaccount1")));
    let patience = Duration::from_secs(60);
    let mut storage = Reachable::at(adapted, lens, here.into(), Vec::new(), patience).unwrap();
    storage.store.queues.clear();
    for name in adapted.queues() {
        let queue: Arc<dyn Queue> = Arc::new(MemoryQueue::new(name));
        queue.create().await.unwrap();
        storage.store.queues.push(queue);
    }
    storage
}

fn scaling() -> Scaling {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/base");
    Scaling::read(&base, &[], Pace::PRODUCTION).unwrap()
}

impl Played {
    async fn with(queues: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (client, changes) = server();
        let plan = plan(queues, dir.path());
        let site = Arc::new(site(client.clone()));
        let lens = Lens::new(Description::own(), plan.identity.run.clone());
        let adapted = adapted(&site, &plan, "edw-r1", &lens).unwrap();
        let storage = storage(&adapted, lens).await;
        let seen = seen(client.clone(), &plan);
        let roster = lock(&seen.crew).roster();
        let stage = ClusterStage {
            _lookout: Lookout::start(StorageLoss::default(), || async { None }),
            objects: Objects::new(client, "edw-r1"),
            site,
            plan,
            namespace: "edw-r1".to_owned(),
            adapted,
            storage,
            seen,
            watches: Mutex::default(),
            roster,
            wire: None,
            authority: None,
            nodes: None,
            scaled: Mutex::default(),
            is_removed: AtomicBool::new(false),
            deletion_watch: Mutex::default(),
        };
        Self {
            stage,
            changes,
            _dir: dir,
        }
    }

    async fn apply(&self, replicas: Replicas) {
        let spec = WorkerSpec {
            group: CONSUMERS,
            replicas,
            options: ConsumerOptions::default(),
            grace: Duration::from_secs(35),
        };
        self.stage.workers().apply(spec).await.unwrap();
    }

    async fn apply_scaled(&self) {
        self.apply(Replicas::Scaled(Box::new(scaling()))).await;
    }

    /// The changes to objects of the kind that paths call `kind`, with their names.
    fn changed(&self, kind: &str) -> Vec<(String, String, Value)> {
        let changes = lock(&self.changes).clone().into_iter();
        let of_kind = changes.filter_map(|(method, path, body)| {
            let (_, name) = path.split_once(&format!("/{kind}/"))?;
            Some((method, name.to_owned(), body))
        });
        of_kind.collect()
    }

    /// Reports, as the watch does, that a Deployment asks for `replicas`.
    async fn tell_replicas(&self, name: &str, replicas: u32) {
        let (told, hears) = mpsc::channel(1);
        let deployment = json!({"metadata": {"name": name}, "spec": {"replicas": replicas, "selector": {}, "template": {}}});
        let deployment: Deployment = serde_json::from_value(deployment).unwrap();
        told.try_send(Change::Now(Box::new(deployment))).unwrap();
        drop(told);
        see_deployments(self.stage.seen.clone(), hears).await;
    }

    /// Reports, as the watch does, that a Deployment's HPA does not scale, for the reason `message`.
    async fn tell_trouble(&self, name: &str, message: &str) {
        let (told, hears) = mpsc::channel(1);
        let scaler = json!({
            "metadata": {"name": format!("keda-hpa-{name}")},
            "spec": {"maxReplicas": 15, "scaleTargetRef": {"kind": "Deployment", "name": name}},
            "status": {"desiredReplicas": 0, "conditions": [
                {"type": "ScalingActive", "status": "False", "reason": "FailedGetExternalMetric", "message": message},
            ]},
        });
        let scaler: HorizontalPodAutoscaler = serde_json::from_value(scaler).unwrap();
        told.try_send(Change::Now(Box::new(scaler))).unwrap();
        drop(told);
        see_scalers(self.stage.seen.clone(), hears).await;
    }
}

#[tokio::test]
async fn consumers_are_spread_over_the_deployments_of_all_queues() {
    let played = Played::with(3).await;
    played.apply(Replicas::Fixed(7)).await;
    let deployments = played.changed("deployments");
    let replicas: BTreeMap<_, _> = deployments
        .iter()
        .map(|(_, name, body)| (name.as_str(), body["spec"]["replicas"].as_u64().unwrap()))
        .collect();
    let expected = [("aqs-app", 3), ("aqs-app-q2", 2), ("aqs-app-q3", 2)];
    assert_eq!(replicas, expected.into());
    let settings = played.changed("configmaps");
    let queues = settings
        .iter()
        .map(|(_, _, body)| body["data"]["AZURE_QUEUE_NAME"].as_str().unwrap());
    let expected = ["edw-r1-q1", "edw-r1-q2", "edw-r1-q3"];
    assert_eq!(queues.collect::<Vec<_>>(), expected);
    assert_eq!(played.stage.roster.borrow().wanted, 7);
    assert_eq!(played.changed("scaledobjects"), []);
    played.stage.drain(Duration::ZERO).await.unwrap();
    let none = played.changed("deployments").split_off(3);
    let none = none
        .iter()
        .map(|(_, name, body)| (name.as_str(), body["spec"]["replicas"].as_u64()));
    let expected = [
        ("aqs-app/scale", Some(0)),
        ("aqs-app-q2/scale", Some(0)),
        ("aqs-app-q3/scale", Some(0)),
    ];
    assert_eq!(none.collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn each_recording_is_of_one_queue() {
    let played = Played::with(2).await;
    let second = &played.stage.storage.store.queues[1];
    second.send("waits").await.unwrap();
    played.apply_scaled().await;
    let time = Duration::from_secs(40);
    tokio::time::sleep(time).await;
    let settings = scaling().effective();
    let most = |recording: ScalingRecord| {
        let (allowed, _) = recording.allowed(&settings, time);
        allowed.bands.iter().map(|band| band.high).max()
    };
    let most: Vec<_> = played.stage.scaling().into_iter().map(most).collect();
    assert_eq!(most, [Some(0), Some(1)]);
}

#[tokio::test]
async fn the_consumers_of_each_queue_are_scaled_and_seen_by_themselves() {
    let played = Played::with(2).await;
    played.apply_scaled().await;
    let scaled = played.changed("scaledobjects");
    let told: Vec<_> = scaled
        .iter()
        .map(|(method, name, body)| {
            let spec = &body["spec"];
            let target = spec["scaleTargetRef"]["name"].as_str().unwrap();
            let queue = spec["triggers"][0]["metadata"]["queueName"].as_str();
            (method.as_str(), name.as_str(), target, queue.unwrap())
        })
        .collect();
    let expected = [
        ("PATCH", "aws2az-queue-scaleobj", "aqs-app", "edw-r1-q1"),
        (
            "PATCH",
            "aws2az-queue-scaleobj-q2",
            "aqs-app-q2",
            "edw-r1-q2",
        ),
    ];
    assert_eq!(told, expected);
    played.tell_replicas("aqs-app", 1).await;
    played.tell_replicas("aqs-app-q2", 3).await;
    played.tell_replicas("aqs-app", 2).await;
    // `azurite` is another Deployment of the overlay.
    played.tell_replicas("azurite", 9).await;
    assert_eq!(played.stage.roster.borrow().wanted, 5);
    let why = "the server is currently unable to handle the request";
    played.tell_trouble("aqs-app-q2", why).await;
    let [first, second] = &played.stage.scaling()[..] else {
        panic!("one recording for each queue")
    };
    assert_eq!(first.replicas().counts(), [0, 1, 2]);
    assert_eq!(second.replicas().counts(), [0, 3]);
    assert_eq!((first.away(), second.away()), (None, Some(why)));
    let log = std::fs::read_to_string(played.stage.plan.directory.join(::evidence::events::FILE));
    let log = log.unwrap();
    assert_eq!(log.matches("\"queue\":\"edw-r1-q1\"").count(), 2, "{log}");
    assert!(
        log.contains("the HPA of aqs-app-q2 does not scale"),
        "{log}"
    );
    played.stage.drain(Duration::ZERO).await.unwrap();
    let gone = played.changed("scaledobjects").split_off(2);
    let gone: Vec<_> = gone
        .iter()
        .map(|(method, name, _)| (method.as_str(), name.as_str()))
        .collect();
    let expected = [
        ("DELETE", "aws2az-queue-scaleobj"),
        ("DELETE", "aws2az-queue-scaleobj-q2"),
    ];
    assert_eq!(gone, expected);
    played.stage.settle_workers().await.unwrap();
    assert!(played.stage.scaling().is_empty());
}

#[tokio::test]
async fn what_keda_scales_keeps_its_replicas_when_its_settings_change() {
    let played = Played::with(2).await;
    played.apply_scaled().await;
    played.apply_scaled().await;
    assert_eq!(played.changed("deployments").len(), 2);
    assert_eq!(played.changed("scaledobjects").len(), 2);
    assert_eq!(played.changed("configmaps").len(), 4);
}

#[tokio::test]
async fn the_ledger_names_every_queue_of_a_storage_that_outlives_the_run() {
    let played = Played::with(2).await;
    let kept = played.stage.storage.lasting.iter();
    let names: Vec<_> = kept
        .map(|it| (it.kind.as_str(), it.name.as_str()))
        .collect();
    let expected = [
        ("queue", "edw-r1-q1"),
        ("queue", "edw-r1-q1-poison"),
        ("queue", "edw-r1-q2"),
        ("queue", "edw-r1-q2-poison"),
        ("table", "edwr1"),
    ];
    assert_eq!(names, expected);
}
