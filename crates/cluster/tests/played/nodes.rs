//! Nodes that were handed over, and their pods, against an API server that is played.

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

/// The node `n`, handed over or not, with this holder, cordoned or not.
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

/// A server with one node, which takes what is asked of it.
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
    // A node that another run holds stays as it is.
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
            // Its owner took the label off meanwhile.
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

/// Pods on a node, by name: when each was told to end, and when it is gone, in looks.
type Pods = Arc<Mutex<BTreeMap<&'static str, Option<u32>>>>;

fn pod(name: &str, is_told: bool) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "uid": name, "namespace": "edw-r1"},
        "spec": {"containers": [], "nodeName": "n"}, "status": {"phase": "Running"},
    });
    if is_told {
        pod["metadata"]["deletionTimestamp"] = json!("2026-11-28T12:00:00Z");
    }
    pod
}

/// A server with these pods, each of which is gone `looks` looks after it was told to end; evictions are answered by `answer`.
fn with_pods(
    names: &[&'static str],
    looks: u32,
    mut answer: impl FnMut(&str) -> Option<Answer> + Send + 'static,
) -> (Client, Log) {
    let pods: Pods = Arc::new(Mutex::new(names.iter().map(|name| (*name, None)).collect()));
    played(move |asked| {
        let mut pods = pods.lock().expect("no holder may panic");
        if asked.method == "GET" {
            pods.retain(|_, left| *left != Some(0));
            let shown = pods.iter().map(|(name, left)| pod(name, left.is_some()));
            let shown: Vec<Value> = shown.collect();
            for left in pods.values_mut().flatten() {
                *left -= 1;
            }
            return Answer::ok(&list("PodList", &shown));
        }
        let name = asked.path.split('/').nth(6).unwrap_or_default();
        let name = name.split('?').next().unwrap_or_default();
        if let Some(refusal) = answer(name) {
            return refusal;
        }
        let left = pods.get_mut(name).expect("a pod that is there");
        left.get_or_insert(looks);
        Answer::ok(
            &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}),
        )
    })
}

fn drain(client: Client, way: Way) -> Drain {
    Drain {
        pods: Api::namespaced(client, "edw-r1"),
        label: "edw/group",
        node: "n".to_owned(),
        way,
        patience: Duration::from_secs(60),
    }
}

async fn told(client: Client, way: Way) -> (Result<(), Error>, Vec<Told>) {
    let mut all = Vec::new();
    let ended = drain(client, way).run(|told| all.push(told)).await;
    (ended, all)
}

const BUDGET: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

#[tokio::test(start_paused = true)]
async fn what_a_budget_holds_back_is_asked_again_and_told_once() {
    let mut refusals = 3;
    let (client, log) = with_pods(&["a", "b"], 2, move |name| {
        if name == "a" {
            return None;
        }
        refusals -= 1;
        (refusals >= 0).then(|| Answer::refused(429, "TooManyRequests", BUDGET))
    });
    let (ended, all) = told(client, Way::InOrder).await;
    ended.unwrap();
    let expected = [
        Told::Evicted("a".to_owned()),
        Told::HeldBack("b".to_owned(), BUDGET.to_owned()),
        Told::Evicted("b".to_owned()),
    ];
    assert_eq!(all, expected);
    let asked = changes(&log);
    let of_b = asked
        .iter()
        .filter(|it| it.path.contains("/pods/b/eviction"));
    assert_eq!(of_b.count(), 4);
    let first = log.lock().unwrap()[0].path.clone();
    assert!(
        first.contains("fieldSelector=spec.nodeName%3Dn")
            && first.contains("labelSelector=edw%2Fgroup"),
        "only this run's workers on this node: {first}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_is_not_asked_again() {
    let message = "pods \"a\" is forbidden: User \"u\" cannot create resource \"pods/eviction\"";
    let (client, log) = with_pods(&["a"], 1, move |_| {
        Some(Answer::refused(403, "Forbidden", message))
    });
    let (ended, _) = told(client, Way::InOrder).await;
    assert_eq!(
        ended.unwrap_err().to_string(),
        format!("evict the pod a: {message}")
    );
    assert_eq!(changes(&log).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_never_lets_go_is_told_when_time_is_up() {
    let (client, _) = with_pods(&["a"], 1, |_| {
        Some(Answer::refused(429, "TooManyRequests", BUDGET))
    });
    let (ended, all) = told(client, Way::InOrder).await;
    let late = ended.unwrap_err().to_string();
    assert!(
        late.starts_with("wait until n has no pod of the run any more: not within 60s; a may not be evicted: Cannot evict"),
        "{late}"
    );
    assert_eq!(all.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_will_not_go_is_named_with_what_holds_it() {
    let (client, log) = with_pods(&["a"], u32::MAX, |_| None);
    let (ended, _) = told(client, Way::InOrder).await;
    let late = ended.unwrap_err().to_string();
    assert!(late.contains("a should have been gone for"), "{late}");
    assert!(
        late.contains("its kubelet has not said that it ended"),
        "{late}"
    );
    assert_eq!(changes(&log).len(), 1, "it was told once");
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_for_a_moment_is_asked_again() {
    let mut refusals = 2;
    let (client, _) = with_pods(&["a"], 1, move |_| {
        refusals -= 1;
        (refusals >= 0).then(|| Answer::refused(500, "InternalError", "etcdserver: leader changed"))
    });
    let (ended, all) = told(client, Way::InOrder).await;
    ended.unwrap();
    assert_eq!(all.last(), Some(&Told::Evicted("a".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn pods_that_end_at_once_ask_no_budget() {
    let (client, log) = with_pods(&["a", "b"], 0, |_| None);
    let (ended, all) = told(client, Way::AtOnce).await;
    ended.unwrap();
    let expected = ["a", "b"].map(|name| Told::Ends(name.to_owned()));
    assert_eq!(all, expected);
    for change in changes(&log) {
        assert_eq!(change.method, "DELETE");
        assert_eq!(change.body["gracePeriodSeconds"], 0);
    }
}

/// A server that allows all but what `denied` names, with one node with these labels.
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
    let expected = "permission to patch nodes (core), needed to cordon those nodes, and give them back: docs/cluster-role-nodes.yaml has all that is needed";
    assert_eq!(denied, [expected]);
    // The right to delete is needed where a node may be deleted, and nowhere else.
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
