//! How the deletion of a namespace is followed: one that the run asks for, and one that someone else asks for.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_namespace_that_will_not_go_is_told_with_what_holds_it() {
    let held = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "edw-r1", "uid": "u", "resourceVersion": "7", "deletionTimestamp": "2026-11-28T12:00:00Z"},
        "status": {"phase": "Terminating", "conditions": [
            {"type": "NamespaceFinalizersRemaining", "status": "True", "reason": "SomeFinalizersRemain",
             "message": "Some content in the namespace has finalizers remaining: finalizer.keda.sh in 1 resource instances"},
            {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "all resources discovered"},
        ]},
    });
    let (client, _) = played(move |asked| {
        if asked.path.contains("watch=true") {
            return Answer::watching();
        }
        if asked.path.contains("fieldSelector") {
            let list = json!({"apiVersion": "v1", "kind": "NamespaceList", "metadata": {"resourceVersion": "7"}, "items": [held]});
            return Answer::ok(&list);
        }
        Answer::ok(&held)
    });
    let patience = Duration::from_secs(120);
    let error = namespace::remove(&client, "edw-r1", patience)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Late { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("finalizer.keda.sh in 1 resource instances"),
        "{text}"
    );
    assert!(!text.contains("all resources discovered"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_deletion_of_a_namespace_is_told_also_after_a_break_of_its_watch() {
    let namespace = |deleted: Option<&str>| {
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "edw-r1", "resourceVersion": "8", "deletionTimestamp": deleted},
        })
    };
    let mut is_first = true;
    let (client, log) = played(move |asked| {
        if asked.path.contains("watch=true") {
            let deleted = namespace(Some("2026-11-30T12:00:00Z"));
            return Answer::events(&[json!({"type": "MODIFIED", "object": deleted})]);
        }
        if std::mem::take(&mut is_first) {
            return Answer::refused(500, "InternalError", "etcd has no leader");
        }
        let list = json!({"apiVersion": "v1", "kind": "NamespaceList", "metadata": {"resourceVersion": "7"}, "items": [namespace(None)]});
        Answer::ok(&list)
    });
    let told = namespace::deletion(&client, "edw-r1");
    let told = tokio::time::timeout(Duration::from_secs(60), told);
    assert!(told.await.is_ok(), "{:?}", log.lock().unwrap());
}

#[tokio::test]
async fn a_namespace_that_is_gone_already_is_removed() {
    let (client, log) =
        played(|_| Answer::refused(404, "NotFound", "namespaces \"edw-r1\" not found"));
    namespace::remove(&client, "edw-r1", Duration::from_secs(1))
        .await
        .unwrap();
    assert!(
        log.lock()
            .unwrap()
            .iter()
            .all(|asked| asked.method == "GET")
    );
}
