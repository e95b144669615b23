//! A stage that is stopped while it opens leaves nothing behind.

use super::*;
use crate::StoppedOpening;

/// The requests of a client whose API server makes the namespace, and then never answers what fills it.
fn stuck() -> (Client, Arc<Mutex<Vec<String>>>) {
    let (service, mut handle) = tower_test::mock::pair::<
        hyper::Request<Body>,
        hyper::Response<http_body_util::Full<bytes::Bytes>>,
    >();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    tokio::spawn(async move {
        let (mut is_there, mut waiting) = (false, Vec::new());
        while let Some((request, send)) = handle.next_request().await {
            let (method, path) = (
                request.method().to_string(),
                request.uri().path().to_owned(),
            );
            let namespace = json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "edw-r1", "uid": "u1"}});
            let none = json!({"kind": "NamespaceList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": []});
            let answer = match (method.as_str(), path.as_str()) {
                ("POST", "/api/v1/namespaces") => {
                    is_there = true;
                    namespace
                }
                ("GET", "/api/v1/namespaces/edw-r1") if is_there => namespace,
                ("DELETE", "/api/v1/namespaces/edw-r1") => {
                    is_there = false;
                    namespace
                }
                ("GET", "/api/v1/namespaces") => none,
                ("GET", "/api/v1/namespaces/edw-r1/pods") => {
                    let condition = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."});
                    let pod = json!({"metadata": {"name": "azurite-1"}, "spec": {"containers": [{"name": "azurite"}]}, "status": {"conditions": [condition]}});
                    json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [pod]})
                }
                // What keeps the evidence lists objects.
                ("GET", path)
                    if path.starts_with("/api/v1/namespaces/edw-r1/")
                        || path.contains("/namespaces/edw-r1/") =>
                {
                    json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []})
                }
                _ => {
                    waiting.push(send);
                    continue;
                }
            };
            log.lock().unwrap().push(format!("{method} {path}"));
            let answer = bytes::Bytes::from(answer.to_string());
            send.send_response(hyper::Response::new(answer.into()));
        }
    });
    (Client::new(service, "default"), asked)
}

#[tokio::test]
async fn a_stage_that_is_stopped_while_it_opens_removes_its_namespace() {
    let dir = tempfile::tempdir().unwrap();
    let (client, asked) = stuck();
    let plan = plan(1, dir.path());
    let stop = plan.stop.clone();
    let opening = ClusterStage::open(Arc::new(site(client)), plan);
    let made = asked.clone();
    let stopping = async move {
        // The namespace is there, and the API server owes the next answer.
        while made.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (opened, ()) = tokio::join!(opening, stopping);
    let error = opened.err().expect("it must not be open");
    let waits = "azurite-1: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.";
    let waits = Some(waits.to_owned());
    assert_eq!(
        error.downcast_ref(),
        Some(&StoppedOpening { waits }),
        "{error:#}"
    );
    let deleted = "DELETE /api/v1/namespaces/edw-r1".to_owned();
    assert!(asked.lock().unwrap().contains(&deleted));
    let log = std::fs::read_to_string(dir.path().join("events.jsonl")).unwrap();
    assert!(log.contains("resource-created"), "{log}");
    assert!(log.contains("resource-removed"), "{log}");
}
