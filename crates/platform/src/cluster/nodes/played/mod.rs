//! Tests of nodes and evictions against a fake API server and a fake Azure Resource Manager.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]

mod api;
mod handed;

use std::io::Write as _;

use api::{Manager, Teller, server};
use evidence::events::{EventLog, Log, NodeChange};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use workflow::contract::workload::WorkerForm;

use super::super::crew::Crew;
use super::*;
use crate::simulated::MachineEnd;
use crate::until::until_told;
use crate::workers::{Readiness, Worker, WorkerState};

/// Time limit for every wait.
const SOON: Duration = Duration::from_secs(20);

/// The Retail Prices API's answer for the machine size of the nodes.
const PRICES: &str = r#"{"Items": [
    {"armSkuName": "Standard_D2s_v5", "skuName": "D2s v5", "productName": "Virtual Machines Dsv5 Series", "unitOfMeasure": "1 Hour", "retailPrice": 0.096},
    {"armSkuName": "Standard_D2s_v5", "skuName": "D2s v5 Spot", "productName": "Virtual Machines Dsv5 Series", "unitOfMeasure": "1 Hour", "retailPrice": 0.0196}
]}"#;

const EVICTION: Eviction = Eviction {
    notice: None,
    drained_after: None,
    ends: MachineEnd::Deleted,
    returns: false,
};

/// A Spot node as node auto-provisioning makes it, ten minutes old.
fn node(name: &str, conditions: &[&str]) -> Value {
    let created = Timestamp::now() - SignedDuration::from_mins(10);
    let conditions = conditions.iter().chain(&["Ready"]);
    let conditions: Vec<Value> = conditions
        .map(|name| json!({"type": name, "status": "True"}))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name, "uid": name, "resourceVersion": "2", "creationTimestamp": created.to_string(),
            "labels": {
                "karpenter.sh/capacity-type": "spot",
                "node.kubernetes.io/instance-type": "Standard_D2s_v5",
                "topology.kubernetes.io/region": "eastus",
                "topology.kubernetes.io/zone": "eastus-1",
            },
        },
        "spec": {"providerID": format!(
            "azure:///subscriptions/0b1f/resourceGroups/edw-aks-n1-nodes/providers/Microsoft.Compute/virtualMachines/{name}"
        )},
        "status": {"conditions": conditions},
    })
}

struct Played {
    nodes: WatchedNodes,
    teller: Teller,
    roster: watch::Sender<Roster>,
    asked: Arc<Mutex<Vec<String>>>,
    dir: TempDir,
    prices: Manager,
    _manager: Manager,
}

impl Played {
    /// Watches a node with a consumer whose scheduled events endpoint answers.
    async fn start(answers: Vec<(u16, &'static str)>) -> Self {
        let manager = Manager::start(answers).await;
        let (client, teller) = server(vec![node("aks-edw-spot-1", &[])]);
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("logs")).unwrap();
        let seen = seen(client, dir.path());
        let roster = watch::Sender::new(Roster {
            workers: vec![worker("aqs-app-1", "aks-edw-spot-1")],
            wanted: 1,
            ..Roster::default()
        });
        let prices = Manager::start(vec![(200, PRICES)]).await;
        let trusting = reqwest::Client::builder().tls_certs_only([prices.root.clone()]);
        let asked = Prices::at(&prices.base, trusting).unwrap();
        let takes_back = Arc::new(manager.arm.clone());
        let nodes = WatchedNodes::watch(&seen, roster.subscribe(), takes_back, Some(asked));
        let played = Self {
            nodes,
            teller,
            roster,
            asked: manager.asked.clone(),
            dir,
            prices,
            _manager: manager,
        };
        played.says("aqs-app-1", "scheduled events answer");
        played
    }

    fn says(&self, pod: &str, message: &str) {
        let file = self.dir.path().join(format!("logs/{pod}.log"));
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .unwrap();
        writeln!(file, "{}", json!({"message": message})).unwrap();
    }

    async fn until(&self, holds: impl Fn(&NodesView) -> bool) -> NodesView {
        let told = until_told(self.nodes.watch(), SOON, |view| {
            holds(view).then(|| view.clone())
        });
        told.await.expect("it must be seen in time")
    }

    /// The node changes in the run's log.
    fn changes(&self) -> Vec<NodeChange> {
        let log = Log::read(self.dir.path()).unwrap();
        let changes = log
            .entries
            .into_iter()
            .filter_map(|entry| match entry.event {
                Event::Node(event) => Some(event.change),
                _ => None,
            });
        changes.collect()
    }
}

/// The watch state for a run in `directory`.
fn seen(client: kube::Client, directory: &std::path::Path) -> Seen {
    let log = EventLog::open(directory).unwrap();
    let crew = Crew::new(log.clone(), directory.to_owned(), WorkerForm::default());
    Seen {
        client,
        namespace: "edw-r1".to_owned(),
        container: "consumer".to_owned(),
        directory: directory.to_owned(),
        log,
        crew: Arc::new(Mutex::new(crew)),
        observers: Arc::default(),
        deployments: Arc::default(),
        trouble: Arc::default(),
    }
}

fn worker(name: &str, node: &str) -> Worker {
    Worker {
        name: name.to_owned(),
        group: "consumers",
        node: Some(node.to_owned()),
        state: WorkerState::Running,
        readiness: Readiness::Ready,
        has_received: None,
    }
}

#[tokio::test]
async fn a_node_is_taken_back_by_its_provider_id_and_its_story_is_in_the_log() {
    let played = Played::start(vec![]).await;
    played.until(|view| !view.evictable().is_empty()).await;
    let evicted = played.nodes.evict("aks-edw-spot-1", EVICTION).await;
    evicted.unwrap();
    assert_eq!(
        *played.asked.lock().unwrap(),
        [
            "POST /subscriptions/0b1f/resourceGroups/edw-aks-n1-nodes/providers/Microsoft.Compute/virtualMachines/aks-edw-spot-1/simulateEviction?api-version=2025-04-01"
        ]
    );
    played.says("aqs-app-1", "Spot eviction announced: draining");
    played
        .until(|view| view.evictions[0].eviction.notice.is_some())
        .await;
    let tell = |kind: &str, object: Value| {
        let event = json!({"type": kind, "object": object});
        played.teller.nodes.try_send(event).unwrap();
    };
    tell("MODIFIED", node("aks-edw-spot-1", &["PreemptionScheduled"]));
    tell("ADDED", node("aks-edw-spot-2", &[]));
    played.until(|view| view.nodes.len() == 2).await;
    tell("DELETED", node("aks-edw-spot-1", &["PreemptionScheduled"]));
    played.until(|view| view.evictions[0].is_over).await;
    played.roster.send_modify(|roster| {
        roster.workers = vec![worker("aqs-app-2", "aks-edw-spot-2")];
    });
    let view = played
        .until(|view| view.evictions[0].recovered.is_some())
        .await;
    assert!(view.evictions[0].is_asked);
    let told = played.changes();
    let told: Vec<&NodeChange> = told
        .iter()
        .filter(|it| !matches!(it, NodeChange::Joined { .. } | NodeChange::Priced { .. }))
        .collect();
    let condition = "PreemptionScheduled".to_owned();
    let by = "aks-edw-spot-2".to_owned();
    let consumer = "aqs-app-1".to_owned();
    let [
        first,
        second,
        third,
        fourth,
        fifth,
        sixth,
        NodeChange::Recovered { .. },
    ] = &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(**first, NodeChange::Requested);
    assert_eq!(**second, NodeChange::Noticed { consumer });
    assert!(matches!(third, NodeChange::Announced { .. }));
    assert_eq!(**fourth, NodeChange::Condition { condition });
    assert!(matches!(fifth, NodeChange::Gone { .. }));
    assert_eq!(**sixth, NodeChange::Replaced { by });
}

#[tokio::test]
async fn a_size_of_machine_is_asked_for_its_price_once_and_each_node_has_it() {
    let played = Played::start(vec![]).await;
    let event = json!({"type": "ADDED", "object": node("aks-edw-spot-2", &[])});
    played.teller.nodes.try_send(event).unwrap();
    let is_priced = |it: &NodeChange| matches!(it, NodeChange::Priced { .. });
    let count = || played.changes().into_iter().filter(is_priced).count();
    let both = crate::until::until(SOON, async || Ok((count() == 2).then_some(())));
    both.await.unwrap().expect("both must have a price in time");
    let asked = played.prices.asked.lock().unwrap().clone();
    let [one] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert!(one.contains("armSkuName+eq+%27Standard_D2s_v5%27"), "{one}");
    let priced = played.changes().into_iter().find(is_priced).unwrap();
    let expected = NodeChange::Priced {
        on_demand_micro_usd: 96_000,
        spot_micro_usd: Some(19_600),
    };
    assert_eq!(priced, expected);
}

#[tokio::test]
async fn a_refusal_is_told_in_azures_words_and_the_node_has_no_story() {
    let refusals = vec![
        (
            403,
            r#"{"error": {"code": "AuthorizationFailed", "message": "no permission"}}"#,
        ),
        (
            404,
            r#"{"error": {"code": "ResourceNotFound", "message": "gone"}}"#,
        ),
        (
            409,
            r#"{"error": {"code": "OperationNotAllowed", "message": "not now"}}"#,
        ),
    ];
    let played = Played::start(refusals).await;
    played.until(|view| !view.evictable().is_empty()).await;
    for named in [
        "evict aks-edw-spot-1: it is not allowed (AuthorizationFailed: no permission)",
        "evict aks-edw-spot-1: the machine is not there (ResourceNotFound: gone)",
        "evict aks-edw-spot-1: the machine cannot be evicted now (OperationNotAllowed: not now)",
    ] {
        let refused = played.nodes.evict("aks-edw-spot-1", EVICTION).await;
        let refused = format!("{:#}", refused.unwrap_err());
        assert!(refused.starts_with(named), "{refused}");
        let view = played.nodes.watch().borrow().clone();
        assert!(view.evictions.is_empty());
        assert_eq!(view.evictable(), ["aks-edw-spot-1"]);
    }
}

#[tokio::test]
async fn a_refused_machine_is_heard_of_its_claim_until_a_node_comes() {
    let played = Played::start(vec![]).await;
    played.until(|view| !view.nodes.is_empty()).await;
    let claim = |status: &str, reason: &str, message: &str| {
        json!({"type": "MODIFIED", "object": {
            "apiVersion": "karpenter.sh/v1", "kind": "NodeClaim",
            "metadata": {"name": "edw-spot-x", "uid": "c", "resourceVersion": "3"},
            "status": {"conditions": [
                {"type": "Launched", "status": status, "reason": reason, "message": message},
            ]},
        }})
    };
    let said = "the requested SKU is unavailable for instance type Standard_D2s_v5 in zone eastus-1 with capacity type spot, for more details please visit: https://aka.ms/azureskunotavailable";
    for claim in [
        claim(
            "Unknown",
            "AwaitingReconciliation",
            "object is awaiting reconciliation",
        ),
        claim("Unknown", "SKUNotAvailable", said),
        claim("Unknown", "SKUNotAvailable", said),
    ] {
        played.teller.claims.try_send(claim).unwrap();
    }
    let view = played.until(|view| view.shortage.is_some()).await;
    let why = view.shortage.unwrap();
    let told = "Azure has no machine of these sizes to give: SKUNotAvailable: the requested SKU";
    assert!(why.starts_with(told), "{why}");
    let other = json!({"type": "ADDED", "object": node("aks-edw-on-demand-1", &[])});
    played.teller.nodes.try_send(other).unwrap();
    played.until(|view| view.shortage.is_none()).await;
}

#[tokio::test]
async fn a_lack_of_machines_is_named_as_node_provisioning_words_it() {
    let played = Played::start(vec![]).await;
    played.until(|view| !view.nodes.is_empty()).await;
    let message = "regional spot vCPU quota limit for subscription has been reached. To scale beyond this limit, ...";
    let last = Timestamp::now() + SignedDuration::from_secs(60);
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "type": "Warning", "message": message, "lastTimestamp": last.to_string(),
        "metadata": {"name": "e", "namespace": "default", "uid": "e", "resourceVersion": "2"},
        "involvedObject": {},
    });
    let event = json!({"type": "ADDED", "object": event});
    played.teller.warnings.try_send(event).unwrap();
    let view = played.until(|view| view.shortage.is_some()).await;
    let why = view.shortage.unwrap();
    assert!(
        why.starts_with("a quota of the subscription is used up: regional spot"),
        "{why}"
    );
}
