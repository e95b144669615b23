//! Tests of handed-over nodes against a fake API server.

use std::collections::BTreeSet;

use cluster::nodes::Holder;
use evidence::events::{Event, Log, Resource};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;

use super::*;
use crate::cluster::cordoned_in;
use crate::cluster::nodes::taker::Progress;

const DRAIN: Eviction = Eviction {
    notice: None,
    drained_after: None,
    ends: MachineEnd::Kept,
    returns: false,
};

/// A fake API server with one node and one pod on it, and the changes that were requested of it.
struct Server {
    client: Client,
    changes: Arc<Mutex<Vec<String>>>,
}

/// `denied`: the method, the end of the path, and the status of the request that is refused.
fn server(denied: Option<(&'static str, &'static str, u16)>) -> Server {
    let (service, mut handle) = tower_test::mock::pair::<
        hyper::Request<Body>,
        hyper::Response<http_body_util::Full<bytes::Bytes>>,
    >();
    let changes: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = changes.clone();
    tokio::spawn(async move {
        let mut node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "n", "uid": "u", "resourceVersion": "1", "labels": {"edw.example/drain": "yes"}},
            "spec": {},
        });
        let mut pods = vec![
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "aqs-app-1", "namespace": "edw-r1", "uid": "p"}}),
        ];
        while let Some((request, send)) = handle.next_request().await {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let (method, path) = (parts.method.as_str(), parts.uri.path());
            if method != "GET" {
                let of = body["metadata"]["annotations"]["edw/cordoned-by"].clone();
                log.lock().unwrap().push(format!("{method} {path} {of}"));
            }
            let refused = denied.filter(|(of, end, _)| *of == method && path.ends_with(end));
            let (status, answer) = if let Some((_, _, status)) = refused {
                let refusal = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "reason": "", "message": "refused"});
                (status, refusal)
            } else if path.ends_with("/eviction") {
                pods.clear();
                (
                    201,
                    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}}),
                )
            } else if path.ends_with("/pods") {
                (
                    200,
                    json!({"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": pods}),
                )
            } else {
                if method == "PATCH" {
                    let annotations = body["metadata"]["annotations"].clone();
                    let is_held = annotations["edw/cordoned-by"].is_string();
                    node["metadata"]["annotations"] = if is_held { annotations } else { json!({}) };
                    node["spec"] = body["spec"].clone();
                }
                (200, node.clone())
            };
            let answer = bytes::Bytes::from(answer.to_string());
            let answer = hyper::Response::builder()
                .status(status)
                .body(answer.into());
            send.send_response(answer.unwrap());
        }
    });
    Server {
        client: Client::new(service, "default"),
        changes,
    }
}

/// Takes the node back for the run `r1`; with the run's directory and the progress that was reported.
fn taker(client: Client) -> (HandedOver, TempDir, Tell, Arc<Mutex<Vec<Progress>>>) {
    let dir = tempfile::tempdir().unwrap();
    let seen = seen(client.clone(), dir.path());
    let handed = Handed {
        label: "edw.example/drain=yes".parse().unwrap(),
        client,
    };
    let holder = Holder {
        run: "r1".to_owned(),
        life: Duration::from_secs(60),
    };
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let log = told.clone();
    let tell: Tell = Arc::new(move |progress| log.lock().unwrap().push(progress));
    (
        HandedOver::new(handed, seen, "kind-edw", holder),
        dir,
        tell,
        told,
    )
}

fn the_node() -> SeenNode {
    SeenNode {
        name: "n".to_owned(),
        ..SeenNode::default()
    }
}

/// The ledger entries that the log has and that are not struck off.
fn left(dir: &TempDir) -> Vec<String> {
    let mut left = Vec::<Resource>::new();
    for entry in Log::read(dir.path()).unwrap().entries {
        match entry.event {
            Event::ResourceCreated(resource) => left.push(resource),
            Event::ResourceRemoved(resource) => left.retain(|each| *each != resource),
            _ => {}
        }
    }
    left.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_node_is_in_the_ledger_before_it_is_cordoned_and_until_it_is_given_back() {
    let Server { client, changes } = server(None);
    let (taker, dir, tell, told) = taker(client);
    taker.take_back(&the_node(), DRAIN, tell).await.unwrap();
    assert_eq!(left(&dir), ["cordon n by r1 at kind-edw"]);
    let emptied = async || {
        let is_emptied = told.lock().unwrap().last() == Some(&Progress::Emptied);
        Ok(is_emptied.then_some(()))
    };
    let emptied = crate::until::until(SOON, emptied).await;
    emptied.unwrap().expect("it must be empty in time");
    taker.give_back().await.unwrap();
    assert_eq!(left(&dir), [""; 0]);
    // A second call changes nothing.
    taker.give_back().await.unwrap();
    let expected = [
        "PATCH /api/v1/nodes/n \"r1\"",
        "POST /api/v1/namespaces/edw-r1/pods/aqs-app-1/eviction null",
        "PATCH /api/v1/nodes/n null",
    ];
    assert_eq!(*changes.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_node_that_may_not_be_cordoned_is_struck_off_again() {
    let Server { client, .. } = server(Some(("PATCH", "/n", 403)));
    let (taker, dir, tell, told) = taker(client);
    let refused = taker.take_back(&the_node(), DRAIN, tell).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "cordon the node n: refused"
    );
    assert_eq!(left(&dir), [""; 0]);
    assert!(told.lock().unwrap().is_empty());
}

#[tokio::test]
async fn pods_that_may_not_be_evicted_are_told_and_the_node_is_given_back_all_the_same() {
    let Server { client, .. } = server(Some(("POST", "/eviction", 403)));
    let (taker, dir, tell, told) = taker(client);
    taker.take_back(&the_node(), DRAIN, tell).await.unwrap();
    let failed = async || {
        let told = told.lock().unwrap();
        let failed = told.iter().find_map(|it| match it {
            Progress::Failed(why) => Some(why.clone()),
            _ => None,
        });
        Ok(failed)
    };
    let failed = crate::until::until(SOON, failed).await.unwrap();
    assert_eq!(failed.unwrap(), "evict the pod aqs-app-1: refused");
    taker.give_back().await.unwrap();
    assert_eq!(left(&dir), [""; 0]);
}

#[test]
fn the_line_of_the_ledger_is_read_as_it_is_written() {
    let line = cordoned_in("kind-edw", "node-1.example", "r1");
    let read = crate::cluster::cordoned(&line);
    assert_eq!(read, Some(("node-1.example", "r1")));
    let names: BTreeSet<&str> = [&*line.kind, crate::cluster::NAMESPACE].into();
    assert_eq!(names.len(), 2);
}
