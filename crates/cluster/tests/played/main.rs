//! Tests against a fake API server, for cases that neither unit tests nor a healthy cluster show.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]

mod issuer;
mod namespaces;
mod nodes;
mod ready;
mod server;

use std::time::Duration;

use cluster::logs::Followed;
use cluster::watching::{Change, WAITING, follow};
use cluster::{Error, Objects, Wants, namespace, preflight};
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher;
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};
use server::{Answer, played};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn pod(name: &str, version: u32) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "uid": format!("uid-{name}"), "resourceVersion": version.to_string()},
        "spec": {"containers": [{"name": "consumer"}]},
    })
}

fn list(items: &[Value], version: u32) -> Value {
    json!({"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": version.to_string()}, "items": items})
}

/// The first `count` changes of a watch of pods.
async fn told(count: usize, mut answers: Vec<Answer>) -> Vec<String> {
    answers.reverse();
    let (client, _) = played(move |_| {
        let none = || Answer::events(&[]);
        answers.pop().unwrap_or_else(none)
    });
    let (teller, mut hears) = mpsc::channel(WAITING);
    let stop = CancellationToken::new();
    let pods: Api<Pod> = Api::namespaced(client, "edw-r1");
    let watching = tokio::spawn(follow(
        pods,
        watcher::Config::default(),
        teller,
        stop.clone(),
    ));
    let mut all = Vec::new();
    while all.len() < count {
        let change = tokio::time::timeout(Duration::from_secs(3600), hears.recv()).await;
        all.push(
            match change
                .expect("it must tell in time")
                .expect("it must go on")
            {
                Change::Now(pod) => format!("now {}", pod.name_any()),
                Change::Gone(pod) => format!("gone {}", pod.name_any()),
                Change::Complete => "complete".to_owned(),
                Change::Broken(time, why) => format!("broken after {} s: {why}", time.as_secs()),
            },
        );
    }
    stop.cancel();
    watching.await.expect("no watch may panic");
    all
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_the_server_ends_goes_on_where_it_was() {
    let event = |kind: &str, pod: Value| json!({"type": kind, "object": pod});
    let told = told(
        4,
        vec![
            Answer::ok(&list(&[pod("a", 1)], 1)),
            Answer::events(&[event("ADDED", pod("b", 2))]),
            Answer::events(&[event("DELETED", pod("a", 3))]),
        ],
    );
    assert_eq!(told.await, ["now a", "complete", "now b", "gone a"]);
}

#[tokio::test(start_paused = true)]
async fn versions_that_the_server_has_forgotten_cost_no_end_of_a_pod() {
    let forgotten = json!({"type": "ERROR", "object": {
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old resource version",
    }});
    let told = told(
        6,
        vec![
            Answer::ok(&list(&[pod("a", 1), pod("b", 1)], 1)),
            Answer::events(&[forgotten]),
            // `a` went while the watch was broken.
            Answer::ok(&list(&[pod("b", 1)], 9)),
        ],
    );
    let expected = ["now a", "now b", "complete", "now b", "gone a", "complete"];
    assert_eq!(told.await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_away_is_told_of() {
    let (client, _) = played(|_| Answer::refused(503, "ServiceUnavailable", "etcd has no leader"));
    let (teller, mut hears) = mpsc::channel(WAITING);
    let pods: Api<Pod> = Api::namespaced(client, "edw-r1");
    let stop = CancellationToken::new();
    let watching = tokio::spawn(follow(
        pods,
        watcher::Config::default(),
        teller,
        stop.clone(),
    ));
    let Some(Change::Broken(time, why)) = hears.recv().await else {
        panic!("nothing else can be told")
    };
    assert!(time >= Duration::from_secs(60), "{time:?}");
    assert_eq!(why, "etcd has no leader");
    stop.cancel();
    watching.await.unwrap();
}

/// The server's list of the kinds of `v1` that a test applies.
fn kinds() -> Value {
    let resource = |name: &str, kind: &str, namespaced: bool| json!({"name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "patch", "delete"]});
    json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": [
        resource("configmaps", "ConfigMap", true), resource("persistentvolumes", "PersistentVolume", false),
    ]})
}

fn settings() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}})
}

#[tokio::test]
async fn an_object_is_applied_under_our_name_and_only_in_our_namespace() {
    let (client, log) = played(|asked| match asked.method.as_str() {
        "GET" => Answer::ok(&kinds()),
        _ => Answer::ok(&asked.body),
    });
    let objects = Objects::new(client, "edw-r1");
    objects.apply(&settings()).await.unwrap();
    let applied = log.lock().unwrap().last().unwrap().clone();
    assert_eq!(applied.method, "PATCH");
    assert!(
        applied
            .path
            .starts_with("/api/v1/namespaces/edw-r1/configmaps/settings?"),
        "{}",
        applied.path
    );
    assert!(
        applied.path.contains("fieldManager=edw-harness"),
        "{}",
        applied.path
    );
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}});
    let refused = objects.apply(&volume).await.unwrap_err().to_string();
    assert!(
        refused.contains("PersistentVolume/v: it belongs to no namespace"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_the_server_refuses_is_told_in_its_words() {
    for (status, reason, message) in [
        (409, "Conflict", "the object has been modified"),
        (
            403,
            "Forbidden",
            "pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\"",
        ),
        (422, "Invalid", "spec.replicas: Invalid value: -1"),
    ] {
        let (client, _) = played(move |asked| match asked.method.as_str() {
            "GET" => Answer::ok(&kinds()),
            _ => Answer::refused(status, reason, message),
        });
        let error = Objects::new(client, "edw-r1")
            .apply(&settings())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("apply ConfigMap/settings: {message}")
        );
    }
}

#[tokio::test]
async fn a_kind_that_the_cluster_does_not_know_is_named() {
    let (client, _) = played(|_| {
        Answer::refused(
            404,
            "NotFound",
            "the server could not find the requested resource",
        )
    });
    let scaled = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "s"}});
    let error = Objects::new(client, "edw-r1")
        .apply(&scaled)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("use ScaledObject/s: the cluster does not know its kind"),
        "{error}"
    );
}

/// A server that grants all rights except those that `denied` names, without KEDA.
fn least_rights(denied: &'static str) -> impl FnMut(&server::Asked) -> Answer + Send {
    move |asked| {
        if asked.path == "/version" {
            return Answer::ok(&json!({
                "major": "1", "minor": "36", "gitVersion": "v1.36.3", "gitCommit": "", "gitTreeState": "", "buildDate": "",
                "goVersion": "", "compiler": "", "platform": "",
            }));
        }
        if asked
            .path
            .starts_with("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        {
            let wanted = &asked.body["spec"]["resourceAttributes"];
            let resource = format!(
                "{} {}",
                wanted["verb"].as_str().unwrap_or_default(),
                wanted["resource"].as_str().unwrap_or_default()
            );
            let mut review = asked.body.clone();
            review["status"] = json!({"allowed": resource != denied});
            return Answer::ok(&review);
        }
        Answer::refused(
            404,
            "NotFound",
            "the server could not find the requested resource",
        )
    }
}

#[tokio::test]
async fn each_thing_that_lacks_has_a_line_before_anything_is_made() {
    let (client, log) = played(least_rights("create namespaces"));
    let wants = Wants {
        scaling: true,
        ..Wants::default()
    };
    let found = preflight(&client, &wants, "edw-preflight").await.unwrap();
    assert_eq!(found.kubernetes, "v1.36.3");
    let starts = [
        "permission to create namespaces (core)",
        "a role that grants this right: docs/cluster-role.yaml",
        "KEDA: the cluster knows no ScaledObject",
    ];
    assert_eq!(found.lacks.len(), starts.len(), "{:?}", found.lacks);
    for (line, start) in found.lacks.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    let asked = log.lock().unwrap().clone();
    let reviews = |path: &str| path.contains("selfsubjectaccessreviews");
    assert!(
        asked
            .iter()
            .all(|it| it.method == "GET" || reviews(&it.path)),
        "nothing else is made"
    );
}

#[tokio::test]
async fn who_needs_no_scaling_needs_no_keda() {
    let (client, _) = played(least_rights("nothing"));
    let found = preflight(&client, &Wants::default(), "edw-preflight")
        .await
        .unwrap();
    assert_eq!(found.lacks, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_log_is_told_once_and_whole_over_a_cut_connection() {
    let running = json!({"containerStatuses": [{"name": "c", "ready": true, "restartCount": 0, "image": "i", "imageID": "d",
        "state": {"running": {}}}]});
    let ended = json!({"containerStatuses": [{"name": "c", "ready": false, "restartCount": 0, "image": "i", "imageID": "d",
        "state": {"terminated": {"exitCode": 0}}}]});
    let (mut looks, mut reads) = (0, 0);
    let (client, log) = played(move |asked| {
        if asked.path.contains("/log?") {
            reads += 1;
            return match reads {
                1 => Answer::text("2026-11-28T12:00:00.1Z one\n2026-11-28T12:00:00.2Z tw"),
                2 => Answer::refused(502, "", "the kubelet does not answer"),
                _ => Answer::text(
                    "2026-11-28T12:00:00.1Z one\n2026-11-28T12:00:00.2Z two\n2026-11-28T12:00:01Z three\n",
                ),
            };
        }
        looks += 1;
        let mut pod = pod("a", 1);
        pod["status"] = if looks < 3 {
            running.clone()
        } else {
            ended.clone()
        };
        Answer::ok(&pod)
    });
    let followed = Followed {
        pods: Api::namespaced(client, "edw-r1"),
        pod: "a".to_owned(),
        container: "c".to_owned(),
    };
    let mut heard = Vec::new();
    let hear = |line: &str| {
        heard.push(line.to_owned());
        Ok(())
    };
    followed
        .lines(&CancellationToken::new(), hear)
        .await
        .unwrap();
    assert_eq!(heard, ["one", "two", "three"]);
    let asked = log.lock().unwrap().clone();
    let again = asked
        .iter()
        .filter(|it| it.path.contains("sinceTime"))
        .count();
    assert!(again > 0, "it goes on from the last line");
}
