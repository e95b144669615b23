//! Tests of handed-over nodes, and of their pods, against a fake API server.

mod drained;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cluster::drain::{Drain, Told, Way};
use cluster::nodes::{Holder, cordon, delete, held, uncordon};
use cluster::{Error, NodeLabel, Wants, preflight};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::least_rights;
use crate::server::{Answer, Asked, Log, played};

fn label() -> NodeLabel {
    "edw.example/drain=yes"
        .parse()
        .expect("a label must be one")
}

fn holder() -> Holder {
    Holder {
        run: "r1".to_owned(),
        life: Duration::from_secs(3600),
    }
}

/// The node `n`: handed over or not, with this holder, cordoned or not.
fn node(is_handed_over: bool, holder: Option<&str>, is_cordoned: bool) -> Value {
    let labels = if is_handed_over {
        json!({"edw.example/drain": "yes", "edw/may-be-deleted": "true"})
    } else {
        json!({})
    };
    let mut node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "n", "uid": "u", "resourceVersion": "7", "labels": labels},
        "spec": {"unschedulable": is_cordoned},
    });
    if let Some(holder) = holder {
        node["metadata"]["annotations"] =
            json!({"edw/cordoned-by": holder, "edw/expires": "2026-11-28T12:00:00Z"});
    }
    node
}

fn list(kind: &str, items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"resourceVersion": "1"}, "items": items})
}

/// A server with one node, which accepts every request.
fn with(node: Value) -> (Client, Log) {
    played(move |asked| match asked.method.as_str() {
        "GET" if asked.path.starts_with("/api/v1/pods?") => Answer::ok(&list("PodList", &[])),
        _ => Answer::ok(&node),
    })
}

fn changes(log: &Log) -> Vec<Asked> {
    let asked = log.lock().expect("no holder may panic").clone();
    let changes = asked.into_iter().filter(|it| it.method != "GET");
    changes.collect()
}

#[tokio::test]
async fn a_node_is_cordoned_in_the_version_that_was_looked_at_with_who_has_it_and_until_when() {
    let (client, log) = with(node(true, None, false));
    cordon(&client, "n", &label(), &holder()).await.unwrap();
    let [change] = &changes(&log)[..] else {
        panic!("one change is enough")
    };
    assert_eq!(change.method, "PATCH");
    assert_eq!(change.body["metadata"]["resourceVersion"], "7");
    assert_eq!(change.body["spec"], json!({"unschedulable": true}));
    let annotations = &change.body["metadata"]["annotations"];
    assert_eq!(annotations["edw/cordoned-by"], "r1");
    assert!(
        annotations["edw/expires"]
            .as_str()
            .is_some_and(|it| it > "2026")
    );
}

#[tokio::test]
async fn a_node_that_is_not_the_runs_to_take_is_not_touched() {
    for (node, why) in [
        (
            node(false, None, false),
            "use Node/n: it does not carry edw.example/drain=yes, and is nobody's to drain",
        ),
        (
            node(true, None, true),
            "use Node/n: it is cordoned already, by somebody else",
        ),
        (
            node(true, Some("r0"), true),
            "use Node/n: run r0 has it cordoned",
        ),
    ] {
        let (client, log) = with(node);
        let refused = cordon(&client, "n", &label(), &holder()).await;
        assert_eq!(refused.unwrap_err().to_string(), why);
        assert!(changes(&log).is_empty(), "{why}");
    }
    // A node that another run holds stays unchanged.
    let (client, log) = with(node(true, Some("r0"), true));
    assert!(!uncordon(&client, "n", "r1").await.unwrap());
    assert!(changes(&log).is_empty());
}

#[tokio::test]
async fn what_others_change_at_the_same_moment_is_looked_at_anew() {
    let mut reads = 0;
    let (client, log) = played(move |asked| {
        if asked.method == "GET" {
            reads += 1;
            // Its owner has removed the label in the meantime.
            return Answer::ok(&node(reads == 1, None, false));
        }
        Answer::refused(409, "Conflict", "the object has been modified")
    });
    let refused = cordon(&client, "n", &label(), &holder()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("nobody's to drain"), "{refused}");
    assert_eq!(changes(&log).len(), 1);
}

#[tokio::test]
async fn a_node_is_given_back_with_nothing_left_on_it() {
    let (client, log) = with(node(true, Some("r1"), true));
    assert!(uncordon(&client, "n", "r1").await.unwrap());
    let [change] = &changes(&log)[..] else {
        panic!("one change is enough")
    };
    let expected = json!({
        "metadata": {"resourceVersion": "7", "annotations": {"edw/cordoned-by": null, "edw/expires": null}},
        "spec": {"unschedulable": null},
    });
    assert_eq!(change.body, expected);
}

#[tokio::test]
async fn a_node_that_is_gone_is_given_back() {
    let (client, _) = played(|_| Answer::refused(404, "NotFound", "nodes \"n\" not found"));
    assert!(!uncordon(&client, "n", "r1").await.unwrap());
    let refused = cordon(&client, "n", &label(), &holder()).await.unwrap_err();
    assert_eq!(refused.to_string(), "use Node/n: it is not there");
}

#[tokio::test]
async fn the_nodes_that_runs_have_left_are_found_with_their_date() {
    let (client, _) = played(|_| {
        let nodes = [node(true, Some("r0"), true), node(true, None, true)];
        Answer::ok(&list("NodeList", &nodes))
    });
    let found = held(&client).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&*found[0].node, &*found[0].run), ("n", "r0"));
    assert_eq!(found[0].expires, "2026-11-28T12:00:00Z");
}

#[tokio::test]
async fn a_node_is_deleted_only_if_it_may_be_and_nothing_of_others_is_on_it() {
    let other = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "namespace": "shop"}, "spec": {"containers": []}});
    let with_other = node(true, Some("r1"), true);
    let (client, log) = played(move |asked| {
        if asked.path.starts_with("/api/v1/pods?") {
            return Answer::ok(&list("PodList", std::slice::from_ref(&other)));
        }
        Answer::ok(&with_other)
    });
    let refused = delete(&client, "n", "r1").await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "use Node/n: it is not deleted, since these pods are on it: shop/db-0"
    );
    assert!(changes(&log).is_empty());
    for kept in [
        node(false, Some("r1"), true),
        node(true, Some("r0"), true),
        node(true, None, true),
    ] {
        let (client, log) = with(kept);
        assert!(delete(&client, "n", "r1").await.is_err());
        assert!(changes(&log).is_empty());
    }
    let (client, log) = with(node(true, Some("r1"), true));
    delete(&client, "n", "r1").await.unwrap();
    let [deleted] = &changes(&log)[..] else {
        panic!("one change is enough")
    };
    assert_eq!(deleted.method, "DELETE");
    assert_eq!(deleted.body["preconditions"]["uid"], "u");
}

/// The missing rights and nodes on a server that grants all rights except those that `denied` names, and has one node with
/// these labels.
async fn lacks(denied: &'static str, labels: Value) -> Vec<String> {
    let mut rights = least_rights(denied);
    let (client, _) = played(move |asked| {
        if asked.path.starts_with("/api/v1/nodes?") {
            let is_asked_for = labels["edw.example/drain"] == "yes";
            let by_label = asked.path.contains("labelSelector");
            let mut node = node(false, None, false);
            node["metadata"]["labels"] = labels.clone();
            let shown = if by_label && !is_asked_for {
                vec![]
            } else {
                vec![node]
            };
            return Answer::ok(&list("NodeList", &shown));
        }
        rights(asked)
    });
    let wants = Wants {
        nodes: Some(label()),
        ..Wants::default()
    };
    let found = preflight(&client, &wants, "edw-preflight").await;
    found.expect("the server must answer").lacks
}

#[tokio::test]
async fn who_hands_over_nodes_is_told_beforehand_what_lacks_to_drain_them() {
    let drain = json!({"edw.example/drain": "yes"});
    let deletable = json!({"edw.example/drain": "yes", "edw/may-be-deleted": "true"});
    assert_eq!(lacks("nothing", drain.clone()).await, [""; 0]);
    let denied = lacks("patch nodes", drain.clone()).await;
    let expected = [
        "permission to patch nodes (core), needed to cordon those nodes, and give them back",
        "a role that grants this right: docs/cluster-role-nodes.yaml of the harness's repository does",
    ];
    assert_eq!(denied, expected);
    // The right to delete is needed only if a node may be deleted.
    assert_eq!(lacks("delete nodes", drain).await, [""; 0]);
    let denied = lacks("delete nodes", deletable).await;
    assert!(
        denied[0].starts_with("permission to delete nodes"),
        "{denied:?}"
    );
    let none = lacks("nothing", json!({})).await;
    assert!(
        none[0].starts_with("a node that carries edw.example/drain=yes"),
        "{none:?}"
    );
}
