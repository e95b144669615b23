//! Tests of draining pods from a node: budgets, refusals, and pods that do not end.

use super::*;

/// Pods on a node, by name: the number of reads after which each is gone, once it was told to end.
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

/// A server with these pods, each of which is gone `looks` reads after it was told to end; evictions are answered by `answer`.
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
