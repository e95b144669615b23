//! Pods that do not become ready, with what the cluster says about them.

use super::*;

/// What [`cluster::ready`] says of pods that do not become ready, while the server lists `pods` and `events`.
async fn not_ready(pods: Vec<Value>, events: Vec<Value>) -> String {
    let (client, _) = played(move |asked| {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        if path.ends_with("/events") {
            Answer::ok(
                &json!({"apiVersion": "v1", "kind": "EventList", "metadata": {}, "items": events}),
            )
        } else if query.contains("watch=true") {
            Answer::watching()
        } else if path.ends_with("/log") {
            assert!(query.contains("previous=true"), "{query}");
            Answer::text("error: unexpected argument '--queue'\n")
        } else {
            Answer::ok(&list(&pods, 1))
        }
    });
    let patience = Duration::from_secs(180);
    let waited = cluster::ready(&client, "edw-r1", "app=azurite", patience).await;
    waited.expect_err("it must not be ready").to_string()
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_does_not_become_ready_is_told_with_the_clusters_last_warning_about_it() {
    let event = |pod: &str, kind: &str, at: &str, message: &str| {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{pod}.{at}")},
            "type": kind, "reason": "FailedCreatePodSandBox", "lastTimestamp": format!("2026-11-30T03:{at}Z"),
            "message": message, "involvedObject": {"kind": "Pod", "name": pod}})
    };
    let events = vec![
        event("a", "Warning", "40:00", "no such host"),
        event("a", "Warning", "39:00", "the first try"),
        event("a", "Normal", "41:00", "assigned to a node"),
        event("b", "Warning", "42:00", "another pod"),
    ];
    assert_eq!(
        not_ready(vec![pod("a", 1)], events).await,
        "wait until a pod of app=azurite is ready: not within 180s; FailedCreatePodSandBox: no such host"
    );
    let told = not_ready(vec![pod("a", 1)], vec![]).await;
    assert!(told.ends_with("; its log may say why"), "{told}");
    let told = not_ready(vec![], vec![]).await;
    assert!(told.ends_with("; there is no such pod"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_ends_again_and_again_is_not_waited_for_and_says_why() {
    let mut crashing = pod("a", 1);
    let status = json!({"name": crashing["spec"]["containers"][0]["name"], "restartCount": 3, "ready": false,
        "image": "", "imageID": "", "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
    crashing["status"] = json!({"containerStatuses": [status]});
    let began = tokio::time::Instant::now();
    assert_eq!(
        not_ready(vec![crashing], vec![]).await,
        "use pod a: its container has ended 3 times without being ready; is its image the right one? Its last lines:\n\
         error: unexpected argument '--queue'"
    );
    assert!(began.elapsed() < Duration::from_secs(180));
}
